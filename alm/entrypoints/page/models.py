"""The list of managed models: searched, filtered, fifty on a page, all of it in the address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from alm.domain.run import Result
from alm.entrypoints.page import glance
from alm.entrypoints.page.answers import Answer
from alm.entrypoints.page.asking import Ask
from alm.entrypoints.page.glance import Row
from alm.entrypoints.page.rendering import page

PAGE = 50
RESULTS: tuple[str, ...] = get_args(Result)
STATES = ("running", "held", "idle", "new")


@dataclass(frozen=True)
class Part:
    """A page of a list. previous, following: the name after which another page begins.

    None: there is no such page; "" is the first one.
    """

    rows: tuple[Row, ...]
    first: int
    count: int
    previous: str | None
    following: str | None


def show(ask: Ask) -> Answer:
    """Managed models by name, with search and filters."""
    found = glance.read(ask.app)
    fitting = filtered(found.rows, ask.query)
    part = paged(fitting, ask.query.get("after", ""))
    families = sorted({row.family for row in found.rows if row.family})
    choices = {"states": STATES, "families": families, "results": sorted(RESULTS)}
    view = {"glance": found, "part": part, "choices": choices, "total": len(found.rows)}
    return page(ask, "models.html", "Models", view)


def filtered(rows: Iterable[Row], query: Mapping[str, str]) -> list[Row]:
    """The rows that fit all that is asked for, by name."""
    wanted = query.get("q", "").strip().lower()
    fields = {
        "state": query.get("state", ""),
        "family": query.get("family", ""),
        "last_result": query.get("result", ""),
    }
    asked = {name: value for name, value in fields.items() if value}
    troubled = query.get("attention", "") == "yes"
    fitting = [
        row
        for row in rows
        if wanted in row.name
        and all(getattr(row, name) == value for name, value in asked.items())
        and (row.troubles or not troubled)
    ]
    return sorted(fitting, key=lambda row: row.name)


def paged(rows: Sequence[Row], after: str) -> Part:
    """The page that begins after a name: its address stays right when others come and go."""
    first = sum(1 for row in rows if row.name <= after) if after else 0
    shown = tuple(rows[first : first + PAGE])
    previous = None
    if first:
        place = first - PAGE - 1
        previous = rows[place].name if place >= 0 else ""
    following = shown[-1].name if shown and first + PAGE < len(rows) else None
    return Part(shown, first, len(rows), previous, following)
