"""The client that manages Resource Manager web services: pages, refusals, secrets, failures."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from alm.adapters.connections import Request
from alm.adapters.studio.new_services import ArmWebServices
from alm.adapters.studio.services import StudioServices
from alm.domain.errors import AlmError, Denied, Misconfigured, NotFound, Unavailable, Unknown
from tests.unit.studio.scripted import HandClock, Identity, Scripted, error, http

GROUP = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearning"
RESOURCE = f"{GROUP}/webServices/churn"
PLAN = f"{GROUP}/commitmentPlans/plan"
KEY = "storage-key/with+signs=="
GRANT = "?sv=1&sig=canary-grant"
DEFINITION: dict[str, Any] = {
    "location": "West Europe",
    "properties": {
        "packageType": "Graph",
        "storageAccount": {"name": "acct", "key": KEY},
        "keys": {"primary": "primary-canary", "secondary": "secondary-canary"},
        "assets": {"m": {"locationInfo": {"uri": "https://a/m", "credentials": GRANT}}},
    },
}


def manager(transport: Scripted, version: str = "2017-01-01") -> ArmWebServices:
    environment = {"ALM_LOCAL": "1", "ALM_STUDIO_ARM_TOKEN": "arm-token-01234"}
    identity = Identity(environment, HandClock())
    services = StudioServices(http(transport), identity, "https://arm.test/")
    return ArmWebServices(services.resource_manager, version, secret=SecretStr)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", ["2016-05-01-preview", "2017-01-01"])
def test_each_version_is_spoken(version: str) -> None:
    transport = Scripted((200, {**DEFINITION, "name": "churn"}), (201, {}), (202, None))
    services = manager(transport, version)

    services.get(RESOURCE)
    services.put(RESOURCE, DEFINITION)
    services.delete(RESOURCE)

    query = f"?api-version={version}"
    assert transport.seen == [f"{verb} {RESOURCE}{query}" for verb in ("GET", "PUT", "DELETE")]
    assert transport.requests[0].headers["Authorization"] == "Bearer arm-token-01234"


def test_plans_have_one_version() -> None:
    transport = Scripted((200, {"name": "plan", "location": "West Europe"}))

    plan = manager(transport).plan(PLAN)

    assert (plan.id, plan.name, plan.region) == (PLAN, "plan", "West Europe")
    assert transport.seen == [f"GET {PLAN}?api-version=2016-05-01-preview"]


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (error(400, "InvalidWebService"), Misconfigured, "location, plan and storage account"),
        (error(409, "Conflict"), Unavailable, "another deployment of it may be under way"),
        (error(403, "AuthorizationFailed"), Denied, "give it the right"),
        (error(404, "ResourceGroupNotFound"), NotFound, "ResourceGroupNotFound"),
        (error(429, "TooManyRequests"), Unavailable, "tried again later"),
        (error(500, "InternalServerError"), Unknown, "look before repeating it"),
        (error(504, "GatewayTimeout"), Unknown, "look before repeating it"),
        ((307, None, {"location": "https://evil.test/?sig=x"}), Misconfigured, "not followed"),
    ],
)
def test_a_refused_put_says_what_to_do(answer: object, kind: type[AlmError], words: str) -> None:
    transport = Scripted(answer, answer)

    with pytest.raises(kind, match=words) as raised:
        manager(transport).put(RESOURCE, DEFINITION)

    assert str(raised.value).startswith("put web service 'churn': ")


@pytest.mark.parametrize("secret", [KEY, GRANT, "primary-canary", "secondary-canary"])
@pytest.mark.parametrize("status", [400, 403, 409, 500])
@pytest.mark.parametrize("padding", [0, 1480], ids=["short", "long"])
def test_what_a_refusal_repeats_of_the_definition_is_not_shown(
    secret: str, status: int, padding: int
) -> None:
    said = f"{'x' * padding} the value '{secret}' of storageAccount.key is wrong"
    answer = error(status, "InvalidStorage", message=said)

    with pytest.raises(AlmError) as raised:
        manager(Scripted(answer, answer)).put(RESOURCE, DEFINITION)

    told, seen = str(raised.value), raised.value.__cause__
    assert secret[:12] not in told
    assert secret[:12] not in str(seen)


def test_a_definition_is_read_without_keys_even_if_they_are_told() -> None:
    read = manager(Scripted((200, DEFINITION))).get(RESOURCE)

    assert KEY not in str(read)
    assert "primary-canary" not in str(read)


@pytest.mark.parametrize("answer", [(204, None), error(404, "ResourceNotFound")])
def test_what_is_not_there_is_not_found_and_deleted_already(answer: tuple[int, object]) -> None:
    with pytest.raises(NotFound):
        manager(Scripted(answer)).get(RESOURCE)
    with pytest.raises(NotFound):
        manager(Scripted(answer)).plan(PLAN)

    manager(Scripted(answer)).delete(RESOURCE)


@pytest.mark.parametrize("code", ["SubscriptionNotFound", "InvalidSubscriptionId"])
def test_a_wrong_subscription_is_no_deletion(code: str) -> None:
    with pytest.raises(NotFound):
        manager(Scripted(error(404, code))).delete(RESOURCE)


def test_a_plan_without_a_place_is_no_plan() -> None:
    with pytest.raises(Misconfigured, match="names no location"):
        manager(Scripted((200, {"name": "plan"}))).plan(PLAN)


@pytest.mark.parametrize(
    "resource", [RESOURCE, "", "/x", PLAN + "/..", PLAN.replace("/rg/", "/../")]
)
def test_what_is_no_plan_is_told_without_a_call(resource: str) -> None:
    transport = Scripted()

    with pytest.raises(Misconfigured, match="is not the resource id of one of commitmentPlans"):
        manager(transport).plan(resource)

    assert transport.seen == []


def entry(name: str, **fields: object) -> dict[str, object]:
    return {"id": f"{GROUP}/webServices/{name}", "name": name, "location": "West Europe", **fields}


def test_every_page_of_a_list_is_read() -> None:
    path = "/subscriptions/s/providers/Microsoft.MachineLearning/webServices?api-version=2017-01-01"
    transport = Scripted(
        (200, {"value": [entry("a")], "nextLink": f"https://arm.test{path}&$skiptoken=1"}),
        (200, {"Value": [entry("b", Properties={"Title": "B", "ProvisioningState": "Failed"})]}),
    )

    found = manager(transport).list("s")

    assert [(one.name, one.title, one.state) for one in found] == [
        ("a", "", ""),
        ("b", "B", "Failed"),
    ]
    assert transport.seen == [f"GET {path}", f"GET {path}&$skiptoken=1"]


@pytest.mark.parametrize(
    "link",
    ["https://evil.test/x", "https://arm.test.evil.test/x", "http://arm.test/x", "//evil", "/x"],
)
def test_a_page_elsewhere_is_not_followed(link: str) -> None:
    transport = Scripted((200, {"value": [], "nextLink": link}))

    with pytest.raises(Misconfigured, match="is another host"):
        manager(transport).list("s", "rg")

    assert len(transport.seen) == 1


def test_a_list_that_does_not_end_is_given_up() -> None:
    page = {"value": [], "nextLink": "https://arm.test/again"}
    transport = Scripted(by=lambda request: (200, page))

    with pytest.raises(Misconfigured, match="does not end"):
        manager(transport).list("s")

    assert len(transport.seen) == 100


def test_an_entry_that_is_no_web_service_is_told() -> None:
    page = {"value": [entry("a", id="/subscriptions/s/../evil")]}

    with pytest.raises(Misconfigured, match="which is no web service's"):
        manager(Scripted((200, page))).list("s")


def operation(url: str) -> Scripted:
    def answer(request: Request) -> object:
        if request.method == "PUT":
            return 201, {}, {"azure-asyncoperation": url}
        text = f"account key {KEY[:5]} and {'A' * 86}== and AccountKey=canary;x"
        return 200, {"status": "Failed", "errorInfo": {"code": "BlobNotFound", "message": text}}

    return Scripted(by=answer)


def test_why_a_deployment_failed_is_asked_of_its_operation() -> None:
    services = manager(operation("https://arm.test/operations/1?api-version=2017-01-01"))
    services.put(RESOURCE, DEFINITION)

    told = services.why_failed(RESOURCE.upper())

    assert told.startswith("BlobNotFound: account key")
    assert "A" * 20 not in told
    assert "canary" not in told


@pytest.mark.parametrize("url", ["", "https://evil.test/operations/1", "https://arm.test.evil/1"])
def test_an_operation_elsewhere_is_not_asked(url: str) -> None:
    transport = operation(url)
    services = manager(transport)
    services.put(RESOURCE, DEFINITION)

    assert services.why_failed(RESOURCE) == "the activity log of its resource group tells why"
    assert [request.method for request in transport.requests] == ["PUT"]


def test_the_operations_of_many_deployments_are_not_kept_for_ever() -> None:
    services = manager(operation("https://arm.test/operations/1"))
    for number in range(2001):
        services.put(f"{RESOURCE}{number}", DEFINITION)

    assert services.why_failed(f"{RESOURCE}0").startswith("the activity log")
    assert services.why_failed(f"{RESOURCE}2000").startswith("BlobNotFound")
