"""Intake: events come in and become messages of a mailbox, or items of the inbox. Nothing is lost.

A repeat of any of these sends the same messages with the same ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from alm import engine, log, telemetry
from alm.bootstrap import App
from alm.domain.errors import Conflict, Misconfigured, NotFound, Refused, UnknownModel
from alm.domain.ledger import Step
from alm.domain.managed_model import ManagedModel
from alm.domain.messages import Decision, Kick, Reconcile, TriggerMessage, parse
from alm.domain.requests import TRAINED_MODELS, Request, read_request
from alm.domain.run import BlobRef, Reply
from alm.engine import sending
from alm.entrypoints import dead_letters, inbox, standing, tracing, triggers
from alm.entrypoints.inbox import Received
from alm.entrypoints.triggers import Ignored
from alm.ports import InboxItem, Outgoing
from alm.stages.begin import wanted

__all__ = ["Received", "on_blob", "on_request", "on_step"]

REFUSALS = (Refused, NotFound, Conflict, Misconfigured)
"""What a sender must correct; anything else is ours, and the message is delivered again."""

PATTERNS_TOLD_MAX = 5


@dataclass(frozen=True)
class Accepted:
    """What an accepted request comes to: messages to send, or why nothing is left to do."""

    messages: list[TriggerMessage | Decision] = field(default_factory=list)
    done: str = ""


def on_blob(app: App, container: Literal["datasets", "trained-models"], name: str) -> None:
    """A blob landed: start what it is for, or keep the event where people see it."""
    function = "on_dataset" if container == "datasets" else "on_trained_model"
    with telemetry.span(function, parent="", blob=f"{container}/{name}"):
        _landed(app, function, BlobRef(container=container, name=name))


def _landed(app: App, function: str, blob: BlobRef) -> None:
    try:
        blob, landed = _as_it_is(app, blob.container, blob.name)
        telemetry.note(etag=blob.etag)
        found = announced(app, blob, landed)
    except NotFound:
        log.info("blob_gone", container=blob.container)
        return
    except Refused as error:
        inbox.keep_blob(app, blob, str(error))
        return
    if isinstance(found, Ignored):
        log.info("blob_ignored", reason=found.reason)
        return
    messages = tracing.handed_on(function, found)
    app.ports.bus.send([triggers.outgoing(message) for message in messages])


def announced(app: App, blob: BlobRef, landed: datetime) -> list[TriggerMessage] | Ignored:
    """What a blob starts. Raises Refused if nobody wants it, naming the nearest pattern.

    landed: when it was written. Events come in any order, and which dataset is the newest is not
    theirs to say.
    """
    declared = app.declarations
    if blob.container == "datasets":
        models: Iterable[ManagedModel] = declared.matching_dataset(blob.name)
        found = triggers.dataset_arrived(blob, models, landed)
    else:
        models = declared.matching_model_file(blob.name)
        found = triggers.model_file_arrived(blob, models, landed)
    if isinstance(found, Ignored):
        return found
    if not found:
        raise Refused(f"{inbox.UNWANTED} {blob.path}; {_wanted_instead(app, blob)}")
    for message in found:
        declared.remember(message.model)
    return found


def _wanted_instead(app: App, blob: BlobRef) -> str:
    """Under which names it would be taken: the nearest pattern, or some that there are."""
    nearest = app.declarations.nearest(blob.name, blob.container)
    if nearest:
        return f"the nearest pattern is {nearest!r}"
    known = app.declarations.some_patterns(blob.container, PATTERNS_TOLD_MAX)
    return (
        f"no pattern is near; there are {', '.join(known)}" if known else "no pattern is declared"
    )


def on_request(app: App, received: Received) -> None:
    """Another system asks for something: accept it, or refuse it and say why. Both are answered."""
    context = received.traceparent or tracing.said_in(received.body)
    with telemetry.span("on_request", parent=context, repeated=received.deliveries > 1 or None):
        _asked(app, received)


def _asked(app: App, received: Received) -> None:
    try:
        request = read_request(
            received.body, received.message_id, received.correlation_id, received.reply_to
        )
        accepted = ordered(app, request, source="request")
    except REFUSALS as error:
        _refuse(app, received, str(error))
        return
    if accepted.done:
        app.ports.bus.send(_done(request, accepted.done))
        return
    messages = tracing.handed_on("on_request", accepted.messages)
    answers = [
        sending.answer(reply, "accepted", model=message.model)
        for message in messages
        if (reply := _reply_of(message))
    ]
    app.ports.bus.send([*(triggers.outgoing(each) for each in messages), *answers])


def ordered(app: App, request: Request, *, source: Literal["request", "order"]) -> Accepted:
    """The messages that a request comes to, one per managed model it means.

    Raises Refused, NotFound, Conflict or Misconfigured for what cannot be done as it is asked.
    """
    if request.reply_to and request.reply_to not in app.settings.reply_queues:
        raise Refused(
            f"reply_to: {request.reply_to!r} is not a queue that this app may answer to; "
            f"name one of {list(app.settings.reply_queues)}, or add it to ALM_REPLY_QUEUES"
        )
    if request.pipeline is None:
        done = standing.already(app.ports, request)
        return Accepted(done=done) if done else Accepted([_decision(app, request)])
    blob = _file(app, request)
    now = app.ports.clock.now()
    messages: list[TriggerMessage | Decision] = []
    for name in _meant(app, request):
        model = app.ports.models.resolve(name)
        message = triggers.requested(request, model, now, source=source)
        _check_version(app, request, model)
        app.declarations.remember(name)
        messages.append(_with_blob(message, blob))
    return Accepted(messages)


def on_step(app: App, received: Received) -> None:
    """A message of a mailbox: the engine handles it. What is no message at all is kept."""
    try:
        message = parse(received.body)
    except Refused as error:
        with telemetry.span("on_step", parent=received.traceparent):
            inbox.keep_message(app, received, str(error))
        return
    facts = {name: getattr(message, name, "") for name in ("kind", "run", "pipeline", "stage")}
    repeated, context = received.deliveries > 1, received.traceparent
    try:
        with log.bound(model=message.model, **facts):
            engine.handle(app.ports, message, repeated=repeated, context=context)
    except Refused as error:
        if isinstance(error, UnknownModel) and isinstance(message, Kick | Reconcile):
            log.info("not_declared", model=message.model)  # its upkeep is over
            return
        inbox.keep_message(app, received, str(error))
        if isinstance(message, Step):
            dead_letters.end_run(app, received, message, str(error))


def redrive(app: App, item: InboxItem, order: str) -> Outgoing:
    """Send an inbox item again where it came from. Raises Refused if it cannot.

    The same order again (the same idempotency key) is the same message.
    """
    message = inbox.again(item, order)
    app.ports.bus.send([message])
    return message


def _as_it_is(app: App, container: str, name: str) -> tuple[BlobRef, datetime]:
    """The content that a blob has now, and since when."""
    found = app.ports.blobs.properties(f"{container}/{name}")
    blob = BlobRef(container=container, name=name, etag=found.etag, size=found.size)
    return blob, found.modified


def _file(app: App, request: Request) -> BlobRef | None:
    """The file that a request to publish names, as it is now: the run is bound to that content."""
    if request.pipeline != "publish":
        return None
    name = request.blob_name
    try:
        found, _ = _as_it_is(app, TRAINED_MODELS, name)
    except NotFound as error:
        raise Refused(f"blob: {TRAINED_MODELS}/{name} does not exist; upload it first") from error
    if found.size == 0:
        raise Refused(f"blob: {found.path} has 0 bytes; finish its upload first")
    return found


def _check_version(app: App, request: Request, model: ManagedModel) -> None:
    """Refuse a roll-back to what is not there at once; of a family, each member's run tells."""
    if request.pipeline == "roll_back" and request.family is None:
        ledger, _ = app.ports.ledgers.get(model.model)
        wanted(app.ports, model, ledger, request.version or "previous")


