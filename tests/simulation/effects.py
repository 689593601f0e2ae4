"""Safeguards without a known counterexample: what they save is counted.

Each row plays one schedule with the safeguard and without it, and names the count that is smaller
with it. Rows of the protocol's table that are not here, and why:

- look before redo: the engine has no such look. A repeated patch patches again, which is harmless;
  a repeated start is answered by the service ("can no longer be started") and looked at by `await`.
- `previous` from the champion: replaced by "`previous` is what the ledger says", which has a
  counterexample.
- one write for superseding: there is no second write that could be taken apart; one `put` holds the
  waiting trigger and the cancel.
- sending again for a trigger that waits already: here it has a counterexample (I14).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.picks import Picks, Replay, Schedule
from tests.simulation.scenario import Scenario
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.switch import DECISIONS, NEXT_STEPS, ROLL_BACK, SMOKE, STEPS, UPKEEP
from tests.simulation.variants import SHIPPED, Edit, Engine, build
from tests.simulation.world import World

Count = Callable[[World], int]


@dataclass(frozen=True)
class Effect:
    """A safeguard, a schedule, and what is counted (smaller with the safeguard).

    fault: one that hits whenever it can, beside the schedule's own.
    """

    name: str
    saves: str
    scenario: str
    count: Count
    edits: tuple[Edit, ...] = ()
    schedule: Schedule = ()
    fault: str = ""


class Whenever:
    """Follow a schedule, and beside it choose one fault wherever there is one."""

    def __init__(self, schedule: Schedule, fault: str) -> None:
        self._replay, self._fault = Replay(schedule), fault

    def pick(self, place: int, options: tuple[str, ...]) -> int:
        choice = self._replay.pick(place, options)
        return options.index(self._fault) if not choice and self._fault in options else choice


def played(effect: Effect, engine: Engine = SHIPPED, *, fault: str = "") -> int:
    """The count of one play. Nothing breaks, with the safeguard or without it."""
    picks: Picks = Whenever(effect.schedule, fault)
    world = World(scenario_of(effect), picks, engine=engine)
    world.run()
    return effect.count(world)


def scenario_of(effect: Effect) -> Scenario:
    return SCENARIOS[effect.scenario]


def counts(effect: Effect) -> tuple[int, int]:
    """What is counted with the safeguard, and without it."""
    return played(effect), played(effect, build(effect.edits), fault=effect.fault)


def operations(world: World) -> int:
    return sum(world.counts.values())


def older_answers(world: World) -> int:
    """How often a target was asked again: negative, more is better."""
    return -world.counts["target t1.score"]


def sweeps(world: World) -> int:
    return world.state.timely_sweeps


def failures(world: World) -> int:
    """Runs that failed, most of them with targets that may serve anything."""
    return sum(result == "failed" for result in world.state.books.results.values())


def experiment_runs(world: World) -> int:
    return world.counts["workspace.run"]


def sends(world: World) -> int:
    return world.counts["bus.send"]


EFFECTS = (
    Effect(
        "a chain that was overtaken ends where it looks",
        "a sweep's sibling of the chain runs the training experiment a second time",
        "taught",
        experiment_runs,
        (Edit(STEPS, "(alone and active.token != step.base)", "False"),),
        ((64, 1),),
    ),
    Effect(
        "a reconcile that repeats",
        "without it the next try is left to the sweep",
        "stuck for a while",
        sweeps,
        (Edit(UPKEEP, "if wrong and message.attempt < RECONCILES_MAX:", "if False:"),),
    ),
    Effect(
        "duplicate detection",
        "what a redelivery sends again is handled again",
        "one",
        operations,
        schedule=((5, 1),),
        fault="duplicate gets through",
    ),
    Effect(
        "read back right after a patch",
        "a patch that changed nothing is noticed one message later",
        "one patch changes nothing",
        sends,
        (Edit("alm/stages/patch.py", "    if wrong or unsettled:\n", "    if False:\n"),),
    ),
    Effect(
        "a roll_back is tried again",
        "a service that changes nothing once leaves the run failed and a target unknown",
        "stuck for a moment",
        failures,
        (
            Edit(ROLL_BACK, "    if rounds < ROUNDS_MAX:\n", "    if False:\n"),
            Edit(NEXT_STEPS, "    if rounds <= most:\n", "    if False:\n"),
        ),
    ),
    Effect(
        "a sweep sends the stop of a cancelled run",
        "a run that was stopped goes on up to its next write; every step that brought no ledger "
        "looks at it first, a second safeguard: both are taken",
        "cancel before patch",
        operations,
        (
            Edit(UPKEEP, "    elif active.cancel:\n", "    elif False:\n"),
            Edit(STEPS, "    if active.cancel and not safe:\n", "    if False:\n"),
        ),
        ((25, 1),),
    ),
    Effect(
        "fail leaves alone a run that another chain took on",
        "a dead step of a sibling chain fails a run that would end well",
        "file",
        failures,
        (
            Edit(
                DECISIONS,
                "        if fail.base and found.token != fail.base and found.token.n != fail.n:\n",
                "        if False:\n",
            ),
        ),
        ((9, 2), (19, 2), (27, 1), (33, 2)),
    ),
    Effect(
        "the version of a target when it was read back",
        "a target that a zombie patched again is not patched and asked anew",
        "good, then bad",
        older_answers,
        (
            Edit(
                SMOKE,
                "    if reading.stamp != context.state.since.get(target.name, reading.stamp):\n",
                "    if False:\n",
            ),
        ),
        ((13, 2), (16, 1), (42, 1), (51, 2), (60, 1)),
    ),
)
