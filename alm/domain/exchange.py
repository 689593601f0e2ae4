"""Values that cross the ports: grants, jobs, readings, messages to send, items of the inbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Cell = str | int | float | bool | None
Row = Mapping[str, Cell]
JobState = Literal["NotStarted", "Running", "Failed", "Cancelled", "Finished"]


@dataclass(frozen=True)
class Outgoing:
    """A message to send. `due` None: at once. `session` None: the queue has no sessions.

    traceparent: the context in which it is to be handled (W3C); no part of what it says.
    """

    queue: str
    id: str
    body: bytes
    session: str | None = None
    due: datetime | None = None
    subject: str = ""
    correlation_id: str = ""
    content_type: str = "application/json"
    traceparent: str = ""


@dataclass(frozen=True)
class BlobProperties:
    path: str
    etag: str
    size: int
    modified: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Grant:
    """A blob with leave to use it for a while, in the three parts that Studio wants.

    base: `https://account.blob.core.windows.net/`; relative: `container/name`; sas: `?sv=…` (a
    secret: never logged, never stored).
    """

    base: str
    relative: str
    sas: str = field(repr=False)

    @property
    def location(self) -> str:
        """Where the blob is, without the leave."""
        return self.base + self.relative

    @property
    def url(self) -> str:
        return self.base + self.relative + self.sas


@dataclass(frozen=True)
class Submission:
    """A batch execution: where its inputs are, where its outputs shall go, its parameters."""

    inputs: Mapping[str, Grant]
    outputs: Mapping[str, Grant]
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class JobStatus:
    id: str
    state: JobState
    details: str = ""
    outputs: Mapping[str, Grant] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What a target's definition says. location: URL of the model file without leave.

    stamp: changes whenever the definition does. settled: no deployment of it is under way.
    sas: the leave to read the location, where the service gives one. leave_ends: when the leave
    that the service itself reads the file with ends; None where it keeps a copy and needs none.
    """

    location: str
    stamp: str
    settled: bool = True
    sas: str = field(default="", repr=False)
    leave_ends: datetime | None = None


@dataclass(frozen=True)
class Scores:
    """Answers in the order of the rows; every cell as text, None where missing."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True)
class InboxItem:
    """What could not be handled: where it came from, why, and what to do about it.

    payload: the body as received (text; base64 where it is not UTF-8, then `encoding` says so).
    queue, session: where redrive sends it; an empty queue means it cannot be re-sent.
    message_id, correlation_id, reply_to: what a queue message brought beside its body.
    """

    id: str
    at: datetime
    source: str
    reason: str
    remedy: str
    payload: str
    encoding: Literal["utf-8", "base64"] = "utf-8"
    queue: str = ""
    session: str = ""
    model: str = ""
    run: str = ""
    message_id: str = ""
    correlation_id: str = ""
    reply_to: str = ""


@dataclass(frozen=True)
class Notice:
    """Something people should know: a run failed, is held, was rolled back, a target is unknown."""

    event: Literal["failed", "held", "rolled_back", "unknown", "drift", "unwell", "stuck"]
    model: str
    run: str
    why: str
    at: datetime
    webhook: str = ""
    digest: str = ""
