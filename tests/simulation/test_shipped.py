"""The shipped engine: no schedule with one fault breaks anything, nor one with many at random."""

from __future__ import annotations

import pytest

from tests.simulation.scenarios import SCENARIOS
from tests.simulation.scenarios_experiment import EXPERIMENTS, STAGES
from tests.simulation.search import Finding, at_random, exhaust, minimise, replay

QUICK = {
    "taught, rejected",
    "taught, no looks",
    "taught, the first deployment changes nothing",
    "taught, somebody runs the training experiment",
    *(f"taught, cancel before {stage}" for stage in STAGES if stage != "await_predictive"),
}
"""Of the ten steps, what a test run has time for."""

LONG = {
    "bad twice",
    "bad, then good",
    "good, then bad, two waves",
    "same",
    "same, both waves",
    "same, expired",
    "same, refused",
    "serve the previous",
    "serve what is not there",
    "poison in finish at 1",
    "three targets",
    "cancel late",
    "two files",
    "serve while training",
    "job fails twice",
    "verify, rotten, repaired",
    "bad twice, the first roll_back is poison",
    "poison in roll_back at 1",
    "poison in roll_back at 2",
    "poison in patch at 5",
    "poison in smoke at 2",
    "poison in finish at 0",
    *EXPERIMENTS.keys() - QUICK,
}
"""Scenarios that `make simulate` runs through; a test run has no time for all their faults."""

SEED = 1
RANDOM_SECONDS = 4.0
RANDOM_SCHEDULES = 1500


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_breaks_without_a_fault(name: str) -> None:
    _none(exhaust({name: SCENARIOS[name]}, 0).finding)


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in LONG])
def test_no_single_fault_breaks_anything(name: str) -> None:
    tally = exhaust({name: SCENARIOS[name]}, 1)

    _none(tally.finding)
    assert tally.complete


@pytest.mark.parametrize("steps", ["patches", "the ten steps"])
def test_no_random_schedule_breaks_anything(steps: str) -> None:
    ten = steps == "the ten steps"
    scenarios = {name: it for name, it in SCENARIOS.items() if it.experiment == ten}

    tally = at_random(scenarios, SEED, schedules=RANDOM_SCHEDULES, seconds=RANDOM_SECONDS)

    _none(tally.finding and minimise(tally.finding))


def _none(finding: Finding | None) -> None:
    """A finding is told with all that is needed to see it again."""
    if finding is not None:
        _, trace = replay(finding)
        told = f"scenario {finding.name!r}, schedule {list(finding.schedule)}, seed {SEED}"
        pytest.fail(f"{finding.violation}\n{told}\n{finding.scenario}\n" + "\n".join(trace))
