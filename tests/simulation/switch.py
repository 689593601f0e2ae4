"""The safeguards of the protocol, and how to take each one out of the shipped code.

A switch replaces exact pieces of the shipped source (`variants.py`), or takes away what the
platform promises (`world.Rules`). Without it some schedule breaks an invariant; the smallest one
that was found is stored in `schedules/`, and breaks nothing with it.

faults: the fewest faults of such a schedule by the protocol's table, "-" where the table has no
such row (a safeguard that this simulation showed to be needed).
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.rules import Rules
from tests.simulation.variants import Edit

BEGIN, DECISIONS = "alm/engine/begin.py", "alm/engine/decisions.py"
FINISHING, SENDING = "alm/engine/finishing.py", "alm/engine/sending.py"
STEPS, UPKEEP, WRITING = "alm/engine/steps.py", "alm/engine/upkeep.py", "alm/engine/writing.py"
NEXT_STEPS = "alm/engine/next_steps.py"
PIPELINES, TRANSITIONS = "alm/pipelines.py", "alm/domain/transitions.py"
PATCH, SMOKE, ROLL_BACK = "alm/stages/patch.py", "alm/stages/smoke.py", "alm/stages/roll_back.py"
RESTART, START, ADOPT = "alm/stages/restart.py", "alm/stages/start.py", "alm/stages/adopt.py"

ZOMBIES = ("lock lost", "zombie", "sweep", "crash")
SHIPPED_RULES = Rules()


@dataclass(frozen=True)
class Switch:
    """One safeguard. scenarios: where a search looks for what breaks; likes: faults it tries."""

    name: str
    faults: str
    breaks: str
    scenarios: tuple[str, ...]
    edits: tuple[Edit, ...] = ()
    rules: Rules = SHIPPED_RULES
    likes: tuple[str, ...] = ()
    note: str = ""
