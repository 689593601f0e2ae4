"""Stored schedules: what was found without each safeguard, as small JSON files to play again."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.picks import Replay, Schedule
from tests.simulation.rules import Rules
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.search import Finding, attempt
from tests.simulation.switch import Switch
from tests.simulation.variants import SHIPPED, Engine, build
from tests.simulation.world import World

FOLDER = Path(__file__).parent / "schedules"


@dataclass(frozen=True)
class Stored:
    """A finding, and how the search came to it.

    found: `exhaustive`, `random`, or `by hand`; schedules: how many were run before it; seed: of a
    random one.
    """

    switch: str
    scenario: str
    schedule: Schedule
    violation: str
    found: str
    schedules: int
    seed: int = 0

    @property
    def finding(self) -> Finding:
        return Finding(self.scenario, SCENARIOS[self.scenario], self.schedule, self.violation)


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def path_of(switch: Switch) -> Path:
    return FOLDER / f"{slug(switch.name)}.json"


def read(switch: Switch) -> list[Stored]:
    """The stored schedules of a switch: the smallest one first, then what chance found."""
    entries = json.loads(path_of(switch).read_text())["findings"]
    return [
        Stored(
            switch.name,
            entry["scenario"],
            tuple((place, choice) for place, choice in entry["schedule"]),
            entry["violation"],
            entry["found"],
            entry["schedules"],
            entry["seed"],
        )
        for entry in entries
    ]


def write(switch: Switch, findings: list[Stored]) -> None:
    """Store what was found; the faults are told beside their numbers, for people."""
    entries = [
        {
            "scenario": stored.scenario,
            "schedule": [list(choice) for choice in stored.schedule],
            "faults": faults_of(stored.finding, switch),
            "violation": stored.violation,
            "found": stored.found,
            "schedules": stored.schedules,
            "seed": stored.seed,
        }
        for stored in findings
    ]
    document = {"switch": switch.name, "breaks": switch.breaks, "findings": entries}
    text = json.dumps(document, indent=1, ensure_ascii=False)
    text = re.sub(r"\[\s+(\d+),\s+(\d+)\s+\]", r"[\1, \2]", text)
    path_of(switch).write_text(text + "\n")


def faults_of(finding: Finding, switch: Switch) -> list[str]:
    """Each fault of a schedule with the delivery or operation that it hits."""
    _, lines = played(finding, build(switch.edits), switch.rules)
    told = []
    for place, line in enumerate(lines):
        if "!!" in line:
            at = lines[place + 1] if place + 1 < len(lines) else ""
            told.append(f"{line.split('!! ')[1]}: {at.split(']', 1)[-1].strip()}"[:100])
    return told


def played(
    finding: Finding, engine: Engine = SHIPPED, rules: Rules | None = None
) -> tuple[str, list[str]]:
    """Run a schedule; returns what it breaks, or "", and its trace."""
    trace: list[str] = []
    world = World(
        finding.scenario,
        Replay(finding.schedule),
        engine=engine,
        rules=rules or Rules(pace=finding.pace),
        trace=trace,
    )
    return attempt(world), trace
