"""What Studio does for a while: how it is begun, followed, and known to have ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alm.domain.errors import AlmError, Conflict, Misconfigured, NotFound, Unavailable, Unknown
from alm.domain.experiment import Activity
from alm.studio_ports import Workspace
from tests.unit.studio.scripted import error
from tests.unit.studio.workspaces import BASE, EXPERIMENT, HTML, workspace

ACTIVITY = "d" * 32
PACKAGE = "https://storage.test/p/x y?sig=canary&se=1"
IN_QUERY = "https%3A%2F%2Fstorage.test%2Fp%2Fx%20y%3Fsig%3Dcanary%26se%3D1"


def pending(**changes: object) -> tuple[int, object]:
    return 200, {"ActivityId": ACTIVITY, "Status": "Pending", **changes}


def test_packing_is_begun_as_microsofts_client_does_and_followed() -> None:
    studio, transport = workspace(
        pending(Location=None), pending(Status="Complete", Location=PACKAGE)
    )

    begun, followed = studio.pack(EXPERIMENT), studio.packing(ACTIVITY)

    assert begun == Activity(id=ACTIVITY, done=False)
    assert followed == Activity(id=ACTIVITY, done=True, location=PACKAGE)
    assert "canary" not in repr(followed)
    query = f"experimentid={EXPERIMENT}/&clearCredentials=true&includeAuthorId=false"
    assert transport.seen == [
        f"POST {BASE}/packages?api-version=2.0&{query}",
        f"GET {BASE}/packages?packageActivityId={ACTIVITY}",
    ]
    assert transport.requests[0].body == b""


def test_unpacking_names_the_package_and_the_region_it_comes_from() -> None:
    studio, transport = workspace(
        pending(), pending(Status="Complete", ExperimentId=EXPERIMENT, ActivityId=None)
    )

    studio.unpack(PACKAGE, region="South Central US")
    followed = studio.unpacking(ACTIVITY)

    assert followed == Activity(id=ACTIVITY, done=True, experiment=EXPERIMENT)
    assert transport.seen == [
        f"PUT {BASE}/packages?api-version=2.0&packageUri={IN_QUERY}&region=SouthCentralUS",
        f"GET {BASE}/packages?unpackActivityId={ACTIVITY}",
    ]
    assert "canary" not in transport.requests[0].url


def test_a_package_of_the_gallery_is_named_by_its_page() -> None:
    page = "https://gallery.test/Details/engines-1"
    studio, transport = workspace(pending())

    studio.unpack(PACKAGE, region="South Central US", gallery=page + "/?x=1")

    community = "https%3A%2F%2Fgallery.test%2FDetails%2Fengines-1%2F%3Fx%3D1"
    query = f"packageUri={IN_QUERY}&communityUri={community}&entityId=engines-1"
    assert transport.seen == [f"PUT {BASE}/packages?api-version=2.0&{query}"]


@pytest.mark.parametrize(
    ("update", "more"), [(False, ""), (True, "&updateExistingWebService=true")]
)
def test_deploying_is_begun_and_followed(update: bool, more: str) -> None:
    names = {"WebServiceGroupId": "s" * 32, "EndpointId": "p" * 32}
    studio, transport = workspace(pending(**names), pending(Status="Completed", **names))

    begun, followed = studio.deploy(EXPERIMENT, update=update), studio.deploying(ACTIVITY)

    assert begun == Activity(id=ACTIVITY, done=False, service="s" * 32, endpoint="p" * 32)
    assert followed == begun.model_copy(update={"done": True})
    assert transport.seen == [
        f"POST {BASE}/experiments/{EXPERIMENT}/webservice?generateNewPortNames=false{more}",
        f"GET {BASE}/experiments/{ACTIVITY}/webservice",
    ]


@pytest.mark.parametrize("status", ["Pending", "Running", "", None, "InProgress", "Completing", 7])
def test_a_status_that_is_not_known_is_not_an_end(status: object) -> None:
    studio, _ = workspace(pending(Status=status))

    assert studio.packing(ACTIVITY) == Activity(id=ACTIVITY, done=False)


@pytest.mark.parametrize("status", ["Failed", "failure", "Error", "Canceled", "Aborted"])
def test_an_activity_that_failed_says_why_without_secrets(status: str) -> None:
    reason = "The package at https://storage.test/p?sig=canary cannot be read."
    studio, _ = workspace(pending(Status=status, Message=reason))

    seen = studio.unpacking(ACTIVITY)

    assert not seen.done
    assert seen.failed.startswith(f"{status}: The package at")
    assert "canary" not in seen.failed


def test_an_activity_that_failed_need_not_say_why() -> None:
    studio, _ = workspace(pending(Status="Failed", Message=None, Error={"a": 1}))

    assert studio.deploying(ACTIVITY).failed == "Failed"


Begin = Callable[[Workspace], object]
BEGINNINGS: list[Begin] = [
    lambda studio: studio.pack(EXPERIMENT),
    lambda studio: studio.unpack(PACKAGE),
    lambda studio: studio.deploy(EXPERIMENT, update=False),
]


@pytest.mark.parametrize("begin", BEGINNINGS)
@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (Unknown("no complete answer"), Unknown),
        (error(503, "ServiceUnavailable"), Unavailable),
        (error(409, "Conflict"), Conflict),
        (error(400, "BadArgument", message="sig=canary"), Misconfigured),
        ((200, {"Status": "Pending"}), Misconfigured),
        ((200, HTML), Misconfigured),
        ((204, None), Misconfigured),
    ],
)
def test_what_becomes_of_a_beginning_is_told_by_its_answer(
    begin: Begin, answer: object, meant: type[AlmError]
) -> None:
    studio, transport = workspace(answer)

    with pytest.raises(AlmError) as raised:
        begin(studio)

    assert type(raised.value) is meant
    assert len(transport.seen) == 1
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("answer", [error(404, "ActivityNotFound"), (204, None), (200, b"null")])
def test_an_activity_that_is_not_there_is_not_found(answer: object) -> None:
    studio, _ = workspace(answer)

    with pytest.raises(NotFound):
        studio.deploying(ACTIVITY)
