"""What other systems are told of a run: every change of state, at least once, whatever happens."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from alm.domain import events
from alm.domain.errors import Unavailable
from alm.domain.events import EVENTS, TargetUnknown, event_id
from alm.engine import announcing
from tests.unit.engine_world import MODEL, EngineWorld

STAGES = ["start", "await", "harvest", "evaluate", "promote", "patch", "smoke"]


def told(world: EngineWorld, kind: str = "") -> list[dict[str, Any]]:
    found = world.told()
    return [event for event in found if event["type"] == kind] if kind else found


def types(world: EngineWorld) -> list[str]:
    return [str(event["type"]).removeprefix("alm.") for event in told(world)]


def facts(world: EngineWorld) -> set[str]:
    """What was told, apart from times; the reasons of a run that died may tell of that."""
    return {
        f"{event['type']} {event['subject']} {told}"
        for event in world.told()
        for told in [{**event["data"], "why": "", "deadline": ""}]
    }


def world_of(**wishes: Any) -> EngineWorld:
    return EngineWorld(event_queues=("told",), **wishes)


def test_a_run_is_told_from_its_begin_to_its_end() -> None:
    world = world_of()

    world.trigger("retrain", "day1")
    world.settle()

    assert "run.began" == types(world)[0]
    assert "run.ended" == types(world)[-1]
    left = [event["data"]["stage"] for event in told(world, "alm.run.moved")]
    assert STAGES == [stage for stage in left if stage in STAGES]
    assert ["v1"] == [event["data"]["version"] for event in told(world, "alm.version.promoted")]
    [changed] = told(world, "alm.target.changed")
    assert ("t1", "v1", False) == tuple(
        changed["data"][name] for name in ("target", "version", "restored")
    )
    ended = told(world, "alm.run.ended")[0]
    assert ("ok", "v1", {"t1": "v1"}) == tuple(
        ended["data"][name] for name in ("result", "champion", "targets")
    )
    assert ("/models/churn", "churn.r1") == (ended["source"], ended["subject"])


def test_waiting_and_trying_again_are_no_changes_of_state() -> None:
    world = world_of()
    world.training.fail("job", Unavailable("Studio is away"), times=3)

    world.trigger("retrain", "day1")
    world.settle()

    outcomes = {event["data"]["outcome"] for event in told(world, "alm.run.moved")}
    assert not outcomes & {"wait", "retry", "fetched"}
    assert "ok" == world.result()


def test_what_a_roll_back_restored_is_told() -> None:
    world = world_of(bad=("r1",))

    world.trigger("retrain", "day1")
    world.settle()

    changes = [event["data"] for event in told(world, "alm.target.changed")]
    assert [("v1", False), ("t1-v0", True)] == [(c["version"], c["restored"]) for c in changes]
    assert "rolled_back" == told(world, "alm.run.ended")[0]["data"]["result"]


def test_a_hold_and_who_decided_about_it_are_told() -> None:
    world = world_of(approval=True)
    world.trigger("retrain", "day1")
    world.settle(seconds=60)

    world.decide("approve")
    world.settle()

    [hold] = told(world, "alm.run.held")
    [decision] = told(world, "alm.run.decided")
    assert hold["data"]["digest"] == decision["data"]["digest"]
    assert "approved" == decision["data"]["decision"]


def test_a_hold_that_nobody_decides_is_told_as_expired() -> None:
    world = world_of(approval=True, hold_hours=1)

    world.trigger("retrain", "day1")
    world.settle()

    assert ["expired"] == [e["data"]["decision"] for e in told(world, "alm.run.decided")]
    assert "expired" == told(world, "alm.run.ended")[0]["data"]["result"]


def test_a_run_that_a_newer_dataset_replaces_is_told() -> None:
    world = world_of(approval=True, concurrency="supersede")
    world.trigger("retrain", "day1")
    world.settle(seconds=60)

    world.trigger("retrain", "day2")
    world.settle(seconds=600)

    [decision] = told(world, "alm.run.decided")
    assert ("superseded", "churn.r1") == (decision["data"]["decision"], decision["subject"])


def test_a_target_that_cannot_be_restored_is_told_and_so_is_its_recovery() -> None:
    world = world_of(bad=("r1",))
    world.trigger("retrain", "day1")
    world.settle(until="smoke")
    world.targets["t1"].changes_nothing = True
    world.settle(seconds=200)

    world.targets["t1"].changes_nothing = False
    world.settle()

    seen = [tuple(event["data"]["targets"]) for event in told(world, "alm.target.unknown")]
    assert ("t1",) == seen[0]
    assert () == seen[-1]
    assert "alm.target.drifted" in {event["type"] for event in told(world)}


@pytest.mark.parametrize("bad", [False, True])
def test_a_crash_after_every_effect_leaves_nothing_untold(bad: bool) -> None:
    calm = world_of(bad=("r1",) if bad else ())
    calm.trigger("retrain", "day1")
    calm.settle()
    wanted = facts(calm)
    crash, is_over = 0, False
    while not is_over:
        crash += 1
        world = world_of(bad=("r1",) if bad else ())
        world.crash_after = crash
        world.trigger("retrain", "day1")
        world.settle()
        is_over = bool(world.crash_after)

        missing = wanted - facts(world)
        assert not missing, f"crash after effect {crash}: {sorted(missing)}"
    assert crash > 30


def test_a_queue_that_takes_no_events_stops_no_run(caplog: pytest.LogCaptureFixture) -> None:
    world = EngineWorld(event_queues=("nobody-made-this",))
    world.bus.queues = frozenset(("alm-steps", "answers"))

    world.trigger("retrain", "day1")
    world.settle()

    assert "ok" == world.result()
    assert "event_not_sent" in caplog.text


def test_nobody_is_told_where_nobody_asked() -> None:
    world = EngineWorld()

    world.trigger("retrain", "day1")
    world.settle()

    assert {"alm-steps", "answers"} == {message.queue for message in world.bus.sent}


def test_where_nobody_asked_no_event_is_even_made() -> None:
    world = EngineWorld()
    events = iter([(TargetUnknown(model=MODEL, targets=()), "1")])

    announcing.announce(world.ports, events)

    assert 1 == len(list(events))


def test_nothing_to_tell_is_nothing_to_send() -> None:
    world = world_of()

    announcing.announce(world.ports, [])

    assert 0 == world.bus.calls["send"]


def test_every_event_is_as_the_published_schema_says() -> None:
    validator = Draft202012Validator(events.event_schema())
    worlds = [world_of(bad=("r1",)), world_of(approval=True)]
    for world in worlds:
        world.trigger("retrain", "day1")
        world.settle()

    for event in [*told(worlds[0]), *told(worlds[1])]:
        validator.validate(event)
        assert not validator.is_valid({**event, "data": {**event["data"], "more": 1}})


def test_every_type_is_in_the_schema_and_in_the_list_people_read() -> None:
    schema = events.event_schema()
    listed = [str(each["title"]) for each in schema["oneOf"]]  # type: ignore[index]

    assert listed == [event.type for event in EVENTS]
    assert all(f"    {name} " in (events.__doc__ or "") for name in listed)


def test_ids_fit_into_a_message_and_stay_apart() -> None:
    event = TargetUnknown(model="m" * 90, targets=())

    names = {event_id(event, "x" * count) for count in range(100)}

    assert 100 == len(names)
    assert max(map(len, names)) <= events.ID_LENGTH_MAX
    assert f"e:alm.target.unknown:{MODEL}:1" == event_id(
        TargetUnknown(model=MODEL, targets=()), "1"
    )
