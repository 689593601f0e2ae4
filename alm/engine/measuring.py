"""What telemetry and the log are told of a run: what its messages are, how it goes, how it ends.

A visit is told each time it happens, so a message that is delivered again is told again; a run's
begin and end are told by the write that makes them, so never twice, and not at all if the process
dies right after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from alm import log, telemetry
from alm.domain.ledger import Ledger, Step
from alm.domain.messages import AnyMessage, Decision, Fail, Reconcile, TriggerMessage
from alm.domain.run import Trigger
from alm.stages.context import Context

STAYS = ("wait", "retry", "fetched")  # outcomes after which the run is where it was
WRONG = ("failed", "unfit")


def span_of(message: AnyMessage, *, repeated: bool, context: str) -> AbstractContextManager[object]:
    """The span of one mailbox message; a step continues its run, whatever context it came in."""
    name, parent = _place(message)
    step = message if isinstance(message, Step) else None
    return telemetry.span(
        name,
        parent=parent or context,
        model=message.model,
        run=getattr(message, "run", ""),
        kind=message.kind,
        pipeline=step.pipeline if step else None,
        stage=step.stage if step else None,
        result=step.result if step else None,
        n=step.n if step else None,
        repeated=repeated or None,
    )


def _place(message: AnyMessage) -> tuple[str, str]:
    match message:
        case Step():
            return f"{message.pipeline}/{message.stage}", message.trace
        case TriggerMessage():
            return "begin", message.trigger.trace
        case Decision() | Fail():
            return "decision", ""
        case Reconcile():
            return "reconcile", ""
        case _:
            return "begin", ""


def beginning(model: str, covered: Sequence[Trigger]) -> AbstractContextManager[object]:
    """The run that begins continues the trace of its first trigger, and is linked to the others.

    Where that is not the trace of the message that begins it (a kick, after another run), it is a
    span of its own there, linked to this one.
    """
    now, first = telemetry.current(), telemetry.valid(covered[0].trace)
    others = [trigger.trace for trigger in covered[1:] if trigger.trace != first]
    if not first or _same_trace(now, first):
        for trace in others:
            telemetry.link(trace)
        return telemetry.span_of_nothing()
    return telemetry.span("begin", parent=first, links=others, model=model)


def _same_trace(one: str, other: str) -> bool:
    return one.split("-")[1:2] == other.split("-")[1:2]


def begun(step: Step, covered: Sequence[Trigger]) -> None:
    """A run has begun: it is in the ledger."""
    source = covered[0].source
    telemetry.note(
        run=step.run, pipeline=step.pipeline, outcome="begun", trigger=covered[0].id, source=source
    )
    telemetry.count("alm.runs.begun", pipeline=step.pipeline, source=source)
    log.info("run_begun", model=step.model, run=step.run, pipeline=step.pipeline, source=source)


def visited(context: Context, outcome: str, why: str) -> None:
    """A stage was visited, and came to something."""
    step = context.step
    about = {"pipeline": step.pipeline, "stage": step.stage}
    log.info("stage_left", outcome=outcome, why=why)
    telemetry.note(outcome=outcome, reason=why)
    telemetry.count("alm.stage.visits", **about, outcome=outcome)
    if outcome in WRONG:
        telemetry.failed(why)
    since = None if outcome in STAYS else arrived(step)
    if since is not None:
        telemetry.observe("alm.stage.duration", (context.now - since).total_seconds(), **about)


def arrived(step: Step) -> datetime | None:
    """When a run came to the stage where it is; None after a hold, whose end is not on record."""
    for entry in reversed(step.history):
        if entry.stage != step.stage or entry.outcome not in STAYS:
            return None if entry.outcome == "hold" else entry.at
    return step.state.began


def ended(ledger: Ledger, step: Step, began: datetime | None) -> None:
    """A run has ended: that is in the ledger, and this attempt wrote it."""
    about = {"pipeline": step.pipeline, "result": ledger.last_result}
    telemetry.note(result=ledger.last_result, reason=step.why)
    telemetry.count("alm.runs.ended", **about)
    if began is not None and ledger.finished_at is not None:
        seconds = (ledger.finished_at - began).total_seconds()
        telemetry.observe("alm.run.duration", seconds, **about)
    log.info("run_ended", model=step.model, run=step.run, **about, why=step.why)
