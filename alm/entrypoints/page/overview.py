"""The first screen: what there is, what is under way, what needs attention. Drawn from one blob."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from alm.entrypoints.page import glance
from alm.entrypoints.page.answers import Answer
from alm.entrypoints.page.asking import Ask
from alm.entrypoints.page.glance import Glance, Row
from alm.entrypoints.page.rendering import page

STATES = ("running", "held", "idle", "new")
SHOWN_MAX = 12  # of a list on this screen; the rest is one link away
FAMILIES_MAX = 30


@dataclass(frozen=True)
class Family:
    """A family in one line."""

    name: str
    members: int
    champions: int
    flying: int
    troubled: int


@dataclass(frozen=True)
class Overview:
    """What the first screen shows."""

    models: int
    states: tuple[tuple[str, int], ...]
    champions: int
    failing_targets: int
    inbox: int | None
    flying: tuple[Row, ...]
    flying_count: int
    troubled: tuple[Row, ...]
    troubled_count: int
    ended: tuple[Row, ...]
    single: tuple[Row, ...]
    single_count: int
    families: tuple[Family, ...]


def show(ask: Ask) -> Answer:
    """All managed models at a glance."""
    found = glance.read(ask.app)
    return page(ask, "overview.html", "Overview", {"glance": found, "view": drawn(found)})


@lru_cache(maxsize=1)
def drawn(found: Glance) -> Overview:
    """Count and choose; the oldest run in flight first, the newest end first."""
    rows = found.rows
    states = Counter(row.state for row in rows)
    flying = sorted((row for row in rows if row.is_flying), key=lambda row: row.began)
    troubled = [row for row in rows if row.troubles]
    ended = sorted((row for row in rows if row.finished), key=lambda row: row.finished)
    single = [row for row in rows if not row.family]
    return Overview(
        models=len(rows),
        states=tuple((state, states.pop(state, 0)) for state in STATES) + tuple(states.items()),
        champions=sum(1 for row in rows if row.champion),
        failing_targets=sum(_count(row.unknown) for row in rows),
        inbox=found.inbox,
        flying=tuple(flying[:SHOWN_MAX]),
        flying_count=len(flying),
        troubled=tuple(troubled[:SHOWN_MAX]),
        troubled_count=len(troubled),
        ended=tuple(reversed(ended[-SHOWN_MAX:])),
        single=tuple(single[:SHOWN_MAX]),
        single_count=len(single),
        families=families(rows)[:FAMILIES_MAX],
    )


def families(rows: Iterable[Row]) -> tuple[Family, ...]:
    """Each family in one line, by name."""
    members: dict[str, list[Row]] = {}
    for row in rows:
        if row.family:
            members.setdefault(row.family, []).append(row)
    return tuple(
        Family(
            name,
            len(found),
            sum(1 for row in found if row.champion),
            sum(1 for row in found if row.is_flying),
            sum(1 for row in found if row.troubles),
        )
        for name, found in sorted(members.items())
    )


def _count(text: str) -> int:
    return int(text) if text.isdecimal() else 0
