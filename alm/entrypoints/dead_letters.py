"""Dead letters: what was delivered too often is kept, and the run it belonged to is ended."""

from __future__ import annotations

import hashlib

from alm import log, telemetry
from alm.bootstrap import REQUESTS_QUEUE, App
from alm.domain.errors import Refused
from alm.domain.ledger import Step
from alm.domain.messages import Fail, parse
from alm.engine import sending
from alm.engine.announcing import EVENTS_QUEUE
from alm.entrypoints import inbox
from alm.entrypoints.inbox import DIED, Received

FUNCTIONS = {
    sending.STEPS_QUEUE: "on_dead_letter",
    REQUESTS_QUEUE: "on_request_dead_letter",
    EVENTS_QUEUE: "on_event_dead_letter",
}
KINDS = {REQUESTS_QUEUE: "request", EVENTS_QUEUE: "event"}  # of what is no message of a mailbox


def on_dead_letter(app: App, received: Received) -> None:
    """A message died of being delivered too often: keep it, and end the run it belonged to."""
    with telemetry.span(FUNCTIONS[received.queue], parent=received.traceparent):
        _died(app, received)


def _died(app: App, received: Received) -> None:
    reason = received.reason or "delivered too often: its handler crashes or never ends"
    inbox.keep_message(app, received, reason, DIED)
    try:
        message = parse(received.body)
    except Refused:
        telemetry.count("alm.messages.died", kind=KINDS.get(received.queue, "unknown"))
        return
    telemetry.count("alm.messages.died", kind=message.kind)
    log.error("message_died", kind=message.kind, model=message.model)
    telemetry.note(model=message.model, kind=message.kind, run=getattr(message, "run", ""))
    if isinstance(message, Step):
        end_run(app, received, message, reason)


def end_run(app: App, received: Received, step: Step, reason: str) -> None:
    """Tell the mailbox that a step cannot be done: its run ends."""
    fail = fail_of(step, received.message_id, reason)
    name = f"f:{step.run}:{fail.suffix}"
    app.ports.bus.send([sending.outgoing(fail, name)])


def fail_of(dead: Step, message_id: str, reason: str) -> Fail:
    """What to tell the mailbox about a dead step; its consequences have a suffix of their own."""
    return Fail(
        model=dead.model,
        run=dead.run,
        why=f"step {dead.pipeline}/{dead.stage} died: {reason}",
        suffix="d" + hashlib.sha256(message_id.encode()).hexdigest()[:8],
        stage=dead.stage,
        result=dead.result,
        n=dead.n,
        base=dead.base,
    )
