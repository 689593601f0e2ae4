"""Source control in memory. See `ports.SourceControl`, and `storage.py` for how calls fail.

repository = MemoryRepository()
MemorySourceControl(clock, repository), MemorySourceControl(clock, repository)  # two processes
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from alm.domain.errors import Misconfigured, NotFound
from alm.domain.source_control import Author, Change, Commit
from alm.ports import Clock
from tests.doubles.faulty import Faulty

AUTHOR = Author(name="azure-studio-alm", email="azure-studio-alm@localhost")
Files = dict[str, bytes]


@dataclass
class MemoryRepository:
    """Commits, oldest first, each with all files as they were then. refusal: why none is taken."""

    commits: list[tuple[Commit, Files]] = field(default_factory=list)
    refusal: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def files(self, at: str = "") -> Files:
        for commit, files in reversed(self.commits):
            if at in ("", commit.id):
                return files
        if at:
            raise NotFound(f"the repository has no commit {at[:80]!r}")
        return {}


class MemorySourceControl(Faulty):
    """One branch of one repository."""

    def __init__(self, clock: Clock, repository: MemoryRepository | None = None) -> None:
        super().__init__()
        self.clock = clock
        self.repository = repository or MemoryRepository()

    def commit(self, change: Change) -> Commit:
        return self._do("commit", lambda: self._commit(change))

    def read(self, path: str, *, at: str = "") -> bytes:
        return self._do("read", lambda: self._read(path, at))

    def log(self, path: str = "", *, count: int = 50) -> Sequence[Commit]:
        return self._do("log", lambda: self._log(path)[:count])

    def list(self, prefix: str = "") -> Sequence[str]:
        paths = self.repository.files()
        return self._do("list", lambda: sorted(p for p in paths if p.startswith(prefix)))

    def _commit(self, change: Change) -> Commit:
        with self.repository.lock:
            for commit, _ in self.repository.commits:
                if commit.change == change.id:
                    return commit
            if self.repository.refusal:
                raise Misconfigured(f"change {change.id} is refused ({self.repository.refusal})")
            files = _changed(self.repository.files(), change)
            commit = self._next(change)
            self.repository.commits.append((commit, files))
            return commit

    def _next(self, change: Change) -> Commit:
        number = len(self.repository.commits)
        return Commit(
            id=hashlib.sha256(f"{number}|{change.id}".encode()).hexdigest()[:40],
            change=change.id,
            message=change.message,
            author=change.author or AUTHOR,
            at=self.clock.now().replace(microsecond=0),
        )

    def _read(self, path: str, at: str) -> bytes:
        try:
            return self.repository.files(at)[path]
        except KeyError:
            raise NotFound(f"the repository has no file {path!r}") from None

    def _log(self, path: str) -> Sequence[Commit]:
        told, before = [], Files()
        for commit, files in self.repository.commits:
            if not path or _below(before, path) != _below(files, path):
                told.append(commit)
            before = files
        return told[::-1]


def _changed(files: Files, change: Change) -> Files:
    after = dict(files)
    for path, content in change.files.items():
        if content is None:
            after.pop(path, None)
            continue
        above = [path[:place] for place, letter in enumerate(path) if letter == "/"]
        if _below(after, path).keys() - {path} or any(folder in after for folder in above):
            raise Misconfigured(f"{path!r}: a folder or a file is in the way")
        after[path] = content
    return after


def _below(files: Files, path: str) -> Files:
    start = path.rstrip("/") + "/"
    return {p: c for p, c in files.items() if p == path or p.startswith(start)}
