"""Worlds for deploying beside a target: the double, and the deployers in front of local Studio."""

from __future__ import annotations

import json
import time
from typing import Any, Protocol

import requests

from alm.adapters.connections import Answer, Connections, Request, Transport
from alm.domain.managed_model import ArmWebService, ClassicEndpoint, Target
from alm.domain.web_services import EndpointSettings
from alm.ports import Grant, Row, ScoringTarget
from alm.studio_ports import Deployer
from tests.contract.studio.local_studio import LocalStudio
from tests.contract.studio.service_worlds import (
    EFFECTS,
    ERRORS,
    MODEL,
    Kind,
    LocalNewWorld,
    publish,
    settled,
)
from tests.contract.studio.waiting import HandClock
from tests.contract.studio.worlds import DoubleTargetWorld, labels
from tests.doubles.deployer import DoubleDeployer
from tests.doubles.studio import BASE, DoubleTarget


class DeployerWorld(Protocol):
    """template: the target's own service, as it is read and scored. own: its name."""

    deployer: Deployer
    template: ScoringTarget
    own: str
    rows: tuple[Row, ...]
    models: tuple[Grant, Grant]

    def answers(self, model: Grant) -> tuple[str | None, ...]: ...

    def template_answer(self) -> bytes:
        """Everything that the target's own service says to the rows, byte by byte."""
        ...

    def stranger(self, name: str) -> None:
        """People deploy something by hand."""
        ...

    def stranger_is_there(self, name: str) -> bool: ...

    def break_off(self) -> None:
        """Let the next attempt to create break off in the middle, or lose its answer."""
        ...

    def fault(self, kind: Kind) -> None:
        """Let the next call fail that reads what is there."""
        ...

    def heal(self) -> None: ...

    def forward(self, seconds: float) -> None: ...


class DoubleDeployerWorld:
    own = "live"

    def __init__(self) -> None:
        scored = DoubleTargetWorld()
        self._clock = HandClock()
        self.rows, self.models = scored.rows, scored.models
        self.answers = scored.answers
        location = BASE + "models/v1.ilearner"
        self.template = DoubleTarget(self._clock, location, scored_by=scored._scored)
        service = ClassicEndpoint(
            kind="classic", endpoint="https://double/workspaces/w/webservices/s/endpoints/live"
        )
        target = Target(name="t", service=service, trained_model="m", deploy="new-endpoint")
        self.deployer = DoubleDeployer(self._clock, target, self.template)

    def template_answer(self) -> bytes:
        return repr(self.template.score(self.rows, input="input1", output="output1")).encode()

    def stranger(self, name: str) -> None:
        self.deployer.strangers.add(name)

    def stranger_is_there(self, name: str) -> bool:
        return name in self.deployer.strangers

    def break_off(self) -> None:
        self.deployer.fail("patch", *ERRORS["unavailable"][:1])

    def fault(self, kind: Kind) -> None:
        error, after = ERRORS[kind]
        for operation in ("exists", "create", "names", "delete"):
            self.deployer.fail(operation, error, after=after, times=1)

    def heal(self) -> None:
        self.deployer.heal()

    def forward(self, seconds: float) -> None:
        self._clock.forward(seconds)


class LocalDeployerWorld:
    """What both kinds of local services have in common."""

    own: str

    def __init__(self, local: LocalStudio, service: ClassicEndpoint | ArmWebService) -> None:
        self.local = local
        self.rows = local.rows
        self.models = (local.models[0], local.models[1])
        self.target = self._declared(service)
        lifecycle = local.lifecycle()
        self.deployer = lifecycle.deployer(self.target)
        self.template = local.services().target(self.target)

    def _declared(self, service: ClassicEndpoint | ArmWebService) -> Target:
        raise NotImplementedError

    def answers(self, model: Grant) -> tuple[str | None, ...]:
        return self.local.expected[model.location]

    def template_answer(self) -> bytes:
        address, key = self._execution()
        columns = list(self.rows[0])
        values = [[row[column] for column in columns] for row in self.rows]
        body = {"Inputs": {"input1": {"ColumnNames": columns, "Values": values}}}
        url = f"{address}/execute?api-version=2.0&details=true"
        headers = {"Authorization": f"Bearer {key}"}
        answer = requests.post(url, json=body, headers=headers, timeout=10)
        answer.raise_for_status()
        return answer.content

    def _execution(self) -> tuple[str, str]:
        raise NotImplementedError

    def fault(self, kind: Kind) -> None:
        path = "/(endpoints|webServices)(/[^/]+)?$"
        document = {"effect": EFFECTS[kind], "match": {"method": "GET", "path": path}}
        url = f"{self.local.url}/admin/faults"
        times = None if kind == "denied" else 1
        requests.post(url, json={**document, "times": times}, timeout=10).raise_for_status()

    def heal(self) -> None:
        self.local.heal()

    def forward(self, seconds: float) -> None:
        self.local.clock.forward(seconds)


