"""Events on their way to the webhook."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alm.domain.errors import Misconfigured, Unavailable
from alm.domain.events import ID_LENGTH_MAX, Delivery
from alm.domain.run import BlobRef, Trigger
from alm.engine import announcing
from alm.engine.announcing import EVENTS_QUEUE
from alm.entrypoints import dead_letters, events, inbox, intake
from alm.entrypoints.inbox import Received
from tests.doubles.storage import EPOCH
from tests.unit.entrypoints.app_world import AppWorld

EVENT = {"id": "e:alm.run.ended:churn.r1:", "type": "alm.run.ended", "data": {"run": "churn.r1"}}


@pytest.fixture
def world(tmp_path: Path) -> AppWorld:
    return AppWorld(tmp_path, event_queues=(EVENTS_QUEUE,))


def message(body: bytes = b"", message_id: str = EVENT["id"]) -> Received:  # type: ignore[assignment]
    fresh = Delivery(event=EVENT).model_dump_json(by_alias=True).encode()
    return Received(body=body or fresh, message_id=message_id, queue=EVENTS_QUEUE)


def test_an_event_is_posted_as_it_is(world: AppWorld) -> None:
    events.on_event(world.app, message())

    assert [EVENT] == world.webhook.posted
    assert [] == world.bus.sent


def test_a_webhook_that_is_away_is_asked_again_later_and_later(world: AppWorld) -> None:
    world.webhook.fail("post", Unavailable("away"), times=3)

    events.on_event(world.app, message())
    for _ in range(3):
        last = world.bus.sent[-1]
        events.on_event(world.app, message(last.body, last.id))

    pauses = [(m.due - world.clock.now()).total_seconds() for m in world.bus.sent if m.due]
    assert [10, 40, 160] == pauses
    assert len({m.id for m in world.bus.sent}) == 3
    assert [EVENT] == world.webhook.posted


@pytest.mark.parametrize(
    "ids",
    [
        ("e:alm.inbox.kept::alm-requests:order~1:aa", "e:alm.inbox.kept::alm-requests:order~2:bb"),
        (f"e:{'m' * 120}:eu-1", f"e:{'m' * 120}:eu-2"),
    ],
)
def test_two_events_are_never_tried_again_under_one_id(
    world: AppWorld, ids: tuple[str, str]
) -> None:
    world.webhook.fail("post", Unavailable("away"), times=None)
    for name in ids:
        current = message(message_id=name)
        for _ in range(events.TRIES_MAX - 1):
            events.on_event(world.app, current)
            current = message(world.bus.sent[-1].body, world.bus.sent[-1].id)

    names = [sent.id for sent in world.bus.sent]
    assert len(names) == len(set(names)) == 2 * (events.TRIES_MAX - 1)
    assert max(map(len, names)) <= ID_LENGTH_MAX


def test_an_event_that_is_delivered_again_is_tried_again_once(world: AppWorld) -> None:
    world.webhook.fail("post", Unavailable("away"), times=2)

    events.on_event(world.app, message())
    events.on_event(world.app, message())  # died before its message was completed

    assert 1 == len(world.bus.accepted(EVENTS_QUEUE))


def test_an_event_that_nobody_takes_is_kept_and_can_be_sent_again(world: AppWorld) -> None:
    world.webhook.fail("post", Misconfigured("410 Gone"), times=None)

    current = message()
    for _ in range(events.TRIES_MAX):
        events.on_event(world.app, current)
        current = message(world.bus.sent[-1].body, world.bus.sent[-1].id)
    [item] = world.records.inbox()
    world.webhook.heal()
    again = inbox.again(item, "order1")
    events.on_event(world.app, message(again.body, again.id))

    assert events.TRIES_MAX - 1 == len(world.bus.sent)
    assert "410 Gone" in item.reason
    assert EVENTS_QUEUE == again.queue
    assert [EVENT] == world.webhook.posted


def test_the_refusal_of_an_event_is_no_event(world: AppWorld) -> None:
    events.on_event(world.app, message(b'{"tries": -1000000000, "event": {}}'))
    dead_letters.on_dead_letter(world.app, message())

    assert 2 == len(world.records.inbox())
    assert [] == world.bus.sent


def test_what_the_inbox_keeps_is_told(world: AppWorld) -> None:
    intake.on_request(world.app, Received(b"{", message_id="m1", queue="alm-requests"))

    [sent] = world.bus.sent
    told = json.loads(sent.body)["event"]
    assert "alm.inbox.kept" == told["type"]
    assert told["data"]["item"] == world.records.inbox()[0].id


def test_a_run_that_covers_more_uploads_than_a_message_holds_is_told_all_the_same(
    world: AppWorld,
) -> None:
    ledger = world.active()
    assert ledger.active is not None
    blobs = [
        BlobRef(container="datasets", name=f"churn/{n:0200}ü.csv", etag="e") for n in range(2000)
    ]
    triggers = tuple(
        Trigger(id=f"t:churn:{n}", source="dataset", pipeline="retrain", at=EPOCH, blob=blob)
        for n, blob in enumerate(blobs)
    )

    announcing.announce(world.app.ports, announcing.began(ledger.with_active(triggers=triggers)))

    [sent] = world.bus.sent
    told = json.loads(sent.body)["event"]["data"]
    assert len(sent.body) < 200_000
    assert told["triggers"]
    assert len(told["triggers"]) + told["left_out"] == 2000


def test_pauses_grow_to_an_hour() -> None:
    assert [10, 40, 160] == [events.pause_seconds(tries) for tries in (1, 2, 3)]
    assert 3600 == events.pause_seconds(events.TRIES_MAX)
