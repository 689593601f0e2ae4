"""Worlds for managing web services: doubles, and the clients in front of local Studio."""

from __future__ import annotations

import time
from typing import Any, Protocol

import requests

from alm.domain.errors import AlmError, Denied, Unavailable, Unknown
from alm.domain.hosting import Hosting
from alm.domain.web_services import Plan
from alm.ports import Grant
from alm.studio_ports import ClassicServices, NewServices
from devstack.studio.names import new_id
from devstack.studio.records import AssetSource
from devstack.studio.templates import scoring_properties
from tests.contract.studio.local_studio import LocalStudio
from tests.contract.studio.waiting import HandClock
from tests.doubles.new_services import DoubleNewServices
from tests.doubles.studio import BASE
from tests.doubles.web_services import DoubleClassicServices

Kind = str  # "unavailable", "denied", "lost answer"
EFFECTS = {"unavailable": "503", "denied": "401", "lost answer": "lost_answer"}
ERRORS: dict[Kind, tuple[AlmError, bool]] = {
    "unavailable": (Unavailable("no room"), False),
    "denied": (Denied("wrong key"), False),
    "lost answer": (Unknown("lost"), True),
}
MODEL = "Cancer model"
GROUP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning"


class ClassicWorld(Protocol):
    """missing: the id of a service that is not there."""

    services: ClassicServices
    missing: str

    def publish(self, number: int, service: str = "") -> str:
        """Deploy a service with one of two models, or deploy it again; returns its id."""
        ...

    def location(self, number: int) -> str: ...

    def patch(self, service: str, name: str, number: int) -> None: ...

    def fault(self, operation: str, kind: Kind) -> None: ...

    def heal(self) -> None: ...


class NewWorld(Protocol):
    """secret: the storage key. plan, elsewhere: plans in West Europe and South Central US."""

    services: NewServices
    secret: str
    plan: str
    elsewhere: str

    def resource(self, name: str) -> str: ...

    def definition(self, number: int) -> dict[str, Any]:
        """A complete definition with one of two models."""
        ...

    def broken(self) -> dict[str, Any]:
        """A definition that is accepted and cannot be deployed."""
        ...

    def location(self, number: int) -> str: ...

    def model(self, number: int) -> Grant:
        """Leave to read one of two models."""
        ...

    def hosting(self, **fields: str) -> Hosting:
        """On the plan in West Europe, unless told otherwise."""
        ...

    def hold(self) -> None:
        """Let deployments stay under way, until `release`."""
        ...

    def release(self) -> None: ...

    def fault(self, operation: str, kind: Kind) -> None: ...

    def heal(self) -> None: ...


class DoubleClassicWorld:
    missing = "f" * 32

    def __init__(self) -> None:
        self.services = DoubleClassicServices(HandClock())

    def publish(self, number: int, service: str = "") -> str:
        return self.services.publish("cancer", self.location(number), service)

    def location(self, number: int) -> str:
        return f"{BASE}models/v{number}.ilearner"

    def patch(self, service: str, name: str, number: int) -> None:
        self.services.patch(service, name, self.location(number))

    def fault(self, operation: str, kind: Kind) -> None:
        error, after = ERRORS[kind]
        self.services.fail(operation, error, after=after, times=None if kind == "denied" else 1)

    def heal(self) -> None:
        self.services.heal()


class LocalClassicWorld:
    missing = "f" * 32

    def __init__(self, local: LocalStudio) -> None:
        self._local = local
        self.services = local.lifecycle().classic_services(local.workspace())

    def publish(self, number: int, service: str = "") -> str:
        return publish(self._local, number, service)

    def location(self, number: int) -> str:
        return self._local.models[number].location

    def patch(self, service: str, name: str, number: int) -> None:
        endpoint = self._local.classic(service, name)
        target = self._local.target(endpoint)
        target.patch(self._local.models[number])

    def fault(self, operation: str, kind: Kind) -> None:
        self._local.fault(EFFECTS[kind], operation, times=None if kind == "denied" else 1)

    def heal(self) -> None:
        self._local.heal()