class LocalEndpointWorld(LocalDeployerWorld):
    own = "live"

    def __init__(self, local: LocalStudio) -> None:
        self._services = local.lifecycle().classic_services(local.workspace())
        self._service = publish(local, 0)
        settings = EndpointSettings(throttle="High", concurrent_calls=7)
        self._services.put_endpoint(self._service, "live", settings)
        super().__init__(local, local.classic(self._service, "live"))

    def _declared(self, service: ClassicEndpoint | ArmWebService) -> Target:
        name = f"{MODEL} [trained model]"
        return Target(name="t", service=service, trained_model=name, deploy="new-endpoint")

    def _execution(self) -> tuple[str, str]:
        endpoint = self._services.endpoint(self._service, "live")
        return endpoint.api_location, endpoint.key.get_secret_value()

    def stranger(self, name: str) -> None:
        settings = EndpointSettings(description="made by hand")
        self._services.put_endpoint(self._service, name, settings)

    def stranger_is_there(self, name: str) -> bool:
        endpoint = self._services.endpoint(self._service, name)
        return endpoint.description == "made by hand" and (
            endpoint.resources[0].location == self.models[0].location
        )

    def break_off(self) -> None:
        self.local.fault("503", "patch", times=1)

    @property
    def settings(self) -> dict[str, Any]:
        """How each endpoint is throttled."""
        found = self._services.endpoints(self._service)
        return {one.name: (one.throttle, one.concurrent_calls) for one in found}


class LocalServiceWorld(LocalDeployerWorld):
    api_version = "2017-01-01"

    def __init__(self, local: LocalStudio) -> None:
        self._world = LocalNewWorld(local)
        self._resource = self._world.resource("live")
        self._world.services.put(self._resource, self._world.definition(0))
        settled(self._world.services, self._resource)
        self.own = self._resource.rpartition("/")[2]
        service = {"kind": "new", "resource": self._resource, "api_version": self.api_version}
        super().__init__(local, ArmWebService.model_validate(service))

    def _declared(self, service: ClassicEndpoint | ArmWebService) -> Target:
        return self.declared(service)

    def declared(self, service: ClassicEndpoint | ArmWebService, **hosting: str) -> Target:
        document = {
            "name": "t",
            "service": service,
            "trained_model": MODEL,
            "deploy": "new-service",
            "hosting": {"plan": self._world.plan, "storage_key": "env:STORAGE_KEY", **hosting},
        }
        return Target.model_validate(document)

    @property
    def world(self) -> LocalNewWorld:
        return self._world

    def resource(self, name: str) -> str:
        return f"{self._resource.rpartition('/')[0]}/{name}"

    def _execution(self) -> tuple[str, str]:
        arm = self.local.services().resource_manager
        answer = arm.send("GET", f"{self._resource}?api-version=2017-01-01")
        swagger = json.loads(answer.body)["properties"]["swaggerLocation"]
        keys = arm.send("GET", f"{self._resource}/listKeys?api-version=2017-01-01")
        return swagger.removesuffix("/swagger.json"), json.loads(keys.body)["primary"]

    def stranger(self, name: str) -> None:
        self._world.services.put(self.resource(name), self._world.definition(0))
        settled(self._world.services, self.resource(name))

    def stranger_is_there(self, name: str) -> bool:
        document = self._world.services.get(self.resource(name))
        place = document["properties"]["assets"]["model"]["locationInfo"]["uri"]
        return document["tags"] == {"team": "a"} and place == self.models[0].location

    def break_off(self) -> None:
        self.local.fault("lost_answer", "put", times=1)


class LocalServiceWorld2016(LocalServiceWorld):
    api_version = "2016-05-01-preview"


class Counted(Transport):
    """Passes calls on and notes their methods."""

    def __init__(self) -> None:
        self._inner = Connections()
        self.methods: list[str] = []

    def exchange(self, request: Request, seconds: float) -> Answer:
        self.methods.append(request.method)
        return self._inner.exchange(request, seconds)

    def close(self) -> None:
        self._inner.close()


def serving(deployer: Deployer, name: str, world: DeployerWorld) -> tuple[str | None, ...]:
    """What a deployment answers once it has settled and the model has come everywhere."""
    deadline = time.monotonic() + 30
    target = deployer.target(name)
    while not target.read().settled:
        assert time.monotonic() < deadline, "the deployment has not settled"
        time.sleep(0.02)
    world.forward(60)
    return labels(target, world.rows)
