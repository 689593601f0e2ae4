"""Scoring calls: which endpoint answers one (`choose`), and the router that passes it on (`score`).

External logic that picks a version for each call is what the endpoints of a classic service are
made for; new services get the same here. Nothing is changed, and nothing is kept of the rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from alm.bootstrap import App
from alm.domain.choosing import Choice, choose
from alm.domain.errors import NotFound, Refused, Unavailable
from alm.domain.ledger import Ledger
from alm.domain.managed_model import ManagedModel, Target
from alm.domain.nearest import shown
from alm.domain.run import Served
from alm.domain.transitions import is_champion
from alm.entrypoints.calls import Answer, Order
from alm.stages.context import service_of

ROWS_MAX = 1000  # of one call; more is work for batch execution
CHOOSES = ("version", "alias", "key")


def show_choice(app: App, order: Order) -> Answer:
    """Which endpoint a scoring call would go to, and among which it was chosen."""
    model = app.ports.models.resolve(order.values["model"])
    ledger, _ = app.ports.ledgers.get(model.model)
    found = choices(model, ledger)
    chosen = choose([choice for choice, _, _ in found], **_wanted(order.query))
    listed = [
        {**choice.model_dump(mode="json"), "endpoint": served.service}
        for choice, _, served in found
    ]
    own = next(one for one in listed if one["target"] == chosen.target)
    return Answer(200, {**own, "among": listed})


def score(app: App, order: Order) -> Answer:
    """Score rows on the endpoint that is chosen; the answer says which one it was.

    Raises Refused if the rows cannot be scored, Unavailable or Unknown if the endpoint is away.
    """
    model = app.ports.models.resolve(order.values["model"])
    rows, asked = _rows(order.document.get("rows")), _wanted(order.document)
    ends = {end: _text(order.document, end, f"{end}1") for end in ("input", "output")}
    ledger, _ = app.ports.ledgers.get(model.model)
    found = choices(model, ledger)
    chosen = choose([choice for choice, _, _ in found], **asked)
    target, served = next((t, s) for choice, t, s in found if choice == chosen)
    try:
        scores = service_of(app.ports, target, served).score(rows, **ends)
    except NotFound as error:
        raise Unavailable(f"target {target.name!r}: {error}; the next sweep mends it") from error
    answers = [dict(zip(scores.columns, row, strict=True)) for row in scores.rows]
    where = {"target": target.name, "version": served.version, "endpoint": served.service}
    return Answer(200, {"model": model.model, **where, "rows": answers})


def choices(model: ManagedModel, ledger: Ledger) -> list[tuple[Choice, Target, Served]]:
    """Every endpoint that may serve: each target, and where versions stand beside each other the
    one that was in service before, for who asks for it.

    They are named by target, not by version: a key stays with its target when versions change.
    """
    found = []
    for name in model.served_names:
        served, before = ledger.serves.get(name), ledger.before.get(name)
        target = model.target(name, served)
        if target is None or served is None:
            continue
        aliases = ("champion",) if is_champion(ledger, served.version) else ()
        choice = Choice(target=name, version=served.version, aliases=aliases, weight=target.weight)
        found.append((choice, target, served))
        if target.deploy != "patch" and before is not None and before.service != served.service:
            previous = Choice(
                target=f"{name}/previous", version=before.version, aliases=("previous",), weight=0
            )
            found.append((previous, target, before))
    return found


def _wanted(asked: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(asked, name, "") for name in CHOOSES}


def _text(asked: Mapping[str, Any], name: str, otherwise: str) -> str:
    """A text of the call; a number is a key like any other."""
    value = asked.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refused(f"{name}: write a text, not {shown(json.dumps(value))}")
    return str(value)


def _rows(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not given or not all(isinstance(row, dict) for row in given):
        raise Refused('rows: write a list of objects, one per row, for example [{"age": 39}]')
    if len(given) > ROWS_MAX:
        raise Refused(f"rows: {len(given)} rows, at most {ROWS_MAX} are scored; use a batch job")
    for place, row in enumerate(given, start=1):
        if not row:
            raise Refused(f"rows: row {place} is empty; name its columns, null for what is missing")
        for column, cell in row.items():
            if isinstance(cell, dict | list):
                raise Refused(
                    f"rows: row {place} has a list or an object in {shown(column)}; cells are "
                    "text, numbers, true, false or null"
                )
            if isinstance(cell, float) and not isfinite(cell):
                raise Refused(f"rows: row {place} has {cell} in {shown(column)}; write null")
    return given