class DoubleNewWorld:
    secret = "storage-key-0123456789"
    plan = f"{GROUP}/commitmentPlans/eu"
    elsewhere = f"{GROUP}/commitmentPlans/us"

    def __init__(self) -> None:
        self.clock = HandClock()
        self.services = DoubleNewServices(self.clock, storage_key=self.secret)
        self.services.put_plan(Plan(id=self.plan, name="eu", region="West Europe"))
        self.services.put_plan(Plan(id=self.elsewhere, name="us", region="South Central US"))

    def resource(self, name: str) -> str:
        return f"{GROUP}/webServices/{name}"

    def definition(self, number: int) -> dict[str, Any]:
        place = {"uri": self.location(number), "credentials": "?sig=double"}
        asset = {"name": MODEL, "type": "Resource", "locationInfo": place}
        properties = {
            "packageType": "Graph",
            "title": "cancer",
            "storageAccount": {"name": "double", "key": self.secret},
            "commitmentPlan": {"id": self.plan},
            "assets": {"model": asset},
        }
        return {"location": "West Europe", "tags": {"team": "a"}, "properties": properties}

    def broken(self) -> dict[str, Any]:
        self.services.fails = "The model was not fetched: it cannot be read"
        return self.definition(0)

    def location(self, number: int) -> str:
        return f"{BASE}models/v{number}.ilearner"

    def model(self, number: int) -> Grant:
        return Grant(BASE, f"models/v{number}.ilearner", f"?sig=double-{number}")

    def hosting(self, **fields: str) -> Hosting:
        return Hosting.model_validate({"plan": self.plan, "storage_key": "env:KEY", **fields})

    def hold(self) -> None:
        self.services.settle_seconds = 60

    def release(self) -> None:
        self.services.settle_seconds = 0
        self.clock.forward(61)

    def fault(self, operation: str, kind: Kind) -> None:
        error, after = ERRORS[kind]
        self.services.fail(operation, error, after=after, times=None if kind == "denied" else 1)

    def heal(self) -> None:
        self.services.heal()


class LocalNewWorld:
    api_version = "2017-01-01"

    def __init__(self, local: LocalStudio) -> None:
        self.local = local
        self.services: NewServices = local.managers(self.api_version)
        self.secret = str(local.blobs().credential.account_key)
        sample = str(local.sample("scoring", "new")["arm_resource_id"])
        plans = sample.partition("/webServices/")[0] + "/commitmentPlans"
        self._subscription = sample.split("/")[2]
        self._group = f"own-{new_id()[:8]}"  # nobody else's services are in it
        self.plan = f"{plans}/plan-westeurope"
        self.elsewhere = f"{plans}/plan-southcentralus"

    def resource(self, name: str) -> str:
        group = f"/subscriptions/{self._subscription}/resourceGroups/{self._group}"
        return f"{group}/providers/Microsoft.MachineLearning/webServices/{name}"

    def definition(self, number: int) -> dict[str, Any]:
        model = self.local.models[number]
        properties = {
            **graph(self.local, AssetSource(uri=model.location, credentials=model.sas)),
            "storageAccount": {"name": self.local.blobs().account_name, "key": self.secret},
            "commitmentPlan": {"id": self.plan},
        }
        return {"location": "West Europe", "tags": {"team": "a"}, "properties": properties}

    def broken(self) -> dict[str, Any]:
        document = self.definition(0)
        place = document["properties"]["assets"]["model"]["locationInfo"]
        place["uri"] = place["uri"].replace(".ilearner", "-missing.ilearner")
        return document

    def location(self, number: int) -> str:
        return self.local.models[number].location

    def model(self, number: int) -> Grant:
        return self.local.models[number]

    def hosting(self, **fields: str) -> Hosting:
        given = {"plan": self.plan, "storage_key": "env:STORAGE_KEY", **fields}
        return Hosting.model_validate(given)

    def hold(self) -> None:
        self.local.slow(r"\.ilearner$")

    def release(self) -> None:
        self.local.heal()

    def fault(self, operation: str, kind: Kind) -> None:
        operation = {"deploy": "put", "change": "patch"}.get(operation, operation)
        self.local.fault(EFFECTS[kind], operation, times=None if kind == "denied" else 1)

    def heal(self) -> None:
        self.local.heal()


class LocalNewWorld2016(LocalNewWorld):
    api_version = "2016-05-01-preview"


def account(new: NewWorld) -> str:
    """The name of the storage account that web services use."""
    return str(new.definition(0)["properties"]["storageAccount"]["name"])


def graph(local: LocalStudio, source: AssetSource) -> dict[str, Any]:
    """The properties of a service that scores the samples' rows."""
    columns = dict.fromkeys(local.rows[0], "Number")
    return scoring_properties("cancer", MODEL, source, columns)


def publish(local: LocalStudio, number: int, service: str = "") -> str:
    """Deploy a classic service with one of two models, as Studio itself would."""
    service = service or new_id()
    model = local.models[number]
    definition = graph(local, AssetSource(uri=model.location, credentials=model.sas))
    url = f"{local.url}/workspaces/{local.description['workspace_id']}/webservices/{service}"
    token = {"Authorization": f"Bearer {local.description['workspace_token']}"}
    body = {"Name": "cancer", "Type": "Graph", "Definition": definition}
    requests.put(url, json=body, headers=token, timeout=30).raise_for_status()
    return service


def settled(services: NewServices, resource: str, *, seconds: float = 30) -> str:
    """The state of a web service once no deployment is under way; Studio works in its own time."""
    deadline = time.monotonic() + seconds
    while (state := str(services.get(resource)["properties"]["provisioningState"])) == (
        "Provisioning"
    ):
        assert time.monotonic() < deadline, "the deployment has not settled"
        time.sleep(0.02)
    return state
