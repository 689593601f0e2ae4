"""The list of runs: those in flight, then ended ones, newest first; filtered by the address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from alm.entrypoints.api import asks
from alm.entrypoints.page import documents
from alm.entrypoints.page.answers import Answer
from alm.entrypoints.page.asking import Ask
from alm.entrypoints.page.documents import Document, text
from alm.entrypoints.page.models import RESULTS
from alm.entrypoints.page.rendering import page
from alm.entrypoints.page.telling import moment
from alm.pipelines import PIPELINES

READ_MAX = 200  # records looked through for one page; each is one read
SHOWN = 50
WELL = ("running", "held", "ok", "verified", "harvested")
DAYS = ("1", "7", "30", "90", "366")


@dataclass(frozen=True)
class RunRow:
    """A run in a list. state: running, held, or how it ended."""

    run: str
    model: str
    pipeline: str
    state: str
    stage: str
    began: datetime | None
    finished: datetime | None
    seconds: float | None
    why: str

    @property
    def is_bad(self) -> bool:
        """Whether a list says why: it did not end as it was wanted."""
        return self.state not in WELL


def show(ask: Ask) -> Answer:
    """Runs in flight, then ended ones, newest first."""
    given = {"model": ask.query.get("model", "").strip(), "days": ask.query.get("days", "7")}
    asked = asks.read(asks.RunsAsked, given, "a parameter of this")
    shown = ask.count("show", SHOWN, READ_MAX)
    records = ask.app.ports.records.runs(model=asked.model, days=asked.days, count=READ_MAX)
    fitting = filtered((row(record, ask.now) for record in records), ask.query)
    choices = {"states": ("running", "held", *sorted(RESULTS)), "pipelines": tuple(PIPELINES)}
    view = {
        "rows": fitting[:shown],
        "count": len(fitting),
        "read": len(records),
        "full": len(records) == READ_MAX,
        "days": asked.days,
        "more": str(min(shown * 2, READ_MAX)) if len(fitting) > shown else "",
        "choices": {**choices, "days": DAYS},
    }
    return page(ask, "runs.html", "Runs", view, every=15)


def filtered(rows: Iterable[RunRow], query: Mapping[str, str]) -> list[RunRow]:
    """The runs that fit all that is asked for, in the order they came."""
    pipeline, state = query.get("pipeline", ""), query.get("state", "")
    return [each for each in rows if pipeline in ("", each.pipeline) and state in ("", each.state)]


def row(record: Document, now: datetime) -> RunRow:
    """A run's record in one line."""
    stage, result = text(record, "stage"), text(record, "result")
    state = result or ("held" if stage == "hold" else "running")
    began, finished = began_at(record), moment(record.get("finished"))
    until = finished or (None if result else now)
    return RunRow(
        run=text(record, "run"),
        model=text(record, "model"),
        pipeline=text(record, "pipeline"),
        state=state,
        stage="" if result else stage,
        began=began,
        finished=finished,
        seconds=(until - began).total_seconds() if until and began else None,
        why=text(record, "why"),
    )


def began_at(record: Document) -> datetime | None:
    """When a run began, as far as its record tells."""
    state = documents.part(record, "state")
    first = next(iter(documents.parts(record, "history")), {})
    return moment(record.get("began")) or moment(state.get("began")) or moment(first.get("at"))
