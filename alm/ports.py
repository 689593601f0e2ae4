"""Protocols: what the engine and the stages need from the world.

Every port has one double (tests/doubles/) and one adapter or more; both pass the same contract
suite. Calls block at most their total deadline (60 s; model files 180 s) and raise only the errors
drawn in `domain/errors.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Literal, Protocol

from alm.domain.exchange import BlobProperties as BlobProperties
from alm.domain.exchange import Cell as Cell
from alm.domain.exchange import Grant as Grant
from alm.domain.exchange import InboxItem as InboxItem
from alm.domain.exchange import JobState as JobState
from alm.domain.exchange import JobStatus as JobStatus
from alm.domain.exchange import Notice as Notice
from alm.domain.exchange import Outgoing as Outgoing
from alm.domain.exchange import Reading as Reading
from alm.domain.exchange import Row as Row
from alm.domain.exchange import Scores as Scores
from alm.domain.exchange import Submission as Submission
from alm.domain.ledger import Ledger
from alm.domain.managed_model import ManagedModel, Service, Target
from alm.domain.versions import InService, Manifest
from alm.studio_ports import Studio
from alm.version_control import Outbox as Outbox
from alm.version_control import SourceControl as SourceControl
from alm.version_control import VersionControl as VersionControl


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, UTC."""
        ...


class Ledgers(Protocol):
    """One ledger per managed model, written conditionally."""

    def get(self, model: str) -> tuple[Ledger, str]:
        """Read a ledger and its ETag. One that was never written is empty and has the ETag ""."""
        ...

    def put(self, ledger: Ledger, etag: str) -> str:
        """Write it if it still has `etag` ("" : if it does not exist). Returns the new ETag.

        Raises Conflict if somebody wrote first, Unknown if the answer was lost.
        """
        ...

    def list(self) -> Iterable[tuple[str, Mapping[str, str]]]:
        """Name every ledger with its status (`state`, `run`, `pipeline`, `began`, `due`, `waiting`,
        `finished`, `unknown`, `unknown_targets`, `last_run`, `last_result`, `champion`), without
        reading the documents."""
        ...


class Bus(Protocol):
    def send(self, messages: Sequence[Outgoing]) -> None:
        """Send all of them; returns after the broker accepted every one.

        Raises Unknown if that is not certain within 10 s: some may have been accepted.
        """
        ...


class Blobs(Protocol):
    """Blob storage. A path is `container/name`."""

    def get(self, path: str, *, etag: str = "", bytes_max: int = 64 << 20) -> bytes:
        """Read a blob. Raises NotFound, Conflict (no longer `etag`), Refused (too large)."""
        ...

    def open(self, path: str, *, etag: str = "") -> BinaryIO:
        """Read a blob piece by piece (model files). Raises as `get`."""
        ...

    def put(self, path: str, content: bytes | BinaryIO, *, if_absent: bool = False) -> str:
        """Write a blob, returns its ETag. With `if_absent` raises Conflict if it exists."""
        ...

    def properties(self, path: str) -> BlobProperties:
        """Raises NotFound."""
        ...

    def list(self, container: str, prefix: str = "") -> Iterable[BlobProperties]: ...

    def delete(self, path: str) -> None:
        """Harmless if it is not there."""
        ...

    def grant(self, path: str, access: Literal["read", "write"], until: datetime) -> Grant:
        """Give leave to read (`r`) or create and write (`cw`) one blob, for at most 6 days."""
        ...

    def location(self, path: str) -> str:
        """The URL of a blob without any leave, as a grant would name it."""
        ...

    def fetch(self, url: str, sas: str = "") -> BinaryIO:
        """Read a blob that a service named. Only from allowed storage hosts: else Misconfigured.

        A model file of our own account is read with our own identity, whatever `sas` is; anything
        else there only with the leave that the service has: it must not get at it through us.
        Raises NotFound, Denied (expired leave).
        """
        ...


class TrainingService(Protocol):
    """A batch execution service: it trains (its outputs are files), or scores in bulk."""

    def create_job(self, submission: Submission) -> str:
        """Submit a job; it does nothing, and costs nothing, until started. A new id every time."""
        ...

    def start_job(self, job_id: str) -> None:
        """Start a job. Harmless to repeat: a job that was started already is left alone.

        Raises Conflict if it can no longer be started (failed, cancelled).
        """
        ...

    def job(self, job_id: str) -> JobStatus:
        """Ask how a job is doing. Raises NotFound if it was deleted."""
        ...

    def cancel_job(self, job_id: str) -> None:
        """Stop a job. Harmless if it has ended or is gone."""
        ...


