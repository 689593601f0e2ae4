"""Roll back: give every touched target back what it served, from our own copy, and read it back.

It goes on after a cancel, and past a target that cannot be restored: that one is reported unknown.
"""

from __future__ import annotations

from dataclasses import replace

from alm.domain.errors import AlmError, Misconfigured
from alm.domain.ledger import Intent
from alm.domain.managed_model import Target
from alm.domain.outcomes import Displaced, Done, Finish, Outcome, Wait
from alm.domain.run import Result
from alm.stages import redeploy
from alm.stages.context import Context, Declaration, unchanged
from alm.stages.serving import (
    SETTLE_LOOKS_MAX,
    is_long,
    leave_to_read,
    named,
    serves,
    settle_seconds,
)

ROUNDS_MAX = 4  # of restoring; the reconcile goes on trying after that


def declare(context: Context) -> Declaration:
    """From here on nothing of this run is deployed again."""
    return Declaration(f"roll_back:{context.step.rounds}", unchanged)


def visit(context: Context) -> Outcome:
    """Restore every intent, the newest first, then read each back."""
    troubles: dict[str, str] = {}
    restored = list(context.state.restored)
    for intent in reversed(context.active.intent):
        if intent.target in restored:
            continue
        if is_long(context):
            state = context.state.model_copy(update={"restored": tuple(restored)})
            return Wait(0, f"{named(restored)} restored so far", state)
        restored.append(intent.target)
        try:
            _give_back(context, intent)
        except AlmError as error:
            troubles[intent.target] = str(error)
    outcome = _read_back(context, troubles)
    return Done(to="restored", why=outcome.why) if isinstance(outcome, Wait) else outcome


def look(context: Context) -> Outcome:
    """Read back what is being restored."""
    return _read_back(context, {})


def _read_back(context: Context, troubles: dict[str, str]) -> Outcome:
    unsettled = False
    for intent in context.active.intent:
        try:
            reading = context.target(_target(context, intent), intent.previous).read()
        except AlmError as error:
            troubles[intent.target] = str(error)
            continue
        unsettled = unsettled or not reading.settled
        if not serves(reading, intent.previous, context.ports.blobs):
            troubles.setdefault(intent.target, f"still holds {reading.location}")
    if unsettled and context.step.waits < SETTLE_LOOKS_MAX:
        return Wait(settle_seconds(context.step.waits), "restored definitions being deployed")
    result = context.step.result or "failed"
    outcome = decide(troubles, context.step.rounds, result, context.step.why)
    return replace(outcome, state=context.state.model_copy(update={"restored": ()}))


def decide(troubles: dict[str, str], rounds: int, result: Result, why: str) -> Finish | Displaced:
    """End as asked if everything is back; else try again, and at last say what is not."""
    if not troubles:
        return Finish(result, why)
    listed = "; ".join(f"{name}: {trouble}" for name, trouble in troubles.items())
    if rounds < ROUNDS_MAX:
        return Displaced(f"not restored: {listed}", to="roll_back")
    return Finish("failed", f"{why}; could not be restored: {listed}", tuple(troubles))


def _give_back(context: Context, intent: Intent) -> None:
    """Put back what was there; what this run made beside it is taken away instead."""
    target = _target(context, intent)
    if context.step.pipeline == "redeploy" and redeploy.give_back(context, intent, target):
        return
    if target.deploy == "patch":
        leave = leave_to_read(context.ports.blobs, context.ports.clock, intent.previous.blob)
        context.target(target).patch(leave)
    elif intent.makes:
        context.deployer(target).delete(intent.makes)


def _target(context: Context, intent: Intent) -> Target:
    target = context.model.target(intent.target)
    if target is None:
        raise Misconfigured(f"target {intent.target!r} is no longer declared")
    return target
