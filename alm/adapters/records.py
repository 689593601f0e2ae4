"""What people look at, in blob storage: runs and the inbox. See `ports.Records`.

Ids from outside are data: in blob names they are encoded, and long ones end in a digest. A record
that cannot be read is left out and logged: one bad blob must not hide the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime, timedelta
from urllib.parse import quote

from alm import log
from alm.adapters.blob import AzureBlobs
from alm.domain.errors import AlmError, Conflict, NotFound
from alm.ports import BlobProperties, Clock, InboxItem

RUNS, INBOX, ACTIVE = "alm-runs", "alm-inbox", "active"
NOT_DAYS = (ACTIVE, "orders")  # folders beside those of the days: what is in flight, answers kept
READERS = 8
FEW_DAYS = 7  # are asked for one by one: as many listings as finding out which there are
NAME_LENGTH_MAX = 200  # of an encoded id; the rest of a blob's name is short

Document = Mapping[str, object]


class BlobRecords:
    """Records of one storage account."""

    def __init__(self, blobs: AzureBlobs, clock: Clock) -> None:
        self._blobs = blobs
        self._clock = clock

    def put_active(self, model: str, run: str, document: Document) -> None:
        try:
            self._blobs.put(_active(model, run), _json(document))
        except AlmError as error:
            log.warning("record_not_written", run=run, reason=str(error))

    def put_ended(self, run: str, day: str, document: Document) -> None:
        self._blobs.put(f"{RUNS}/{day}/{_name(run)}", _json(document))
        if document.get("shown"):
            self._blobs.delete(_active(str(document["model"]), run))

    def run(self, run: str) -> Document:
        model = run.rpartition(".r")[0]
        found = self._readable(_active(model, run))
        if found is not None:
            return found
        days = [day for day in self._blobs.folders(RUNS) if day not in NOT_DAYS]
        paths = [f"{RUNS}/{day}/{_name(run)}" for day in sorted(days, reverse=True)]
        for place in range(0, len(paths), READERS):  # a recent one is found with few reads
            for document in self._read_all(paths[place : place + READERS]):
                return document
        raise NotFound(f"there is no record of a run {run!r}; `runs` lists those there are")

    def runs(self, *, model: str = "", days: int = 7, count: int = 200) -> list[Document]:
        ended: list[BlobProperties] = []
        for day in self._days(days):
            ended += _newest_first(self._blobs.list(RUNS, f"{day}/{quote(model, safe='')}"))
            if len(ended) >= count:
                break
        below = f"{ACTIVE}/{quote(model, safe='')}/" if model else f"{ACTIVE}/"
        names = {_last_part(blob) for blob in ended}
        flying = [b for b in self._blobs.list(RUNS, below) if _last_part(b) not in names]
        paths = [blob.path for blob in (*_newest_first(flying), *ended)]
        documents: list[Document] = []
        while paths and len(documents) < count:  # a prefix may find runs of other models too
            batch, paths = paths[:count], paths[count:]
            documents += [each for each in self._read_all(batch) if model in ("", each["model"])]
        return documents[:count]

    def put_inbox(self, item: InboxItem) -> None:
        """Keep an item, unless one of that id was kept on its day or the day before.

        Repeats come within minutes. Looking further back would cost a listing for each item.
        """
        before = _inbox(item.at - timedelta(days=1), item.id)
        if self._is_there(before):
            return
        document = {**asdict(item), "at": item.at.isoformat()}
        try:
            self._blobs.put(_inbox(item.at, item.id), _json(document), if_absent=True)
        except Conflict:
            return

    def inbox(self, count: int = 200) -> list[InboxItem]:
        days = sorted(self._blobs.folders(INBOX), reverse=True)
        found: list[BlobProperties] = []
        for day in days:
            found += _newest_first(self._blobs.list(INBOX, f"{day}/"))
            if len(found) >= count:
                break
        items = [_item(document) for document in self._read_all([blob.path for blob in found])]
        return sorted(items, key=lambda item: item.at, reverse=True)[:count]

    def inbox_item(self, item_id: str) -> InboxItem:
        for path in self._inbox_paths(item_id):
            document = self._readable(path)
            if document is not None:
                return _item(document)
        raise NotFound(f"the inbox has no item {item_id!r}; `inbox` lists what is in it")

    def discard_inbox(self, item_id: str) -> None:
        for path in self._inbox_paths(item_id):
            self._blobs.delete(path)

    def _inbox_paths(self, item_id: str) -> list[str]:
        """Where an item is, the newest first: of a repeat after days there may be two."""
        days = sorted(self._blobs.folders(INBOX), reverse=True)
        paths = [f"{INBOX}/{day}/{_name(item_id)}" for day in days]
        with ThreadPoolExecutor(READERS) as readers:
            there = readers.map(self._is_there, paths)
            return [path for path, is_there in zip(paths, there, strict=True) if is_there]

    def _is_there(self, path: str) -> bool:
        try:
            self._blobs.properties(path)
        except NotFound:
            return False
        return True

    def _days(self, count: int) -> Iterator[str]:
        """The last days, the newest first; of a long time those that have records at all."""
        today = self._clock.now()
        days = (_day(today - timedelta(days=back)) for back in range(count))
        if count <= FEW_DAYS:
            return days
        there = set(self._blobs.folders(RUNS))
        return (day for day in days if day in there)

    def _readable(self, path: str) -> Document | None:
        """A document; None if it went away, or is none."""
        try:
            document = json.loads(self._blobs.get(path))
        except NotFound:
            return None
        except ValueError:
            document = None
        if not isinstance(document, dict) or not _complete(path, document):
            log.warning("record_not_readable", path=path)
            return None
        return document

    def _read_all(self, paths: list[str]) -> list[Document]:
        """Read many small blobs; those that went away meanwhile are left out."""
        with ThreadPoolExecutor(READERS) as readers:
            found = readers.map(self._readable, paths)
            return [document for document in found if document is not None]


def _last_part(blob: BlobProperties) -> str:
    return blob.path.rpartition("/")[2]


def _newest_first(found: Iterable[BlobProperties]) -> list[BlobProperties]:
    return sorted(found, key=lambda blob: blob.modified, reverse=True)


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")


def _active(model: str, run: str) -> str:
    return f"{RUNS}/{ACTIVE}/{quote(model, safe='')}/{_name(run)}"


def _inbox(at: datetime, item_id: str) -> str:
    return f"{INBOX}/{_day(at)}/{_name(item_id)}"


def _name(record_id: str) -> str:
    """The last part of a record's blob name: readable where that is possible, always distinct."""
    given = record_id.encode("utf-8", "surrogatepass")
    encoded = quote(given, safe="")
    if len(encoded) > NAME_LENGTH_MAX:
        encoded = f"{encoded[:100]}~{hashlib.sha256(given).hexdigest()}"
    return f"{encoded}.json"


def _json(document: Document) -> bytes:
    return json.dumps(document, default=str).encode()  # ASCII: text from outside may be half a pair


def _complete(path: str, document: dict[str, object]) -> bool:
    if path.startswith(f"{INBOX}/"):
        return {"id", "at", "source", "reason", "remedy", "payload"} <= document.keys()
    return "model" in document


def _item(document: Document) -> InboxItem:
    known = {name: value for name, value in document.items() if name in InboxItem.__annotations__}
    values = {**known, "at": datetime.fromisoformat(str(document["at"]))}
    return InboxItem(**values)  # type: ignore[arg-type]
