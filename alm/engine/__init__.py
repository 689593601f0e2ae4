"""Handle a message of a mailbox: ledger, stage, outcome, next message. All reliability lives here.

Every handler: write the ledger, then do the effect, then send the next message, then return (the
host completes the message). A crash anywhere makes the broker deliver the same message again; the
token in the ledger tells a repeat from a newcomer. `docs/decisions/0001-protocol.md` has the story;
the simulation in `tests/simulation` takes each safeguard away and shows what breaks.

    trigger, kick            -> begin.py      start a run, or let the trigger wait
    step                     -> steps.py      visit a stage, follow its outcome
    approve, refuse, expire,
    cancel, fail             -> decisions.py  what people and dead letters change
    reconcile                -> upkeep.py     compare targets with the ledger, repair
    (timer)                  -> upkeep.py     the sweep: what was lost on the way
"""

from __future__ import annotations

from typing import assert_never

from alm.domain.ledger import Step
from alm.domain.messages import AnyMessage, Decision, Fail, Kick, Reconcile, TriggerMessage
from alm.engine import begin, decisions, measuring, steps, upkeep
from alm.ports import Ports

__all__ = ["handle"]


def handle(ports: Ports, message: AnyMessage, *, repeated: bool = False, context: str = "") -> None:
    """Do what one message asks. Returning means: done or safely on record, complete it.

    repeated: it was delivered before, so what it asks may have been done already. context: the
    traceparent it came with.
    Raises Unavailable or Unknown if the ledger or the queue could not be settled: deliver it again.
    """
    with measuring.span_of(message, repeated=repeated, context=context):
        _handle(ports, message, repeated=repeated)


def _handle(ports: Ports, message: AnyMessage, *, repeated: bool) -> None:
    match message:
        case TriggerMessage():
            begin.on_trigger(ports, message.model, message.trigger)
        case Kick():
            begin.on_trigger(ports, message.model, None, attempt=message.attempt)
        case Step():
            steps.on_step(ports, message, repeated=repeated)
        case Decision():
            decisions.on_decision(ports, message)
        case Fail():
            decisions.on_fail(ports, message)
        case Reconcile():
            upkeep.on_reconcile(ports, message)
        case _:
            assert_never(message)
