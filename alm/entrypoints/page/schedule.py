"""The schedule: what is due next, for each managed model, and how its last run ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alm.bootstrap import App
from alm.domain.errors import AlmError
from alm.entrypoints.page import declaration, glance, models
from alm.entrypoints.page.answers import Answer
from alm.entrypoints.page.asking import Ask
from alm.entrypoints.page.declaration import Due
from alm.entrypoints.page.glance import Row
from alm.entrypoints.page.rendering import page


@dataclass(frozen=True)
class Line:
    """A managed model with its schedules; wrong: why they cannot be told."""

    row: Row
    due: tuple[Due, ...]
    wrong: str = ""


def show(ask: Ask) -> Answer:
    """Fifty managed models on a page: only their declarations are worked out."""
    found = glance.read(ask.app)
    declared = [row for row in found.rows if row.declared != "no"]
    part = models.paged(models.filtered(declared, ask.query), ask.query.get("after", ""))
    lines = [line(ask.app, row, ask.now) for row in part.rows]
    view = {"glance": found, "part": part, "lines": lines, "total": len(declared)}
    return page(ask, "schedule.html", "Schedule", view, every=15)


def line(app: App, row: Row, now: datetime) -> Line:
    """What is due next for one managed model."""
    try:
        due = declaration.schedules(app.ports.models.resolve(row.name), now)
    except AlmError as error:  # declared wrongly, or gone since the last sweep
        return Line(row, (), str(error))
    return Line(row, tuple(sorted(due, key=lambda each: each.at)))
