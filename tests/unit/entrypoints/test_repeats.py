"""The same call with the same idempotency key: one effect, one answer, whatever dies in between."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from alm.domain.errors import Unavailable, Unknown
from alm.engine.announcing import EVENTS_QUEUE
from alm.entrypoints import access, timers
from alm.entrypoints.api import repeats, responding
from alm.entrypoints.api.calls import Answer, Call
from tests.doubles.storage import EPOCH
from tests.unit.entrypoints.app_world import DIGEST, AppWorld, principal
from tests.unit.entrypoints.test_api import BODIES, address, furnished, item

CHANGING = [route for route in responding.ROUTES if route.changes]
QUEUES = ("alm-steps", "alm-requests")
KEY = {"idempotency-key": "k1"}


def send(world: AppWorld, route: responding.Route, **headers: str) -> Answer:
    given = {**KEY, **{name.replace("_", "-"): value for name, value in headers.items()}}
    body = BODIES.get(route.path, {})
    return world.call("POST", address(route), body, role=route.role, headers=given)


def named(route: responding.Route) -> str:
    return route.handler.__name__


def moved_on(world: AppWorld) -> None:
    """What an order came to has happened: its run is over, its item is gone."""
    world.ended("ok")
    world.records.items.clear()
    world.blobs.delete("trained-models/churn/new.ilearner")


@pytest.mark.parametrize("route", CHANGING, ids=named)
def test_a_repeat_gets_the_first_answer_whatever_happened_since(world, route):
    furnished(world)
    first = send(world, route)
    sent = len(world.bus.sent)
    moved_on(world)

    again = send(world, route)

    assert (again.status, again.body) == (first.status, first.body)
    assert first.status < 300
    assert ("Idempotent-Replayed" in first.headers, len(world.bus.sent)) == (False, sent)
    assert again.headers["Idempotent-Replayed"] == "true"


def outcome(world: AppWorld) -> dict[str, Any]:
    return {
        "sent": [message.id for queue in QUEUES for message in world.sent(queue)],
        "inbox": list(world.records.items),
    }


@pytest.mark.parametrize("route", CHANGING, ids=named)
@pytest.mark.parametrize("lost", ["before", "after"])
@pytest.mark.parametrize("place", ["send", "keep", "take out"])
def test_a_crash_at_any_place_leaves_what_the_repeat_completes(tmp_path, route, lost, place):
    whole, world = (furnished(AppWorld(tmp_path / name)) for name in ("whole", "m"))
    expected = send(whole, route)
    doubles = {"send": world.bus, "keep": world.blobs, "take out": world.records}
    operation = {"send": "send", "keep": "put", "take out": "discard_inbox"}[place]
    doubles[place].fail(operation, Unknown("it died here"), after=lost == "after")

    send(world, route)
    again = send(world, route)

    assert (again.status, again.body) == (expected.status, expected.body)
    assert outcome(world) == outcome(whole)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("models/churn/verify", {}),
        ("models/dropped/verify", {}),
        ("models/churn/rollback", {"version": "v1"}),
    ],
)
def test_a_key_that_was_used_for_another_call_is_refused(world, path, body):
    world.version("v1")
    world.version("v2")
    world.call("POST", "models/churn/rollback", {"version": "v2"}, headers=KEY)
    sent = len(world.sent())

    answer = world.call("POST", path, body, headers=KEY)

    assert (answer.status, answer.body["type"]) == (422, "docs/errors.md#key-reused")
    assert "belongs to 'POST models/churn/rollback' of 2026-01-05" in answer.body["detail"]
    assert len(world.sent()) == sent


def test_the_same_body_written_in_another_way_is_the_same_call(world):
    furnished(world)
    for body in (b'{"experiment": "%s", "node": "T"}', b' {"node":"T","experiment":"%s"}'):
        harvest = body % f"{'a' * 32}.f-id.{'b' * 32}".encode()
        assert world.call("POST", "models/churn/harvest", harvest, headers=KEY).status == 202
    assert len(world.sent()) == 1


def test_callers_have_keys_of_their_own(world):
    furnished(world)
    body = {"digest": DIGEST}
    world.call("POST", "models/churn/start", headers=KEY)
    answer = world.call("POST", "runs/churn.r7/approve", body, role="approver", headers=KEY)
    assert answer.status == 202


def test_a_refused_call_can_be_corrected_with_its_key(world):
    world.version("v1")
    assert world.call("POST", "models/churn/rollback", {"version": "v9"}, headers=KEY).status == 404
    assert world.call("POST", "models/churn/rollback", {"version": "v1"}, headers=KEY).status == 202


def test_calls_without_a_key_keep_nothing(world):
    world.call("POST", "models/churn/start")
    assert list(world.blobs.list(repeats.CONTAINER)) == []


def test_an_item_that_was_kept_again_stays_when_an_old_redrive_is_repeated(world):
    world.records.put_inbox(item())
    world.call("POST", "inbox/alm-requests:1/redrive", headers=KEY)
    world.clock.advance(60)
    later = item()
    world.records.put_inbox(type(later)(**{**later.__dict__, "at": world.clock.now()}))

    assert world.call("POST", "inbox/alm-requests:1/redrive", headers=KEY).status == 202

    assert list(world.records.items) == ["alm-requests:1"]
    assert len(world.sent("alm-requests")) == 1


@pytest.mark.parametrize(("call", "how"), [("redrive", "redriven"), ("discard", "discarded")])
def test_who_listens_is_told_that_an_item_left_whatever_dies_in_between(tmp_path, call, how):
    world = AppWorld(tmp_path / "m", event_queues=("watchers",))
    world.records.put_inbox(item(model="churn"))
    world.records.fail("discard_inbox", Unknown("it died here"))

    for _ in range(3):
        world.call("POST", f"inbox/alm-requests:1/{call}", headers=KEY)

    (told,) = world.sent("watchers")
    event = json.loads(told.body)
    assert (event["type"], event["data"]["how"]) == ("alm.inbox.left", how)
    assert (event["data"]["by"], event["data"]["item"]) == ("key:operator", "alm-requests:1")


def test_nobody_is_told_of_events_that_leave_the_inbox(tmp_path):
    world = AppWorld(tmp_path / "m", event_queues=("watchers",))
    world.records.put_inbox(item("x", queue=EVENTS_QUEUE))
    world.call("POST", "inbox/x/redrive")
    assert (world.sent("watchers"), world.records.items) == ([], {})


def test_of_two_calls_at_once_both_are_answered(world):
    """The other call is done between our look for its answer and our work."""
    world.records.put_inbox(item())
    look = world.blobs.get

    def overtaken(path: str, **options: Any) -> bytes:
        world.blobs.get = look
        try:
            return look(path, **options)
        finally:
            world.call("POST", "inbox/alm-requests:1/redrive", headers=KEY)

    world.blobs.get = overtaken
    assert world.call("POST", "inbox/alm-requests:1/redrive", headers=KEY).status == 202
    assert len(world.sent("alm-requests")) == 1


def test_an_answer_that_cannot_be_read_is_worked_out_again(world):
    first = world.call("POST", "models/churn/start", headers=KEY)
    (kept,) = world.blobs.list(repeats.CONTAINER)
    world.blobs.put(kept.path, b"{}")
    assert world.call("POST", "models/churn/start", headers=KEY).body == first.body
    assert len(world.sent()) == 1


def test_answers_are_kept_for_a_week_and_then_deleted(world):
    world.call("POST", "models/churn/start", headers=KEY)
    world.clock.at = EPOCH + repeats.KEPT_FOR
    timers.on_sweep(world.app)
    assert len(list(world.blobs.list(repeats.CONTAINER))) == 1
    world.clock.advance(timedelta(hours=1).total_seconds())
    timers.on_sweep(world.app)
    assert list(world.blobs.list(repeats.CONTAINER)) == []


# -- only if nothing changed ---------------------------------------------------------------------


def etag(world: AppWorld, path: str) -> str:
    return world.call("GET", path).headers["ETag"]


def test_an_order_for_what_changed_since_it_was_seen_is_refused(world):
    seen = {"if-match": etag(world, "models/churn")}
    assert world.call("POST", "models/churn/start", headers=seen).status == 202
    world.active()
    sent = len(world.sent())

    answer = world.call("POST", "models/churn/start", headers=seen)

    assert (answer.status, answer.body["type"]) == (412, "docs/errors.md#changed")
    assert answer.headers["ETag"] == etag(world, "models/churn")
    assert len(world.sent()) == sent


def test_a_decision_holds_although_the_model_has_new_triggers_but_not_on_another_hold(world):
    furnished(world)
    seen = {"if-match": etag(world, "runs/churn.r7")}
    body, approve = {"digest": DIGEST}, "runs/churn.r7/approve"
    ledger, stored = world.ledgers.get("churn")
    world.ledgers.put(ledger.model_copy(update={"runs": 8}), stored)
    assert world.call("POST", approve, body, role="approver", headers=seen).status == 202

    world.active(held=True, attempts=1)
    assert world.call("POST", approve, body, role="approver", headers=seen).status == 412


def test_a_repeat_is_answered_although_its_own_effect_changed_the_model(world):
    seen = {**KEY, "if-match": etag(world, "models/churn")}
    assert world.call("POST", "models/churn/start", headers=seen).status == 202
    world.active()
    assert world.call("POST", "models/churn/start", headers=seen).status == 202


@pytest.mark.parametrize(
    ("given", "status"), [("*", 202), ('"other", {}', 202), ('"other"', 412), ("W/{}", 412)]
)
def test_a_condition_may_list_tags(world, given, status):
    header = given.format(etag(world, "models/churn"))
    answer = world.call("POST", "models/churn/verify", headers={"if-match": header})
    assert answer.status == status


def test_a_condition_on_a_family_is_refused(world):
    answer = world.call("POST", "models/shops/verify", headers={"if-match": '"x"'})
    assert (answer.status, "leave it out" in answer.body["detail"]) == (400, True)


def test_a_condition_that_cannot_be_looked_at_is_not_taken_as_met(world):
    world.ledgers.fail("get", Unavailable("storage is away"))
    answer = world.call("POST", "models/churn/start", headers={"if-match": '"x"'})
    assert (answer.status, world.sent()) == (503, [])


# -- not again what the caller has ----------------------------------------------------------------


@pytest.mark.parametrize("given", ["{}", "W/{}", '"other", {}', "*"])
def test_what_the_caller_has_is_not_sent_again(world, given):
    tag = etag(world, "models/churn")
    answer = world.call("GET", "models/churn", headers={"if-none-match": given.format(tag)})
    assert (answer.status, answer.text, answer.headers["ETag"]) == (304, "", tag)


@pytest.mark.parametrize("path", ["models", "models/churn", "runs/churn.r7"])
def test_another_state_has_another_etag(world, path):
    furnished(world)
    before = etag(world, path)
    assert etag(world, path) == before
    world.ended("failed")
    assert etag(world, path) != before
    assert world.call("GET", path, headers={"if-none-match": before}).status == 200


def test_two_people_of_one_name_do_not_share_their_keys(tmp_path):
    members = {"operator": ["one", "two"]}
    on = {"ALM_PLATFORM_AUTH": True, "WEBSITE_AUTH_ENABLED": True}
    world = AppWorld(tmp_path / "m", ALM_ROLE_MEMBERS=members, **on)
    for person in members["operator"]:
        known = principal(("name", "Ann"), ("oid", person))
        headers = {**KEY, access.PRINCIPAL_HEADER: known, access.CSRF_HEADER: "1"}
        answer = responding.respond(world.app, Call("POST", "models/churn/verify", headers))

        assert (answer.status, answer.headers.get("Idempotent-Replayed")) == (202, None)
    assert 2 == len(world.sent())
