"""Source control in a Git repository, with dulwich. See `ports.SourceControl`.

A commit is made on the newest one of the branch and pushed; if somebody pushed meanwhile, it is
made again on theirs. A push counts only once its commit was read back from the branch: there are
servers that say yes to a push that lost against another one. What is not promised: signed commits,
hooks of a local repository, Git LFS, submodules.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import uniform
from typing import TYPE_CHECKING

from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID, ShaFile

from alm import log
from alm.adapters.git_history import Walk, commit_of, search, told, touched
from alm.adapters.git_http import HttpRemote
from alm.adapters.git_local import LocalRemote
from alm.adapters.git_remote import Push, Remote, View
from alm.adapters.git_trees import changed, found, listed
from alm.domain.errors import Misconfigured, NotFound, Unavailable, Unknown
from alm.domain.source_control import Change, Commit, Repository

if TYPE_CHECKING:
    from alm.adapters.http import Http
    from alm.adapters.identity import Identity
    from alm.ports import Clock

PUSHES_MAX = 10  # more lost races in a row mean a storm: the caller comes back later
PAUSE_SECONDS = 0.05  # at most, times the races lost; the winners of a race are done in that time
DEPTH = 20  # commits that are looked at first: minutes of a busy repository
DEEPER = 16  # times as many when that is not enough
LOG_DEPTH_MAX = 5000  # commits that `log` looks through for a path

_COMMIT_ID = re.compile(r"[0-9a-f]{40}")


class GitSourceControl:
    """One branch of one repository; any number of threads may use it, one works at a time."""

    def __init__(
        self,
        repository: Repository,
        remote: Remote,
        clock: Clock,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._repository = repository
        self._remote = remote
        self._clock = clock
        self._pause = pause
        self._lock = threading.Lock()

    @classmethod
    def connect(
        cls, repository: Repository, http: Http, identity: Identity, clock: Clock
    ) -> GitSourceControl:
        """The repository at its URL or path; nothing is called or opened yet."""
        # what it logs while debugging are the packets themselves: contents, and what servers quote
        logging.getLogger("dulwich.protocol").setLevel(logging.INFO)
        if repository.is_local:
            return cls(repository, LocalRemote(repository), clock)
        return cls(repository, HttpRemote(repository, http, identity), clock)

    def commit(self, change: Change) -> Commit:
        """Commit a change on the branch. See `ports.SourceControl.commit`."""
        with self._turn():
            view = self._remote.look(known=True)
            if self._made(view, change):
                view = self._remote.look()  # it counts only if it is still there
            said = ""
            for lost in range(PUSHES_MAX + 1):
                made = self._made(view, change)
                if made:
                    return told(made)
                if lost < PUSHES_MAX:
                    view, said = self._try(view, change, lost)
        raise Unavailable(
            f"change {change.id} is not committed: {PUSHES_MAX} pushes to branch "
            f"{self._repository.branch} of {self._repository.url} lost against others "
            f"({said or 'the branch holds other commits'}); it is tried again"
        )

    def read(self, path: str, *, at: str = "") -> bytes:
        with self._turn():
            view = self._remote.look()
            commit = self._commit(view, at, path)
            sha = found(view.objects, commit.tree, path)
            return self._remote.content(view, commit, sha)

    def list(self, prefix: str = "") -> Sequence[str]:
        with self._turn():
            view = self._remote.look()
            if view.tip is None:
                return []
            return list(listed(view.objects, self._tip(view).tree, prefix))

    def log(self, path: str = "", *, count: int = 50) -> Sequence[Commit]:
        with self._turn():
            view, depth = self._remote.look(), max(count, DEPTH)
            if view.tip is None:
                return []
            while True:
                grew = self._remote.deepen(view, depth + 1, trees=bool(path))
                commits, is_cut = _log(view, view.tip, path, count)
                if len(commits) >= count or not is_cut or not grew or depth >= LOG_DEPTH_MAX:
                    return commits
                depth *= DEEPER

    def close(self) -> None:
        """Let go of what is kept open; it may still be used."""
        self._remote.close()

    def _try(self, view: View, change: Change, lost: int) -> tuple[View, str]:
        """Push the change on top of what was seen; returns what is seen then, and what was said."""
        tip, objects = self._build(view, change)
        push = self._remote.push(view, tip, objects)
        if push.kind == "moved":
            self._pause(uniform(0, PAUSE_SECONDS * (lost + 1)))
        after = self._look_after(push, change)
        if push.kind == "refused" and after.tip == view.tip:
            raise Misconfigured(
                f"{self._repository.url} refuses change {change.id} on branch "
                f"{self._repository.branch} ({push.said or 'without a reason'}); let the app push "
                "to that branch, name another one, or make the change smaller"
            )
        if after.tip != tip:
            log.info("push_lost", change=change.id, said=push.said)
        return after, push.said

    def _look_after(self, push: Push, change: Change) -> View:
        try:
            return self._remote.look()
        except Unavailable as error:
            if push.kind != "accepted":
                raise
            raise Unknown(
                f"change {change.id} was pushed, but the branch could not be read back ({error}); "
                "look before pushing again"
            ) from error

    def _build(self, view: View, change: Change) -> tuple[ObjectID, Sequence[ShaFile]]:
        root = self._tip(view).tree if view.tip else None
        tree, objects = changed(view.objects, root, change.files)
        author, now = self._repository.author, self._clock.now()
        commit = commit_of(change, tree, view.tip, author, now)
        return commit.id, [*objects, commit]

    def _made(self, view: View, change: Change) -> GitCommit | None:
        """The commit that holds the change, if an attempt made it."""
        depth = DEPTH
        while view.tip is not None:
            result = search(view.objects, view.tip, change)
            if result.commit or not result.cut:
                return result.commit
            depth *= DEEPER
            if not self._remote.deepen(view, depth):
                return None
        return None

    def _commit(self, view: View, at: str, path: str) -> GitCommit:
        if view.tip is None:
            raise NotFound(f"the repository has no file {path!r}: its branch has no commits yet")
        if not at:
            return self._tip(view)
        if not _COMMIT_ID.fullmatch(at):
            raise NotFound(
                f"{at[:80]!r} is no commit id (40 hex digits); `alm repository log` names them"
            )
        return self._remote.commit_at(view, ObjectID(at.encode()))

    def _tip(self, view: View) -> GitCommit:
        assert view.tip is not None
        commit = view.objects(view.tip)
        assert isinstance(commit, GitCommit), view.tip
        return commit

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One operation at a time, within its deadline; waiting for the others counts too."""
        with self._remote.within():
            if not self._lock.acquire(timeout=self._remote.seconds_max):
                raise Unavailable(
                    f"{self._repository.url} is busy with other changes of this process; "
                    "it is tried again"
                )
            try:
                yield
            finally:
                self._lock.release()


def _log(view: View, tip: ObjectID, path: str, count: int) -> tuple[list[Commit], bool]:
    """Commits that touched a path, and whether there may be more than are at hand."""
    commits: list[Commit] = []
    walk = Walk(view.objects, tip)
    for commit in walk:
        if len(commits) == count:
            break
        try:
            if not path or touched(view.objects, commit, path):
                commits.append(told(commit))
        except KeyError:  # its tree is not at hand
            return commits, True
    return commits, bool(walk.cut)
