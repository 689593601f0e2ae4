"""Classic endpoints: their record, the patch of their model, keys that change."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from alm.adapters.connections import Request
from alm.adapters.studio.services import StudioServices
from alm.domain.errors import AlmError, Conflict, Denied, Misconfigured, NotFound, Unavailable
from alm.domain.managed_model import ClassicEndpoint, Target
from alm.ports import Grant, ScoringTarget, Submission
from tests.unit.studio.scripted import Scripted, error, http, identity

ENDPOINT = "https://studio.test/workspaces/w/webservices/s/endpoints/eu"
MANAGEMENT = "/workspaces/w/webservices/s/endpoints/eu"
MODEL = Grant("https://a.blob/", "alm-versions/m/m-v1.ilearner", "?sig=read")
RECORD: dict[str, Any] = {
    "Name": "eu",
    "PrimaryKey": "key-of-eu-1",
    "ApiLocation": "https://studio.test/workspaces/w/services/e",
    "Version": "2026-01-01T00:00:00Z",
    "Resources": [
        {
            "Name": "Churn [trained model]",
            "Kind": "TrainedModel",
            "Location": {
                "BaseLocation": "https://a.blob/",
                "RelativeLocation": "models/v0.ilearner",
                "SasBlobToken": "?sig=v0",
            },
        }
    ],
}
SCORED = {"Results": {"output1": {"value": {"ColumnNames": ["l"], "Values": [["yes"]]}}}}


def record(**changes: object) -> dict[str, Any]:
    return {**copy.deepcopy(RECORD), **changes}


def target(transport: Scripted, trained_model: str = "Churn [trained model]") -> ScoringTarget:
    services = StudioServices(http(transport), identity(), "https://arm.test")
    endpoint = ClassicEndpoint(kind="classic", endpoint=ENDPOINT)
    return services.target(Target(name="eu", service=endpoint, trained_model=trained_model))


def test_reading_gives_the_location_without_leave_and_a_stamp() -> None:
    transport = Scripted((200, record()))

    reading = target(transport).read()

    assert reading.location == "https://a.blob/models/v0.ilearner"
    assert (reading.sas, reading.settled) == ("?sig=v0", True)
    assert reading.stamp.startswith("2026-01-01T00:00:00Z#")
    assert transport.seen == [f"GET {MANAGEMENT}"]
    assert transport.requests[0].headers["Authorization"] == "Bearer token-0123456789"


def test_the_stamp_changes_with_version_and_location_but_not_with_the_grant() -> None:
    moved = record()
    moved["Resources"][0]["Location"]["RelativeLocation"] = "models/v1.ilearner"
    granted = record()
    granted["Resources"][0]["Location"]["SasBlobToken"] = "?sig=other"
    transport = Scripted(*((200, one) for one in (record(), granted, moved, record(Version="b"))))
    reading = target(transport)

    stamps = [reading.read().stamp for _ in range(4)]

    assert stamps[0] == stamps[1]
    assert len(set(stamps)) == 3


def test_a_resource_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(Misconfigured, match=r"it has 'Churn \[trained model\]'"):
        target(Scripted((200, record())), "Chrun").read()


@pytest.mark.parametrize("answer", [(204, None), error(404, "NotFound", "WebServiceNotFound")])
def test_an_endpoint_that_is_not_there_is_not_found(answer: tuple[int, object]) -> None:
    with pytest.raises(NotFound, match="check `endpoint` in the declaration"):
        target(Scripted(answer)).read()


def test_a_patch_names_the_resource_and_the_blob() -> None:
    transport = Scripted((200, record()))

    target(transport).patch(MODEL)

    assert transport.seen == [f"PATCH {MANAGEMENT}"]
    assert transport.sent() == {
        "Resources": [
            {
                "Name": "Churn [trained model]",
                "Location": {
                    "BaseLocation": "https://a.blob/",
                    "RelativeLocation": "alm-versions/m/m-v1.ilearner",
                    "SasBlobToken": "?sig=read",
                },
            }
        ]
    }


@pytest.mark.parametrize(
    ("answer", "kind", "remedy"),
    [
        (error(400, "InvalidOperation"), Misconfigured, "add an endpoint of your own"),
        (error(400, "InvalidOperation", "IncompatibleModel"), Misconfigured, "does not fit"),
        (error(409, "Conflict", "ModelOutputMetadataMismatch"), Misconfigured, "does not fit"),
        (error(400, "BadArgument", "BlobNotFound"), Misconfigured, "could not read the model file"),
        (error(409, "Conflict"), Conflict, "read it again"),
        (error(503, "ServiceUnavailable"), Unavailable, "tried again"),
        (error(404, "NotFound"), NotFound, "add an endpoint"),
    ],
)
def test_a_refused_patch_says_what_to_do(
    answer: tuple[int, object], kind: type[AlmError], remedy: str
) -> None:
    with pytest.raises(kind, match=remedy) as raised:
        target(Scripted(answer)).patch(MODEL)

    assert str(raised.value).startswith("put alm-versions/m/m-v1.ilearner into 'Churn [trained mod")


def test_url_and_key_for_scoring_come_from_the_record_and_are_kept() -> None:
    transport = Scripted((200, record()), (200, SCORED), (200, SCORED))
    scoring = target(transport)

    for _ in range(2):
        scoring.score([{"x": 1}], input="input1", output="output1")

    execute = "POST /workspaces/w/services/e/execute?api-version=2.0&details=true"
    assert transport.seen == [f"GET {MANAGEMENT}", execute, execute]
    assert transport.requests[1].headers["Authorization"] == "Bearer key-of-eu-1"


def test_reading_saves_the_look_up_of_url_and_key() -> None:
    transport = Scripted((200, record()), (200, SCORED))
    scoring = target(transport)

    scoring.read()
    scoring.score([{"x": 1}], input="input1", output="output1")

    assert len(transport.requests) == 2


def test_a_key_that_was_changed_is_looked_up_again_once() -> None:
    transport = Scripted(
        (200, record()),
        error(401, "Unauthorized"),
        (200, record(PrimaryKey="key-of-eu-2")),
        (200, SCORED),
    )

    target(transport).score([{"x": 1}], input="input1", output="output1")

    assert transport.requests[-1].headers["Authorization"] == "Bearer key-of-eu-2"


def test_a_key_that_is_refused_and_did_not_change_is_denied() -> None:
    transport = Scripted((200, record()), error(401, "Unauthorized"), (200, record()))

    with pytest.raises(Denied, match="score 1 rows"):
        target(transport).score([{"x": 1}], input="input1", output="output1")


def test_an_endpoint_that_was_made_anew_is_found_where_it_is_now() -> None:
    anew = "https://studio.test/workspaces/w/services/e2"

    def answers(request: Request) -> tuple[int, object]:
        if request.target == MANAGEMENT:
            first = sum(one.target == MANAGEMENT for one in transport.requests) == 1
            return 200, record() if first else record(ApiLocation=anew)
        return (200, "5f0c") if "/e2/" in request.target else error(404, "NotFound")

    transport = Scripted(by=answers)
    batch = target(transport).batch()

    assert batch.create_job(Submission({}, {}, {})) == "5f0c"


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak"])
def test_a_key_that_cannot_be_sent_is_told_without_showing_it(key: str) -> None:
    with pytest.raises(Misconfigured, match="cannot be sent in a header") as raised:
        target(Scripted((200, record(PrimaryKey=key)))).read()

    assert not key or key not in str(raised.value)


def test_a_token_that_is_not_set_is_told_by_name() -> None:
    endpoint = ClassicEndpoint(kind="classic", endpoint=ENDPOINT, token="env:OTHER")
    services = StudioServices(http(Scripted()), identity(), "https://arm.test")

    with pytest.raises(Misconfigured, match="secret env:OTHER is not set"):
        services.target(Target(name="eu", service=endpoint, trained_model="m")).read()
