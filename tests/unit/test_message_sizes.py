"""A message stays below what the queue takes, whatever services say and however much waits."""

from __future__ import annotations

import pytest

from alm.domain.ledger import Ledger, Step, Token
from alm.domain.run import HISTORY_ENTRIES_MAX, BlobRef, Entry, RunState, Served, Trigger
from alm.domain.transitions import portion
from alm.engine.history import TOLD_CHARACTERS_MAX, WHY_CHARACTERS_MAX, remembered
from alm.engine.sending import encode
from tests.doubles.bus import MESSAGE_BYTES_MAX
from tests.doubles.storage import EPOCH
from tests.unit.engine_world import MODEL, EngineWorld

LONG = "\x01é" * 500_000  # as JSON, six bytes for each control character


def step(**changes: object) -> Step:
    first = Step(
        model=MODEL,
        run=f"{MODEL}.r1",
        n=1,
        pipeline="retrain",
        stage="smoke",
        base=Token(n=0, operation="begin"),
        configuration="c" * 24,
    )
    return first.model_copy(update=changes)


def dataset(number: int, length: int = 900) -> Trigger:
    blob = BlobRef(container="datasets", name=f"{number:06}{'x' * length}", etag='"0x8D"')
    return Trigger(
        id=f"t:{MODEL}:{number}", pipeline="retrain", source="dataset", at=EPOCH, blob=blob
    )


def test_the_largest_step_that_a_run_can_come_to_is_taken() -> None:
    history: tuple[Entry, ...] = ()
    for n in range(HISTORY_ENTRIES_MAX + 5):
        history = remembered(step(n=n, history=history), "failed", LONG, EPOCH)
    served = Served(
        version="v99999",
        digest=f"sha256:{'a' * 64}",
        blob=f"alm-versions/{'m' * 90}/{'f' * 200}.ilearner",
        found_at=f"https://account.blob.core.windows.net/{'l' * 200}",
        service=f"https://management.azureml.net/{'s' * 200}",
    )
    names = [f"target-{number:02}{'t' * 55}" for number in range(50)]
    state = RunState(
        inputs=tuple(t.blob for t in portion(dataset(n) for n in range(5000)) if t.blob),
        want=dict.fromkeys(names, served),
        since=dict.fromkeys(names, "2026-01-01T00:00:00.0000000Z#0123456789ab"),
        documents={f"{'m' * 90}/{name}.json": f"alm-jobs/{'m' * 90}/{name}" for name in names},
    )
    ledger = Ledger(model=MODEL, waiting=tuple(dataset(n) for n in range(5000)))

    sent = encode(
        step(history=history, state=state, ledger=ledger, etag="e", why=LONG[:TOLD_CHARACTERS_MAX])
    )

    assert len(sent) <= MESSAGE_BYTES_MAX
    kept = Step.model_validate_json(sent)
    assert state == kept.state
    assert HISTORY_ENTRIES_MAX == len(kept.history)


def test_a_history_that_fits_is_kept_as_it_is() -> None:
    entry = Entry(n=1, stage="await", outcome="wait", at=EPOCH, why="w" * WHY_CHARACTERS_MAX)
    long = step(history=(entry,) * HISTORY_ENTRIES_MAX)

    assert long == Step.model_validate_json(encode(long))


def test_a_service_that_says_too_much_fails_the_run_and_not_its_message() -> None:
    world = EngineWorld()
    world.training.fault_of = lambda _: f"Error 0035: {LONG}"

    world.trigger("retrain", "day1")
    world.settle()

    assert "failed" == world.result()
    assert "Error 0035" in world.why()
    assert len(world.why()) <= TOLD_CHARACTERS_MAX


def test_what_a_run_cannot_carry_is_left_to_the_next_one() -> None:
    waiting = [dataset(number) for number in range(200)]

    first = portion(waiting)

    assert 1 <= len(first) < len(waiting)
    assert waiting[: len(first)] == list(first)


@pytest.mark.parametrize(("datasets", "runs"), [("append", 3), ("newest", 2)])
def test_a_run_ends_however_many_datasets_wait_for_the_next_one(datasets: str, runs: int) -> None:
    world = EngineWorld(datasets=datasets)
    world.trigger("retrain", "first")
    world.settle(until="await")
    for number in range(100):
        world.trigger("retrain", f"{number:03}{'x' * 900}")

    world.settle()

    assert ["ok"] * runs == [world.result(number) for number in range(1, world.ledger.runs + 1)]
    assert 101 == len({request for request, _, _ in world.answers()})


def test_a_run_that_covers_more_than_a_message_holds_ends_and_answers_all() -> None:
    world = EngineWorld(datasets="newest")
    world.trigger("retrain", "first")
    world.settle(until="await")
    for number in range(250):
        world.trigger("retrain", f"{number:03}{'x' * 900}")
    assert len(world.ledger.model_dump_json()) > MESSAGE_BYTES_MAX

    world.settle()

    assert ["ok", "ok"] == [world.result(1), world.result(2)]
    assert 251 == len({request for request, _, _ in world.answers()})
