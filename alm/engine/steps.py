"""Steps: visit a stage and follow its outcome to the next message of the chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from alm.domain.errors import TRANSIENT, AlmError
from alm.domain.ledger import HoldRecord, Ledger, Step, Token
from alm.domain.managed_model import ManagedModel
from alm.domain.outcomes import Failed, Outcome
from alm.engine import announcing, finishing, measuring, sending
from alm.engine.history import shortened
from alm.engine.limits import (
    ACTIVE_RECORD_SECONDS,
    RUN_MARGIN,
    TRIES_MAX,
    retry_seconds,
)
from alm.engine.next_steps import following, named, next_step, sent_again, undone_already
from alm.engine.writing import Written, active_of, by_tries_of, guarded_write
from alm.pipelines import Stage, stage_of
from alm.ports import Notice, Ports
from alm.stages.context import Context, Declaration


def on_step(ports: Ports, step: Step, *, repeated: bool = False) -> None:
    """Do what one step message asks, and send the next one."""
    match step.stage:
        case "finish":
            finish(ports, step)
        case "hold":
            hold(ports, step)
        case _:
            visit(ports, step, repeated=repeated)


def visit(ports: Ports, step: Step, *, repeated: bool = False) -> None:
    """Declare, act, follow. A transient error is a later visit; any other one fails the run."""
    model = ports.models.at(step.model, step.configuration)
    stage = stage_of(step.pipeline, step.stage)
    context: Context | None = Context(ports, model, step, ports.clock.now())
    if step.ledger is None or stage.look:
        context = _look(ports, model, step, safe=stage.safe, alone=stage.look)
    if context is not None:
        context = replace(context, repeated=repeated or sent_again(context))
    if context is not None and stage.declare is not None:
        context = _declare(context, stage)
    if context is not None:
        _act(context, stage)


def _act(context: Context, stage: Stage) -> None:
    try:
        outcome = stage.visit(context)
    except TRANSIENT as error:
        retry(context, stage, error)
        return
    except AlmError as error:
        outcome = Failed(str(error))
    follow(context, stage, outcome)


def _look(
    ports: Ports, model: ManagedModel, step: Step, *, safe: bool, alone: bool = False
) -> Context | None:
    """Read the ledger before anything is done; None if the step must not go on.

    alone: nor if another chain of its run wrote since; a stage that declares finds that out itself.
    """
    ledger, etag = ports.ledgers.get(step.model)
    loaded = step.model_copy(update={"ledger": ledger, "etag": etag})
    context = Context(ports, model, loaded, ports.clock.now())
    active = active_of(ledger, step.run)
    if active is None or (alone and active.token != step.base):
        leave(context, Written("stale", ledger, etag))
        return None
    if active.cancel and not safe:
        leave(context, Written("cancelled", ledger, etag))
        return None
    return context


def _declare(context: Context, stage: Stage) -> Context | None:
    """Put on record what the stage will change; None if the visit ends here."""
    ports, step = context.ports, context.step
    assert stage.declare is not None
    try:
        declaration = _recorded(context, stage.declare(context))
    except TRANSIENT as error:
        retry(context, stage, error)
        return None
    except AlmError as error:
        follow(_on_record(context, stage), stage, Failed(str(error)))
        return None
    written = guarded_write(ports, step, declaration, safe=stage.safe)
    if not written.allowed:
        leave(context, written)
        return None
    assert written.ledger.active is not None
    token = written.ledger.active.token
    changes = {"ledger": written.ledger, "etag": written.etag, "base": token}
    return replace(context, step=step.model_copy(update=changes))


def _on_record(context: Context, stage: Stage) -> Context:
    """A visit that fails before its write: if an earlier attempt wrote, go on from that token."""
    step = context.step
    ledger, etag = context.ports.ledgers.get(step.model)
    active = active_of(ledger, step.run)
    if active is None or not active.token.operation.startswith(f"{stage.name}:"):
        return context
    if not by_tries_of(step, active.token):
        return context
    changes = {"ledger": ledger, "etag": etag, "base": active.token}
    return replace(context, step=step.model_copy(update=changes))


def _recorded(context: Context, declaration: Declaration) -> Declaration:
    """A sweep sends again the step that wrote last, so each write records its step."""
    due = context.now + RUN_MARGIN + timedelta(seconds=declaration.seconds)

    def change(ledger: Ledger) -> Ledger:
        return declaration.change(ledger).with_active(step=context.step.bare(), due=due)

    return replace(declaration, change=change)


def leave(context: Context, written: Written) -> None:
    """The write was not allowed: repeat the duties of a finished run, or undo a cancelled one."""
    ports, step, ledger = context.ports, context.step, written.ledger
    if written.verdict == "stale":
        if ledger.last_run == step.run:  # it ended, though the next one may have begun
            finishing.closing_duties(ports, context.model, ledger, step)
        return
    assert ledger.active is not None
    changes = {
        "ledger": ledger,
        "etag": written.etag,
        "tries": 0,
        "waits": 0,
        "rounds": 0,
        "result": ledger.active.cancel,
        "why": f"{ledger.active.cancel} on request",
        "unknown": (),
    }
    stopped = step.model_copy(update=changes)
    if undone_already(step, ledger):
        return
    if ledger.active.intent:
        visit(ports, stopped.model_copy(update={"stage": "roll_back"}))
    else:
        stopping = replace(context, step=stopped)
        send(stopping, following(stopping, ledger.active.cancel, "", stage="finish"))


def retry(context: Context, stage: Stage, error: AlmError) -> None:
    """A retry is the next message of the chain: same stage, one try more, a growing delay."""
    step = context.step
    tries = step.tries + 1
    if tries > TRIES_MAX:
        gave_up = Failed(f"gave up after {step.tries} tries: {error}")
        follow(_on_record(context, stage), stage, gave_up)
        return
    measuring.visited(context, "retry", shortened(str(error)))
    again = following(context, "retry", str(error), tries=tries)
    send(context, again, retry_seconds(tries))


def follow(context: Context, stage: Stage, outcome: Outcome) -> None:
    """Turn an outcome into the next message."""
    before = context.step
    measuring.visited(context, named(outcome), shortened(outcome.why))
    if outcome.state is not None:
        context = replace(context, step=before.model_copy(update={"state": outcome.state}))
    after, seconds = next_step(context, stage, outcome)
    send(context, after, seconds, before=before)


def send(context: Context, step: Step, seconds: float = 0, *, before: Step | None = None) -> None:
    """Send the next message; a long wait is shown to people. before: the step as it came."""
    if seconds >= ACTIVE_RECORD_SECONDS or step.stage in ("hold", "roll_back"):
        step = step.model_copy(update={"shown": True})
        record = finishing.active_record(step, context.now + timedelta(seconds=seconds))
        context.ports.records.put_active(step.model, step.run, record)
    announcing.announce(context.ports, announcing.moved(before or context.step, step))
    context.ports.bus.send([sending.step(step, seconds, context.ports.clock.now())])


def hold(ports: Ports, step: Step) -> None:
    """Put the run on hold, with the message that an approval will send on record. Sends no step."""
    model = ports.models.at(step.model, step.configuration)
    context = Context(ports, model, step, ports.clock.now())
    digest = step.hold_digest
    deadline = context.now + timedelta(hours=model.approval.hold_hours)
    approved = step.bare().model_copy(
        update={
            "n": step.n + 1,
            "stage": step.then,
            "base": Token(n=step.n, operation=f"approved:{digest}"),
            "then": "",
            "hold_digest": "",
        }
    )
    record = HoldRecord(digest=digest, why=step.why, deadline=deadline)

    def change(ledger: Ledger) -> Ledger:
        return ledger.with_active(hold=record, step=approved, due=deadline)

    written = guarded_write(ports, step, Declaration(f"hold:{digest}", change))
    if not written.allowed:
        leave(context, written)
        return
    active = written.ledger.active
    assert active is not None
    assert active.hold is not None
    announcing.announce(ports, announcing.held(step, active.hold))
    deadline, own = active.hold.deadline, f":{step.n}"  # a run may be held more than once
    ports.bus.send([sending.expire(step.model, step.run, digest, deadline, own)])
    ports.records.put_active(step.model, step.run, finishing.active_record(step, deadline))
    ports.notifier.notify(_notice(model, step, digest, context))


def _notice(model: ManagedModel, step: Step, digest: str, context: Context) -> Notice:
    return Notice(
        event="held",
        model=step.model,
        run=step.run,
        why=step.why,
        at=context.now,
        webhook=model.notify.webhook or "",
        digest=digest,
    )


def finish(ports: Ports, step: Step) -> None:
    """End the run in the ledger, then do what an ended run leaves to do.

    The write takes the run's triggers off the ledger, and those who asked are answered after it:
    a step that brought no ledger fetches it into the next message, or a crash would lose them.
    Where they are too many for a message, it ends the run at once.
    """
    model = ports.models.at(step.model, step.configuration)
    safe = step.result not in ("ok", "unwell")
    if step.ledger is None:
        found = _look(ports, model, step, safe=safe)
        if found is None:
            return
        fetched = following(found, "fetched", "")
        if sending.fits(fetched):
            send(found, fetched)
            return
        step = found.step
    context = Context(ports, model, step, ports.clock.now())
    declaration, began = finishing.declare(context), finishing.began(step)
    written = guarded_write(ports, step, declaration, safe=safe)
    if written.verdict == "written":
        measuring.ended(written.ledger, step, began)
    if written.allowed:
        finishing.closing_duties(ports, model, written.ledger, step)
    else:
        leave(context, written)