class ScoringTarget(Protocol):
    """A web service that scores, and whose model can be changed."""

    def read(self) -> Reading:
        """Read back the definition. Raises NotFound, Misconfigured (no such resource)."""
        ...

    def patch(self, model: Grant) -> None:
        """Put a model file in. Returns when the service has accepted; `read` tells when it settled.

        Overwrites: harmless to repeat. Raises Misconfigured if the service refuses this patch.
        """
        ...

    def score(self, rows: Sequence[Row], *, input: str, output: str) -> Scores:
        """Score rows through the request/response service.

        Raises Refused if the model cannot score these rows (its smoke test failed), Misconfigured
        if the service has no such input or output, or does not answer row by row.
        """
        ...

    def batch(self) -> TrainingService:
        """The same endpoint's batch execution service."""
        ...


class Services(Protocol):
    """Finds the service that a declaration names. Clients are kept; credentials looked up late."""

    def training(self, service: Service) -> TrainingService: ...

    def target(self, target: Target) -> ScoringTarget: ...


class Versions(Protocol):
    """The version store: immutable model files and their manifests."""

    def put_file(self, path: str, content: BinaryIO, digest: str) -> None:
        """Keep a model file under its conventional name. The same content again is harmless.

        Raises Conflict if the name holds other content.
        """
        ...

    def put_manifest(self, manifest: Manifest) -> Manifest:
        """Record a version, once: returns what is recorded, maybe by an earlier attempt."""
        ...

    def manifest(self, model: str, version: str) -> Manifest:
        """Read one. Raises NotFound, naming the versions there are."""
        ...

    def manifests(self, model: str) -> list[Manifest]:
        """All of a managed model, oldest first."""
        ...

    def retire_file(self, manifest: Manifest) -> None:
        """Delete the file of a version; its manifest stays. Harmless if it is not there."""
        ...

    def put_in_service(self, record: InService) -> None:
        """Record what is in service from now on; the same record again is harmless."""
        ...

    def in_service(self, model: str) -> list[InService]:
        """What was in service since when, oldest first."""
        ...


class Records(Protocol):
    """What people look at: runs in flight and ended, the inbox. Nothing decides from it."""

    def put_active(self, model: str, run: str, document: Mapping[str, object]) -> None:
        """Best effort: never raises."""
        ...

    def put_ended(self, run: str, day: str, document: Mapping[str, object]) -> None:
        """Write the run's record (idempotent) and take it off the active ones."""
        ...

    def run(self, run: str) -> Mapping[str, object]:
        """The record of a run, ended or in flight. Raises NotFound."""
        ...

    def runs(
        self, *, model: str = "", days: int = 7, count: int = 200
    ) -> list[Mapping[str, object]]:
        """Runs in flight, then those ended in these days, newest first; 0 days: only in flight."""
        ...

    def put_inbox(self, item: InboxItem) -> None:
        """Keep what could not be handled; the same id again on that day or the next is one item."""
        ...

    def inbox(self, count: int = 200) -> list[InboxItem]:
        """What is in the inbox, newest first."""
        ...

    def inbox_item(self, item_id: str) -> InboxItem:
        """Raises NotFound."""
        ...

    def discard_inbox(self, item_id: str) -> None:
        """Take an item out of the inbox; harmless if it is not there."""
        ...


class Notifier(Protocol):
    def notify(self, notice: Notice) -> None:
        """Tell people; never raises, a failure to tell is logged and kept in the inbox."""
        ...


class EventWebhook(Protocol):
    def post(self, event: Mapping[str, object]) -> None:
        """Post an event. Raises what its receiver's answer means; it may have come twice."""
        ...


class ManagedModels(Protocol):
    """The declarations."""

    def resolve(self, model: str) -> ManagedModel:
        """The managed model of that name. Raises UnknownModel, naming near ones."""
        ...

    def at(self, model: str, digest: str) -> ManagedModel:
        """The declaration that a run began with. Raises Misconfigured if it is lost."""
        ...

    def keep(self, model: ManagedModel) -> None:
        """Store a declaration under its digest, once, for the runs that begin with it."""
        ...


@dataclass(frozen=True)
class Ports:
    """Everything the engine and the stages may touch. event_queues: who is told of every change."""

    clock: Clock
    ledgers: Ledgers
    bus: Bus
    blobs: Blobs
    versions: Versions
    services: Services
    studio: Studio
    records: Records
    notifier: Notifier
    models: ManagedModels
    new_id: Callable[[], str]
    version_control: VersionControl | None = None
    event_queues: tuple[str, ...] = ()
    event_webhook: EventWebhook | None = None
