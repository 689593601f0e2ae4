"""What is told about a web service that exists."""

from __future__ import annotations

import pytest

from alm.adapters.connections import Request
from alm.adapters.identity import Identity
from alm.adapters.studio.inspect import Resource, declared, describe, list_new_services
from alm.adapters.studio.services import StudioServices
from alm.adapters.studio.swagger import Column, Port
from alm.domain.errors import Misconfigured, Refused
from alm.domain.managed_model import ArmWebService, ClassicEndpoint
from tests.unit.studio.scripted import HandClock, Scripted, http
from tests.unit.studio.test_arm import RESOURCE, definition
from tests.unit.studio.test_classic import ENDPOINT, record

SWAGGER = {
    "info": {"title": "Churn"},
    "definitions": {
        "ExecutionInputs": {"properties": {"input1": {"type": "array"}}},
        "ExecutionOutputs": {"properties": {"output1": {"type": "array"}}},
        "BatchOutputs": {"properties": {"output1": {}, "model": {}}},
        "input1Item": {"properties": {"age": {"type": "integer"}, "job": {"type": "string"}}},
        "output1Item": {"properties": {"Scored Labels": {"type": "string"}}},
        "GlobalParameters": {"properties": {"Seed": {"default": 7}, "Path": {"type": "string"}}},
    },
}
GROUP = "/subscriptions/s/resourceGroups/rg"


def services(transport: Scripted) -> StudioServices:
    environment = {
        "ALM_STUDIO_WORKSPACE_TOKEN": "token-0123456789",
        "ALM_LOCAL": "1",
        "ALM_STUDIO_ARM_TOKEN": "arm-token-01234",
    }
    return StudioServices(http(transport), Identity(environment, HandClock()), "https://arm.test")


def answers(request: Request) -> tuple[int, object]:
    if request.target.endswith("/swagger.json"):
        return 200, SWAGGER
    if "/listKeys" in request.target:
        return 200, {"primary": "key-of-churn"}
    return 200, record() if request.target.endswith("/endpoints/eu") else definition()


def test_a_management_url_is_a_classic_endpoint() -> None:
    assert declared(ENDPOINT + "/") == ClassicEndpoint(kind="classic", endpoint=ENDPOINT)


def test_a_resource_id_is_a_new_service() -> None:
    assert declared(RESOURCE) == ArmWebService(kind="new", resource=RESOURCE)


@pytest.mark.parametrize(
    "text", ["", "churn", "https://studio.test/", "/subscriptions/s", ENDPOINT + "?a=b"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="neither the management URL of an endpoint"):
        declared(text)


def test_a_classic_endpoint_is_described() -> None:
    told = describe(services(Scripted(by=answers)), declared(ENDPOINT))

    assert (told.name, told.patchable) == ("eu", True)
    assert told.api_location == "https://studio.test/workspaces/w/services/e"
    assert told.resources == (
        Resource("Churn [trained model]", "https://a.blob/models/v0.ilearner"),
    )
    assert told.api.inputs == (Port("input1", (Column("age", "integer"), Column("job", "string"))),)
    assert told.api.output("output1") == Port("output1", (Column("Scored Labels", "string"),))
    assert told.api.batch_outputs == (told.api.outputs[0], Port("model"))
    assert told.api.parameters == {"Seed": "7", "Path": None}
    assert told.trains


def test_a_new_service_is_described() -> None:
    told = describe(services(Scripted(by=answers)), declared(RESOURCE))

    assert (told.name, told.patchable) == ("churn", True)
    assert told.api_location == "https://studio.test/subscriptions/s/services/e"
    assert told.resources == (
        Resource("Churn [trained model]", "https://a.blob/models/v0.ilearner"),
    )
    assert told.api.title == "Churn"


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"Name": "default"}, "the default endpoint"), ({"Resources": []}, "no trained model")],
)
def test_an_endpoint_that_takes_no_model_says_why(changes: dict[str, object], why: str) -> None:
    def changed(request: Request) -> tuple[int, object]:
        if request.target.endswith("/endpoints/eu"):
            return 200, record(**changes)
        return answers(request)

    told = describe(services(Scripted(by=changed)), declared(ENDPOINT))

    assert not told.patchable
    assert why in told.why_not


def test_a_list_is_followed_page_by_page() -> None:
    transport = Scripted(
        (200, {"value": [{"id": RESOURCE}], "nextLink": "https://arm.test/next?$skiptoken=2"}),
        (200, {"value": [{"id": RESOURCE + "2"}]}),
    )

    found = list(list_new_services(services(transport), GROUP))

    assert [one.resource for one in found] == [RESOURCE, RESOURCE + "2"]
    assert transport.seen[1] == "GET /next?$skiptoken=2"


def test_a_list_is_not_followed_to_another_host() -> None:
    transport = Scripted((200, {"value": [], "nextLink": "https://arm.test.evil.test/next"}))

    with pytest.raises(Misconfigured, match="another host"):
        list(list_new_services(services(transport), GROUP))

    assert len(transport.requests) == 1


@pytest.mark.parametrize("scope", ["", "/", "/subscriptions/s/../x", "/subscriptions/s?x=y"])
def test_a_list_of_something_else_is_refused(scope: str) -> None:
    with pytest.raises(Refused):
        list(list_new_services(services(Scripted()), scope))
