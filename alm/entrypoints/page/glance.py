"""All managed models at a glance, as the page reads them: one blob, or what else can be told.

Before the first sweep there is no overview document; then the ledgers are listed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from alm.bootstrap import App
from alm.domain.errors import NotFound
from alm.domain.family import SEPARATOR
from alm.entrypoints.overview import OVERVIEW
from alm.entrypoints.page.telling import moment

OLD = timedelta(minutes=5)  # a sweep comes each minute: this is late
ATTENTION = ("failed", "rolled_back", "unwell", "drift", "expired")
BYTES_MAX = 64 << 20


class Row(NamedTuple):
    """A managed model in a list. Times are text, as they are written; "" where there is none.

    (A tuple: ten thousand of them are made for each look.)
    """

    name: str
    state: str = "new"
    family: str = ""
    run: str = ""
    pipeline: str = ""
    stage: str = ""
    began: str = ""
    finished: str = ""
    last_run: str = ""
    last_result: str = ""
    champion: str = ""
    waiting: str = ""
    unknown: str = ""
    unknown_targets: str = ""
    declared: str = ""

    @property
    def is_flying(self) -> bool:
        return self.state in ("running", "held")

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why somebody should look at it."""
        held = ("held",) if self.state == "held" else ()
        unknown = ("unknown",) if self.unknown else ()
        return (*held, *unknown, self.last_result) if self.is_troubled else (*held, *unknown)

    @property
    def is_troubled(self) -> bool:
        """Whether its last run ended badly: also while a new one runs."""
        return self.last_result in ATTENTION

    @property
    def ended_run(self) -> str:
        """The run that `last_result` is of; "" where it is not told which."""
        return self.last_run or ("" if self.is_flying else self.run)


FIELDS = frozenset(Row._fields) - {"name"}


@dataclass(frozen=True, eq=False)  # told apart by identity: comparing ten thousand rows costs
class Glance:
    """at: when it was written down; None: by no sweep yet, and only what the ledgers tell."""

    at: datetime | None
    inbox: int | None
    rows: tuple[Row, ...]

    def is_old(self, now: datetime) -> bool:
        return self.at is not None and now - self.at > OLD


def read(app: App) -> Glance:
    """What the last sweep wrote down; before the first one, what the ledgers tell now."""
    try:
        found = parsed(app.ports.blobs.get(OVERVIEW, bytes_max=BYTES_MAX))
    except NotFound:
        found = None
    return found or _from_ledgers(app)


@lru_cache(maxsize=1)  # it changes each minute, and is looked at by everybody every few seconds
def parsed(content: bytes) -> Glance | None:
    """The document in these bytes; None: it is none."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("models"), dict):
        return None
    inbox = document.get("inbox")
    rows = tuple(row(name, entry) for name, entry in document["models"].items())
    return Glance(moment(document.get("at")), inbox if isinstance(inbox, int) else None, rows)


def row(name: str, entry: Mapping[str, object]) -> Row:
    """One entry; what is not there is empty."""
    if not isinstance(entry, dict):
        return Row(name, "unknown")
    return Row(name, **{key: str(value) for key, value in entry.items() if key in FIELDS})


def _from_ledgers(app: App) -> Glance:
    statuses = dict(app.ports.ledgers.list())
    found = []
    for name in sorted({*app.declarations.models(), *statuses}):
        family = name.partition(SEPARATOR)[0] if SEPARATOR in name else ""
        told = {key: value for key, value in statuses.get(name, {}).items() if value != "0"}
        found.append(row(name, {"family": family, **told}))
    return Glance(None, None, tuple(found))
