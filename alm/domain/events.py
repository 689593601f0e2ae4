"""Events: what other systems are told of every change of state, as CloudEvents 1.0 documents.

    alm.run.began         a run was started; its triggers say why
    alm.run.moved         it left a stage, and where it went
    alm.run.held          it waits for a decision about `digest`
    alm.run.decided       it was approved, refused, expired, cancelled or superseded
    alm.run.ended         with a result, and what is in service now
    alm.run.stuck         it does not end after all sweeps
    alm.version.promoted  the candidate became a version
    alm.target.changed    a target was read back with another model, or its old one was restored
    alm.target.drifted    somebody else changed a target
    alm.target.unknown    the targets not known to serve what they should; none: all are right again
    alm.inbox.kept        something could not be handled and waits for people
    alm.inbox.left        it was sent again, or discarded

An event is told at least once, in no promised order. Its `id` is the same for every repeat of one
change; a run that a sweep set going anew tells its moves again, under other ids.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field
from pydantic.json_schema import models_json_schema

from alm.domain.frozen import Frozen
from alm.domain.run import PipelineName, Source

MEDIA_TYPE = "application/cloudevents+json"
TRIES_MAX = 12  # posts of an event to the webhook, within about seven hours
ID_LENGTH_MAX = 128  # an event's id is its message's too, and duplicate detection compares those
Left = Literal["redriven", "discarded"]
Decided = Literal["approved", "refused", "expired", "cancelled", "superseded"]


class Event(Frozen, defer_build=True):
    """What all events say. `type` and `subject` become attributes of the CloudEvent."""

    type: ClassVar[str]

    model: str = Field(description="The managed model.")

    @property
    def subject(self) -> str:
        """What the event is about: the run, where there is one."""
        run = getattr(self, "run", "")
        return str(run or self.model)


class Cause(Frozen):
    """One trigger of a run."""

    source: Source
    id: str
    at: datetime
    blob: str = Field(default="", description="`container/name` of the file that landed.")
    by: str = Field(default="", description="Who ordered it.")


class RunBegan(Event):
    """A run was started."""

    type = "alm.run.began"

    run: str
    pipeline: PipelineName
    version: int = Field(description="The number kept for the version that it may make; 0: none.")
    triggers: tuple[Cause, ...]
    left_out: int = Field(default=0, description="How many triggers more than fit into an event.")


class RunMoved(Event):
    """A run left a stage."""

    type = "alm.run.moved"

    run: str
    pipeline: PipelineName
    stage: str = Field(description="The stage that was left.")
    outcome: str
    to: str = Field(description="The stage that follows; `finish`: the run ends.")
    why: str


class RunHeld(Event):
    """A run waits for a decision."""

    type = "alm.run.held"

    run: str
    pipeline: PipelineName
    digest: str = Field(description="Names what is held: an approval must give the same.")
    why: str
    deadline: datetime = Field(description="When the run expires if nobody decides.")


class RunDecided(Event):
    """Somebody, or time, decided about a run."""

    type = "alm.run.decided"

    run: str
    decision: Decided
    digest: str = ""
    by: str = ""


class RunEnded(Event):
    """A run ended."""

    type = "alm.run.ended"

    run: str
    pipeline: PipelineName
    result: str
    why: str
    champion: str = Field(description='What is in service now; "": nothing of ours.')
    targets: dict[str, str] = Field(description="Target to the version it should serve.")
    unknown: tuple[str, ...] = Field(description="Targets not known to serve that.")


class RunStuck(Event):
    """A run does not end after all sweeps."""

    type = "alm.run.stuck"

    run: str
    why: str


class VersionPromoted(Event):
    """The accepted candidate became an immutable version."""

    type = "alm.version.promoted"

    run: str
    version: str
    digest: str
    metrics: dict[str, float]


class TargetChanged(Event):
    """A target was read back with another model than before this run, or with its old one again."""

    type = "alm.target.changed"

    run: str
    target: str
    version: str
    digest: str
    restored: bool = Field(description="The run gave back what the target served before.")


class TargetDrifted(Event):
    """Somebody else changed a target; it is repaired."""

    type = "alm.target.drifted"

    why: str


class TargetUnknown(Event):
    """The targets not known to serve what they should; none: all are right again."""

    type = "alm.target.unknown"

    targets: tuple[str, ...]


class InboxKept(Event):
    """Something could not be handled, and is kept for people."""

    type = "alm.inbox.kept"

    run: str = ""
    item: str
    source: str
    reason: str
    remedy: str


class InboxLeft(Event):
    """An item was taken out of the inbox."""

    type = "alm.inbox.left"

    run: str = ""
    item: str
    how: Left
    by: str = ""


EVENTS: tuple[type[Event], ...] = (
    *(RunBegan, RunMoved, RunHeld, RunDecided, RunEnded, RunStuck, VersionPromoted),
    *(TargetChanged, TargetDrifted, TargetUnknown, InboxKept, InboxLeft),
)


class Delivery(Frozen):
    """An event on its way to the webhook. tries: posts that failed."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    tries: int = Field(default=0, ge=0, le=TRIES_MAX)
    event: dict[str, object]


def event_id(event: Event, fact: str) -> str:
    """Name an event by the fact it is about, the same for every repeat."""
    name = f"e:{event.type}:{event.subject}:{fact}"
    if len(name) <= ID_LENGTH_MAX:
        return name
    return f"e:{event.type}:{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def document(event: Event, event_id: str, at: datetime, traceparent: str = "") -> dict[str, object]:
    """The event as a CloudEvents document. traceparent: the context in which it happened."""
    told: dict[str, object] = {
        "specversion": "1.0",
        "id": event_id,
        "type": event.type,
        "source": f"/models/{event.model}" if event.model else "/",
        "subject": event.subject or event.type,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": event.model_dump(mode="json"),
    }
    return {**told, "traceparent": traceparent} if traceparent else told


def encoded(document: Mapping[str, object]) -> bytes:
    return json.dumps(document).encode()


def event_schema() -> dict[str, object]:
    """JSON schema (2020-12) of every event that is told."""
    said, definitions = models_json_schema([(event, "serialization") for event in EVENTS])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Event",
        "description": "A change of state, as CloudEvents 1.0 in structured mode.",
        "oneOf": [_schema_of(event, said[event, "serialization"]) for event in EVENTS],
        **definitions,
    }


def _schema_of(event: type[Event], data: Mapping[str, object]) -> dict[str, object]:
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "title": event.type,
        "description": (event.__doc__ or "").strip(),
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {**text, "maxLength": ID_LENGTH_MAX},
            "type": {"const": event.type},
            "source": {**text, "pattern": "^/"},
            "subject": text,
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "traceparent": {"type": "string"},
            "data": data,
        },
        "required": ["specversion", "id", "type", "source", "subject", "time", "data"],
    }
