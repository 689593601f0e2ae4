"""Blobs on disk: one file per blob, what is known of it in SQLite; a crash leaves no half blob."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import BaseModel, Field

from devstack.studio.names import digest_of, new_id
from devstack.studio.store import Store

# Read and written in pieces, so that memory stays flat whatever a blob's size.
PIECE_BYTES = 1024 * 1024


class ContainerRecord(BaseModel):
    """Key: name."""

    name: str
    etag: str
    modified: float


class BlobRecord(BaseModel):
    """Key: container/name."""

    container: str
    name: str
    file: str
    length: int
    etag: str
    modified: float
    content_type: str = "application/octet-stream"
    metadata: dict[str, str] = Field(default_factory=dict)


class BlockRecord(BaseModel):
    """Key: digest of container/name, slash, block id. A block not yet committed."""

    block_id: str
    file: str
    length: int


class BlobStore:
    """Containers and block blobs."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._files = folder / "files"
        self._files.mkdir(parents=True, exist_ok=True)
        self._store = Store(folder / "blobs.db")
        self._clock = clock
        self.lock = threading.RLock()

    def close(self) -> None:
        """Close the file behind the store."""
        self._store.close()

    def container(self, name: str) -> ContainerRecord | None:
        """What is known of a container."""
        return self._store.get(ContainerRecord, name)

    def containers(self) -> list[ContainerRecord]:
        """All containers by name."""
        return self._store.list(ContainerRecord)

    def create_container(self, name: str) -> bool:
        """Create a container; whether it was not there."""
        with self.lock, self._store.transaction():
            if self.container(name) is not None:
                return False
            record = ContainerRecord(name=name, etag=_etag(), modified=self._clock())
            self._store.put(name, record)
        return True

    def delete_container(self, name: str) -> None:
        """Delete a container with its blobs."""
        with self.lock:
            for blob in self.blobs(name):
                self.delete(blob)
            self._store.delete(ContainerRecord, name)

    def blob(self, container: str, name: str) -> BlobRecord | None:
        """What is known of a blob."""
        return self._store.get(BlobRecord, f"{container}/{name}")

    def blobs(
        self, container: str, prefix: str = "", after: str = "", limit: int = -1
    ) -> list[BlobRecord]:
        """Blobs whose names begin with a prefix, in order, after a name."""
        start = f"{container}/{after}" if after else ""
        return self._store.list(BlobRecord, f"{container}/{prefix}", start, limit)

    def receive(self, read: Callable[[int], bytes], length: int) -> str | None:
        """Write what is read into a new file; its name, None when too few bytes came."""
        name, left = new_id(), length
        with (self._files / name).open("wb") as file:
            while left and (piece := read(min(left, PIECE_BYTES))):
                file.write(piece)
                left -= len(piece)
        if left:
            self._remove(name)
            return None
        return name

    def put(
        self, container: str, name: str, file: str, content_type: str, metadata: dict[str, str]
    ) -> BlobRecord:
        """Make a received file the content of a blob."""
        record = BlobRecord(
            container=container,
            name=name,
            file=file,
            length=(self._files / file).stat().st_size,
            etag=_etag(),
            modified=self._clock(),
            content_type=content_type,
            metadata=metadata,
        )
        with self.lock:
            old = self.blob(container, name)
            self._store.put(f"{container}/{name}", record)
            if old is not None:
                self._remove(old.file)
        return record

    def put_metadata(self, record: BlobRecord, metadata: dict[str, str]) -> BlobRecord:
        """Give a blob other metadata."""
        changed = record.model_copy(
            update={"metadata": metadata, "etag": _etag(), "modified": self._clock()}
        )
        self._store.put(f"{record.container}/{record.name}", changed)
        return changed

    def put_block(self, container: str, name: str, block_id: str, file: str) -> None:
        """Keep a block until its list is committed."""
        length = (self._files / file).stat().st_size
        block = BlockRecord(block_id=block_id, file=file, length=length)
        self._store.put(_block_key(container, name) + block_id, block)

    def join_blocks(self, container: str, name: str, block_ids: Iterable[str]) -> str | None:
        """A new file of blocks in this order; None when one of them was not put."""
        key = _block_key(container, name)
        blocks = {block.block_id: block for block in self._store.list(BlockRecord, key)}
        wanted = list(block_ids)
        if any(block_id not in blocks for block_id in wanted):
            return None
        joined = new_id()
        with (self._files / joined).open("wb") as target:
            for block_id in wanted:
                self._copy(blocks[block_id].file, target.write)
        for block in blocks.values():
            self._store.delete(BlockRecord, key + block.block_id)
            self._remove(block.file)
        return joined

    def delete(self, record: BlobRecord) -> None:
        """Delete a blob."""
        with self.lock:
            self._store.delete(BlobRecord, f"{record.container}/{record.name}")
            self._remove(record.file)

    def send(
        self, record: BlobRecord, start: int, length: int, write: Callable[[bytes], object]
    ) -> None:
        """Write a part of a blob's content."""
        self._copy(record.file, write, start, length)

    def _copy(
        self,
        file: str,
        write: Callable[[bytes], object],
        start: int = 0,
        length: int | None = None,
    ) -> None:
        with (self._files / file).open("rb") as source:
            source.seek(start)
            left = length
            while left is None or left > 0:
                piece = source.read(PIECE_BYTES if left is None else min(left, PIECE_BYTES))
                if not piece:
                    return
                write(piece)
                left = None if left is None else left - len(piece)

    def _remove(self, file: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self._files / file).unlink()


def _block_key(container: str, name: str) -> str:
    return digest_of(f"{container}/{name}".encode()) + "/"


def _etag() -> str:
    return f'"0x{new_id()[:15].upper()}"'
