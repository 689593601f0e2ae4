"""Messages of the engine to a mailbox, and answers to those who asked.

Ids are deterministic: a repeat of a handler sends what it sent before. What a sweep sends again
has a suffix of its own, or duplicate detection would take it for the lost original.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from alm import telemetry
from alm.domain.ledger import Active, Ledger, Step
from alm.domain.messages import MESSAGE_ID_LENGTH_MAX, AnyMessage, Decision, Kick, Reconcile
from alm.domain.replies import Event, Replied
from alm.domain.run import Reply, Trigger
from alm.engine.history import shortened
from alm.engine.limits import ZOMBIE_SECONDS_MAX
from alm.ports import Outgoing, Ports

STEPS_QUEUE = "alm-steps"
BODY_BYTES_MAX = 200_000  # below the 256 KB of a standard namespace: a larger step goes bare
HINT_CHARACTERS = 60  # of each reason in the history of a step that is too large even so


def outgoing(message: AnyMessage, message_id: str, due: datetime | None = None) -> Outgoing:
    """Address a message to its managed model's mailbox."""
    assert len(message_id) <= MESSAGE_ID_LENGTH_MAX, message_id
    return Outgoing(
        queue=STEPS_QUEUE,
        id=message_id,
        body=encode(message),
        session=message.model,
        due=due,
        subject=subject(message),
        traceparent=context(message),
    )


def context(message: AnyMessage) -> str:
    """A step is handled in the context of its run, whoever sends it; else in that of the sender."""
    known = message.trace if isinstance(message, Step) else ""
    return known or telemetry.current()


def encode(message: AnyMessage) -> bytes:
    """A message as it is sent; a step that would be too large leaves out what it can do without."""
    body = b""
    for form in _forms(message):
        body = _json(form)
        if len(body) <= BODY_BYTES_MAX:
            break
    return body


def fits(step: Step) -> bool:
    """Whether the last step of a run can bring along whom it has to answer."""
    return len(_json(step.light())) <= BODY_BYTES_MAX


def _forms(message: AnyMessage) -> Iterator[AnyMessage]:
    yield message
    if isinstance(message, Step):
        if message.stage == "finish":
            yield message.light()
        yield message.bare()
        yield _lighter(message.bare())


def _json(message: AnyMessage) -> bytes:
    return message.model_dump_json(by_alias=True).encode()


def _lighter(step: Step) -> Step:
    """A step whose history only hints: what happened counts less than that the run goes on."""
    history = [
        entry.model_copy(update={"why": shortened(entry.why, HINT_CHARACTERS)})
        for entry in step.history
    ]
    return step.model_copy(update={"history": tuple(history)})


def subject(message: AnyMessage) -> str:
    return f"{message.pipeline}/{message.stage}" if isinstance(message, Step) else message.kind


def step(message: Step, seconds: float = 0, now: datetime | None = None) -> Outgoing:
    due = now + timedelta(seconds=seconds) if now and seconds > 0 else None
    return outgoing(message, message.id, due)


def first(ports: Ports, ledger: Ledger, etag: str) -> None:
    """Send (again) the first step of the run that has just begun, with the ledger as written."""
    assert ledger.active is not None
    message = ledger.active.step.model_copy(update={"ledger": ledger, "etag": etag})
    ports.bus.send([step(message)])


def stop(ports: Ports, active: Active, suffix: str) -> None:
    """Tell a run that has been cancelled to undo what it did, and to end."""
    ports.bus.send([step(stop_step(active, suffix))])


def stop_step(active: Active, suffix: str) -> Step:
    changes = {
        "suffix": suffix,
        "tries": 0,
        "waits": 0,
        "rounds": 0,
        "stage": "roll_back" if active.intent else "finish",
        "result": active.cancel,
        "why": f"{active.cancel} on request",
        "unknown": (),
    }
    return active.step.bare().model_copy(update=changes)


def kick(model: str, run: str, *, suffix: str = "", attempt: int = 0) -> Outgoing:
    return outgoing(Kick(model=model, run=run, attempt=attempt), f"k:{run or model}{suffix}")


def reconcile(model: str, run: str, now: datetime, attempt: int = 0, suffix: str = "") -> Outgoing:
    """No earlier than any zombie of the run can still write."""
    due = now + timedelta(seconds=ZOMBIE_SECONDS_MAX)
    message = Reconcile(model=model, run=run, attempt=attempt)
    return outgoing(message, f"r:{run}:{attempt}{suffix}", due)


def expire(model: str, run: str, digest: str, due: datetime | None, suffix: str = "") -> Outgoing:
    message = Decision(kind="expire", model=model, run=run, digest=digest)
    return outgoing(message, f"x:{run}{suffix}", due)


def answer(reply: Reply, event: Event, *, model: str = "", **facts: str | None) -> Outgoing:
    """One of the three answers to a request: accepted, refused, ended.

    model: who answers; of a request to a family each member does, under an id of its own.
    """
    said = Replied(request=reply.request, event=event, model=model or None, **facts)
    body = said.model_dump(mode="json", by_alias=True, exclude_none=True)
    name = ":".join(filter(None, ("a", reply.request, event, model)))
    if len(name) > MESSAGE_ID_LENGTH_MAX:  # cut off, two of them could become one
        name = f"a:{hashlib.sha256(name.encode()).hexdigest()[:32]}:{event}"
    return Outgoing(
        queue=reply.queue,
        id=name,
        body=json.dumps(body, sort_keys=True).encode(),
        correlation_id=reply.correlation_id,
        subject=event,
        traceparent=telemetry.current(),
    )


def ended(triggers: Iterable[Trigger], run: str, result: str, why: str) -> list[Outgoing]:
    """Tell everybody who asked for this run how it ended."""
    return [
        answer(t.reply, "ended", model=_model_of(t), run=run, result=result, why=why)
        for t in triggers
        if t.reply
    ]


def _model_of(trigger: Trigger) -> str:
    return trigger.id.split(":")[1]  # as `trigger_id` makes it
