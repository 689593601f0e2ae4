"""A run's history: the last visits, repeated waits told once."""

from __future__ import annotations

from datetime import datetime

from alm.domain.ledger import Step
from alm.domain.run import HISTORY_ENTRIES_MAX, Entry

WHY_CHARACTERS_MAX = 600  # a step message stays a few KB; the inbox and the logs have the rest
TOLD_CHARACTERS_MAX = 2000  # what a step says last; services may say any length


def remembered(step: Step, outcome: str, why: str, now: datetime) -> tuple[Entry, ...]:
    """The history with one visit more; waiting again replaces the last wait of the same stage."""
    entry = Entry(
        n=step.n,
        stage=step.stage,
        outcome=outcome,
        at=now,
        why=shortened(why, WHY_CHARACTERS_MAX),
        tries=step.tries,
    )
    earlier = step.history
    if earlier and outcome == "wait" and _same(earlier[-1], entry):
        earlier = earlier[:-1]
    return (*earlier, entry)[-HISTORY_ENTRIES_MAX:]


def shortened(why: str, most: int = TOLD_CHARACTERS_MAX) -> str:
    """What travels on of a text that may have any length."""
    return why if len(why) <= most else why[: most - 1] + "…"


def _same(last: Entry, entry: Entry) -> bool:
    return (last.stage, last.outcome) == (entry.stage, entry.outcome)
