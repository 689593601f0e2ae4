"""Which client a declaration gets, and templates that refuse patches."""

from __future__ import annotations

from typing import Any

import pytest

from alm.adapters.studio.endpoint_deployer import EndpointDeployer
from alm.adapters.studio.lifecycle import StudioLifecycle
from alm.adapters.studio.service_deployer import ServiceDeployer
from alm.adapters.studio.services import StudioServices
from alm.domain.errors import Misconfigured
from alm.domain.experiment import StudioWorkspace
from alm.domain.managed_model import ArmWebService, ClassicEndpoint, Target
from alm.ports import Grant
from alm.studio_ports import Studio
from tests.unit.studio.scripted import Scripted, http, identity

CLASSIC = ClassicEndpoint(
    kind="classic", endpoint="https://studio.test/workspaces/w/webservices/s/endpoints/live/"
)
GROUP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning"
NEW = ArmWebService(kind="new", resource=f"{GROUP}/webServices/live")
HOSTING = {"plan": f"{GROUP}/commitmentPlans/p", "storage_key": "env:STORAGE_KEY"}
MODEL = Grant("https://a.blob/", "c/m.ilearner", "?sig=x")
MARK = "Deployed by alm beside endpoint live; old ones are deleted by it."


def lifecycle(transport: Scripted) -> StudioLifecycle:
    client, who = http(transport), identity(ALM_LOCAL="1", ALM_STUDIO_ARM_TOKEN="arm-token-01234")
    return StudioLifecycle(client, who, StudioServices(client, who, "https://arm.test"))


def target(service: ClassicEndpoint | ArmWebService, **fields: object) -> Target:
    return Target.model_validate({"name": "t", "service": service, "trained_model": "m", **fields})


def test_it_is_the_port_studio() -> None:
    studio: Studio = lifecycle(Scripted())

    assert studio.new_services() is studio.new_services()


def test_classic_services_are_below_their_workspace() -> None:
    transport = Scripted((204, None))
    workspace = StudioWorkspace(workspace="a" * 32, management="https://studio.test")
    studio = lifecycle(transport)

    assert studio.classic_services(workspace).services() == []
    assert studio.classic_services(workspace) is studio.classic_services(workspace)
    assert transport.seen == [f"GET /workspaces/{'a' * 32}/webservices"]
    assert transport.requests[0].headers["Authorization"] == "Bearer token-0123456789"


def test_a_workspace_in_an_unknown_region_is_told() -> None:
    workspace = StudioWorkspace(workspace="a" * 32, region="Atlantis")

    with pytest.raises(Misconfigured, match="Atlantis"):
        lifecycle(Scripted()).classic_services(workspace)


def test_each_way_to_deploy_gets_its_deployer() -> None:
    studio = lifecycle(Scripted())

    found = [
        studio.deployer(target(CLASSIC, deploy="new-endpoint")),
        studio.deployer(target(NEW, deploy="new-service", hosting=HOSTING)),
    ]

    assert [type(one) for one in found] == [EndpointDeployer, ServiceDeployer]


@pytest.mark.parametrize(
    "declared",
    [
        target(CLASSIC),
        target(NEW, deploy="new-endpoint"),
        target(CLASSIC, deploy="new-service", hosting=HOSTING),
        target(NEW, deploy="new-service"),
        target(
            ClassicEndpoint(kind="classic", endpoint="https://studio.test/x"), deploy="new-endpoint"
        ),
    ],
)
def test_what_cannot_be_deployed_beside_is_told(declared: Target) -> None:
    with pytest.raises(Misconfigured, match="cannot be deployed beside its service"):
        lifecycle(Scripted()).deployer(declared)


@pytest.mark.parametrize(
    "declared",
    [
        target(CLASSIC, deploy="new-endpoint"),
        target(NEW, deploy="new-service", hosting=HOSTING),
    ],
)
def test_a_service_that_versions_stand_beside_refuses_patches(declared: Target) -> None:
    transport, who = Scripted(), identity()
    services = StudioServices(http(transport), who, "https://arm.test")

    with pytest.raises(Misconfigured, match="its service is never patched"):
        services.target(declared).patch(MODEL)

    assert transport.seen == []


