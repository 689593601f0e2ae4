"""The engine over plain doubles: what a run comes to, and what it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alm.domain.errors import Unavailable
from alm.domain.messages import Reconcile
from alm.engine import upkeep
from alm.engine.limits import ZOMBIE_SECONDS_MAX
from alm.stages.serving import STRAY_SECONDS
from tests.doubles.storage import BASE
from tests.unit.engine_world import MODEL, EngineWorld, fails_first


def test_a_dataset_becomes_what_the_target_serves() -> None:
    world = EngineWorld()

    world.trigger("retrain", "day1")
    world.settle()

    assert "ok" == world.result()
    assert "good r1" == world.serves()
    assert "v1" == world.ledger.champion
    assert [("day1", "ended", "ok")] == world.answers()
    assert [] == world.events()


def test_a_happy_run_stays_within_its_budget() -> None:
    """DESIGN.md 7: six engine blob operations, sends at most stages + waits + 3."""
    world = EngineWorld(propagation_seconds=0)

    world.trigger("retrain", "day1")
    world.settle()

    seen = world.counted()
    steps = [message for message in world.bus.sent if "/" in message.subject]
    stages = len({message.subject for message in steps})
    waits = sum(message.due is not None for message in steps)
    assert {"get": 2, "put": 3} == dict(seen.ledgers)
    assert {"put_ended": 1} == dict(seen.records)
    assert seen.sends <= stages + waits + 3
    assert 10 == seen.sends
    assert 1 == sum(world.training.starts.values())


def test_a_candidate_that_the_gate_rejects_touches_no_target() -> None:
    world = EngineWorld(auc="0.5")

    world.trigger("retrain", "day1")
    world.settle()

    assert "rejected" == world.result()
    assert [] == world.targets["t1"].patches
    assert "auc" in world.why()


def test_a_failed_job_is_started_anew_once() -> None:
    world = EngineWorld()
    world.training.fault_of = fails_first(1)

    world.trigger("retrain", "day1")
    world.settle()

    assert "ok" == world.result()
    assert 2 == sum(world.training.starts.values())


def test_a_job_that_fails_again_fails_the_run_with_its_details() -> None:
    world = EngineWorld()
    world.training.fault_of = fails_first(2)

    world.trigger("retrain", "day1")
    world.settle()

    assert "failed" == world.result()
    assert "Error 0035" in world.why()
    assert ["failed"] == world.events()


def test_a_held_run_goes_on_when_it_is_approved() -> None:
    world = EngineWorld(approval=True)
    world.trigger("retrain", "day1")
    world.settle(seconds=60)
    assert "good by-hand-t1" == world.serves()

    world.decide("approve")
    world.settle()

    assert "ok" == world.result()
    assert ["held"] == world.events()
    assert [("approve ", "ended", "approve"), ("day1", "ended", "ok")] == world.answers()


def test_an_approval_of_another_digest_is_refused() -> None:
    world = EngineWorld(approval=True)
    world.trigger("retrain", "day1")
    world.settle(seconds=60)

    world.decide("approve", digest="sha256:another")
    world.settle(seconds=60)

    assert [("approve ", "refused", "approve")] == world.answers()
    assert "good by-hand-t1" == world.serves()


def test_a_refused_run_ends_and_touches_nothing() -> None:
    world = EngineWorld(approval=True)
    world.trigger("retrain", "day1")
    world.settle(seconds=60)

    world.decide("refuse")
    world.settle()

    assert "refused" == world.result()
    assert [] == world.targets["t1"].patches
    assert [("refuse ", "ended", "refuse"), ("day1", "ended", "refused")] == world.answers()


def test_a_held_run_that_nobody_decides_expires() -> None:
    world = EngineWorld(approval=True, hold_hours=1)

    world.trigger("retrain", "day1")
    world.settle()

    assert "expired" == world.result()
    assert [("day1", "ended", "expired")] == world.answers()


def test_a_cancel_before_anything_was_touched_ends_the_run() -> None:
    world = EngineWorld()
    world.trigger("retrain", "day1")
    world.settle(until="patch")

    world.decide("cancel")
    world.settle()

    assert "cancelled" == world.result()
    assert [] == world.targets["t1"].patches


def test_a_cancel_after_a_patch_gives_every_target_back_what_it_served() -> None:
    world = EngineWorld(waves=(1, 2))
    world.trigger("retrain", "day1")
    world.settle(until="finish")

    world.decide("cancel")
    world.settle()

    assert "cancelled" == world.result()
    assert ["good by-hand-t1", "good by-hand-t2"] == [world.serves("t1"), world.serves("t2")]


def test_the_first_run_that_fails_its_smoke_test_restores_what_was_deployed_by_hand() -> None:
    world = EngineWorld(bad=("r1",))

    world.trigger("retrain", "day1")
    world.settle()

    assert "rolled_back" == world.result()
    assert "good by-hand-t1" == world.serves()
    assert "t1-v0" == world.ledger.serves["t1"].version
    assert ["rolled_back"] == world.events()


def test_a_patch_that_changes_nothing_is_rolled_back_and_never_called_champion() -> None:
    world = EngineWorld()
    world.targets["t1"].changes_nothing = True

    world.trigger("retrain", "day1")
    world.settle()

    assert "failed" == world.result()
    assert "" == world.ledger.champion
    assert "good by-hand-t1" == world.serves()


def test_a_target_that_cannot_be_restored_is_said_to_be_unknown_until_it_is() -> None:
    world = EngineWorld(bad=("r1",))
    world.trigger("retrain", "day1")
    world.settle(until="smoke")
    world.targets["t1"].changes_nothing = True
    world.settle(seconds=200)
    assert ("failed", ("t1",)) == (world.result(), world.ledger.unknown)
    assert ["failed", "unknown"] == world.events()

    world.targets["t1"].changes_nothing = False
    world.settle()

    assert "good by-hand-t1" == world.serves()
    assert () == world.ledger.unknown


@pytest.mark.parametrize(
    ("version", "serves"),
    [("previous", "good r1"), ("v0", "good by-hand-t1"), ("v1", "good r1")],
)
def test_an_order_rolls_back_to_the_version_that_it_names(version: str, serves: str) -> None:
    world = EngineWorld()
    for day in ("day1", "day2"):
        world.trigger("retrain", day)
        world.settle()

    world.trigger("roll_back", "order", version)
    world.settle()

    assert "ok" == world.result(3)
    assert serves == world.serves()


def test_an_order_for_a_version_that_is_not_there_fails_and_names_those_that_are() -> None:
    world = EngineWorld()
    world.trigger("retrain", "day1")
    world.settle()

    world.trigger("roll_back", "order", "v7")
    world.settle()

    assert "failed" == world.result(2)
    assert "v1" in world.why(2)
    assert "good r1" == world.serves()


def test_a_verification_of_what_is_right_changes_nothing() -> None:
    world = EngineWorld()
    world.trigger("retrain", "day1")
    world.settle()
    patches = len(world.targets["t1"].patches)

    world.trigger("verify", "monday")
    world.settle()

    assert "verified" == world.result(2)
    assert patches == len(world.targets["t1"].patches)


def test_a_verification_reports_a_target_that_was_changed_by_hand() -> None:
    world = EngineWorld()
    world.trigger("retrain", "day1")
    world.settle()
    world.blobs.put("models/other.ilearner", b"good other")
    world.targets["t1"].change_by_hand(f"{BASE}models/other.ilearner")

    world.trigger("verify", "monday")
    world.settle()

    assert "drift" == world.result(2)
    assert "good r1" == world.serves(), "the reconcile puts it right"


@pytest.mark.parametrize(
    ("on_unwell", "serves"), [("notify", "good r1"), ("roll_back", "good by-hand-t1")]
)
def test_a_verification_of_a_model_gone_bad_repairs_only_where_declared(
    on_unwell: str, serves: str
) -> None:
    world = EngineWorld(on_unwell=on_unwell)
    world.trigger("retrain", "day1")
    world.settle()
    score = world.targets["t1"].scored_by
    world.targets["t1"].scored_by = lambda location, row: (
        score(location, row) if "-v0-" in location else {"Scored Quality": "bad"}
    )

    world.trigger("verify", "monday")
    world.settle()

    assert "unwell" == world.result(2)
    assert "unwell" in world.events()
    assert serves == world.serves()


def test_a_newer_dataset_replaces_a_held_run_where_declared() -> None:
    world = EngineWorld(approval=True, concurrency="supersede")
    world.trigger("retrain", "day1")
    world.settle(seconds=60)

    world.trigger("retrain", "day2")
    world.settle(seconds=60)

    assert "superseded" == world.result(1)
    assert f"{MODEL}.r2" == (world.ledger.active and world.ledger.active.run)


def test_a_dataset_is_skipped_while_a_run_is_active_where_declared() -> None:
    world = EngineWorld(concurrency="skip")
    world.trigger("retrain", "day1")

    world.trigger("retrain", "day2")
    world.settle()

    assert 1 == world.ledger.runs
    assert [("day2", "ended", "skipped"), ("day1", "ended", "ok")] == world.answers()


def test_a_burst_of_datasets_is_one_run_after_a_quiet_period() -> None:
    world = EngineWorld(quiet_seconds=60)
    for name in ("day1", "day2", "day3"):
        world.trigger("retrain", name)
        world.clock.advance(20)
    assert world.ledger.active is None

    world.settle()

    assert 1 == world.ledger.runs
    assert 3 == len(world.answers())


def test_a_run_is_postponed_while_studio_is_away() -> None:
    world = EngineWorld()
    world.training.fail("create_job", Unavailable("refused"), times=3)

    world.trigger("retrain", "day1")
    world.settle()

    assert "ok" == world.result()
    assert 1 == world.ledger.runs


def test_a_run_is_delayed_not_failed_when_studio_goes_away() -> None:
    world = EngineWorld()
    world.trigger("retrain", "day1")
    world.settle(until="patch")
    world.targets["t1"].fail("patch", Unavailable("503"), times=4)

    world.settle()

    assert "ok" == world.result()


@pytest.mark.parametrize(
    ("datasets", "lineage"),
    [("newest", ["churn/day3.csv"]), ("append", ["churn/day2.csv", "churn/day3.csv"])],
)
def test_two_datasets_while_a_run_is_active_are_covered_by_one_more(
    datasets: str, lineage: list[str]
) -> None:
    world = EngineWorld(datasets=datasets)
    world.trigger("retrain", "day1")
    world.settle(until="await")
    world.trigger("retrain", "day2")
    world.trigger("retrain", "day3")

    world.settle()

    assert 2 == world.ledger.runs
    assert "ok" == world.result(2)
    state, triggers = (world.records.run(f"{MODEL}.r2")[part] for part in ("state", "triggers"))
    assert isinstance(state, dict)
    assert isinstance(triggers, list)
    assert 2 == len(triggers)
    assert lineage == [blob["name"] for blob in state["inputs"]]


def test_the_same_dataset_announced_five_times_is_one_run() -> None:
    world = EngineWorld()
    for _ in range(3):
        world.trigger("retrain", "day1")
    world.settle()
    for _ in range(2):
        world.trigger("retrain", "day1")

    world.settle()

    assert 1 == world.ledger.runs
    assert [("day1", "ended", "ok")] == world.answers()


def test_a_dropped_model_is_published() -> None:
    world = EngineWorld()

    world.trigger("publish", "mine")
    world.settle()

    assert "ok" == world.result()
    assert "good mine" == world.serves()


def test_a_slow_propagation_never_crowns_the_answers_of_the_old_model() -> None:
    world = EngineWorld(bad=("r2",))
    for day in ("day1", "day2"):
        world.trigger("retrain", day)
        world.settle(seconds=60)

    world.settle()

    assert "rolled_back" == world.result(2)
    assert "good r1" == world.serves()


def test_a_model_that_answers_like_the_old_one_is_held() -> None:
    world = EngineWorld(same=True)
    world.trigger("retrain", "day1")
    world.settle(seconds=60)
    assert world.ledger.active is not None
    assert world.ledger.active.held

    world.decide("refuse")
    world.settle()

    assert "refused" == world.result()
    assert "good by-hand-t1" == world.serves()


def test_a_sweep_goes_on_with_a_run_whose_message_was_lost() -> None:
    world = EngineWorld()
    world.trigger("publish", "mine")
    lost = world.pending()[0]
    world._taken.add(lost.id)

    upkeep.sweep(world.ports, MODEL, "1")
    world.settle()

    assert "ok" == world.result()
    assert [("mine", "ended", "ok")] == world.answers()


def test_answers_prove_nothing_until_no_zombie_can_have_changed_a_target() -> None:
    assert STRAY_SECONDS >= ZOMBIE_SECONDS_MAX


@pytest.mark.parametrize(("hours", "renewed"), [(71, True), (73, False), (None, False)])
def test_the_leave_of_a_service_that_reads_our_file_is_renewed_in_time(
    hours: int | None, renewed: bool
) -> None:
    world = EngineWorld()
    world.trigger("retrain", "day1")
    world.settle()
    target = world.targets["t1"]
    patches = len(target.patches)
    if hours is not None:
        target.leave_ends = world.clock.now() + timedelta(hours=hours)

    world.handle(Reconcile(model=world.model.model, run="r"))

    assert renewed == (len(target.patches) > patches)
    assert "good r1" == world.serves()
