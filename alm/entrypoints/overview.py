"""The overview document: all managed models at a glance, in one blob.

Written by each sweep and read by the page's first screen, which stays quick with ten thousand
managed models. It is as old as it says, and nothing decides from it. What is empty is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from alm import log
from alm.bootstrap import App
from alm.domain.errors import AlmError
from alm.domain.family import SEPARATOR

OVERVIEW = "alm-ledger/_overview.json"
STAGES_MAX = 200  # runs in flight whose stage is looked up: each costs the sweep one read
INBOX_COUNTED_MAX = 10_000  # a listing has 5,000 entries: two are enough to say that it is full

FLYING = ("running", "held")

Statuses = Mapping[str, Mapping[str, str]]


def write(app: App, statuses: Statuses, now: datetime) -> int:
    """Write the overview document; returns how many items the inbox has.

    statuses: of the ledgers, as they were just listed.
    """
    waiting = _inbox(app)
    document = {"at": now.isoformat(), "inbox": waiting, "models": entries(app, statuses)}
    app.ports.blobs.put(OVERVIEW, json.dumps(document, sort_keys=True).encode())
    return waiting


def entries(app: App, statuses: Statuses) -> dict[str, dict[str, str]]:
    """Every managed model that is declared or has a ledger, by name, with what is to be shown."""
    declared = set(app.declarations.models())
    flying = any(status.get("state") in FLYING for status in statuses.values())
    stages = _stages(app) if flying else {}
    found = {}
    for name in sorted(declared | set(statuses)):
        status = statuses.get(name, {"state": "new"})
        shown = {key: value for key, value in status.items() if value and value != "0"}
        if name not in declared:
            shown["declared"] = "no"
        if SEPARATOR in name:
            shown["family"] = name.partition(SEPARATOR)[0]
        if status.get("state") in FLYING and status.get("run") in stages:
            shown["stage"] = stages[status["run"]]
        found[name] = shown
    return found


def _stages(app: App) -> dict[str, str]:
    """Where the runs in flight are, by run, as far as their records tell."""
    try:
        flying = app.ports.records.runs(days=0, count=STAGES_MAX)
    except AlmError as error:  # people miss a word; the sweep goes on
        log.warning("sweep_failed", part="stages", reason=str(error))
        return {}
    return {str(record.get("run", "")): str(record.get("stage", "")) for record in flying}


def _inbox(app: App) -> int:
    """How many items the inbox has; at most as many as are counted."""
    items = app.ports.blobs.list("alm-inbox")
    return sum(1 for _, _ in zip(range(INBOX_COUNTED_MAX), items, strict=False))
