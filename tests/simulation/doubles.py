"""The ports of a simulated world, all of them views on its `State`.

They differ from `tests/doubles` in two things: whatever they know can be copied with the state,
and where the real thing may do one thing or another (a full queue of duplicates, an endpoint that
still answers with its old model) they ask the scheduler.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import BinaryIO, Protocol

from alm.domain.errors import Conflict, NotFound
from alm.domain.ledger import Ledger
from alm.domain.managed_model import ManagedModel
from alm.domain.versions import InService, Manifest
from alm.ports import (
    BlobProperties,
    Grant,
    Notice,
    Outgoing,
)
from tests.simulation.state import Mail, State

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
BASE = "https://sim.blob.core.windows.net/"
REPLIES = "replies"


class Holder(Protocol):
    """Who has the state; it is replaced when an exploration goes back."""

    state: State


def moment(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def seconds_of(at: datetime) -> float:
    return (at - EPOCH).total_seconds()


class SimClock:
    def __init__(self, world: Holder) -> None:
        self._world = world

    def now(self) -> datetime:
        return moment(self._world.state.now)


class SimLedgers:
    def __init__(self, world: Holder) -> None:
        self._world = world

    def get(self, model: str) -> tuple[Ledger, str]:
        state = self._world.state
        return state.ledger, str(state.etag) if state.etag else ""

    def put(self, ledger: Ledger, etag: str) -> str:
        state = self._world.state
        if etag != (str(state.etag) if state.etag else ""):
            raise Conflict(f"ledger {ledger.model} has another ETag than {etag!r}")
        state.ledger, state.text = ledger, ledger.model_dump_json()
        state.etag += 1
        return str(state.etag)

    def list(self) -> Iterable[tuple[str, Mapping[str, str]]]:
        return []


class SimBus:
    """The broker: a mailbox in order, scheduled messages, and a queue for answers."""

    def __init__(self, world: Holder) -> None:
        self._world = world

    def send(self, messages: Sequence[Outgoing], repeats: Iterable[str] = ()) -> None:
        """`repeats`: ids that get through although they were seen before."""
        for message in messages:
            self._accept(message, message.id in repeats)

    def _accept(self, message: Outgoing, repeat: bool) -> None:
        state = self._world.state
        if message.id in state.ids and not repeat:
            return
        state.ids.add(message.id)
        if message.session is None:
            state.books.answered.add(message.id)
            return
        state.place += 1
        mail = Mail(message.id, message.body, state.place)
        state.sent.append(mail)
        due = seconds_of(message.due) if message.due else 0.0
        if due > state.now:
            state.scheduled.append((due, mail))
            state.scheduled.sort(key=lambda entry: (entry[0], entry[1].place))
        else:
            state.queue.append(mail)


class SimBlobs:
    def __init__(self, world: Holder) -> None:
        self._world = world

    def get(self, path: str, *, etag: str = "", bytes_max: int = 64 << 20) -> bytes:
        try:
            return self._world.state.blobs[path]
        except KeyError:
            raise NotFound(f"no blob {path}") from None

    def open(self, path: str, *, etag: str = "") -> BinaryIO:
        return BytesIO(self.get(path))

    def put(self, path: str, content: bytes | BinaryIO, *, if_absent: bool = False) -> str:
        blobs = self._world.state.blobs
        if if_absent and path in blobs:
            raise Conflict(f"blob {path} exists")
        blobs[path] = content if isinstance(content, bytes) else content.read()
        return "1"

    def properties(self, path: str) -> BlobProperties:
        return BlobProperties(path, "1", len(self.get(path)), EPOCH)

    def list(self, container: str, prefix: str = "") -> Iterable[BlobProperties]:
        start = f"{container}/{prefix}"
        return [self.properties(path) for path in self._world.state.blobs if path.startswith(start)]

    def delete(self, path: str) -> None:
        self._world.state.blobs.pop(path, None)

    def grant(self, path: str, access: str, until: datetime) -> Grant:
        return Grant(BASE, path, "?sig=simulated")

    def location(self, path: str) -> str:
        return BASE + path

    def fetch(self, url: str, sas: str = "") -> BinaryIO:
        return self.open(url.removeprefix(BASE))


class SimVersions:
    def __init__(self, world: Holder) -> None:
        self._world = world

    def put_file(self, path: str, content: BinaryIO, digest: str) -> None:
        held, given = self._world.state.blobs.get(path), content.read()
        if held not in (None, given):
            raise Conflict(f"version file {path} holds other content")
        self._world.state.blobs[path] = given

    def put_manifest(self, manifest: Manifest) -> Manifest:
        key = (manifest.model, manifest.version)
        return self._world.state.manifests.setdefault(key, manifest)

    def manifest(self, model: str, version: str) -> Manifest:
        try:
            return self._world.state.manifests[model, version]
        except KeyError:
            raise NotFound(f"no version {version} of {model}") from None

    def manifests(self, model: str) -> list[Manifest]:
        return list(self._world.state.manifests.values())

    def retire_file(self, manifest: Manifest) -> None:
        self._world.state.blobs.pop(manifest.file, None)

    def put_in_service(self, record: InService) -> None:
        """For people only: nothing decides from it."""

    def in_service(self, model: str) -> list[InService]:
        return []


def is_good(content: bytes) -> bool:
    return not content.startswith(b"bad")


def digest_of(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


class SimRecords:
    """Nobody looks; that they are written is an operation all the same."""

    def put_active(self, model: str, run: str, document: Mapping[str, object]) -> None: ...

    def put_ended(self, run: str, day: str, document: Mapping[str, object]) -> None: ...


class SimNotifier:
    def notify(self, notice: Notice) -> None: ...


class SimModels:
    def __init__(self, model: ManagedModel) -> None:
        self._model = model

    def resolve(self, model: str) -> ManagedModel:
        return self._model

    def at(self, model: str, digest: str) -> ManagedModel:
        return self._model

    def keep(self, model: ManagedModel) -> None: ...