def _with_blob(
    message: TriggerMessage | Decision, blob: BlobRef | None
) -> TriggerMessage | Decision:
    if blob is None or isinstance(message, Decision):
        return message
    trigger = message.trigger.model_copy(update={"blob": blob})
    return message.model_copy(update={"trigger": trigger})


def _decision(app: App, request: Request) -> Decision:
    """A decision about a run, which may be of a model that is no longer declared."""
    assert request.model is not None
    try:
        model = app.ports.models.resolve(request.model)
    except UnknownModel:
        active = app.ports.ledgers.get(request.model)[0].active
        if active is None:
            raise
        model = app.ports.models.at(request.model, active.configuration)
    decided = triggers.requested(request, model, app.ports.clock.now())
    assert isinstance(decided, Decision)
    return decided


def _meant(app: App, request: Request) -> list[str]:
    if request.model:
        return [request.model]
    assert request.family is not None
    known = [model for model, _ in app.ports.ledgers.list()]
    members = app.declarations.members(request.family, known)
    if not members:
        raise Refused(f"family: {request.family!r} has no member yet; upload a first dataset")
    return list(members)


def _reply_of(message: TriggerMessage | Decision) -> Reply | None:
    return message.trigger.reply if isinstance(message, TriggerMessage) else message.reply


def _done(request: Request, why: str) -> list[Outgoing]:
    """The answers to a decision that is a repeat of what has happened: as they were then."""
    if request.reply_to is None:
        return []
    reply = Reply(queue=request.reply_to, request=request.id, correlation_id=request.correlation_id)
    model = request.model or ""
    facts = {"run": request.run, "result": request.kind, "why": why}
    return [
        sending.answer(reply, "accepted", model=model),
        sending.answer(reply, "ended", model=model, **facts),
    ]


def _refuse(app: App, received: Received, why: str) -> None:
    inbox.keep_message(app, received, why)
    reply = inbox.reply_of(received)
    if reply.queue in app.settings.reply_queues:
        app.ports.bus.send([sending.answer(reply, "refused", why=why)])
