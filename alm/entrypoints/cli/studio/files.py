"""Files of whoever calls: read and written piece by piece, with progress on the error stream.

A file appears whole or not at all, and is not written over unless that was said.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from alm.domain.errors import Refused
from alm.entrypoints.cli.studio.desk import Desk

PIECE_BYTES = 1 << 20
STDOUT = "-"


def read(path: Path, *, bytes_max: int) -> bytes:
    """A small file, whole. Raises Refused if it cannot be read."""
    try:
        if path.stat().st_size > bytes_max:
            raise Refused(f"{path} has more than {bytes_max:,} bytes; is it the right file?")
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}); correct its name") from error


def digest_of(desk: Desk, path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file. Raises Refused if it cannot be read or is empty."""
    seen = hashlib.sha256()
    with reading(desk, path, f"reading {path.name}") as content:
        while piece := content.read(PIECE_BYTES):
            seen.update(piece)
    return seen.hexdigest(), path.stat().st_size


@contextmanager
def reading(desk: Desk, path: Path, doing: str) -> Iterator[BinaryIO]:
    """A file opened to be read, with progress. Raises Refused if it cannot be, or is empty."""
    try:
        size = path.stat().st_size
        if not size:
            raise Refused(f"{path} is empty; a dataset has at least one row")
        handle = path.open("rb")
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}); correct its name") from error
    if not desk.console.is_terminal:
        desk.tell(f"{doing}: {size:,} bytes")
    with handle, progress(desk.console) as shown:
        yield shown.wrap_file(handle, total=size, description=doing)


def save(desk: Desk, content: BinaryIO, to: str, *, doing: str, force: bool) -> int:
    """Write what comes into a file (`-`: the standard output); returns how many bytes came."""
    if to == STDOUT:
        return _copy(content, sys.stdout.buffer)
    path = Path(to)
    if path.exists() and not force:
        raise Refused(f"{path} exists; name another with --to, or write over it with --force")
    aside = path.with_name(f".{path.name}.part")
    try:
        with aside.open("wb") as handle, progress(desk.console) as shown:
            task = shown.add_task(doing, total=None)
            size = _copy(content, handle, lambda count: shown.advance(task, count))
        aside.replace(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror}); name another") from error
    finally:
        aside.unlink(missing_ok=True)
    if not desk.console.is_terminal:
        desk.tell(f"{doing}: {size:,} bytes")
    return size


def write(text: bytes, to: str, *, force: bool) -> None:
    """Write a document into a file (`-`: the standard output)."""
    if to == STDOUT:
        sys.stdout.write(text.decode())
        return
    path = Path(to)
    if path.exists() and not force and path.read_bytes() != text:
        raise Refused(f"{path} exists; name another with --to, or write over it with --force")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror}); name another") from error


def progress(console: Console) -> Progress:
    """A bar with bytes and time, gone when it is over; without a terminal callers tell a line."""
    parts = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    more = (TransferSpeedColumn(), TimeRemainingColumn())
    return Progress(*parts, *more, console=console, transient=True, disable=not console.is_terminal)


def _copy(source: BinaryIO, target: BinaryIO, told: object = None) -> int:
    total = 0
    with source:
        while piece := source.read(PIECE_BYTES):
            target.write(piece)
            total += len(piece)
            if callable(told):
                told(len(piece))
    return total
