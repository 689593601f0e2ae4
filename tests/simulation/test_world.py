"""The simulated world itself: mailbox, faults and time behave as the protocol assumes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.picks import Replay, Schedule
from tests.simulation.scenario import run_name
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.search import Finding, at_random, exhaust, minimise
from tests.simulation.switches import SWITCHES
from tests.simulation.variants import SHIPPED, Edit, build
from tests.simulation.world import World


def played(name: str, schedule: Schedule = ()) -> tuple[World, list[str]]:
    trace: list[str] = []
    world = World(SCENARIOS[name], Replay(schedule), trace=trace)
    world.run()
    return world, [line.split("] ", 1)[1].strip() for line in trace]


def place_of(name: str, operation: str) -> int:
    """The place of the choice at the first such operation, when nothing goes wrong."""
    seen: list[tuple[int, str]] = []

    class Watching(World):
        def _operate(self, process):  # type: ignore[no-untyped-def]
            seen.append((self.state.picks, process.operation.title))
            super()._operate(process)

    Watching(SCENARIOS[name], Replay()).run()
    return next(place for place, title in seen if title == operation)


def test_the_same_schedule_is_the_same_run() -> None:
    schedule = ((5, 1), (20, 2))

    assert played("bad", schedule)[1] == played("bad", schedule)[1]


def test_a_crash_brings_the_message_back_first() -> None:
    place = place_of("one", "target t1.patch")

    _, trace = played("one", ((place, 1),))

    deliveries = [line for line in trace if line.startswith("deliver")]
    patches = [line for line in deliveries if " patch" in line]
    assert 2 == len(patches)
    assert deliveries.index(patches[0]) + 1 == deliveries.index(patches[1], 8)


def test_a_lost_answer_is_a_write_that_happened() -> None:
    place = place_of("one", "ledgers.put")

    world, trace = played("one", ((place, 3),))

    assert any("the answer was lost" in line for line in trace)
    assert "ok" == world.state.books.results[run_name(1)]
    assert 1 == world.state.ledger.runs


def test_a_zombie_goes_on_after_its_message_was_delivered_again() -> None:
    place = place_of("one", "target t1.patch")

    world, trace = played("one", ((place, 2), (place + 1, 1)))

    assert any(line.startswith("Z") for line in trace)
    assert {"lock lost": 1, "zombie wakes": 1} == dict(world.faults)


def test_a_message_that_always_dies_becomes_a_dead_letter() -> None:
    _, trace = played("poison in smoke at 0")

    assert any(line.startswith("DEAD") for line in trace)


def test_nothing_sleeps_and_time_passes_only_when_nothing_is_to_do() -> None:
    world, _ = played("hold, expired")

    assert world.state.now > 60


def test_a_search_finds_and_minimises_what_is_broken() -> None:
    switch = SWITCHES["wait for the propagation before the smoke test"]
    engine = build(switch.edits)
    scenarios = {name: SCENARIOS[name] for name in switch.scenarios}

    found = at_random(scenarios, 1, schedules=2000, engine=engine, vary=False).finding

    assert found is not None
    assert 1 == len(minimise(found, engine).schedule)


def test_a_build_leaves_the_shipped_engine_as_it_is() -> None:
    broken = build(SWITCHES["finish sends the kick"].edits)

    assert broken.handle is not SHIPPED.handle
    assert exhaust({"bad twice": SCENARIOS["bad twice"]}, 0, engine=broken).finding is not None
    assert exhaust({"bad twice": SCENARIOS["bad twice"]}, 0).finding is None


def test_a_text_that_is_not_there_cannot_be_replaced() -> None:
    with pytest.raises(AssertionError, match="occurs 0 times"):
        build([Edit("alm/engine/begin.py", "no such text", "")])


def test_a_finding_names_what_broke() -> None:
    finding = Finding("one", SCENARIOS["one"], ((1, 1),), "I1 no run covers [...]")

    assert "I1" in replace(finding, pace=1.0).violation