def record(name: str, description: str) -> dict[str, Any]:
    place = {"BaseLocation": "https://a.blob/", "RelativeLocation": "c/old.ilearner"}
    return {
        "Name": name,
        "Description": description,
        "ThrottleLevel": "Low",
        "ApiLocation": "https://studio.test/e",
        "PrimaryKey": "key-of-it",
        "Resources": [{"Name": "m", "Location": place}],
    }


def test_a_new_endpoint_is_looked_for_made_and_patched() -> None:
    gone, made = (404, {"error": {"code": "NotFound"}}), record("ep1", MARK)
    transport = Scripted(gone, (200, record("live", "")), (201, made), (200, made))

    lifecycle(transport).deployer(target(CLASSIC, deploy="new-endpoint")).create("ep1", MODEL)

    base = "/workspaces/w/webservices/s/endpoints"
    assert transport.seen == [
        f"GET {base}/ep1",
        f"GET {base}/live",
        f"PUT {base}/ep1",
        f"PATCH {base}/ep1",
    ]
    sent = transport.sent(2)
    assert isinstance(sent, dict)
    assert sent["Description"] == MARK


def test_an_endpoint_that_is_there_is_only_patched() -> None:
    transport = Scripted((200, record("ep1", MARK)), (200, None))

    lifecycle(transport).deployer(target(CLASSIC, deploy="new-endpoint")).create("ep1", MODEL)

    assert [request.method for request in transport.requests] == ["GET", "PATCH"]


@pytest.mark.parametrize("description", ["", "made by hand", MARK.replace("live", "other")])
def test_an_endpoint_of_somebody_else_is_not_patched(description: str) -> None:
    transport = Scripted((200, record("ep1", description)))

    with pytest.raises(Misconfigured, match="not deployed beside it"):
        lifecycle(transport).deployer(target(CLASSIC, deploy="new-endpoint")).create("ep1", MODEL)

    assert [request.method for request in transport.requests] == ["GET"]


@pytest.mark.parametrize("name", ["live", "default"])
def test_the_template_and_the_default_are_never_asked_for(name: str) -> None:
    transport = Scripted()
    deployer = lifecycle(transport).deployer(target(CLASSIC, deploy="new-endpoint"))

    for ask in (lambda: deployer.create(name, MODEL), lambda: deployer.delete(name)):
        with pytest.raises(Misconfigured, match="never changed or deleted"):
            ask()

    assert transport.seen == []


def definition(**properties: object) -> dict[str, Any]:
    asset = {"name": "m", "type": "Resource", "locationInfo": {"uri": "https://a.blob/old"}}
    whole = {"packageType": "Graph", "assets": {"a1": asset}, "storageAccount": {"name": "acct"}}
    return {"location": "West Europe", "tags": {}, "properties": {**whole, **properties}}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (definition(storageAccount=None), "names no storage account"),
        (definition(assets={}), "no resource named 'm'"),
        (definition(assets=None), "a definition without assets"),
    ],
)
def test_a_template_that_cannot_be_copied_is_told(template: dict[str, Any], words: str) -> None:
    plan = {"name": "p", "location": "westeurope"}
    answers = {"webServices/ep1": (404, {}), "webServices/live": (200, template)}
    transport = Scripted(by=lambda request: next(
        (answer for place, answer in answers.items() if place in request.target), (200, plan)
    ))  # fmt: skip
    declared = target(NEW, deploy="new-service", hosting={**HOSTING, "storage_key": "env:KEY"})
    client, who = (
        http(transport),
        identity(ALM_LOCAL="1", ALM_STUDIO_ARM_TOKEN="arm-token-01234", KEY="storage-key-1"),
    )
    studio = StudioLifecycle(client, who, StudioServices(client, who, "https://arm.test"))

    with pytest.raises(Misconfigured, match=words):
        studio.deployer(declared).create("ep1", MODEL)

    assert {request.method for request in transport.requests} == {"GET"}
