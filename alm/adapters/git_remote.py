"""What the Git adapter needs of the place where a branch lives: over HTTP, or on a disk."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from dulwich.errors import (
    ApplyDeltaError,
    ChecksumMismatch,
    FileFormatException,
    GitProtocolError,
    NotGitRepository,
    WrongObjectException,
)
from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID, ShaFile

from alm.adapters.git_trees import Objects

UNREADABLE = (
    *(ApplyDeltaError, ChecksumMismatch, FileFormatException, WrongObjectException),
    *(GitProtocolError, NotGitRepository, zlib.error, struct.error, EOFError),
)
"""What dulwich raises for objects and answers that it cannot read."""


@dataclass(frozen=True)
class View:
    """A branch as it was seen: its newest commit (None: there is no such branch), and objects."""

    tip: ObjectID | None
    objects: Objects


@dataclass(frozen=True)
class Push:
    """What became of a push. said: what the other side gave as its reason."""

    kind: Literal["accepted", "moved", "refused"]
    said: str = ""


class Remote(Protocol):
    """Where a branch lives. Used by one thread at a time, inside `within`."""

    seconds_max: float

    def within(self) -> AbstractContextManager[None]:
        """The total deadline of one operation."""
        ...

    def look(self, *, known: bool = False) -> View:
        """See where the branch is; its newest commits and the newest tree are at hand then.

        known: what was seen last is good enough, if anything was.
        Raises Unavailable, Denied, Misconfigured (no such repository).
        """
        ...

    def deepen(self, view: View, commits: int, *, trees: bool = False) -> bool:
        """Have the last so many commits at hand, with their trees too; False if none are new."""
        ...

    def commit_at(self, view: View, commit_id: ObjectID) -> GitCommit:
        """A commit, its tree at hand. Raises NotFound."""
        ...

    def content(self, view: View, commit: GitCommit, sha: ObjectID) -> bytes:
        """The content of a file of a commit."""
        ...

    def push(self, view: View, commit: ObjectID, objects: Sequence[ShaFile]) -> Push:
        """Let the branch go on from `view.tip` to a commit, with the objects that it brings.

        Raises as `look`, and Unknown if the answer was lost.
        """
        ...

    def close(self) -> None: ...
