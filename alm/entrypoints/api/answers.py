"""What the API answers: the shapes of its JSON, one class each.

Answers are made of these, and the OpenAPI document too. Fields are only ever added: callers skip
what they do not know. A field that may be absent is left out, never null.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import SkipJsonSchema

from alm import log
from alm.domain.choosing import Choice
from alm.domain.ledger import HoldRecord, Intent, Token
from alm.domain.managed_model import ManagedModel
from alm.domain.run import BlobRef, Entry, RunState, Served, Trigger
from alm.domain.versions import Manifest

Absent = SkipJsonSchema[None]


class Shown(BaseModel):
    """A part of an answer, read from a value of ours or a document of storage."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        from_attributes=True,
        populate_by_name=True,
        protected_namespaces=(),
        json_schema_serialization_defaults_required=True,
        defer_build=True,
    )


T = TypeVar("T", bound=Shown)


def readable(kind: type[T], found: Iterable[object]) -> list[T]:
    """What storage holds, as it is shown; one that cannot be read must not hide the others."""
    rows = []
    for each in found:
        try:
            rows.append(kind.model_validate(each, extra="ignore"))
        except ValidationError as error:
            log.warning("not_shown", kind=kind.__name__, mistakes=error.error_count())
    return rows


def absent() -> Any:
    """A field that is left out where there is nothing to say."""
    return Field(default=None, exclude_if=lambda value: value is None)


class ModelRow(Shown):
    """A managed model in the list. state: new (no run yet), idle, running, held. run: the active
    or the last one. due: when the active one is late. waiting, unknown: how many triggers wait,
    how many targets are not known to serve what they should."""

    model: str
    state: str
    run: str = ""
    due: str = ""
    waiting: str = ""
    finished: str = ""
    unknown: str = ""
    last_result: str = ""
    champion: str = ""


class ActiveRun(Shown):
    """The run that owns a managed model now, as its ledger has it; a held one has `hold`."""

    run: str
    pipeline: str
    token: Token
    triggers: tuple[Trigger, ...]
    configuration: str
    began: datetime
    due: datetime
    job: str
    starts: int
    intent: tuple[Intent, ...]
    cancel: str
    hold: HoldRecord | None
    attempts: int


class ShownLedger(Shown):
    """What is true of a managed model: who owns it, what waits, what each target should serve."""

    model: str
    active: ActiveRun | None
    waiting: tuple[Trigger, ...]
    champion: str
    dataset: BlobRef | None
    serves: dict[str, Served]
    before: dict[str, Served]
    unknown: tuple[str, ...]
    last_run: str
    last_result: str
    finished_at: datetime | None
    runs: int
    versions: int


class ModelShown(Shown):
    """One managed model. digest: names the declaration; a run uses the one it began with."""

    model: str
    digest: str
    declaration: ManagedModel
    ledger: ShownLedger


class Version(Manifest, defer_build=True):
    """One version, with the names it goes by now."""

    aliases: tuple[Literal["champion", "previous", "candidate"], ...]


class TargetRow(Shown):
    """One target. serves: the version it should serve. location, settled, agrees: what its service
    said when it was asked just now; error: why it could not be asked."""

    target: str
    kind: str
    wave: int
    serves: str
    deployed_as: str
    unknown: bool
    location: str | Absent = absent()
    settled: bool | Absent = absent()
    agrees: bool | Absent = absent()
    error: str | Absent = absent()


class Endpoint(Choice, defer_build=True):
    """An endpoint that may serve a scoring call. endpoint: where it is, if no declaration says."""

    endpoint: str


class ChoiceShown(Endpoint, defer_build=True):
    """The endpoint that a scoring call would go to, and among which it was chosen."""

    among: tuple[Endpoint, ...]


class Scored(Shown):
    """The scored rows: every cell as text, null where missing; and which endpoint answered."""

    model: str
    target: str
    version: str
    endpoint: str
    rows: list[dict[str, str | None]]


class RunRecord(Shown):
    """A run as it is on record. stage, due: of one in flight. result, finished: of one that ended;
    `ok`, `verified`, `harvested` are good ends. state: what it carries from stage to stage. trace:
    the context (W3C traceparent) that it is recorded in, where telemetry is on."""

    schema_version: int | Absent = Field(
        default=None, alias="schema", exclude_if=lambda value: value is None
    )
    run: str
    model: str
    pipeline: str | Absent = absent()
    configuration: str | Absent = absent()
    why: str | Absent = absent()
    state: RunState | Absent = absent()
    history: tuple[Entry, ...] | Absent = absent()
    triggers: tuple[Trigger, ...] | Absent = absent()
    began: str | Absent = absent()
    trace: str | Absent = absent()
    stage: str | Absent = absent()
    due: str | Absent = absent()
    result: str | Absent = absent()
    shown: bool | Absent = absent()
    finished: str | Absent = absent()
    unknown: tuple[str, ...] | Absent = absent()
    champion: str | Absent = absent()


class RunShown(RunRecord):
    """One run. active: the ledger's entry while it is active, which is what decides."""

    active: ActiveRun | Absent = absent()


class InboxEntry(Shown):
    """What could not be handled: where it came from, why, and what to do about it.

    payload: the body as received; base64 where it is not UTF-8, then `encoding` says so. queue:
    where a redrive sends it; an empty one means it cannot be sent again.
    """

    id: str
    at: datetime
    source: str
    reason: str
    remedy: str
    payload: str
    encoding: Literal["utf-8", "base64"]
    queue: str
    session: str
    model: str
    run: str
    message_id: str
    correlation_id: str
    reply_to: str


class Stage(Shown):
    """A stage of a pipeline and where it leads. declares: it writes the ledger before it acts."""

    stage: str
    then: str
    failed: str
    declares: bool


class Accepted(
    Shown, json_schema_extra={"examples": [{"id": "nightly-1.5f0c2a91", "accepted": ["churn"]}]}
):
    """An order that was accepted. id: names it; `GET models/{model}/orders/{id}` tells what became
    of it. accepted: the managed models it went to. done: why nothing is left to do."""

    id: str
    accepted: tuple[str, ...]
    done: str | Absent = absent()


class OrderShown(
    Shown,
    json_schema_extra={
        "examples": [
            {"id": "o1", "model": "churn", "state": "ended", "run": "churn.r7", "result": "ok"}
        ]
    },
):
    """What became of an order. behind: the run it waits for; run: the one that works on it."""

    id: str
    model: str
    state: Literal["sent", "waiting", "running", "held", "ended", "seen"]
    run: str | Absent = absent()
    behind: str | Absent = absent()
    result: str | Absent = absent()
    why: str | Absent = absent()


class Redriven(Shown):
    """An item that was sent again. message: the id of the message, to find it in the queue."""

    id: str
    queue: str
    message: str


class Discarded(Shown):
    """An item that was taken out of the inbox. discarded: which."""

    id: str
    discarded: str


class Problem(
    Shown,
    json_schema_extra={
        "examples": [
            {
                "type": "docs/errors.md#unknown-model",
                "status": 404,
                "title": "No such managed model",
                "detail": "no managed model or family is named 'chrun'; did you mean 'churn'?",
            }
        ]
    },
):
    """Why a call failed (RFC 9457). type: leads to what can be done. detail: what failed, on what,
    what was seen, what to do. instance: names this failure in the app's log. trace_id: of the
    request's `traceparent`. idempotency_key: the key to repeat the call with."""

    type: str
    status: int
    title: str
    detail: str
    instance: str | Absent = absent()
    trace_id: str | Absent = absent()
    idempotency_key: str | Absent = absent()
