"""From an experiment to web services: what a workspace deploys or exports can be managed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from alm.domain.experiment import StudioWorkspace
from alm.domain.web_services import EndpointSettings
from alm.studio_ports import Studio, Workspace
from devstack.studio.modules import MODULES
from devstack.studio.names import new_id
from tests.contract.studio.local_studio import LocalStudio
from tests.contract.studio.service_worlds import LocalNewWorld, settled
from tests.contract.studio.test_workspace import scored
from tests.contract.studio.waiting import HandClock, followed, run_ended
from tests.doubles.lifecycle import DoubleLifecycle


class Lab:
    """A Studio, and the workspace that is worked in."""

    def __init__(self, studio: Studio, declared: StudioWorkspace) -> None:
        self.studio = studio
        self.declared = declared
        self.workspace: Workspace = studio.workspace(declared)
        self.other = self.workspace
        self._own = new_id()[:6]

    def name(self, text: str) -> str:
        return f"{text} ({self._own})"


def _double() -> Lab:
    studio = DoubleLifecycle(HandClock())
    declared = StudioWorkspace(workspace="a" * 32)
    studio.workspace(declared).module_ids = [module.id for module in MODULES.values()]
    return Lab(studio, declared)


def _local(local: LocalStudio) -> Lab:
    return Lab(local.lifecycle(), local.workspace())


@pytest.fixture(params=[_double, _local])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    make: Callable[..., Lab] = request.param
    if make is _double:
        yield make()
        return
    local = request.getfixturevalue("studio")
    yield make(local)
    local.close_clients()


def deployed(lab: Lab, experiment: str, *, update: bool) -> str:
    begun = lab.workspace.deploy(experiment, update=update)
    return followed(lambda: lab.workspace.deploying(begun.id)).service


def test_a_deployed_experiment_is_a_classic_service(lab: Lab) -> None:
    experiment, draft = scored(lab)

    service = deployed(lab, experiment, update=False)

    services = lab.studio.classic_services(lab.declared)
    assert service in [one.id for one in services.services()]
    assert services.service(service).name == draft.name
    (endpoint,) = services.endpoints(service)
    assert (endpoint.name, len(endpoint.resources)) == ("default", 1)


def test_other_endpoints_follow_a_deployment_when_they_are_refreshed(lab: Lab) -> None:
    experiment, draft = scored(lab)
    service = deployed(lab, experiment, update=False)
    services = lab.studio.classic_services(lab.declared)
    services.put_endpoint(service, "ep1", EndpointSettings())
    pinned = services.endpoint(service, "ep1").version

    lab.workspace.run(experiment, draft)
    run_ended(lab.workspace, experiment)
    assert deployed(lab, experiment, update=True) == service

    services = lab.studio.classic_services(lab.declared)
    assert services.endpoint(service, "ep1").version == pinned
    assert services.endpoint(service, "default").version != pinned


def test_an_exported_definition_is_deployed_as_a_new_service(studio: LocalStudio) -> None:
    lab, new = _local(studio), LocalNewWorld(studio)
    experiment, draft = scored(lab)
    definition = dict(lab.workspace.definition(experiment))
    definition["location"] = definition.get("location") or "West Europe"
    definition["properties"] = {
        **definition["properties"],
        "storageAccount": {"name": studio.blobs().account_name, "key": new.secret},
        "commitmentPlan": {"id": new.elsewhere if _is_us(definition) else new.plan},
    }

    for services, name in (
        (lab.studio.new_services(), "a"),
        (studio.managers("2016-05-01-preview"), "b"),
    ):
        services.put(new.resource(name), definition)
        assert settled(services, new.resource(name)) == "Succeeded", services.why_failed(
            new.resource(name)
        )
        assert services.get(new.resource(name))["properties"]["title"] == draft.name
    studio.close_clients()


def _is_us(definition: dict[str, object]) -> bool:
    return str(definition["location"]).replace(" ", "").lower() == "southcentralus"
