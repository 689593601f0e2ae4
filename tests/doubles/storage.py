"""Storage in memory: blobs, ledgers, versions, records, declarations, and a clock that is set.

Operations are counted in `calls`, and fail when told to (`fail`, see `faulty.py`); an error after
the effect is a lost answer.

    blobs = MemoryBlobs(clock)
    blobs.fail("put", Unknown("lost"), after=True)
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit

from alm.domain.errors import (
    AlmError,
    Conflict,
    Denied,
    Misconfigured,
    NotFound,
    Refused,
    UnknownModel,
)
from alm.domain.ledger import Ledger
from alm.domain.managed_model import ManagedModel
from alm.domain.versions import CONTAINER, InService, Manifest, is_model_file
from alm.ports import BlobProperties, Clock, Grant, InboxItem
from tests.doubles.faulty import Faulty

BASE = "https://double.blob.core.windows.net/"
EPOCH = datetime(2026, 1, 5, 12, tzinfo=UTC)
GRANT_DAYS_MAX = 6
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff\\\\]")


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = EPOCH) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(frozen=True)
class StoredBlob:
    content: bytes = field(repr=False)
    etag: str
    modified: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


class MemoryBlobs(Faulty):
    """Blobs of one account. See `ports.Blobs`.

    foreign: what other accounts hold, by URL, each with the leave that it takes to read it;
    `storage_hosts` are the accounts that may be read.
    """

    def __init__(
        self, clock: Clock, *, base: str = BASE, storage_hosts: Iterable[str] = ()
    ) -> None:
        super().__init__()
        self.clock = clock
        self.base = base
        self.stored: dict[str, StoredBlob] = {}
        self.foreign: dict[str, tuple[bytes, str]] = {}
        self._hosts = frozenset(storage_hosts)
        self._writes = 0

    def get(self, path: str, *, etag: str = "", bytes_max: int = 64 << 20) -> bytes:
        return self._do("get", lambda: self._get(path, etag, bytes_max))

    def open(self, path: str, *, etag: str = "") -> BinaryIO:
        return self._do("open", lambda: io.BytesIO(self._read(path, etag).content))

    def put(
        self,
        path: str,
        content: bytes | BinaryIO,
        *,
        if_absent: bool = False,
        metadata: Mapping[str, str] | None = None,
    ) -> str:
        return self._do("put", lambda: self._put(path, content, if_absent, metadata or {}))

    def properties(self, path: str) -> BlobProperties:
        return self._do("properties", lambda: _properties(path, self._read(path, "")))

    def list(self, container: str, prefix: str = "") -> Iterable[BlobProperties]:
        start = f"{container}/{prefix}"
        return self._do(
            "list",
            lambda: [
                _properties(path, blob)
                for path, blob in sorted(self.stored.items())
                if path.startswith(start)
            ],
        )

    def delete(self, path: str) -> None:
        self._do("delete", lambda: self.stored.pop(checked(path), None))

    def grant(self, path: str, access: Literal["read", "write"], until: datetime) -> Grant:
        checked(path)
        latest = self.clock.now() + timedelta(days=GRANT_DAYS_MAX)
        permission = "r" if access == "read" else "cw"
        expiry = min(until, latest).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        signature = _signature(path, permission, expiry)
        sas = f"?sp={permission}&se={quote(expiry)}&sig={signature}"
        return self._do("grant", lambda: Grant(self.base, quote(path, safe="/~"), sas))

    def location(self, path: str) -> str:
        return self.base + quote(checked(path), safe="/~")

    def fetch(self, url: str, sas: str = "") -> BinaryIO:
        return self._do("fetch", lambda: io.BytesIO(self._fetch(url, sas)))

    def used(self, url: str, content: bytes | None = None) -> bytes:
        """What a service gets that uses a grant: reads, or writes `content`. Raises Denied."""
        place, _, query = url.partition("?")
        path = unquote(place.removeprefix(self.base))
        given = {name: values[0] for name, values in parse_qs(query).items()}
        permission, expiry = given.get("sp", ""), given.get("se", "")
        wanted = "r" if content is None else "w"
        genuine = given.get("sig") == _signature(path, permission, expiry)
        if not genuine or wanted not in permission or _past(expiry, self.clock.now()):
            raise Denied(f"{place}: the leave does not allow it, or has expired")
        if content is None:
            return self._read(path, "").content
        self._put(path, content, False, {})
        return b""

    def _get(self, path: str, etag: str, bytes_max: int) -> bytes:
        content = self._read(path, etag).content
        if len(content) > bytes_max:
            raise Refused(f"{path} has {len(content)} bytes, at most {bytes_max} are read")
        return content

    def _read(self, path: str, etag: str) -> StoredBlob:
        try:
            blob = self.stored[checked(path)]
        except KeyError:
            raise NotFound(f"read {path}: it does not exist") from None
        if etag and etag.strip('"') != blob.etag.strip('"'):
            raise Conflict(f"read {path}: it changed")
        return blob

    def _put(
        self, path: str, content: bytes | BinaryIO, if_absent: bool, metadata: Mapping[str, str]
    ) -> str:
        given = content if isinstance(content, bytes) else content.read()
        if if_absent and checked(path) in self.stored:
            raise Conflict(f"write {path}: it exists already")
        self._writes += 1
        etag = f'"0x{self._writes:X}"'
        self.stored[checked(path)] = StoredBlob(given, etag, self.clock.now(), dict(metadata))
        return etag

    def _fetch(self, url: str, sas: str) -> bytes:
        place = url.partition("?")[0]
        if place.startswith(self.base):
            path = unquote(place.removeprefix(self.base))
            leave = sas or url.partition("?")[2]
            if is_model_file(path):
                return self._read(path, "").content
            if not leave:
                raise Misconfigured(f"{path!r} of our own account is named without leave to read")
            return self.used(f"{place}?{leave.lstrip('?')}")
        host = urlsplit(url).netloc
        if host not in self._hosts:
            raise Misconfigured(f"{host!r} is none of the allowed storage hosts")
        if place not in self.foreign:
            raise NotFound(f"read {place}: it does not exist")
        content, leave = self.foreign[place]
        if leave.lstrip("?") != (sas or url.partition("?")[2]).lstrip("?"):
            raise Denied(f"read {place}: its leave has expired, or does not allow reading")
        return content


def checked(path: str) -> str:
    """The path of a blob. Raises Refused for one that is none."""
    container, _, name = path.partition("/")
    segments = name.split("/")
    hostile = CONTROL.search(name) or {"", ".", ".."} & set(segments)
    known = container.replace("-", "").isalnum() and container.isascii() and container.islower()
    if hostile or not known or len(name) > 1024:
        raise Refused(f"{path[:200]!r} is not the path of a blob (container/name)")
    return path


def _properties(path: str, blob: StoredBlob) -> BlobProperties:
    return BlobProperties(path, blob.etag, len(blob.content), blob.modified, blob.metadata)


def _signature(path: str, permission: str, expiry: str) -> str:
    return hashlib.sha256(f"{path}|{permission}|{expiry}|double".encode()).hexdigest()[:32]


def _past(expiry: str, now: datetime) -> bool:
    return not expiry or datetime.fromisoformat(expiry) <= now


class MemoryLedgers(Faulty):
    """One ledger per managed model, kept as the text that would be stored. See `ports.Ledgers`."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, tuple[str, str]] = {}
        self._writes = 0

    def get(self, model: str) -> tuple[Ledger, str]:
        return self._do("get", lambda: self._get(model))

    def put(self, ledger: Ledger, etag: str) -> str:
        return self._do("put", lambda: self._put(ledger, etag))

    def list(self) -> Iterable[tuple[str, Mapping[str, str]]]:
        return self._do(
            "list", lambda: [(model, _status(self._get(model)[0])) for model in sorted(self.texts)]
        )

    def _get(self, model: str) -> tuple[Ledger, str]:
        if model not in self.texts:
            return Ledger(model=model), ""
        text, etag = self.texts[model]
        return Ledger.model_validate_json(text), etag

    def _put(self, ledger: Ledger, etag: str) -> str:
        if self.texts.get(ledger.model, ("", ""))[1] != etag:
            raise Conflict(f"write the ledger of {ledger.model}: it changed")
        self._writes += 1
        written = f'"0x{self._writes:X}"'
        self.texts[ledger.model] = (ledger.model_dump_json(by_alias=True), written)
        return written


