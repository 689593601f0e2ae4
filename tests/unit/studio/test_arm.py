"""Resource Manager web services: reading in any case, patching one asset, deployments that fail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from alm.adapters.connections import Request
from alm.adapters.identity import Identity
from alm.adapters.studio.services import StudioServices
from alm.domain.errors import Misconfigured, NotFound, Unavailable
from alm.domain.managed_model import ArmWebService, Target
from alm.ports import Grant, ScoringTarget
from tests.unit.studio.scripted import HandClock, Scripted, error, http

RESOURCE = (
    "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearning/webServices/churn"
)
MODULE = {"name": "Score Model", "type": "Module", "locationInfo": {"uri": "aml://module/1"}}
MODEL = {
    "name": "Churn [trained model]",
    "type": "Resource",
    "locationInfo": {"uri": "https://a.blob/models/v0.ilearner", "credentials": "?sig=v0"},
    "outputPorts": {"Results dataset": {"type": "Dataset"}},
}
NEW = Grant("https://a.blob/", "alm-versions/m/m-v1.ilearner", "?sig=new")
SCORED = {"Results": {"output1": {"value": {"ColumnNames": ["l"], "Values": [["yes"]]}}}}


def definition(**changes: object) -> dict[str, Any]:
    properties = {
        "packageType": "Graph",
        "provisioningState": "Succeeded",
        "modifiedOn": "2026-01-01T00:00:00Z",
        "readOnly": False,
        "swaggerLocation": "https://studio.test/subscriptions/s/services/e/swagger.json?api-version=2",
        "assets": {"asset1": MODULE, "asset2": MODEL},
        **changes,
    }
    return {"id": RESOURCE, "name": "churn", "location": "West Europe", "properties": properties}


def target(
    transport: Scripted, name: str = "Churn [trained model]", version: str = "2017-01-01"
) -> ScoringTarget:
    environment = {"ALM_LOCAL": "1", "ALM_STUDIO_ARM_TOKEN": "arm-token-01234"}
    services = StudioServices(
        http(transport), Identity(environment, HandClock()), "https://arm.test/"
    )
    service = ArmWebService.model_validate(
        {"kind": "new", "resource": RESOURCE, "api_version": version}
    )
    return services.target(Target(name="eu", service=service, trained_model=name))


@pytest.mark.parametrize("version", ["2016-05-01-preview", "2017-01-01"])
def test_reading_finds_the_model_among_the_assets(version: str) -> None:
    transport = Scripted((200, definition()))

    reading = target(transport, version=version).read()

    assert reading.location == "https://a.blob/models/v0.ilearner"
    assert (reading.sas, reading.settled) == ("?sig=v0", True)
    assert reading.stamp.startswith("2026-01-01T00:00:00Z#")
    assert transport.seen == [f"GET {RESOURCE}?api-version={version}"]
    assert transport.requests[0].headers["Authorization"] == "Bearer arm-token-01234"


@pytest.mark.parametrize("name", ["Churn", "Churn [trained model]"])
@pytest.mark.parametrize("stored", ["Churn", "Churn [trained model]"])
def test_the_model_is_found_with_and_without_its_suffix(name: str, stored: str) -> None:
    service = definition(assets={"asset2": {**MODEL, "name": stored}})

    assert target(Scripted((200, service)), name).read().location.endswith("v0.ilearner")


def test_field_names_are_read_in_any_case() -> None:
    shouted = {
        "Name": "churn",
        "Properties": {
            "ProvisioningState": "SUCCEEDED",
            "ModifiedOn": "t",
            "Assets": {
                "a": {
                    "Name": "Churn",
                    "Type": "resource",
                    "LocationInfo": {"Uri": "https://a.blob/m.ilearner?sig=inline"},
                }
            },
        },
    }

    reading = target(Scripted((200, shouted))).read()

    assert (reading.location, reading.sas) == ("https://a.blob/m.ilearner", "?sig=inline")


def test_a_model_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(Misconfigured, match=r"no resource named 'Score Model' \(it has 'Churn \["):
        target(Scripted((200, definition())), "Score Model").read()


@pytest.mark.parametrize("state", ["Provisioning", "Unknown"])
def test_a_deployment_under_way_has_not_settled(state: str) -> None:
    assert not target(Scripted((200, definition(provisioningState=state)))).read().settled


def test_a_definition_without_assets_cannot_be_patched() -> None:
    with pytest.raises(Misconfigured, match="keeps them in a blob"):
        target(Scripted((200, definition(assets=None, payloadsInBlobStorage=True)))).read()


@pytest.mark.parametrize("answer", [(204, None), error(404, "ResourceNotFound")])
def test_a_service_that_is_not_there_is_not_found(answer: tuple[int, object]) -> None:
    with pytest.raises(NotFound, match="check `resource` in the declaration"):
        target(Scripted(answer)).read()


def test_a_patch_carries_all_assets_and_changes_one() -> None:
    transport = Scripted((200, definition()), (200, definition()))

    target(transport).patch(NEW)

    assert transport.seen == [
        f"GET {RESOURCE}?api-version=2017-01-01",
        f"PATCH {RESOURCE}?api-version=2017-01-01",
    ]
    place = {"uri": "https://a.blob/alm-versions/m/m-v1.ilearner", "credentials": "?sig=new"}
    assert transport.sent() == {
        "location": "West Europe",
        "properties": {
            "packageType": "Graph",
            "assets": {"asset1": MODULE, "asset2": {**MODEL, "locationInfo": place}},
        },
    }


def test_a_read_only_service_is_refused_before_it_is_patched() -> None:
    transport = Scripted((200, definition(readOnly=True)))

    with pytest.raises(Misconfigured, match="read-only"):
        target(transport).patch(NEW)

    assert len(transport.requests) == 1


def test_a_service_in_deployment_can_be_patched_later() -> None:
    transport = Scripted((200, definition()), error(409, "Conflict"))

    with pytest.raises(Unavailable, match="another deployment"):
        target(transport).patch(NEW)


def test_a_failed_deployment_is_told_with_its_reason() -> None:
    operation = {
        "provisioningState": "Failed",
        "errorInfo": {"code": "ResourceDownload", "message": "?sv=1&sig=s3cr3t expired"},
    }
    transport = Scripted(
        (200, definition()),
        (200, definition(), {"azure-asyncoperation": "https://arm.test/operations/7?v=1"}),
        (200, definition(provisioningState="Failed")),
        (200, operation),
    )
    patched = target(transport)

    patched.patch(NEW)
    with pytest.raises(Misconfigured, match=r"failed \(ResourceDownload: .* expired\)") as raised:
        patched.read()

    assert transport.seen[-1] == "GET /operations/7?v=1"
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize("operation", ["", "https://elsewhere.test/operations/7"])
def test_our_token_is_not_sent_to_another_host_for_the_reason(operation: str) -> None:
    transport = Scripted(
        (200, definition()),
        (200, definition(), {"azure-asyncoperation": operation}),
        (200, definition(provisioningState="Failed")),
    )
    patched = target(transport)

    patched.patch(NEW)
    with pytest.raises(Misconfigured, match="activity log"):
        patched.read()


def test_url_and_key_for_scoring_come_from_definition_and_keys() -> None:
    def answers(request: Request) -> tuple[int, object]:
        if "/listKeys" in request.target:
            return 200, {"Primary": "key-of-churn", "Secondary": "other"}
        return (200, definition()) if request.method == "GET" else (200, SCORED)

    transport = Scripted(by=answers)
    scoring = target(transport)

    for _ in range(2):
        scoring.score([{"x": 1}], input="input1", output="output1")

    execute = "POST /subscriptions/s/services/e/execute?api-version=2.0&details=true"
    assert transport.seen == [
        f"GET {RESOURCE}?api-version=2017-01-01",
        f"GET {RESOURCE}/listKeys?api-version=2017-01-01",
        execute,
        execute,
    ]
    assert transport.requests[-1].headers["Authorization"] == "Bearer key-of-churn"


@pytest.mark.parametrize(
    ("credentials", "ends"),
    [
        ("?sv=1&se=2026-01-07T00%3A00%3A00Z&sig=x", datetime(2026, 1, 7, tzinfo=UTC)),
        ("?sig=x", None),
        ("?se=soon", None),
    ],
)
def test_reading_tells_when_the_services_leave_ends(
    credentials: str, ends: datetime | None
) -> None:
    place = {"uri": "https://a.blob/models/v0.ilearner", "credentials": credentials}
    assets = {"asset1": MODULE, "asset2": {**MODEL, "locationInfo": place}}
    transport = Scripted((200, definition(assets=assets)))

    assert target(transport).read().leave_ends == ends
