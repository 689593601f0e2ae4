"""Which client a declaration gets."""

from __future__ import annotations

import pytest

from alm.adapters.studio.arm import ArmTarget
from alm.adapters.studio.classic import ClassicTarget
from alm.adapters.studio.services import StudioServices
from alm.domain.managed_model import ArmWebService, ClassicEndpoint, ExecutionUrl, Target
from alm.ports import Submission
from tests.unit.studio.scripted import Scripted, http, identity

CLASSIC = ClassicEndpoint(
    kind="classic", endpoint="https://studio.test/workspaces/w/webservices/s/endpoints/eu"
)
NEW = ArmWebService(
    kind="new",
    resource="/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning/webServices/n",
)


def test_each_kind_of_target_gets_its_client() -> None:
    services = StudioServices(http(Scripted()), identity(), "https://arm.test")

    clients = [
        services.target(Target(name="eu", service=service, trained_model="m"))
        for service in (CLASSIC, NEW)
    ]

    assert [type(client) for client in clients] == [ClassicTarget, ArmTarget]


@pytest.mark.parametrize("ending", ["", "/", "/jobs", "/execute"])
def test_a_service_by_url_needs_no_management(ending: str) -> None:
    transport = Scripted((200, "5f0c"))
    services = StudioServices(http(transport), identity(TRAIN="key-of-train"), "https://arm.test")
    url = f"https://studio.test/workspaces/w/services/t{ending}"
    service = ExecutionUrl(kind="execution", url=url, key="env:TRAIN")

    services.training(service).create_job(Submission({}, {}, {}))

    assert transport.seen == ["POST /workspaces/w/services/t/jobs?api-version=2.0"]
    assert transport.requests[0].headers["Authorization"] == "Bearer key-of-train"


def test_training_and_targets_of_one_endpoint_share_its_record() -> None:
    record = {
        "Name": "eu",
        "PrimaryKey": "key-of-eu",
        "ApiLocation": "https://studio.test/workspaces/w/services/e",
    }
    transport = Scripted((200, record), (200, "a"), (200, "b"))
    services = StudioServices(http(transport), identity(), "https://arm.test")
    target = Target(name="eu", service=CLASSIC, trained_model="m")

    services.training(CLASSIC).create_job(Submission({}, {}, {}))
    services.target(target).batch().create_job(Submission({}, {}, {}))

    assert [request.method for request in transport.requests] == ["GET", "POST", "POST"]


def test_nothing_is_looked_up_until_it_is_needed() -> None:
    services = StudioServices(http(Scripted()), identity(), "https://arm.test")

    services.training(ExecutionUrl(kind="execution", url="https://studio.test/", key="env:NONE"))
    services.target(Target(name="eu", service=NEW, trained_model="m")).batch()