def _status(ledger: Ledger) -> dict[str, str]:
    active = ledger.active
    state = ("held" if active.held else "running") if active else "idle"
    return {
        "state": state,
        "run": active.run if active else ledger.last_run,
        "pipeline": active.pipeline if active else "",
        "began": active.began.isoformat() if active else "",
        "due": active.due.isoformat() if active else "",
        "waiting": str(len(ledger.waiting)),
        "finished": ledger.finished_at.isoformat() if ledger.finished_at else "",
        "unknown": str(len(ledger.unknown)),
        "unknown_targets": " ".join(ledger.unknown[:5]),
        "last_run": ledger.last_run,
        "last_result": ledger.last_result,
        "champion": ledger.champion,
    }


class MemoryVersions(Faulty):
    """The version store; its files lie in `blobs`, where grants find them. See `ports.Versions`."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        super().__init__()
        self.blobs = blobs
        self.kept: dict[tuple[str, str], Manifest] = {}
        self.served: dict[tuple[str, datetime, str], InService] = {}

    def put_file(self, path: str, content: BinaryIO, digest: str) -> None:
        self._do("put_file", lambda: self._put_file(path, content, digest))

    def put_manifest(self, manifest: Manifest) -> Manifest:
        key = (manifest.model, manifest.version)
        return self._do("put_manifest", lambda: self.kept.setdefault(key, manifest))

    def manifest(self, model: str, version: str) -> Manifest:
        return self._do("manifest", lambda: self._manifest(model, version))

    def manifests(self, model: str) -> list[Manifest]:
        return self._do("manifests", lambda: self._manifests(model))

    def retire_file(self, manifest: Manifest) -> None:
        self._do("retire_file", lambda: self.blobs.delete(manifest.file))

    def put_in_service(self, record: InService) -> None:
        key = (record.model, record.at, record.run)
        self._do("put_in_service", lambda: self.served.update({key: record}))

    def in_service(self, model: str) -> list[InService]:
        found = [record for (name, *_), record in self.served.items() if name == model]
        return self._do("in_service", lambda: sorted(found, key=lambda record: record.at))

    def _put_file(self, path: str, content: BinaryIO, digest: str) -> None:
        stored = self.blobs.stored.get(path)
        if stored is not None:
            if stored.metadata.get("digest") != digest:
                raise Conflict(f"{path} holds other content")
            return
        given = content.read()
        seen = f"sha256:{hashlib.sha256(given).hexdigest()}"
        if seen != digest:
            raise Misconfigured(f"{path} was to have the digest {digest}, what was read has {seen}")
        self.blobs.put(path, given, if_absent=True, metadata={"digest": digest})

    def _manifest(self, model: str, version: str) -> Manifest:
        for part in (model, version):
            checked(f"{CONTAINER}/{part}.json")
        try:
            return self.kept[model, version]
        except KeyError:
            there = ", ".join(found.version for found in self._manifests(model)) or "none"
            raise NotFound(f"{model!r} has no version {version!r}; there are: {there}") from None

    def _manifests(self, model: str) -> list[Manifest]:
        found = [manifest for (name, _), manifest in self.kept.items() if name == model]
        return sorted(found, key=lambda manifest: (manifest.created, manifest.version))


class MemoryRecords(Faulty):
    """Runs and the inbox. See `ports.Records`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.active: dict[str, dict[str, object]] = {}
        self.ended: dict[str, tuple[str, dict[str, object]]] = {}
        self.items: dict[str, InboxItem] = {}

    def put_active(self, model: str, run: str, document: Mapping[str, object]) -> None:
        def effect() -> None:
            self.active.pop(run, None)
            self.active[run] = dict(document)

        try:
            self._do("put_active", effect)
        except AlmError:
            return  # best effort

    def put_ended(self, run: str, day: str, document: Mapping[str, object]) -> None:
        def effect() -> None:
            self.ended.pop(run, None)
            self.ended[run] = (day, dict(document))
            self.active.pop(run, None)

        self._do("put_ended", effect)

    def run(self, run: str) -> Mapping[str, object]:
        return self._do("run", lambda: self._run(run))

    def runs(
        self, *, model: str = "", days: int = 7, count: int = 200
    ) -> list[Mapping[str, object]]:
        return self._do("runs", lambda: self._runs(model, days, count))

    def put_inbox(self, item: InboxItem) -> None:
        self._do("put_inbox", lambda: self.items.setdefault(item.id, item))

    def inbox(self, count: int = 200) -> list[InboxItem]:
        newest = sorted(self.items.values(), key=lambda item: item.at, reverse=True)
        return self._do("inbox", lambda: newest[:count])

    def inbox_item(self, item_id: str) -> InboxItem:
        return self._do("inbox_item", lambda: self._item(item_id))

    def discard_inbox(self, item_id: str) -> None:
        self._do("discard_inbox", lambda: self.items.pop(item_id, None))

    def _run(self, run: str) -> Mapping[str, object]:
        if run in self.active:
            return self.active[run]
        if run in self.ended:
            return self.ended[run][1]
        raise NotFound(f"there is no record of a run {run!r}; `runs` lists those there are")

    def _runs(self, model: str, days: int, count: int) -> list[Mapping[str, object]]:
        oldest = (self.clock.now() - timedelta(days=days - 1)).strftime("%Y-%m-%d")
        ended = [
            (day, place, document)
            for place, (day, document) in enumerate(self.ended.values())
            if day >= oldest
        ]
        ended.sort(key=lambda entry: entry[:2], reverse=True)
        found = [*reversed(self.active.values()), *(document for *_, document in ended)]
        return [each for each in found if model in ("", each.get("model"))][:count]

    def _item(self, item_id: str) -> InboxItem:
        try:
            return self.items[item_id]
        except KeyError:
            raise NotFound(f"the inbox has no item {item_id!r}") from None


class MemoryModels:
    """The declarations, given as values. See `ports.ManagedModels`."""

    def __init__(self, models: Iterable[ManagedModel] = ()) -> None:
        self.declared = {model.model: model for model in models}
        self.kept: dict[tuple[str, str], ManagedModel] = {}

    def resolve(self, model: str) -> ManagedModel:
        try:
            return self.declared[model]
        except KeyError:
            known = ", ".join(sorted(self.declared)) or "none"
            raise UnknownModel(f"no managed model {model!r}; there are: {known}") from None

    def at(self, model: str, digest: str) -> ManagedModel:
        current = self.declared.get(model)
        if current is not None and current.digest == digest:
            return current
        try:
            return self.kept[model, digest]
        except KeyError:
            raise Misconfigured(f"the declaration {digest} of {model!r} is lost") from None

    def keep(self, model: ManagedModel) -> None:
        self.kept.setdefault((model.model, model.digest), model)
