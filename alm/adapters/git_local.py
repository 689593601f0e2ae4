"""A branch in a repository on a disk (a mounted share, a laptop). See `git_remote.Remote`.

Reading and writing a disk cannot be given a deadline; a share that hangs, hangs the call.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dulwich.errors import NotGitRepository
from dulwich.file import FileLocked
from dulwich.objects import Blob, ObjectID, ShaFile
from dulwich.objects import Commit as GitCommit
from dulwich.protocol import ZERO_SHA
from dulwich.refs import Ref
from dulwich.repo import Repo

from alm import log
from alm.adapters.git_remote import UNREADABLE, Push, View
from alm.domain.errors import Denied, Misconfigured, NotFound, Unavailable
from alm.domain.source_control import Repository

SECONDS_MAX = 60.0  # waiting for other threads


class LocalRemote:
    """A repository by its path: bare, or with a work tree where another branch is checked out.

    One that does not exist is created, bare, if the folder that it is to be in exists.
    """

    seconds_max = SECONDS_MAX

    def __init__(self, repository: Repository) -> None:
        self._path = Path(repository.path)
        self._branch = repository.branch
        self._ref = Ref(b"refs/heads/" + repository.branch.encode())
        self._repo: Repo | None = None

    @contextmanager
    def within(self) -> Iterator[None]:
        try:
            yield
        except PermissionError as error:
            raise Denied(
                f"repository {self._path} may not be used ({error}); give the app's user the right"
            ) from error
        except UNREADABLE as error:
            raise Misconfigured(
                f"repository {self._path} cannot be read ({type(error).__name__}: {error}); check "
                "it with `git fsck`"
            ) from error
        except KeyError as error:
            raise Misconfigured(
                f"repository {self._path} lacks the object {error}; check it with `git fsck`"
            ) from error
        except OSError as error:
            raise Unavailable(
                f"repository {self._path} cannot be reached ({error}); check the disk it is on"
            ) from error

    def look(self, *, known: bool = False) -> View:
        repo = self._opened()
        try:
            tip: ObjectID | None = repo.refs[self._ref]
        except KeyError:
            tip = None
        return View(tip, repo.object_store.__getitem__)

    def deepen(self, view: View, commits: int, *, trees: bool = False) -> bool:
        return False  # all of it is here

    def commit_at(self, view: View, commit_id: ObjectID) -> GitCommit:
        try:
            commit = view.objects(commit_id)
        except KeyError:
            commit = None
        if not isinstance(commit, GitCommit):
            raise NotFound(f"the repository has no commit {commit_id.decode()}; see its `log`")
        return commit

    def content(self, view: View, commit: GitCommit, sha: ObjectID) -> bytes:
        blob = view.objects(sha)
        assert isinstance(blob, Blob), sha
        return blob.data

    def push(self, view: View, commit: ObjectID, objects: Sequence[ShaFile]) -> Push:
        assert self._repo is not None
        try:
            for each in objects:  # of which another process may be writing the same one
                self._repo.object_store.add_object(each)
            if self._repo.refs.set_if_equals(self._ref, view.tip or ZERO_SHA, commit):
                return Push("accepted")
            return Push("moved", "another commit was quicker")
        except FileLocked as error:
            lock = os.fsdecode(error.lockfilename)
            return Push("moved", f"{lock} exists; remove it if no other process is at work")

    def close(self) -> None:
        if self._repo is not None:
            self._repo.close()
            self._repo = None

    def _opened(self) -> Repo:
        """The repository as it is now: what was read of it before may have been packed or moved."""
        self.close()
        if not self._path.exists():
            self._create()
        try:
            self._repo = repo = Repo(str(self._path))
        except NotGitRepository as error:
            raise Misconfigured(
                f"{self._path} is a folder, but no Git repository; name another path, or make it "
                "one with `git init --bare`"
            ) from error
        self._check(repo)
        return repo

    def _check(self, repo: Repo) -> None:
        if repo.object_format.name != "sha1":
            raise Misconfigured(
                f"repository {self._path} names objects by {repo.object_format.name}; only sha1 is "
                "written: name another repository"
            )
        head = repo.refs.get_symrefs().get(Ref(b"HEAD"))
        if repo.bare or head != self._ref or _may_be_changed(repo):
            return
        raise Misconfigured(
            f"branch {self._branch} is checked out in {self._path}: a commit would make its files "
            "look changed; name a bare repository or another branch, or set "
            "receive.denyCurrentBranch to ignore there"
        )

    def _create(self) -> None:
        """Make it aside and move it there whole: another process may be doing the same."""
        if not self._path.parent.is_dir():
            raise Misconfigured(
                f"repository {self._path} does not exist, and nor does its folder; create the "
                "folder, or correct the path"
            )
        aside = self._path.with_name(f".{self._path.name}-{uuid.uuid4().hex}")
        branch = self._branch.encode()
        Repo.init_bare(str(aside), mkdir=True, default_branch=branch).close()
        try:
            aside.rename(self._path)
            log.warning("repository_created", path=str(self._path), branch=self._branch)
        except OSError:
            shutil.rmtree(aside)
            if not self._path.exists():
                raise


def _may_be_changed(repo: Repo) -> bool:
    """Whether its owner allows pushes to the branch that is checked out."""
    try:
        value = repo.get_config().get((b"receive",), b"denyCurrentBranch")
    except KeyError:
        return False
    return value in (b"ignore", b"warn", b"false")
