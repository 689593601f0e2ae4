"""Files that are too large for memory: read from and written to blob storage piece by piece."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO
from uuid import uuid4

from azure.storage.blob import BlobBlock

from alm.adapters.storage_errors import told
from alm.adapters.storage_transport import PIECE_BYTES, file_ends


class Pieces(io.RawIOBase):
    """A download as a file that is read once, forwards."""

    def __init__(self, path: str, chunks: Iterable[bytes]) -> None:
        self._path = path
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            with told(f"read {self._path}"):
                chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def reader(path: str, chunks: Iterable[bytes]) -> BinaryIO:
    """A download as an open file."""
    return io.BufferedReader(Pieces(path, chunks), PIECE_BYTES)


def write(client: Any, content: BinaryIO, conditions: dict[str, Any]) -> str:
    """Write a file; it appears as a whole, after its last byte was read, or not at all.

    The parts have names of their own, so that two writers at once cannot mix theirs. (The SDK's
    own upload of streams numbers them, and would.) Returns the ETag.
    """
    ends = file_ends()
    pieces = _full_pieces(content)
    piece = next(pieces, b"")
    following = next(pieces, None)
    if following is None:
        return str(client.upload_blob(piece, **_overwriting(conditions), **ends)["etag"])
    upload = uuid4().hex
    blocks: list[BlobBlock] = []
    while piece:
        block = f"{upload}-{len(blocks):06d}"
        client.stage_block(block, piece, len(piece), **ends)
        blocks.append(BlobBlock(block))
        piece, following = following or b"", next(pieces, None)
    return str(client.commit_block_list(blocks, **conditions, **ends)["etag"])


def _overwriting(conditions: dict[str, Any]) -> dict[str, Any]:
    """`upload_blob` refuses to overwrite unless told; the conditions say what may be there."""
    return {"overwrite": True, **conditions}


def _full_pieces(content: BinaryIO) -> Iterator[bytes]:
    while piece := _filled(content):
        yield piece


def _filled(content: BinaryIO) -> bytes:
    """The next piece of a file that may give less than it is asked for."""
    parts: list[bytes] = []
    size = 0
    while size < PIECE_BYTES and (part := content.read(PIECE_BYTES - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)
