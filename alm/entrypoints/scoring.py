"""Scoring calls: which endpoint answers one (`choose`), and the router that passes it on (`score`).

External logic that picks a version for each call is what the endpoints of a classic service are
made for; new services get the same here. Nothing is changed, and nothing is kept of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alm.bootstrap import App
from alm.domain.choosing import Choice, choose
from alm.domain.errors import Refused
from alm.domain.ledger import Ledger
from alm.domain.managed_model import ManagedModel, Target
from alm.domain.run import Served
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
    listed = [choice.model_dump(mode="json") for choice, _, _ in found]
    return Answer(200, {**chosen.model_dump(mode="json"), "among": listed})


def score(app: App, order: Order) -> Answer:
    """Score rows on the endpoint that is chosen; the answer says which one it was.

    Raises Refused if the rows cannot be scored, Unavailable or Unknown if the endpoint is away.
    """
    model = app.ports.models.resolve(order.values["model"])
    ledger, _ = app.ports.ledgers.get(model.model)
    rows = _rows(order.document.get("rows"))
    asked = {name: str(order.document[name]) for name in CHOOSES if name in order.document}
    found = choices(model, ledger)
    chosen = choose([choice for choice, _, _ in found], **_wanted(asked))
    target, served = next((t, s) for choice, t, s in found if choice == chosen)
    scores = service_of(app.ports, target, model.model, served).score(
        rows,
        input=str(order.document.get("input", "input1")),
        output=str(order.document.get("output", "output1")),
    )
    return Answer(
        200,
        {
            "model": model.model,
            "target": chosen.target,
            "version": chosen.version,
            "rows": [dict(zip(scores.columns, row, strict=True)) for row in scores.rows],
        },
    )


def choices(model: ManagedModel, ledger: Ledger) -> list[tuple[Choice, Target, Served]]:
    """Every endpoint that may serve: each target, and where versions stand beside each other the
    one that was in service before."""
    found = []
    for name in model.served_names:
        served, before = ledger.serves.get(name), ledger.before.get(name)
        target = model.target(name, served)
        if target is None or served is None:
            continue
        aliases = ("champion",) if served.version == ledger.champion else ()
        found.append((_choice(target, served, aliases, target.weight), target, served))
        if target.deploy != "patch" and before is not None and before.service != served.service:
            found.append((_choice(target, before, ("previous",), 0), target, before))
    return found


def _choice(target: Target, served: Served, aliases: tuple[str, ...], weight: float) -> Choice:
    name = f"{target.name}/{served.service}" if target.deploy != "patch" else target.name
    return Choice(target=name, version=served.version, aliases=aliases, weight=weight)


def _wanted(asked: Mapping[str, str]) -> dict[str, str]:
    return {name: asked.get(name, "") for name in CHOOSES}


def _rows(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not given or not all(isinstance(row, dict) for row in given):
        raise Refused('rows: write a list of objects, one per row, for example [{"age": 39}]')
    if len(given) > ROWS_MAX:
        raise Refused(f"rows: {len(given)} rows, at most {ROWS_MAX} are scored; use a batch job")
    if any(isinstance(cell, dict | list) for row in given for cell in row.values()):
        raise Refused("rows: a cell is a list or an object; cells are text, numbers, true or false")
    return given
