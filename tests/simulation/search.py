"""Search for a schedule that breaks an invariant: all of them up to some faults, or at random."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from tests.simulation.invariants import Violation
from tests.simulation.picks import RARE, Chance, Picks, Replay, Schedule
from tests.simulation.rules import Rules
from tests.simulation.scenario import Before, Scenario
from tests.simulation.state import State
from tests.simulation.variants import SHIPPED, Engine
from tests.simulation.world import SHIPPED_RULES, World

SLEEPS = ("lock lost",)
"""A holder that lost its lock and never goes on is one that crashed: no use as the last fault."""
STAGES = (
    "start", "await", "harvest", "evaluate", "promote", "patch", "smoke", "roll_back", "finish",
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """A schedule of a scenario that breaks an invariant."""

    name: str
    scenario: Scenario
    schedule: Schedule
    violation: str
    pace: float = 0.0


@dataclass
class Tally:
    """What a search looked at. states: different worlds at a delivery."""

    schedules: int = 0
    states: set[int] = field(default_factory=set)
    faults: Counter[str] = field(default_factory=Counter)
    finding: Finding | None = None
    complete: bool = True

    def __str__(self) -> str:
        faults = ", ".join(f"{name} {count}" for name, count in self.faults.most_common())
        return (
            f"{self.schedules} schedules, {len(self.states)} distinct states, "
            f"{sum(self.faults.values())} faults ({faults})"
        )


@dataclass(frozen=True)
class _Start:
    """A schedule to run, and the state from which it need not be run again."""

    schedule: Schedule = ()
    state: State | None = None


def common(option: str) -> bool:
    return not option.startswith(RARE)


def exhaust(
    scenarios: Mapping[str, Scenario],
    faults_max: int,
    *,
    engine: Engine = SHIPPED,
    rules: Rules = SHIPPED_RULES,
    seconds: float = 3600,
    likes: Callable[[str], bool] = common,
) -> Tally:
    """Run every schedule with up to so many faults, the fewest first, until one breaks something.

    A world in a state that was seen before goes on as it did then, and is left.
    """
    tally, deadline = Tally(), time.monotonic() + seconds
    frontiers = {name: [_Start()] for name in scenarios}
    known: dict[str, set[int]] = {name: set() for name in scenarios}
    for depth in range(faults_max + 1):
        for name, frontier in frontiers.items():
            children: list[_Start] = []
            for start in frontier:
                if time.monotonic() > deadline:
                    tally.complete = False
                    return tally
                left = faults_max - depth
                probe = _Probe(scenarios[name], start, known[name], left, likes)
                violation = probe.run(engine, rules)
                tally.schedules += 1
                tally.faults.update(probe.faults)
                if violation:
                    schedule = start.schedule
                    tally.finding = Finding(name, scenarios[name], schedule, violation)
                    return tally
                children += probe.children()
            frontiers[name] = children
            tally.states |= known[name]
    return tally


class _Probe:
    """One run of an exhaustive search; keeps the states from which its children start."""

    def __init__(
        self,
        scenario: Scenario,
        start: _Start,
        known: set[int],
        faults_left: int,
        likes: Callable[[str], bool],
    ) -> None:
        self._scenario, self._start, self._known, self._likes = scenario, start, known, likes
        self._left = faults_left
        last = start.schedule[-1][0] if start.schedule else -1
        self._picks = Replay(start.schedule, log_from=last + 1 if faults_left else 1 << 60)
        self._states: list[State] = [start.state] if start.state else []
        self.faults: Counter[str] = Counter()

    def run(self, engine: Engine, rules: Rules) -> str:
        state = self._start.state.copy() if self._start.state else None
        world = World(
            self._scenario, self._picks, engine=engine, rules=rules, state=state, watch=self._watch
        )
        violation = attempt(world)
        self.faults = world.faults
        return violation

    def _watch(self, world: World) -> bool:
        """Leave a world that was seen before; remember the ones that are new."""
        if world.state.picks > self._picks.last:
            key = world.state.key()
            if key in self._known:
                return False
            self._known.add(key)
        if self._left:
            self._states.append(world.state.copy())
        return True

    def children(self) -> Iterable[_Start]:
        """The same schedule with one fault more, each from the last state before that fault."""
        states = iter(self._states)
        state, following = None, next(states, None)
        for place, options in self._picks.log:
            while following is not None and following.picks <= place:
                state, following = following, next(states, None)
            for choice in range(1, len(options)):
                option = options[choice]
                wasted = self._left == 1 and option in SLEEPS
                if self._likes(option) and not wasted:
                    yield _Start((*self._start.schedule, (place, choice)), state)


def attempt(world: World) -> str:
    """Run a world; returns the invariant it breaks, or ""."""
    try:
        world.run()
    except Violation as violation:
        return str(violation)
    return ""


def replay(
    finding: Finding, engine: Engine = SHIPPED, rules: Rules = SHIPPED_RULES
) -> tuple[str, list[str]]:
    """Run one schedule; returns the invariant it breaks, or "", and its trace."""
    trace: list[str] = []
    paced = replace(rules, pace=finding.pace)
    world = World(
        finding.scenario, Replay(finding.schedule), engine=engine, rules=paced, trace=trace
    )
    return attempt(world), trace


def minimise(finding: Finding, engine: Engine = SHIPPED, rules: Rules = SHIPPED_RULES) -> Finding:
    """Leave out one choice after the other, as long as something still breaks."""
    shorter = True
    while shorter:
        shorter = False
        for place in range(len(finding.schedule)):
            schedule = finding.schedule[:place] + finding.schedule[place + 1 :]
            fewer = replace(finding, schedule=schedule)
            violation, _ = replay(fewer, engine, rules)
            if violation:
                finding, shorter = replace(fewer, violation=violation), True
                break
    return finding


def at_random(
    scenarios: Mapping[str, Scenario],
    seed: int,
    *,
    schedules: int,
    seconds: float = 3600,
    engine: Engine = SHIPPED,
    rules: Rules = SHIPPED_RULES,
    likes: Callable[[str], bool] = lambda _option: True,
    vary: bool = True,
    faults_max: int = 12,
) -> Tally:
    """Run random schedules, each with up to `faults_max` faults, until one breaks something."""
    tally, deadline, random = Tally(), time.monotonic() + seconds, Random(seed)
    names = sorted(scenarios)
    while tally.schedules < schedules and time.monotonic() < deadline:
        own = Random(random.randrange(1 << 60))
        name = own.choice(names)
        scenario = varied(scenarios[name], own) if vary else scenarios[name]
        pace = own.choice((0.0, 0.0, 1.0, 7.0)) if vary else 0.0
        picks = Chance(
            own,
            probability=own.choice((0.01, 0.03, 0.08)),
            faults_max=own.randint(1, faults_max),
            likes=likes,
        )
        violation = _one(scenario, picks, engine, replace(rules, pace=pace), tally)
        tally.schedules += 1
        if violation:
            tally.finding = Finding(name, scenario, tuple(picks.made), violation, pace)
            return tally
    tally.complete = tally.schedules >= schedules
    return tally


def _one(scenario: Scenario, picks: Picks, engine: Engine, rules: Rules, tally: Tally) -> str:
    def watch(world: World) -> bool:
        tally.states.add(world.state.key())
        return True

    world = World(scenario, picks, engine=engine, rules=rules, watch=watch)
    violation = attempt(world)
    tally.faults.update(world.faults)
    return violation


def varied(scenario: Scenario, random: Random) -> Scenario:
    """The same scenario with other times of arrival, other bad models, other waves."""
    arrivals = tuple(
        replace(arrival, when=Before(arrival.when.run, random.choice(STAGES)))
        if isinstance(arrival.when, Before) and random.random() < 0.5
        else arrival
        for arrival in scenario.arrivals
    )
    changes: dict[str, object] = {"arrivals": arrivals, "looks": random.randint(0, 2)}
    if random.random() < 0.4:
        changes["bad"] = tuple(run for run in (1, 2, 3) if random.random() < 0.4)
    if random.random() < 0.2:
        changes["same"] = tuple(run for run in (1, 2) if random.random() < 0.4)
    if not scenario.dead and not scenario.experiment and random.random() < 0.3:
        changes["waves"] = random.choice(((1,), (1, 2), (1, 2, 2), (1, 1)))
    return replace(scenario, **changes)  # type: ignore[arg-type]
