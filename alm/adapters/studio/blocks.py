"""Content of known size, cut into blocks for an upload, and found out if it changes meanwhile."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import BinaryIO

from alm.domain.errors import Conflict, Refused

BLOCK_BYTES = 4 << 20  # what storage took as one block then; it is all that is held in memory


def size_of(content: BinaryIO) -> int:
    """How many bytes are left of a file that can seek; it stays where it is.

    Raises Refused if it cannot: its size must be given.
    """
    if not content.seekable():
        raise Refused("the size of content that cannot seek must be given with it")
    here = content.tell()
    end = content.seek(0, io.SEEK_END)
    content.seek(here)
    return end - here


def block_count(size: int) -> int:
    return -(-size // BLOCK_BYTES)


def blocks(content: BinaryIO, size: int, digest: str) -> Iterator[bytes]:
    """The blocks of `size` bytes; whoever takes them all knows that they are what was announced.

    digest: their SHA-256 in hex, "" if it is not known. Raises Conflict if there are fewer or more
    bytes, or others.
    """
    seen = hashlib.sha256()
    for number in range(block_count(size)):
        wanted = min(BLOCK_BYTES, size - number * BLOCK_BYTES)
        block = _filled(content, wanted)
        if len(block) < wanted:
            raise _changed(f"it ended after {number * BLOCK_BYTES + len(block)} of {size} bytes")
        seen.update(block)
        if number + 1 == block_count(size):
            _check_end(content, size, digest, seen.hexdigest())
        yield block


def _check_end(content: BinaryIO, size: int, digest: str, seen: str) -> None:
    if content.read(1):
        raise _changed(f"it has more than {size} bytes")
    if digest and seen != digest.lower():
        raise _changed(f"its digest is {seen}, not {digest}")


def _changed(seen: str) -> Conflict:
    return Conflict(
        f"the content changed while it was uploaded: {seen}; nothing was registered, upload it anew"
    )


def _filled(content: BinaryIO, size: int) -> bytes:
    """So many bytes of a file that may give less than it is asked for, or fewer at its end."""
    first = content.read(size)
    if len(first) == size or not first:
        return first
    parts = [first]
    missing = size - len(first)
    while missing and (part := content.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
