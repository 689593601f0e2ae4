"""A branch in a repository behind HTTPS (the smart protocol). See `git_remote.Remote`.

dulwich speaks the protocol, `http.Http` makes the calls: allowed hosts, no redirects, one total
deadline. Commits and trees of the newest commits are kept in memory between calls; nothing is
written to disk, and contents of files are fetched only where they are read, if the server can leave
them out (partial clone), so that neither history nor model files are paid for with each commit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from dulwich.client import FetchPackResult
from dulwich.errors import GitProtocolError, HangupException, SendPackError
from dulwich.object_store import MemoryObjectStore
from dulwich.objects import Blob, ObjectID, ShaFile
from dulwich.objects import Commit as GitCommit
from dulwich.pack import UnpackedObject, pack_objects_to_data
from dulwich.protocol import ZERO_SHA
from dulwich.refs import Ref

from alm.adapters.git_calls import GitCalls, GitClient
from alm.adapters.git_remote import UNREADABLE, Push, View
from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.domain.errors import NotFound, Unavailable, Unknown
from alm.domain.source_control import Repository

DEPTH = 20  # commits fetched at first: minutes of a busy repository
DEEPER = 16
KEPT_MAX = 5000  # objects that a long-lived process may gather beyond twice the first fetch
NO_CONTENTS, NO_TREES = b"blob:none", b"tree:0"
_RACE = re.compile(r"lock ref|\.lock|failed to (?:update|write)")  # others were at it
_CONFUSED = (*UNREADABLE, AssertionError, ValueError, KeyError, IndexError, TypeError)
"""What dulwich raises for an answer that is none: it asserts and unpacks while it reads."""


class _Moved(Exception):
    """The branch is not where it was seen."""


class HttpRemote:
    """A repository by its URL. Redirects are refused; the token goes to that host only."""

    def __init__(self, repository: Repository, http: Http, identity: Identity) -> None:
        self._calls = GitCalls(repository, http, identity)
        self._http = http
        self._url = repository.url
        self._ref = Ref(b"refs/heads/" + repository.branch.encode())
        self._objects: dict[ObjectID, ShaFile] = {}
        self._seen: View | None = None
        self._first = 0
        self.seconds_max = http.deadline_seconds

    def within(self) -> AbstractContextManager[None]:
        return self._http.within(self.seconds_max)

    def look(self, *, known: bool = False) -> View:
        if known and self._seen is not None:
            return self._seen
        self._trim()
        tip = self._fetch_tip()
        if tip is not None and tip not in self._objects:
            raise Unavailable(f"{self._url} did not send commit {tip.decode()}; it is tried again")
        self._first = self._first or len(self._objects)
        self._seen = View(tip, self._objects.__getitem__)
        return self._seen

    def deepen(self, view: View, commits: int, *, trees: bool = False) -> bool:
        before = len(self._objects)
        assert view.tip is not None
        with self._reading():
            found = self._fetch([view.tip], commits, NO_CONTENTS if trees else NO_TREES)
        kept = (GitCommit,) if not trees else ShaFile
        self._keep(each for each in found if isinstance(each, kept))
        return len(self._objects) > before

    def commit_at(self, view: View, commit_id: ObjectID) -> GitCommit:
        try:
            with self._reading():
                self._keep(self._fetch([commit_id], 1, NO_CONTENTS))
        except Unavailable:  # some servers give only what a branch is at
            self._deepen_to(view, commit_id)
        commit = self._objects.get(commit_id)
        if not isinstance(commit, GitCommit):
            raise NotFound(f"the repository has no commit {commit_id.decode()}; see its `log`")
        return commit

    def content(self, view: View, commit: GitCommit, sha: ObjectID) -> bytes:
        try:
            with self._reading():
                found = self._fetch([sha], None, b"")
        except Unavailable:  # the same servers: take the commit with all its contents
            assert view.tip is not None
            with self._reading():
                found = self._fetch([view.tip], 1 if commit.id == view.tip else None, b"")
        for each in found:
            if each.id == sha and isinstance(each, Blob):
                return each.data
        raise NotFound(f"{self._url} does not send the file {sha.decode()} of an older commit")

    def push(self, view: View, commit: ObjectID, objects: Sequence[ShaFile]) -> Push:
        push = self._push(view, commit, objects)
        if push.kind == "accepted":
            self._keep(objects)
        return push

    def close(self) -> None:
        self._http.close()

    def _push(self, view: View, commit: ObjectID, objects: Sequence[ShaFile]) -> Push:
        said: list[bytes] = []

        def update(refs: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            if refs.get(self._ref, ZERO_SHA) != (view.tip or ZERO_SHA):
                raise _Moved
            return {self._ref: commit}

        def pack(*_: object, **__: object) -> tuple[int, Iterator[UnpackedObject]]:
            return pack_objects_to_data(objects)

        client = self._calls.client()
        try:
            result = client.send_pack(b"", update, pack, said.append)
        except _Moved:
            return Push("moved", "the branch moved")
        except HangupException as error:
            raise self._lost(client.was_posted, error) from error
        except (GitProtocolError, SendPackError) as error:
            if not client.was_posted:
                raise self._lost(False, error) from error
            return Push("refused", self._calls.told(said, str(error)))
        except _CONFUSED as error:
            raise self._lost(client.was_posted, error) from error
        why = (result.ref_status or {}).get(self._ref)
        if why is None:
            return Push("accepted")
        return Push("moved" if _RACE.search(why) else "refused", self._calls.told(said, why))

    def _lost(self, was_posted: bool, error: BaseException) -> Unavailable | Unknown:
        seen = f"({type(error).__name__}: {self._calls.told([], str(error))})"
        if was_posted:
            return Unknown(
                f"the answer of {self._url} to a push was lost {seen}: it may have taken effect; "
                "look before pushing again"
            )
        return Unavailable(f"{self._url} does not answer as a Git server does {seen}; tried again")

    def _fetch_tip(self) -> ObjectID | None:
        tips: list[ObjectID] = []

        def wants(refs: Mapping[Ref, ObjectID]) -> list[ObjectID]:
            tips.extend([refs[self._ref]] if self._ref in refs else [])
            return [tip for tip in tips if tip not in self._objects]

        with self._reading():
            self._keep(self._fetch(wants, DEPTH, NO_CONTENTS, known=True))
        return tips[0] if tips else None

    def _deepen_to(self, view: View, commit_id: ObjectID) -> None:
        depth = DEPTH
        while self.deepen(view, depth, trees=True) or depth == DEPTH:
            commit = self._objects.get(commit_id)
            if isinstance(commit, GitCommit) and commit.tree in self._objects:
                return
            depth *= DEEPER

    def _fetch(
        self,
        wants: list[ObjectID] | Callable[[Mapping[Ref, ObjectID]], list[ObjectID]],
        depth: int | None,
        leave_out: bytes,
        *,
        known: bool = False,
    ) -> list[ShaFile]:
        """Objects that the server sends for what is wanted, beyond (if `known`) what is here."""
        store = MemoryObjectStore()
        pack, complete, abandon = store.add_pack()

        def wanted(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:
            return wants(refs) if callable(wants) else wants

        def fetch(depth: int | None) -> FetchPackResult:
            client = self._calls.client()
            return client.fetch_pack(
                b"",
                wanted,
                _Have(client, *(self._here() if known and depth else ([], set()))),
                pack.write,
                depth=depth,
                ref_prefix=[self._ref],
                filter_spec=leave_out or None,
            )

        try:
            try:
                fetch(depth)
            except GitProtocolError as error:
                if "shallow capability" not in str(error):
                    raise
                fetch(None)  # the server has no shallow clones: all of it, then
        except BaseException:
            abandon()
            raise
        complete()
        return [store[sha] for sha in store]

    def _here(self) -> tuple[list[ObjectID], set[ObjectID]]:
        """The commit last seen, and where the history that is here is cut off."""
        if self._seen is None or self._seen.tip not in self._objects:
            return [], set()
        commits = [each for each in self._objects.values() if isinstance(each, GitCommit)]
        cut = {each.id for each in commits if any(p not in self._objects for p in each.parents)}
        return [self._seen.tip], cut

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Nothing was changed yet: whatever went wrong, it may go well later."""
        try:
            yield
        except _CONFUSED as error:
            raise self._lost(False, error) from error

    def _keep(self, found: Iterable[ShaFile]) -> None:
        for each in found:
            if not isinstance(each, Blob):
                self._objects[each.id] = each

    def _trim(self) -> None:
        """Forget everything when a long life has gathered too much: it is fetched anew."""
        if len(self._objects) > 2 * self._first + KEPT_MAX:
            self._objects.clear()
            self._seen, self._first = None, 0


class _Have:
    """Tells the server what is here (a graph walker, as dulwich calls it).

    Only if it can leave contents out: else it would send contents as deltas against others, which
    are not kept here.
    """

    def __init__(self, client: GitClient, commits: list[ObjectID], cut: set[ObjectID]) -> None:
        self._client = client
        self._commits = commits
        self._cut = cut

    @property
    def shallow(self) -> set[ObjectID]:
        return self._cut if self._client.leaves_out else set()

    def __next__(self) -> ObjectID | None:
        return self._commits.pop() if self._commits and self._client.leaves_out else None

    def ack(self, sha: ObjectID, /) -> None:
        """The server has it too: nothing to do, there is one to tell of."""

    def nak(self) -> None:
        """The server has none of it: it sends all."""
