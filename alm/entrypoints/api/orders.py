"""What the API takes: orders. They are requests like those of the queue.

So the same rules check them, and they take the same way through the mailbox.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alm.bootstrap import App
from alm.domain.errors import NotFound
from alm.domain.events import Left
from alm.domain.ledger import Ledger
from alm.domain.messages import trigger_id
from alm.domain.requests import read_request
from alm.engine import announcing
from alm.entrypoints import intake, tracing, triggers
from alm.entrypoints.api.answers import Accepted, Discarded, OrderShown, Redriven
from alm.entrypoints.api.calls import Answer, Order, shown
from alm.entrypoints.standing import model_of

ORDER_DAYS, ORDER_RUNS = 7, 50  # how far back the run of an order is looked for


def start_run(app: App, order: Order) -> Answer:
    """Retrain a managed model, or every member of a family, now."""
    return _ordered(app, order, "retrain")


def publish(app: App, order: Order) -> Answer:
    """Judge a model file that lies in `trained-models`, and put it into service."""
    return _ordered(app, order, "publish")


def roll_back(app: App, order: Order) -> Answer:
    """Put an earlier version back into every target, read back and smoke-test it."""
    return _ordered(app, order, "roll_back")


def harvest(app: App, order: Order) -> Answer:
    """Make a node's output a version, without retraining; no target changes."""
    return _ordered(app, order, "harvest")


def redeploy(app: App, order: Order) -> Answer:
    """Put the definitions of a commit back into their targets, read back and smoke-test them."""
    return _ordered(app, order, "redeploy")


def verify(app: App, order: Order) -> Answer:
    """Read every target back and smoke-test it; changes nothing."""
    return _ordered(app, order, "verify")


def approve(app: App, order: Order) -> Answer:
    """Let a held run go on with exactly what is held."""
    return _decided(app, order, "approve")


def refuse(app: App, order: Order) -> Answer:
    """End a held run; what it changed is rolled back."""
    return _decided(app, order, "refuse")


def cancel(app: App, order: Order) -> Answer:
    """End a run at its next step; what it changed is rolled back."""
    return _decided(app, order, "cancel")


def redrive(app: App, order: Order) -> Answer:
    """Send an inbox item again to where it came from."""
    item = app.ports.records.inbox_item(order.values["item"])
    sent = intake.redrive(app, item, order.id)
    return shown(202, Redriven(id=order.id, queue=sent.queue, message=sent.id))


def discard(app: App, order: Order) -> Answer:
    """Take an item out of the inbox."""
    item = app.ports.records.inbox_item(order.values["item"])
    return shown(200, Discarded(id=order.id, discarded=item.id))


def take_out(app: App, order: Order, answered: datetime | None, *, how: Left) -> None:
    """Take the item out of the inbox, but for one that was kept again since it was `answered`."""
    try:
        item = app.ports.records.inbox_item(order.values["item"])
    except NotFound:
        return
    if answered is None or item.at <= answered:
        announcing.take_out(app.ports, item, how, order.by, order.id)


def show_order(app: App, order: Order) -> Answer:
    """What became of an order to start a run: sent, waiting, the run that it started, its end."""
    model, name = order.values["model"], order.values["order"]
    app.ports.models.resolve(model)
    trigger = trigger_id(model, name)
    ledger, _ = app.ports.ledgers.get(model)
    found = _in_ledger(ledger, trigger) or _in_records(app, model, trigger)
    if found is None and ledger.has_seen(trigger):
        why = "no run's record names it: its run is just ending, or it was skipped for another run"
        found = {"state": "seen", "why": why}
    return shown(200, OrderShown(id=name, model=model, **(found or {"state": "sent"})))


def _in_ledger(ledger: Ledger, trigger: str) -> dict[str, Any] | None:
    active = ledger.active
    if active is not None and active.covers(trigger):
        return {"state": "held" if active.held else "running", "run": active.run}
    if ledger.awaits(trigger):
        return {"state": "waiting", "behind": active.run if active else ""}
    return None


def _in_records(app: App, model: str, trigger: str) -> dict[str, Any] | None:
    for record in app.ports.records.runs(model=model, days=ORDER_DAYS, count=ORDER_RUNS):
        covered = record.get("triggers", [])
        assert isinstance(covered, list)
        if any(item["id"] == trigger for item in covered) and record.get("result"):
            return {"state": "ended"} | {
                name: record.get(name, "") for name in ("run", "result", "why")
            }
    return None


def _decided(app: App, order: Order, kind: str) -> Answer:
    run = order.values["run"]
    return _send(app, order, {"kind": kind, "model": model_of(run), "run": run})


def _ordered(app: App, order: Order, kind: str) -> Answer:
    name = order.values["model"]
    scope = "family" if name in app.declarations.families() else "model"
    return _send(app, order, {"kind": kind, scope: name})


def _send(app: App, order: Order, facts: Mapping[str, str]) -> Answer:
    asked = order.asked.model_dump(exclude_none=True)
    body = json.dumps({**asked, **facts, "id": order.id, "by": order.by}).encode()
    request = read_request(body, order.id, "", "")
    accepted = intake.ordered(app, request, source="order")
    if accepted.done:
        return shown(200, Accepted(id=order.id, accepted=(), done=accepted.done))
    messages = tracing.handed_on("api", accepted.messages)
    app.ports.bus.send([triggers.outgoing(message) for message in messages])
    models = tuple(message.model for message in messages)
    return shown(202, Accepted(id=order.id, accepted=models))
