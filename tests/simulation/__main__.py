"""The simulation from the command line.

python -m tests.simulation run --seed N [--schedules K] [--seconds S]   look for what breaks
python -m tests.simulation explore [--only SWITCH] [--seconds S]        take each safeguard away
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping

from tests.simulation import stored
from tests.simulation.picks import Schedule
from tests.simulation.scenario import Scenario
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.search import Finding, Tally, at_random, common, exhaust, minimise, replay
from tests.simulation.stored import Stored
from tests.simulation.switch import Switch
from tests.simulation.switches import SWITCHES
from tests.simulation.variants import Engine, build

RANDOM_SCHEDULES_MAX = 20_000
RANDOM_SEEDS = range(1, 4)
DEEPEST = 5


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser(
        "run", help="random and exhaustive schedules of the shipped engine"
    )
    running.add_argument("--seed", type=int, default=1)
    running.add_argument("--schedules", type=int, default=1 << 60)
    running.add_argument("--seconds", type=float, default=120)
    running.add_argument("--faults", type=int, default=1, help="exhaustive up to so many, 0: not")
    running.set_defaults(command=run)
    exploring = commands.add_parser("explore", help="find what breaks without each safeguard")
    exploring.add_argument("--only", action="append", help="a switch; may be repeated")
    exploring.add_argument("--seconds", type=float, default=180, help="per switch and search")
    exploring.add_argument("--keep", action="store_true", help="do not write the schedules")
    exploring.set_defaults(command=explore)
    given = parser.parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = given.command
    return command(given)


def run(given: argparse.Namespace) -> int:
    """Exhaustive first, then at random until the time is over. 1 if anything broke."""
    started = time.monotonic()
    for faults in range(given.faults + 1):
        left = given.seconds / 2 - (time.monotonic() - started)
        if faults and left <= 0:
            break
        tally = exhaust(SCENARIOS, faults, seconds=max(left, 1))
        whole = "all" if tally.complete else "time is over: some"
        print(f"exhaustive, up to {faults} faults, {len(SCENARIOS)} scenarios, {whole}: {tally}")
        if tally.finding:
            return _report(tally.finding, given.seed)
    left = given.seconds - (time.monotonic() - started)
    tally = at_random(SCENARIOS, given.seed, schedules=given.schedules, seconds=max(left, 1))
    print(f"random, seed {given.seed}: {tally}")
    return _report(minimise(tally.finding), given.seed) if tally.finding else 0


def _report(finding: Finding, seed: int) -> int:
    violation, trace = replay(finding)
    print("\n".join(line[:200] for line in trace))
    print(f"\nVIOLATION {violation}\nseed {seed}, scenario {finding.name!r}: {finding.scenario}")
    print(f"schedule {list(finding.schedule)}, pace {finding.pace}")
    return 1


def explore(given: argparse.Namespace) -> int:
    """Search for the smallest schedule that breaks something without each safeguard."""
    missing = 0
    for name in given.only or SWITCHES:
        switch = SWITCHES[name]
        engine = build(switch.edits)
        findings = [found for found in _findings(switch, engine, given.seconds) if found]
        findings = findings or _known(switch, engine)
        for found in findings:
            print(f"  {found.found}: {len(found.schedule)} faults after {found.schedules} schedules"
                  f" of {found.scenario!r}: {found.violation}", flush=True)  # fmt: skip
        missing += not findings
        if findings and not given.keep:
            stored.write(switch, findings)
    return 1 if missing else 0


def _known(switch: Switch, engine: Engine) -> list[Stored]:
    """What is stored already and still breaks something: a deep one may be written by hand."""
    if not stored.path_of(switch).exists():
        return []
    return [
        found
        for found in stored.read(switch)
        if stored.played(found.finding, engine, switch.rules)[0]
    ]


def _findings(switch: Switch, engine: Engine, seconds: float) -> list[Stored | None]:
    print(f"without {switch.name!r} (f {switch.faults} by the protocol)", flush=True)
    smallest = _exhaustive(switch, engine, seconds)
    return [smallest, _random(switch, engine, seconds)]


def _exhaustive(switch: Switch, engine: Engine, seconds: float) -> Stored | None:
    scenarios = {name: SCENARIOS[name] for name in switch.scenarios}
    schedules = 0
    for faults in range(DEEPEST + 1):
        likes = common if faults < 2 or not switch.likes else _liking(switch.likes)
        tally = exhaust(
            scenarios, faults, engine=engine, rules=switch.rules, seconds=seconds, likes=likes
        )
        schedules += tally.schedules
        if tally.finding:
            return _stored(switch, tally.finding, "exhaustive", schedules)
        if not tally.complete:
            break
    return None


def _random(switch: Switch, engine: Engine, seconds: float) -> Stored | None:
    """Chance must find it too; where it took many schedules, other seeds are tried."""
    scenarios = {name: SCENARIOS[name] for name in switch.scenarios}
    for seed in RANDOM_SEEDS:
        tally = _chance(switch, engine, seed, seconds, scenarios)
        if tally.finding:
            finding = minimise(tally.finding, engine, switch.rules)
            return _stored(switch, finding, "random", tally.schedules, seed)
    return None


def _chance(
    switch: Switch, engine: Engine, seed: int, seconds: float, scenarios: Mapping[str, Scenario]
) -> Tally:
    return at_random(
        scenarios,
        seed,
        schedules=RANDOM_SCHEDULES_MAX,
        seconds=seconds,
        engine=engine,
        rules=switch.rules,
        vary=False,
        likes=_liking(switch.likes) if switch.likes and switch.faults > "2" else common,
    )


def _stored(switch: Switch, finding: Finding, found: str, schedules: int, seed: int = 0) -> Stored:
    schedule: Schedule = finding.schedule
    return Stored(switch.name, finding.name, schedule, finding.violation, found, schedules, seed)


def _liking(likes: tuple[str, ...]) -> Callable[[str], bool]:
    return lambda option: option.startswith(likes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
