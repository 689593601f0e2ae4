"""Protocols of version control: a part of `ports.py`, which names them too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alm.domain.source_control import Change, Commit, Flushed, Repository, Stored, Waiting


class SourceControl(Protocol):
    """Definitions, graphs and manifests under version control: one branch of one repository."""

    def commit(self, change: Change) -> Commit:
        """Commit the files of a change on the branch; one that was committed before is found again.

        A change that alters nothing is a commit too: that it was made is what history tells. The
        first commit makes the branch. Raises Unavailable if the repository cannot be reached or
        keeps moving, Unknown if the answer was lost (repeat it: it looks first), Denied for bad
        credentials, Misconfigured if there is no such repository or it refuses the change.
        """
        ...

    def read(self, path: str, *, at: str = "") -> bytes:
        """A file as the branch has it, or as it was at a commit. Raises NotFound."""
        ...

    def log(self, path: str = "", *, count: int = 50) -> Sequence[Commit]:
        """The last commits, newest first; with `path`, those that changed that file or folder."""
        ...

    def list(self, prefix: str = "") -> Sequence[str]:
        """The paths of the files that begin with `prefix`, sorted."""
        ...


class Outbox(Protocol):
    """Changes on their way to source control: none is lost while the repository is away."""

    def put(self, change: Change, stored: Mapping[str, Stored] | None = None) -> None:
        """Keep a change until it is committed; the same id again is harmless, the first counts.

        stored: more of its files, by where their content lies; read when they are committed.
        """
        ...

    def pending(self, count: int = 200) -> Sequence[Waiting]:
        """The changes that wait, oldest first."""
        ...

    def flush(
        self, source_control: SourceControl, deadline: datetime, *, again: bool = False
    ) -> Flushed:
        """Commit what waits, in order; no commit is begun after `deadline`.

        A repository that is away ends it; what fails so again and again lets others go first. A
        change that is refused is held, with those after it that touch the same files, and tried
        again later; the others go on. again: try those that are held now, something was mended.
        """
        ...

    def discard(self, change_id: str) -> None:
        """Give a change up; harmless if it does not wait."""
        ...


@dataclass(frozen=True)
class VersionControl:
    """The repository that is configured, and how changes come there."""

    repository: Repository
    source: SourceControl
    outbox: Outbox
