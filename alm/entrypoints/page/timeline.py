"""A run as a timeline: what every visit came to, how long it was on its way, what is still to come.

Pure: from the pipeline's table and the history of the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alm.domain.run import Entry
from alm.pipelines import PIPELINES, Lead, Stage

_STATE_OF = {"failed": "failed", "unfit": "unfit", "rejected": "rejected", "displaced": "displaced"}


@dataclass(frozen=True)
class Visit:
    """One entry of the history. seconds: since what was before. new_day: another date than that.

    told: what the outcome is called where its own word would mislead.
    """

    n: int
    stage: str
    outcome: str
    at: datetime
    why: str
    tries: int
    seconds: float | None
    new_day: bool
    told: str = ""


@dataclass(frozen=True)
class Step:
    """A stage of the pipeline in this run: done, now, failed, held, skipped or to come."""

    stage: str
    state: str
    call: str
    visits: int


def visits(history: Sequence[Entry], began: datetime | None, now_at: str = "") -> tuple[Visit, ...]:
    """The entries, each with the time since the one before (the first: since the run began).

    A job that failed and is tried again is `done` to the engine, and to people it failed.
    """
    befores = [began, *(entry.at for entry in history)]
    nexts = [*(entry.stage for entry in history[1:]), now_at]
    again = [
        entry.outcome == "done" and entry.stage != "restart" and following == "restart"
        for entry, following in zip(history, nexts, strict=False)
    ]
    return tuple(
        Visit(
            n=entry.n,
            stage=entry.stage,
            outcome="failed" if failed else entry.outcome,
            at=entry.at,
            why=entry.why,
            tries=entry.tries,
            seconds=(entry.at - before).total_seconds() if before else None,
            new_day=before is None or before.date() != entry.at.date(),
            told="job failed, tried once more" if failed else "",
        )
        for entry, before, failed in zip(history, befores, again, strict=False)
    )


def steps(pipeline: str, history: Sequence[Entry], now_at: str, *, state: str) -> tuple[Step, ...]:
    """The stages of the pipeline, and how far the run came. now_at: the stage that is due.

    state: running, held, or how the run ended. Stages off the straight way (a second try, a staging
    target, undoing) are shown where the run was there, after the stage that it came from.
    """
    table = next((stages for name, stages in PIPELINES.items() if name == pipeline), ())
    seen = [entry.stage for entry in history]
    straight = _straight(table)
    calls = {stage.name: stage.call for stage in table}
    shown = _in_order(straight, [name for name in (*seen, now_at) if name in calls])
    reached = max((at for at, name in enumerate(straight) if name in seen), default=-1)
    return tuple(
        Step(
            name,
            _state(name, name in straight[: reached + 1], history, now_at, state),
            calls[name],
            seen.count(name),
        )
        for name in shown
    )


def _in_order(straight: Sequence[str], visited: Sequence[str]) -> list[str]:
    """The straight way, and every other stage after the one from which it was first reached."""
    shown, before = list(straight), ""
    for name in visited:
        if name not in shown:
            shown.insert(shown.index(before) + 1 if before else 0, name)
        before = name
    return shown


def _straight(table: Sequence[Stage]) -> list[str]:
    """The stages of a run in which nothing is out of the ordinary."""
    leads = {stage.name: stage.then for stage in table}
    found: list[str] = []
    lead: Lead = table[0].name if table else ""
    while isinstance(lead, str) and lead in leads and lead not in found:
        found.append(lead)
        lead = leads[lead]
    return found


def _state(name: str, passed: bool, history: Sequence[Entry], now_at: str, state: str) -> str:
    if name == now_at and state in ("running", "held"):
        return "held" if state == "held" else "now"
    last = next((entry.outcome for entry in reversed(history) if entry.stage == name), "")
    if last:
        return _STATE_OF.get(last, "done")
    if passed or state not in ("running", "held"):
        return "skipped"
    return "to come"
