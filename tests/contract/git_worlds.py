"""Source control as the contract suite sees it: the double, a disk, and two servers over HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from dulwich.repo import Repo

from alm.adapters.git import GitSourceControl
from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.domain.source_control import Repository
from alm.ports import SourceControl
from tests.contract.git_server import DulwichApplication, GitApplication, GitServer
from tests.doubles.source_control import MemoryRepository, MemorySourceControl
from tests.doubles.storage import FixedClock

TOKEN = "canary-token-4711"
SECRET = "env:GIT_TOKEN"
has_git = shutil.which("git") is not None


class GitWorld(Protocol):
    """A repository that is empty at first. path: where it lies; None in memory."""

    clock: FixedClock
    source_control: SourceControl
    path: Path | None

    def another(self) -> SourceControl:
        """What another process has: the same repository, nothing of the first one's memory."""
        ...

    def refuse(self, text: str) -> None:
        """Let the repository refuse every push."""
        ...

    def allow(self) -> None: ...

    def close(self) -> None: ...


class MemoryGitWorld:
    """The double."""

    path = None

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock()
        self._repository = MemoryRepository()
        self.source_control = self.another()

    def another(self) -> MemorySourceControl:
        return MemorySourceControl(self.clock, self._repository)

    def refuse(self, text: str) -> None:
        self._repository.refusal = text

    def allow(self) -> None:
        self._repository.refusal = ""

    def close(self) -> None: ...


class DiskGitWorld:
    """A bare repository on a disk, created by the adapter. It has no hooks: it never refuses."""

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock()
        self.path = folder / "models.git"
        self._opened: list[GitSourceControl] = []
        self.source_control = self.another()

    def another(self) -> GitSourceControl:
        opened = connected(Repository(url=str(self.path)), self.clock, {})
        self._opened.append(opened)
        return opened

    def refuse(self, text: str) -> None:
        raise AssertionError("not possible here")

    def allow(self) -> None:
        raise AssertionError("not possible here")

    def close(self) -> None:
        for each in self._opened:
            each.close()


class HttpGitWorld:
    """dulwich's own server."""

    application = DulwichApplication

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock()
        self.path = folder / "models.git"
        Repo.init_bare(str(self.path), mkdir=True, default_branch=b"main").close()
        self.served = self.application(self.path)
        self.server = GitServer(self.served, password=TOKEN)
        self._opened: list[GitSourceControl] = []
        self.source_control = self.another()

    def another(self, **fields: object) -> GitSourceControl:
        given = {"url": self.server.url, "token": SECRET, **fields}
        repository = Repository.model_validate(given)
        opened = connected(repository, self.clock, {"GIT_TOKEN": TOKEN})
        self._opened.append(opened)
        return opened

    def refuse(self, text: str) -> None:
        self.served.refuse(text)

    def allow(self) -> None:
        self.served.allow()

    def close(self) -> None:
        for each in self._opened:
            each.close()
        self.server.close()
        self.served.close()


class GitBackendWorld(HttpGitWorld):
    """Git's own server."""

    application = GitApplication


def connected(
    repository: Repository,
    clock: FixedClock,
    environment: Mapping[str, str],
    *,
    seconds: float = 20,
) -> GitSourceControl:
    http = Http(("127.0.0.1",), deadline_seconds=seconds)
    return GitSourceControl.connect(repository, http, Identity(environment, clock), clock)
