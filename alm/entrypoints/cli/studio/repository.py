"""Exported documents in the Git repository: `--commit` writes them, `repo:PATH@COMMIT` reads them.

A document that the branch has already is not committed again.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from alm.domain.documents import BYTES_MAX
from alm.domain.errors import NotFound, Refused
from alm.domain.source_control import Change, check_path
from alm.entrypoints.cli.studio import files
from alm.entrypoints.cli.studio.assets import Destination
from alm.entrypoints.cli.studio.desk import Desk
from alm.ports import SourceControl

PREFIX = "repo:"
ID_DIGITS_MIN = 4  # as with git
COMMITS_SEARCHED = 1000

Commit = Annotated[
    bool, typer.Option("--commit", help="Commit it to the Git repository that ALM_GIT names.")
]
Message = Annotated[str, typer.Option("--message", help="What the commit says.")]
PathIn = Annotated[str, typer.Option("--path", help="Its path in the repository.")]


@dataclass(frozen=True)
class Keeping:
    """Whether a document is committed; path and message have defaults."""

    commit: Commit = False
    path: PathIn = ""
    message: Message = ""


def keep(desk: Desk, path: str, content: bytes, message: str) -> dict[str, object]:
    """Commit a document at a path; says what became of it."""
    source_control = desk.connection.source_control()
    try:
        present: bytes | None = source_control.read(check_path(path))
    except NotFound:
        present = None
    if present == content:
        return {"path": path, "commit": "", "committed": "no change"}
    now = desk.clock.now()
    digest = hashlib.sha256(content + path.encode() + now.isoformat().encode()).hexdigest()[:32]
    change = Change(id=f"cli:{digest}", message=message, at=now, files={path: content})
    made = source_control.commit(change)
    return {"path": path, "commit": made.id, "committed": "yes"}


def put_out(
    desk: Desk, content: bytes, name: str, default_path: str, how: tuple[Destination, Keeping]
) -> dict[str, object] | None:
    """Write a document to a file, commit it, or print it; None: it was only printed."""
    out, keeping = how
    if not out.to and not keeping.commit:
        files.write(content, files.STDOUT, force=True)
        return None
    if out.to:
        files.write(content, out.to, force=out.force)
    kept: dict[str, object] = {}
    if keeping.commit:
        path, message = keeping.path or default_path, keeping.message or f"Export {name!r}"
        kept = keep(desk, path, content, message)
    return None if out.to == files.STDOUT else {"file": out.to, **kept}


def content_of(desk: Desk, name: str) -> bytes:
    """A document: a file, or `repo:PATH`, with `@COMMIT` as it was then.

    Raises Refused if the file cannot be read, NotFound if the repository has none there.
    """
    if not is_in_repository(name):
        return files.read(Path(name), bytes_max=BYTES_MAX * 2)
    path, _, at = name.removeprefix(PREFIX).partition("@")
    if not path:
        raise Refused(f"{name!r} names no file; write repo:PATH or repo:PATH@COMMIT")
    source_control = desk.connection.source_control()
    return source_control.read(path, at=_whole(source_control, path, at))


def _whole(source_control: SourceControl, path: str, at: str) -> str:
    """A commit's whole id for the beginning of it, as people copy it; others as they are."""
    if len(at) < ID_DIGITS_MIN or not re.fullmatch("[0-9a-f]{,39}", at):
        return at
    recent = source_control.log(path, count=COMMITS_SEARCHED)
    found = [one.id for one in recent if one.id.startswith(at)]
    if len(found) > 1:
        raise Refused(f"{len(found)} commits of {path} begin with {at}; write more of the id")
    return found[0] if found else at


def is_in_repository(name: str) -> bool:
    """Whether a name is that of a file in the repository."""
    return name.startswith(PREFIX)


def is_document(name: str) -> bool:
    """Whether a name is that of a document, and not of something in a workspace."""
    return is_in_repository(name) or Path(name).is_file()
