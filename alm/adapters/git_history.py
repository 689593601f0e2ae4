"""Commits of a Git repository: made of changes, read back, and searched for a change.

The id of a change stands in the last paragraph of the message (`Alm-Change: …`). Nothing else of a
message is looked at, so that text quoted in it cannot pass for a change.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID

from alm.adapters.git_trees import Objects, entry_at
from alm.domain.source_control import Author, Change, Commit

TRAILER = "Alm-Change: "
CLOCKS_APART_SECONDS = 600  # of the machines that commit; they are synchronised, this is generous
LATEST = 253_402_300_799  # the last second of the year 9999; a commit may claim any
OLDER_MAX = 8  # a commit by a machine whose clock is wrong does not end the search

_CHANGE = re.compile(rf"^{TRAILER}(\S+)$", re.MULTILINE)
_PERSON = re.compile(r"(?P<name>.*?)\s*<(?P<email>[^<>]*)>")


def commit_of(
    change: Change, tree: ObjectID, parent: ObjectID | None, committer: Author, now: datetime
) -> GitCommit:
    """The commit that holds a change on top of `parent`."""
    commit = GitCommit()
    commit.tree = tree
    commit.parents = [parent] if parent else []
    commit.author = _person(change.author or committer)
    commit.committer = _person(committer)
    commit.author_time, commit.commit_time = int(change.at.timestamp()), int(now.timestamp())
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = f"{change.message}\n\n{TRAILER}{change.id}\n".encode()
    return commit


def told(commit: GitCommit) -> Commit:
    """A commit as the app knows it."""
    text = commit.message.decode("utf-8", "replace").strip()
    change = change_in(commit)
    if change:
        text = text.rpartition(f"{TRAILER}{change}")[0].strip()
    return Commit(
        id=commit.id.decode("ascii"),
        change=change,
        message=text,
        author=_author(commit.author),
        at=datetime.fromtimestamp(min(max(commit.commit_time, 0), LATEST), UTC),
    )


def change_in(commit: GitCommit) -> str:
    """The id of the change that a commit holds; "" if none."""
    last = commit.message.decode("utf-8", "replace").strip().rpartition("\n\n")[2]
    named = _CHANGE.findall(last)
    return str(named[-1]) if named else ""


@dataclass
class Search:
    """How a search for a change ended. cut: it met the end of what is here of the history."""

    commit: GitCommit | None = None
    cut: bool = False


def search(objects: Objects, tip: ObjectID, change: Change) -> Search:
    """Look for the commit of a change, back to when it was first asked for."""
    since = int(change.at.timestamp()) - CLOCKS_APART_SECONDS
    walk, older = Walk(objects, tip), 0
    for commit in walk:
        if change_in(commit) == change.id:
            return Search(commit)
        older = older + 1 if commit.commit_time < since else 0
        if older > OLDER_MAX:
            break
    return Search(cut=any(time >= since for time in walk.cut))


@dataclass
class Walk:
    """The commits below a tip, newest first. cut: times of those whose parents are not here."""

    objects: Objects
    tip: ObjectID
    cut: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[GitCommit]:
        seen = {self.tip}
        waiting: list[tuple[int, int, GitCommit]] = []
        self._add(waiting, self.tip, len(seen))
        while waiting:
            commit = heapq.heappop(waiting)[2]
            yield commit
            for parent in commit.parents:
                if parent in seen:
                    continue
                seen.add(parent)
                if not self._add(waiting, parent, len(seen)):
                    self.cut.append(commit.commit_time)

    def _add(self, waiting: list[tuple[int, int, GitCommit]], sha: ObjectID, number: int) -> bool:
        try:
            commit = self.objects(sha)
        except KeyError:
            return False
        assert isinstance(commit, GitCommit), sha
        heapq.heappush(waiting, (-commit.commit_time, number, commit))
        return True


def touched(objects: Objects, commit: GitCommit, path: str) -> bool:
    """Whether a commit changed what is at a path: it differs from what every parent has there."""
    where = path.strip("/").encode("utf-8", "surrogatepass")
    here = entry_at(objects, commit.tree, where)
    before = []
    for parent in commit.parents:
        try:
            old = objects(parent)
        except KeyError:
            return False  # what was before is not known here
        assert isinstance(old, GitCommit), parent
        before.append(entry_at(objects, old.tree, where))
    return all(here != there for there in before or [None])


def _person(author: Author) -> bytes:
    return f"{author.name} <{author.email}>".encode()


def _author(person: bytes) -> Author | None:
    match = _PERSON.match(person.decode("utf-8", "replace"))
    if match is None:
        return None
    return Author.model_construct(name=match["name"], email=match["email"])
