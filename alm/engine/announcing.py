"""Announcing: tell other systems of every change of state, where that is wanted.

Events are sent before the message that carries the run on, so a crash in between tells them again.
A queue that does not take them is no reason to stop a run: that is logged, and the run goes on. If
the whole bus is away, so is the run's own queue: its message comes again, and tells them then.
Where nobody wants events, none is made: what makes them is a generator that nobody asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from alm import log, telemetry
from alm.domain.errors import AlmError
from alm.domain.events import (
    MEDIA_TYPE,
    Cause,
    Decided,
    Delivery,
    Event,
    InboxKept,
    InboxLeft,
    Left,
    RunBegan,
    RunDecided,
    RunEnded,
    RunHeld,
    RunMoved,
    TargetChanged,
    TargetUnknown,
    VersionPromoted,
    document,
    encoded,
    event_id,
)
from alm.domain.ledger import Active, HoldRecord, Ledger, Step
from alm.domain.messages import Decision
from alm.domain.run import Served, Trigger
from alm.engine.next_steps import UNDOING
from alm.ports import InboxItem, Outgoing, Ports

EVENTS_QUEUE = "alm-events"  # what `on_event` posts to the webhook
CAUSES_BYTES_MAX = 100_000  # of the triggers in one event; the rest of it is short
DECIDED: Mapping[str, Decided] = {
    "approve": "approved",
    "refuse": "refused",
    "expire": "expired",
    "cancel": "cancelled",
}
READ_BACK = ("patch", "settle", "deploy", "deployed")

Named = tuple[Event, str]
"""An event and the fact that names it: the same for every repeat."""


def announce(ports: Ports, events: Iterable[Named]) -> None:
    """Send events to the queues that want them."""
    if not ports.event_queues:
        return
    now, context = ports.clock.now(), telemetry.current()
    messages = []
    for event, fact in events:
        name = event_id(event, fact)
        told = document(event, name, now, context)
        messages += [_outgoing(queue, name, event, told) for queue in ports.event_queues]
    if not messages:
        return
    try:
        ports.bus.send(messages)
    except AlmError as error:
        types = sorted({message.subject for message in messages})
        log.error("event_not_sent", types=types, reason=str(error))


def _outgoing(queue: str, name: str, event: Event, told: dict[str, object]) -> Outgoing:
    body, media_type = encoded(told), MEDIA_TYPE
    if queue == EVENTS_QUEUE:
        body = Delivery(event=told).model_dump_json(by_alias=True).encode()
        media_type = "application/json"
    return Outgoing(
        queue=queue,
        id=name,
        body=body,
        subject=event.type,
        content_type=media_type,
        traceparent=str(told.get("traceparent", "")),
    )


def began(ledger: Ledger) -> Iterator[Named]:
    """What is told when a run has begun."""
    active = ledger.active
    assert active is not None
    causes = tuple(
        Cause(
            source=trigger.source,
            id=trigger.id,
            at=trigger.at,
            blob=trigger.blob.path if trigger.blob else "",
            by=trigger.by,
        )
        for trigger in active.triggers
    )
    step, told = active.step, _fitting(causes)
    event = RunBegan(
        model=ledger.model,
        run=active.run,
        pipeline=step.pipeline,
        version=step.state.version,
        triggers=told,
        left_out=len(causes) - len(told),
    )
    yield event, ""


def _fitting(causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """As many as a message can hold: a queue takes 256 KB, and a burst of uploads may be more."""
    sizes = accumulate(len(encoded(cause.model_dump(mode="json"))) for cause in causes)
    return tuple(c for c, size in zip(causes, sizes, strict=True) if size <= CAUSES_BYTES_MAX)


def moved(before: Step, after: Step) -> Iterator[Named]:
    """What is told when a run leaves a stage; waiting, trying again and fetching is no change."""
    last = after.history[-1] if after.history else None
    if last is None or after.stage == before.stage:
        return
    move = RunMoved(
        model=before.model,
        run=before.run,
        pipeline=before.pipeline,
        stage=before.stage,
        outcome=last.outcome,
        to=after.stage,
        why=last.why,
    )
    visit = f"{before.n}{before.suffix}"
    yield move, visit
    if before.stage == "promote" and last.outcome == "done":
        yield _promoted(after), visit
    for target in _changed(before, after):
        yield target, f"{visit}:{target.target}"


def _promoted(step: Step) -> VersionPromoted:
    return VersionPromoted(
        model=step.model,
        run=step.run,
        version=f"v{step.state.version}",
        digest=step.state.digest,
        metrics=step.state.metrics,
    )


def _changed(before: Step, after: Step) -> list[TargetChanged]:
    """Targets that were read back as this run wants them, or as they were before it."""
    if before.stage in UNDOING and after.stage == "finish":
        active = before.ledger.active if before.ledger else None
        intents = active.intent if active else ()
        given_back = {i.target: i.previous for i in intents if i.target not in after.unknown}
        return _targets(before, given_back, restored=True)
    if before.stage not in READ_BACK or after.state.since == before.state.since:
        return []
    since = before.state.since
    reached = {name for name, stamp in after.state.since.items() if since.get(name) != stamp}
    wanted = {name: served for name, served in after.state.want.items() if name in reached}
    return _targets(before, wanted, restored=False)


def _targets(step: Step, served: dict[str, Served], *, restored: bool) -> list[TargetChanged]:
    return [
        TargetChanged(
            model=step.model,
            run=step.run,
            target=name,
            version=model.version,
            digest=model.digest,
            restored=restored,
        )
        for name, model in served.items()
    ]


def held(step: Step, hold: HoldRecord) -> Iterator[Named]:
    """What is told when a run waits for a decision."""
    event = RunHeld(
        model=step.model,
        run=step.run,
        pipeline=step.pipeline,
        digest=hold.digest,
        why=hold.why,
        deadline=hold.deadline,
    )
    yield event, str(step.n)


def superseded(active: Active, trigger: Trigger) -> Iterator[Named]:
    """What is told when a newer trigger ends a held run."""
    decided = RunDecided(
        model=active.step.model, run=active.run, decision="superseded", by=trigger.by or trigger.id
    )
    yield decided, decided.decision


def decided(decision: Decision) -> Iterator[Named]:
    """What is told when a decision took effect."""
    event = RunDecided(
        model=decision.model,
        run=decision.run,
        decision=DECIDED[decision.kind],
        digest=decision.digest,
        by=decision.by,
    )
    yield event, f"{event.decision}:{decision.digest}"


def ended(ledger: Ledger, step: Step) -> Iterator[Named]:
    """What is told when a run has ended; only the step that ended it knows why."""
    if step.stage != "finish":
        return
    event = RunEnded(
        model=ledger.model,
        run=step.run,
        pipeline=step.pipeline,
        result=ledger.last_result,
        why=step.why,
        champion=ledger.champion,
        targets={name: served.version for name, served in ledger.serves.items()},
        unknown=ledger.unknown,
    )
    yield event, ""
    if ledger.unknown:
        yield TargetUnknown(model=ledger.model, targets=ledger.unknown), step.run


def keep(ports: Ports, item: InboxItem) -> None:
    """Put an item into the inbox, and tell of it."""
    ports.records.put_inbox(item)
    event = InboxKept(
        model=item.model,
        run=item.run,
        item=item.id,
        source=item.source,
        reason=item.reason,
        remedy=item.remedy,
    )
    announce(ports, [(event, item.id)])


def take_out(ports: Ports, item: InboxItem, how: Left, by: str, order: str) -> None:
    """Tell that an item leaves the inbox, and take it out; of an event itself nobody is told."""
    if item.queue != EVENTS_QUEUE:
        event = InboxLeft(model=item.model, run=item.run, item=item.id, how=how, by=by)
        announce(ports, [(event, f"{item.id}:{order}")])
    ports.records.discard_inbox(item.id)
