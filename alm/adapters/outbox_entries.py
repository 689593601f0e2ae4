"""How changes that wait to be committed lie in blob storage.

    alm-definitions/_commits/{id}.json               a change; written once, never altered
    alm-definitions/_commits/files/{id}/{digest}     content that is too large to stand in it
    alm-definitions/_commits/held/{id}.json          that it was refused, how often, when next

Their order is that of storage's own clock, which all machines share; it counts in seconds, so that
within one the clocks of the machines decide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import quote, unquote

from pydantic import AwareDatetime, Field, ValidationError

from alm.domain.canonical import canonical_json
from alm.domain.errors import Conflict, Misconfigured, NotFound, Refused
from alm.domain.frozen import Frozen
from alm.domain.messages import describe
from alm.domain.source_control import Author, Change, Stored, check_paths, check_size
from alm.ports import Blobs, Clock

CONTAINER = "alm-definitions"
ENTRIES = "_commits/"
HELD, FILES = f"{ENTRIES}held/", f"{ENTRIES}files/"
TEXT_BYTES_MAX = 64 << 10  # larger contents lie beside the entry, which stays quick to read
ORPHAN_AGE = timedelta(days=1)  # of what belongs to an entry that was never written, or is gone


class Text(Frozen):
    text: str


class Entry(Frozen):
    """A change as it waits: of each file its text, where it lies, or (None) that it is deleted."""

    id: str
    message: str
    at: AwareDatetime
    author: Author | None = None
    created: AwareDatetime
    files: dict[str, Text | Stored | None] = Field(repr=False)


class Hold(Frozen):
    """That a change was refused."""

    tries: int
    reason: str
    retry_at: AwareDatetime


@dataclass(frozen=True)
class Place:
    """An entry as it is listed."""

    id: str
    since: datetime
    is_held: bool


class OutboxEntries:
    """The entries of one storage account."""

    def __init__(self, blobs: Blobs, clock: Clock) -> None:
        self._blobs = blobs
        self._clock = clock

    def put(self, change: Change, stored: Mapping[str, Stored]) -> None:
        """Write an entry, unless there is one of that id."""
        both = sorted(stored.keys() & change.files.keys())
        if both:
            raise Refused(f"change {change.id} names {both[0]!r} twice: by content, and by blob")
        check_paths({**dict.fromkeys(stored, b""), **change.files})
        sizes = [len(content or b"") for content in change.files.values()]
        check_size(sum(sizes) + sum(file.size for file in stored.values()))
        files = {path: self._put_file(change.id, text) for path, text in change.files.items()}
        entry = Entry(
            id=change.id,
            message=change.message,
            at=change.at,
            author=change.author,
            created=self._clock.now(),
            files={**files, **stored},
        )
        try:
            content = canonical_json(entry.model_dump(mode="json"))
            self._blobs.put(_entry(change.id), content, if_absent=True)
        except Conflict:
            return  # it was asked for before: that one counts

    def places(self) -> list[Place]:
        """All entries, oldest first; what belongs to none of them is deleted when it is old."""
        since: dict[str, datetime] = {}
        beside: list[tuple[str, str, datetime]] = []
        for blob in self._blobs.list(CONTAINER, ENTRIES):
            if blob.path.startswith(f"{CONTAINER}/{HELD}"):
                beside.append((_id(blob.path), blob.path, blob.modified))
            elif blob.path.startswith(f"{CONTAINER}/{FILES}"):
                beside.append((unquote(blob.path.split("/")[3]), blob.path, blob.modified))
            else:
                since[_id(blob.path)] = blob.modified
        held = {id for id, path, _ in beside if path == _hold(id)}
        self._delete_orphans([each for each in beside if each[0] not in since])
        found = [Place(id, at, id in held) for id, at in since.items()]
        return sorted(found, key=lambda place: (place.since, place.id))

    def read(self, places: list[Place]) -> Iterator[tuple[Place, Entry | Misconfigured]]:
        """Read entries when they are wanted, in the order in which they were made.

        One that is gone was committed meanwhile, and is left out; of one that cannot be read, why.
        """
        for _, same in groupby(places, key=lambda place: place.since):
            entries = [(place, self._entry(place.id)) for place in same]
            known = [(place, entry) for place, entry in entries if entry is not None]
            yield from sorted(known, key=lambda found: _made(found[1]))

    def change(self, entry: Entry) -> Change:
        """The change of an entry, with all contents. Raises Misconfigured if one is lost."""
        files = {path: self._content(path, file) for path, file in entry.files.items()}
        try:
            return Change(
                id=entry.id, message=entry.message, at=entry.at, author=entry.author, files=files
            )
        except ValidationError as error:
            raise _unreadable(entry.id, error) from error

    def hold_of(self, place: Place) -> Hold | None:
        """What is known of a change that was refused; None if it was not."""
        if not place.is_held:
            return None
        try:
            return Hold.model_validate_json(self._blobs.get(_hold(place.id)))
        except (NotFound, ValidationError):
            return None

    def hold(self, place: Place, hold: Hold) -> None:
        self._blobs.put(_hold(place.id), canonical_json(hold.model_dump(mode="json")))

    def delete(self, change_id: str) -> None:
        """Delete an entry, then what belongs to it. Harmless if it is not there."""
        self._blobs.delete(_entry(change_id))
        self._blobs.delete(_hold(change_id))
        for blob in list(self._blobs.list(CONTAINER, f"{FILES}{_name(change_id)}/")):
            self._blobs.delete(blob.path)

    def _put_file(self, change_id: str, content: bytes | None) -> Text | Stored | None:
        if content is None:
            return None
        if len(content) <= TEXT_BYTES_MAX:
            try:
                return Text(text=content.decode())
            except UnicodeDecodeError:
                pass  # it is no text: it lies beside the entry
        digest = hashlib.sha256(content).hexdigest()
        path = f"{CONTAINER}/{FILES}{_name(change_id)}/{digest}"
        self._blobs.put(path, content)
        return Stored(blob=path, size=len(content), digest=f"sha256:{digest}")

    def _entry(self, change_id: str) -> Entry | Misconfigured | None:
        try:
            return Entry.model_validate_json(self._blobs.get(_entry(change_id)))
        except NotFound:
            return None
        except ValidationError as error:
            return _unreadable(change_id, error)

    def _content(self, path: str, file: Text | Stored | None) -> bytes | None:
        if file is None or isinstance(file, Text):
            return file.text.encode() if file else None
        try:
            content = self._blobs.get(file.blob, bytes_max=file.size)
        except (NotFound, Refused) as error:
            raise Misconfigured(
                f"the content of {path} is not there any more ({error}); restore that blob, or "
                "discard the change"
            ) from error
        seen = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if seen != file.digest:
            raise Misconfigured(
                f"{file.blob} was to have the digest {file.digest}, and has {seen}: it was "
                "replaced since; restore that blob, or discard the change"
            )
        return content

    def _delete_orphans(self, beside: list[tuple[str, str, datetime]]) -> None:
        for _, path, modified in beside:
            if modified < self._clock.now() - ORPHAN_AGE:
                self._blobs.delete(path)


def _unreadable(change_id: str, error: ValidationError) -> Misconfigured:
    return Misconfigured(
        f"{_entry(change_id)} cannot be read ({describe(error)}); restore an earlier version of "
        "that blob, or discard the change"
    )


def _made(entry: Entry | Misconfigured) -> tuple[bool, float, str]:
    if isinstance(entry, Misconfigured):
        return True, 0.0, str(entry)
    return False, entry.created.timestamp(), entry.id


def _entry(change_id: str) -> str:
    return f"{CONTAINER}/{ENTRIES}{_name(change_id)}.json"


def _hold(change_id: str) -> str:
    return f"{CONTAINER}/{HELD}{_name(change_id)}.json"


def _name(change_id: str) -> str:
    return quote(change_id, safe="")


def _id(path: str) -> str:
    return unquote(path.rpartition("/")[2].removesuffix(".json"))
