"""Timers: what is due, what was missed, what is looked after, what is left alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from alm.domain.errors import Unavailable, Unknown
from alm.domain.ledger import Ledger, Seen
from alm.domain.messages import Kick, Reconcile, Step, TriggerMessage
from alm.engine.limits import SWEEPS
from alm.entrypoints import intake, timers
from alm.entrypoints.overview import OVERVIEW
from alm.entrypoints.timers import EVERY_MINUTES, SCHEDULE, SWEPT, needs_sweep
from tests.recorded import recording
from tests.unit.entrypoints.app_world import CHURN, AppWorld, trigger

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)  # a full hour: the thorough sweep


def until(world: AppWorld) -> str:
    return json.loads(world.blobs.stored[SCHEDULE].content)["until"]


def scheduled(world: AppWorld) -> list[tuple[str, str, datetime]]:
    return [(m.model, m.trigger.pipeline, m.trigger.at) for m in triggers(world)]


def triggers(world: AppWorld) -> list[TriggerMessage]:
    return [message for message in world.messages() if isinstance(message, TriggerMessage)]


# -- the schedule --------------------------------------------------------------------------------


def test_what_is_due_is_sent_once(world):
    world.clock.at = datetime(2026, 1, 5, 5, 59, tzinfo=UTC)
    for _ in range(4):
        timers.on_schedule(world.app)
        world.clock.advance(60)
    assert scheduled(world) == [("churn", "verify", datetime(2026, 1, 5, 6, tzinfo=UTC))]
    assert until(world) == "2026-01-05T06:02:00+00:00"


def test_the_first_look_ever_makes_up_for_nothing(world):
    timers.on_schedule(world.app)
    assert world.sent() == []


def test_after_an_outage_the_latest_time_within_a_day_is_made_up_for(world):
    world.clock.at = datetime(2026, 1, 1, 0, tzinfo=UTC)
    timers.on_schedule(world.app)
    world.clock.at = NOW  # four days later
    timers.on_schedule(world.app)
    assert sorted(scheduled(world)) == [
        ("churn", "retrain", datetime(2026, 1, 5, 2, tzinfo=UTC)),
        ("churn", "verify", datetime(2026, 1, 5, 6, tzinfo=UTC)),
    ]


def test_a_crash_between_sending_and_writing_sends_the_same_again(world):
    timers.on_schedule(world.app)
    world.clock.at = datetime(2026, 1, 6, 2, tzinfo=UTC)
    world.blobs.fail("put", Unavailable("storage is away"))
    with pytest.raises(Unavailable):
        timers.on_schedule(world.app)
    world.clock.advance(300)
    timers.on_schedule(world.app)
    assert [pipeline for _, pipeline, _ in scheduled(world)] == ["retrain"]
    assert len({message.id for message in world.bus.sent}) == 1
    assert len(world.bus.sent) == 2


def test_a_crash_in_sending_leaves_the_time_where_it_was(world):
    timers.on_schedule(world.app)
    before = until(world)
    world.clock.at = datetime(2026, 1, 6, 2, tzinfo=UTC)
    world.bus.fail("send", Unknown("no answer"))
    with pytest.raises(Unknown):
        timers.on_schedule(world.app)
    assert until(world) == before


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"until": "x"}', b'{"until": "2026-01-01"}']
)
def test_a_broken_memory_is_no_memory(world, content):
    world.blobs.put(SCHEDULE, content)
    timers.on_schedule(world.app)
    assert until(world) == world.clock.now().isoformat()


def test_members_by_captures_are_scheduled_in_a_process_that_never_saw_their_datasets(world):
    world.put_ledger(Ledger(model="shops--north"))
    world.restarted()
    world.clock.at = datetime(2026, 1, 5, 6, tzinfo=UTC)
    timers.on_schedule(world.app)
    assert {model for model, *_ in scheduled(world)} == {"churn", "shops--north"}


def test_without_families_no_ledger_is_listed(tmp_path):
    world = AppWorld(tmp_path / "m", declared=[CHURN])
    timers.on_schedule(world.app)
    assert world.ledgers.calls["list"] == 0


# -- what a sweep looks after ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "status"),
    [
        (False, {}),
        (False, {"state": "idle"}),
        (False, {"state": "running", "due": (NOW + MINUTE).isoformat()}),
        (True, {"state": "running", "due": (NOW - MINUTE).isoformat()}),
        (False, {"state": "held", "due": (NOW + MINUTE).isoformat()}),
        (True, {"state": "held", "due": (NOW - MINUTE).isoformat()}),
        (False, {"state": "running", "due": ""}),
        (True, {"state": "idle", "waiting": "1"}),
        (False, {"state": "running", "due": (NOW + MINUTE).isoformat(), "waiting": "1"}),
        (True, {"state": "idle", "finished": (NOW - 5 * MINUTE).isoformat()}),
        (False, {"state": "idle", "finished": (NOW - timedelta(days=9)).isoformat()}),
        (
            True,
            {"state": "idle", "finished": (NOW - timedelta(days=9)).isoformat(), "unknown": "1"},
        ),
    ],
)
def test_a_sweep_decides_from_the_status_alone(expected, status):
    assert needs_sweep("churn", status, NOW) is expected


def test_a_recent_end_is_looked_after_every_ten_minutes(world):
    status = {"state": "idle", "finished": NOW.isoformat()}
    looks = [m for m in range(60) if needs_sweep("churn", status, NOW + m * MINUTE)]
    assert looks == list(range(0, 60, EVERY_MINUTES))


def test_a_quiet_model_is_read_back_once_in_six_hours_and_not_all_at_once(world):
    status = {"state": "idle", "finished": (NOW - timedelta(days=9)).isoformat()}
    minutes = [NOW + minute * MINUTE for minute in range(360)]
    counts = [sum(needs_sweep(f"shops--{n}", status, at) for n in range(1000)) for at in minutes]
    assert sum(counts) == 1000
    assert max(counts) < 15


def test_a_late_run_is_sent_again(world):
    world.active(due=NOW - MINUTE)
    world.clock.at = NOW
    timers.on_sweep(world.app)
    (message,) = world.messages()
    assert isinstance(message, Step)
    assert message.suffix == "s1"


def test_waiting_triggers_that_nobody_works_on_are_kicked(world):
    world.put_ledger(Ledger(model="churn", waiting=(trigger(),)))
    timers.on_sweep(world.app)
    assert isinstance(world.messages()[0], Kick)


def test_a_recent_end_is_reconciled(world):
    world.ended()
    timers.on_sweep(world.app)
    assert isinstance(world.messages()[0], Reconcile)


def test_one_model_that_cannot_be_looked_after_holds_up_no_other(world):
    world.put_ledger(Ledger(model="churn", waiting=(trigger(),)))
    world.ledgers.texts["broken"] = ('{"model": "broken", "runs": "?"}', '"1"')
    listed = world.ledgers.list
    world.ledgers.list = lambda: [  # type: ignore[method-assign]
        ("broken", {"state": "idle", "waiting": "1", "due": "not a time"}),
        ("broken-too", {"state": "running", "due": "not a time"}),
        *((m, s) for m, s in listed_safely(listed, world)),
    ]
    timers.on_sweep(world.app)
    assert [message.model for message in world.messages()] == ["churn"]
    assert OVERVIEW in world.blobs.stored


def listed_safely(listed, world):
    broken = world.ledgers.texts.pop("broken")
    found = list(listed())
    world.ledgers.texts["broken"] = broken
    return found


def test_a_quiet_model_that_is_no_longer_declared_is_left_alone(world):
    world.put_ledger(
        Ledger(model="gone", last_run="gone.r1", finished_at=NOW, waiting=(trigger(),))
    )
    timers.on_sweep(world.app)
    assert world.sent() == []


def test_the_overview_tells_of_every_model(world):
    world.active(due=NOW + timedelta(hours=2))
    world.put_ledger(Ledger(model="shops--north", champion="v3"))
    intake.on_request(world.app, intake.Received(b"{", "m1", "alm-requests"))
    world.blobs.put("alm-inbox/2026-01-05/one.json", b"{}")
    timers.on_sweep(world.app)
    overview = json.loads(world.blobs.stored[OVERVIEW].content)
    assert overview["at"] == world.clock.now().isoformat()
    assert overview["inbox"] == 1
    assert overview["models"]["churn"]["state"] == "running"
    assert overview["models"]["shops--north"]["champion"] == "v3"


def test_a_quiet_minute_costs_two_listings_and_a_write(world):
    world.clock.at = NOW + MINUTE
    timers.on_sweep(world.app)
    assert (world.ledgers.calls, world.blobs.calls) == ({"list": 1}, {"list": 1, "put": 1})


# -- records of runs in flight ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "age", "stays"),
    [
        ("churn.r7", timedelta(hours=1), True),  # active
        ("churn.r6", timedelta(hours=1), False),  # over
        ("churn.r8", MINUTE, True),  # began meanwhile, maybe
        ("gone.r1", timedelta(hours=1), False),  # of no model at all
    ],
)
def test_records_of_runs_that_are_over_are_removed(world, run, age, stays):
    world.active(due=NOW + timedelta(days=1))
    path = f"alm-runs/active/{run.partition('.')[0]}/{run}.json"
    world.clock.at = NOW - age
    world.blobs.put(path, b"{}")
    world.clock.at = NOW
    timers.on_sweep(world.app)
    assert (path in world.blobs.stored) is stays


# -- missed events ---------------------------------------------------------------------------------


def landed(world: AppWorld, path: str, age: timedelta):
    world.clock.at = NOW - age
    blob = world.upload(path)
    world.clock.at = NOW
    return blob


def test_a_blob_that_no_event_announced_is_found(world):
    blob = landed(world, "datasets/churn/a.csv", 7 * MINUTE)
    timers.on_sweep(world.app)
    (message,) = triggers(world)
    assert message.trigger.blob == blob
    world.bus.sent.clear()
    world.clock.at = NOW + EVERY_MINUTES * MINUTE
    timers.on_sweep(world.app)
    assert world.bus.sent == []  # the look has moved on


def test_it_gets_through_although_its_lost_original_was_seen_by_the_broker(world):
    blob = landed(world, "datasets/churn/a.csv", 7 * MINUTE)
    intake.on_blob(world.app, "datasets", blob.name)
    timers.on_sweep(world.app)
    one, other = triggers(world)
    assert one.trigger.id == other.trigger.id


@pytest.mark.parametrize(
    "age", [MINUTE, timedelta(hours=49)], ids=["on its way", "beyond the horizon"]
)
def test_a_blob_too_young_or_too_old_is_not_announced(world, age):
    landed(world, "datasets/churn/a.csv", age)
    timers.on_sweep(world.app)
    assert world.sent() == []


@pytest.mark.parametrize("known", ["active", "seen", "waiting"])
def test_a_blob_that_a_run_knows_of_is_not_announced_again(world, known):
    blob = landed(world, "datasets/churn/a.csv", 7 * MINUTE)
    (message,) = intake.announced(world.app, blob, world.clock.now())
    covered, later = message.trigger, NOW + timedelta(days=1)
    match known:
        case "active":
            world.active(triggers=(covered,), due=later)
        case "seen":
            world.put_ledger(Ledger(model="churn", seen=(Seen(id=covered.id, at=NOW),)))
        case "waiting":
            ledger = world.active(due=later)
            world.put_ledger(ledger.with_waiting(covered))
    timers.on_sweep(world.app)
    assert triggers(world) == []


def test_a_missed_blob_that_nobody_wants_is_kept_once(world):
    blob = landed(world, "datasets/chrun/a.csv", 7 * MINUTE)
    intake.on_blob(world.app, "datasets", blob.name)
    timers.on_sweep(world.app)
    assert len(world.records.items) == 1


def test_the_look_moves_on_only_when_every_blob_could_be_dealt_with(world):
    landed(world, "datasets/churn/a.csv", 7 * MINUTE)
    landed(world, "datasets/sales/north/a.csv", 7 * MINUTE)
    world.bus.fail("send", Unavailable("the broker is away"))
    timers.on_sweep(world.app)
    assert [message.model for message in triggers(world)] == ["shops--north"]
    assert SWEPT not in world.blobs.stored
    world.clock.at = NOW + EVERY_MINUTES * MINUTE
    timers.on_sweep(world.app)
    assert {message.model for message in triggers(world)} == {"shops--north", "churn"}
    assert json.loads(world.blobs.stored[SWEPT].content)["until"] == "2026-01-05T12:05:00+00:00"


def test_after_an_outage_the_rescan_goes_back_two_days_at_most(world):
    world.blobs.put(SWEPT, json.dumps({"until": "2025-12-01T00:00:00+00:00"}).encode())
    landed(world, "datasets/churn/old.csv", timedelta(hours=50))
    landed(world, "datasets/churn/new.csv", timedelta(hours=40))
    timers.on_sweep(world.app)
    assert [message.trigger.blob.name for message in triggers(world)] == ["churn/new.csv"]


# -- how things stand ----------------------------------------------------------------------------


def test_each_sweep_tells_how_things_stand(world):
    world.clock.at = NOW
    world.put_ledger(Ledger(model="shops--north", unknown=("t1", "t2"), last_run="shops--north.r1"))
    world.active("churn", attempts=3 * SWEEPS, due=NOW - MINUTE)
    world.active("dropped", held=True)
    world.upload("alm-inbox/2026-01-05/i1.json")
    with recording() as recorded:
        timers.on_sweep(world.app)
        found = recorded.metrics()

    assert found["alm.runs.in_flight"] == {"state=running": 1, "state=held": 1}
    assert found["alm.runs.stuck"] == {"": 1}
    assert found["alm.targets.unknown"] == {"": 2}
    assert found["alm.inbox.items"] == {"": 1}


def test_a_stuck_run_is_told_once_an_hour(world):
    world.active("churn", attempts=3 * SWEEPS, due=NOW)
    for minute in range(1, 181):
        world.clock.at = NOW + minute * MINUTE
        timers.on_sweep(world.app)

    assert ["stuck"] * 3 == [notice.event for notice in world.notifier.notices]
