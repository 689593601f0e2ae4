"""Triggers: from an event to the messages it starts. Pure; nothing is sent or read here.

A fact (this content of this blob, this due time, this request) has one trigger id per managed
model, however often and by whomever it is announced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alm import telemetry
from alm.domain import cron, patterns
from alm.domain.errors import Refused
from alm.domain.managed_model import ManagedModel
from alm.domain.messages import MESSAGE_ID_LENGTH_MAX, Decision, TriggerMessage, trigger_id
from alm.domain.requests import TRAINED_MODELS, Request
from alm.domain.run import BlobRef, NodeOutput, PipelineName, Reply, Source, Trigger
from alm.engine.sending import STEPS_QUEUE
from alm.ports import Outgoing
from alm.stages.harvest import SIDECAR

STILL_WRITTEN = (".tmp", ".partial", ".crdownload", "._COPYING_", "_$folder$", ".filepart")
"""Ends of names that copy programs and Data Lake give to what is not a complete file (yet)."""


@dataclass(frozen=True)
class Ignored:
    """An event that starts nothing, and why; nothing is wrong, so it is logged and not kept."""

    reason: str


def dataset_arrived(
    blob: BlobRef, models: Iterable[ManagedModel], now: datetime
) -> list[TriggerMessage] | Ignored:
    """Retrain each of `models` (those whose pattern matches) on a landed dataset.

    Where an experiment is declared, that is run instead.

    Raises Refused for a name no blob may have, or an event that does not say which content it
    means (no ETag).
    """
    reason = _unready(blob)
    if reason:
        return Ignored(reason)
    return [_of_blob(model.model, model.on_data, "dataset", blob, now) for model in models]


def model_file_arrived(
    blob: BlobRef, models: Iterable[ManagedModel], now: datetime
) -> list[TriggerMessage] | Ignored:
    """Publish a landed model file. Raises as `dataset_arrived`."""
    reason = _unready(blob)
    if blob.name.endswith(SIDECAR):
        reason = f"{blob.path} is the evaluation of a model file; the model file starts the run"
    if reason:
        return Ignored(reason)
    return [_of_blob(model.model, "publish", "model_file", blob, now) for model in models]


def schedules_due(
    models: Iterable[ManagedModel], since: datetime, until: datetime
) -> list[TriggerMessage]:
    """What was due after `since`, up to and including `until`: per cron line the latest time."""
    return [
        _triggered(model.model, f"{pipeline}@{due.isoformat()}", pipeline, "schedule", due)
        for model in models
        for pipeline, line in _cron_lines(model)
        for due in cron.due(line, since, until)
    ]


def requested(
    request: Request,
    model: ManagedModel,
    now: datetime,
    *,
    source: Literal["request", "order"] = "request",
) -> TriggerMessage | Decision:
    """What a request, or an operator's order, asks of one managed model.

    Raises Refused if the model cannot do it.
    """
    pipeline = request.pipeline
    if pipeline is None:
        return _decision(request, model)
    if pipeline == "retrain":
        pipeline = model.on_data
    _check_able(pipeline, model)
    blob = None
    if pipeline == "publish":
        blob = BlobRef(container=TRAINED_MODELS, name=request.blob_name)
    message = _triggered(model.model, request.id, pipeline, source, now)
    details = {
        "blob": blob,
        "version": request.version,
        "output": _output(request),
        "commit": request.commit or "",
        "reply": _reply(request),
        "by": request.by,
    }
    trigger = message.trigger.model_copy(update=details)
    return message.model_copy(update={"trigger": trigger})


def _check_able(pipeline: PipelineName, model: ManagedModel) -> None:
    """Refuse at once what a managed model does not declare what it takes for."""
    wants = {
        "retrain": (model.training, "no training service, it cannot be retrained", "training"),
        "experiment": (model.experiment, "no experiment", "experiment"),
        "harvest": (model.studio, "no workspace, nothing can be harvested from one", "workspace"),
    }
    declared, what, section = wants.get(pipeline, (model, "", ""))
    if declared is None:
        raise Refused(
            f"managed model {model.model!r} declares {what}; declare `{section}`"
            + (", or publish a model file instead" if pipeline == "retrain" else "")
        )


def _output(request: Request) -> NodeOutput | None:
    if request.kind != "harvest":
        return None
    assert request.experiment is not None
    assert request.node is not None
    return NodeOutput(
        experiment=request.experiment, node=request.node, port=request.port or "Trained model"
    )


def outgoing(
    message: TriggerMessage | Decision, *, due: datetime | None = None, id_suffix: str = ""
) -> Outgoing:
    """Address a message to its managed model's mailbox, under the id of its fact.

    id_suffix: what a sweep adds, or duplicate detection would drop what it sends again.
    """
    context = telemetry.current()
    if isinstance(message, TriggerMessage):
        context = message.trigger.trace or context
        begin = f"t:{message.model}:"
        message_id = _fitting(begin, message.trigger.id.removeprefix(begin), id_suffix)
    else:
        message_id = _fitting(f"o:{message.model}:", message.request, id_suffix)
    assert len(message_id) <= MESSAGE_ID_LENGTH_MAX, message_id
    return Outgoing(
        queue=STEPS_QUEUE,
        id=message_id,
        body=message.model_dump_json(by_alias=True).encode(),
        session=message.model,
        due=due,
        subject=message.kind,
        traceparent=context,
    )


def _fitting(begin: str, name: str, suffix: str) -> str:
    """An id that fits: where it would be too long, a digest stands for name and suffix."""
    end = f"{name}:{suffix}" if suffix else name
    if len(begin) + len(end) > MESSAGE_ID_LENGTH_MAX:
        end = hashlib.sha256(end.encode()).hexdigest()[:32]
    return begin + end


def _unready(blob: BlobRef) -> str:
    """Why this blob starts nothing now; "" if it should."""
    wrong = patterns.fault(blob.name)
    if blob.size == 0:
        return f"{blob.container}: a blob of 0 bytes is a directory marker or not written yet"
    if wrong:
        raise Refused(f"a blob in {blob.container} cannot be used: {wrong}; upload it renamed")
    if blob.name.lower().endswith(tuple(end.lower() for end in STILL_WRITTEN)):
        return f"{blob.path} is still being written, by its name"
    if not blob.etag:
        raise Refused(f"the event of {blob.path} has no ETag; read the blob's properties first")
    return ""


def _of_blob(
    model: str, pipeline: PipelineName, source: Source, blob: BlobRef, now: datetime
) -> TriggerMessage:
    etag = blob.etag.removeprefix("W/").strip('"')  # events write it bare, storage in quotes
    message = _triggered(model, f"{blob.path}@{etag}", pipeline, source, now)
    trigger = message.trigger.model_copy(update={"blob": blob})
    return message.model_copy(update={"trigger": trigger})


def _triggered(
    model: str, fact: str, pipeline: PipelineName, source: Source, at: datetime
) -> TriggerMessage:
    trigger = Trigger(id=trigger_id(model, fact), pipeline=pipeline, source=source, at=at)
    return TriggerMessage(model=model, trigger=trigger)


def _cron_lines(model: ManagedModel) -> list[tuple[PipelineName, str]]:
    lines: list[tuple[PipelineName, str]] = [
        (model.on_data, model.schedules.retrain),
        ("verify", model.schedules.verify),
    ]
    return [(pipeline, line) for pipeline, line in lines if line]


def _decision(request: Request, model: ManagedModel) -> Decision:
    assert request.kind in ("approve", "refuse", "cancel"), request.kind
    return Decision(
        kind=request.kind,
        model=model.model,
        run=request.run or "",
        digest=request.digest or "",
        request=request.id,
        by=request.by,
        reply=_reply(request),
    )


def _reply(request: Request) -> Reply | None:
    if request.reply_to is None:
        return None
    return Reply(queue=request.reply_to, request=request.id, correlation_id=request.correlation_id)
