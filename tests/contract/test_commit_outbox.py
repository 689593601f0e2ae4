"""What `ports.Outbox` promises, over the double of storage and over Azurite."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from alm.adapters.commit_outbox import CommitOutbox
from alm.domain.errors import Denied, Misconfigured, Refused, Unavailable, Unknown
from alm.domain.source_control import Author, Change, Stored
from tests.contract.storage_worlds import TODAY, StorageWorld
from tests.doubles.source_control import MemoryRepository, MemorySourceControl

LATER = TODAY + timedelta(days=365)


@pytest.fixture
def outbox(storage: StorageWorld) -> CommitOutbox:
    return CommitOutbox(storage.blobs, storage.clock)


@pytest.fixture
def repository(storage: StorageWorld) -> MemorySourceControl:
    return MemorySourceControl(storage.clock)


def change(number: int, path: str = "", content: bytes | None = b"{}\n") -> Change:
    return Change(
        id=f"churn.r{number}/promote",
        message=f"Promote v{number}",
        at=TODAY,
        files={path or f"churn/v{number}.json": content},
    )


def put(storage: StorageWorld, outbox: CommitOutbox, *changes: Change) -> None:
    for each in changes:
        outbox.put(each)
        storage.clock.advance(1)


def waiting(outbox: CommitOutbox) -> list[str]:
    return [each.id for each in outbox.pending()]


def told(repository: MemorySourceControl) -> list[str]:
    return [commit.change for commit in reversed(repository.log())]


def test_changes_are_committed_in_the_order_they_were_put(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    put(storage, outbox, change(3), change(1), change(2))

    flushed = outbox.flush(repository, LATER)

    order = ["churn.r3/promote", "churn.r1/promote", "churn.r2/promote"]
    assert [commit.change for commit in flushed.committed] == order == told(repository)
    assert (flushed.held, flushed.left, flushed.stopped) == ((), 0, "")
    assert waiting(outbox) == []
    assert [blob.path for blob in storage.blobs.list("alm-definitions", "_commits/")] == []


def test_a_change_arrives_whole(outbox: CommitOutbox, repository: MemorySourceControl):
    wanted = Change(
        id="churn.r1/promote",
        message="Promote\n\nü",
        at=TODAY,
        author=Author(name="Ada", email="ada@example.org"),
        files={
            "a.json": "ü\r\n\x00".encode(),
            "large.json": b"x" * 100_000,
            "model.bin": bytes(range(256)),
            "empty": b"",
            "gone": None,
        },
    )
    repository.commit(change(0, "gone", b"there"))

    outbox.put(wanted)
    [commit] = outbox.flush(repository, LATER).committed

    assert (commit.message, commit.author) == (wanted.message, wanted.author)
    kept = {path: repository.read(path) for path in repository.list()}
    assert kept == {path: content for path, content in wanted.files.items() if content is not None}


def test_what_was_put_twice_is_committed_once(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    put(storage, outbox, change(1, "a.json", b"first"), change(1, "a.json", b"second"))
    outbox.flush(repository, LATER)
    put(storage, outbox, change(2, "a.json", b"newer"), change(1, "a.json", b"first"))
    outbox.flush(repository, LATER)

    assert told(repository) == ["churn.r1/promote", "churn.r2/promote"]
    assert repository.read("a.json") == b"newer"
    assert waiting(outbox) == []


@pytest.mark.parametrize("error", [Unavailable("away"), Unknown("lost"), Denied("token")])
def test_a_repository_that_is_away_ends_the_flush_and_nothing_is_lost(
    storage: StorageWorld,
    outbox: CommitOutbox,
    repository: MemorySourceControl,
    error: Unavailable | Unknown | Denied,
):
    put(storage, outbox, change(1), change(2), change(3))
    repository.fail("commit", error, times=None)

    flushed = outbox.flush(repository, LATER)

    assert (flushed.stopped, repository.calls["commit"]) == (str(error), 1)
    assert flushed.left + len(flushed.held) == 3
    repository.heal()
    assert len(outbox.flush(repository, LATER).committed) == 3


def test_a_change_that_always_fails_lets_the_others_go_on(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    put(storage, outbox, change(1, "a.json"), change(2, "a.json"), change(3))
    repository.fail("commit", Unknown("the server breaks on this one"), times=11)

    for _minute in range(12):
        outbox.flush(repository, LATER)

    assert told(repository) == ["churn.r3/promote"]
    storage.clock.advance(60)
    outbox.flush(repository, LATER)
    assert told(repository) == ["churn.r3/promote", "churn.r1/promote", "churn.r2/promote"]


def test_a_commit_whose_answer_was_lost_is_found(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    put(storage, outbox, change(1), change(2))
    repository.fail("commit", Unknown("lost"), after=True)

    assert outbox.flush(repository, LATER).committed == ()
    assert len(outbox.flush(repository, LATER).committed) == 2
    assert told(repository) == ["churn.r1/promote", "churn.r2/promote"]


def test_a_refused_change_is_held_and_the_others_go_on(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    put(storage, outbox, change(1, "a.json"), change(2, "b.json"))
    repository.fail("commit", Misconfigured("too large for this repository"))

    flushed = outbox.flush(repository, LATER)

    [held] = flushed.held
    assert (held.id, held.tries) == ("churn.r1/promote", 1)
    assert held.reason == "too large for this repository"
    assert held.retry_at == storage.clock.now() + timedelta(minutes=1)
    assert told(repository) == ["churn.r2/promote"]
    assert list(outbox.pending()) == [held]


def test_a_held_change_is_tried_ever_more_rarely(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    outbox.put(change(1))
    repository.fail("commit", Misconfigured("protected"), times=None)

    for _minute in range(100):
        outbox.flush(repository, LATER)
        storage.clock.advance(60)

    assert repository.calls["commit"] == 5, "after 0, 1, 5, 21 and 85 minutes"
    repository.heal()
    assert len(outbox.flush(repository, LATER).committed) == 0
    assert len(outbox.flush(repository, LATER, again=True).committed) == 1
    assert waiting(outbox) == []


def test_a_later_change_to_the_same_file_waits_for_a_held_one(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    both = change(2).model_copy(update={"files": {"a.json": b"2", "b.json": b"2"}})
    put(storage, outbox, change(1, "a.json", b"1"), both, change(3, "b.json", b"3"), change(4))
    repository.fail("commit", Misconfigured("no"))

    flushed = outbox.flush(repository, LATER)
    assert told(repository) == ["churn.r4/promote"]
    assert flushed.left == 2

    outbox.flush(repository, LATER, again=True)
    assert told(repository)[1:] == ["churn.r1/promote", "churn.r2/promote", "churn.r3/promote"]
    assert (repository.read("a.json"), repository.read("b.json")) == (b"2", b"3")


def test_a_repository_that_refuses_everything_is_not_asked_for_each_change(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    put(storage, outbox, *(change(number) for number in range(6)))
    repository.fail("commit", Misconfigured("protected"), times=None)

    flushed = outbox.flush(repository, LATER)

    assert repository.calls["commit"] == 3
    assert (len(flushed.held), flushed.left) == (3, 3)
    assert flushed.stopped == "3 changes in a row were refused: protected"


def test_no_commit_is_begun_after_the_deadline(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    put(storage, outbox, change(1), change(2))

    flushed = outbox.flush(repository, storage.clock.now())

    assert (flushed.left, flushed.stopped) == (2, "the time is over")
    assert repository.calls["commit"] == 0


def test_a_model_file_is_read_where_it_lies_when_it_is_committed(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    path, content = storage.path("churn-v1.ilearner"), b"\x00model" * 1000
    storage.blobs.put(path, content)

    outbox.put(change(1), {"churn/v1.ilearner": stored(path, content)})
    outbox.flush(repository, LATER)

    assert repository.read("churn/v1.ilearner") == content
    assert storage.blobs.get(path) == content


def test_a_model_file_that_is_gone_or_replaced_holds_its_change(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    gone, other = storage.path("gone.ilearner"), storage.path("other.ilearner")
    storage.blobs.put(other, b"other")
    outbox.put(change(1), {"a.ilearner": stored(gone, b"model")})
    outbox.put(change(2), {"b.ilearner": stored(other, b"model")})
    outbox.put(change(3))

    flushed = outbox.flush(repository, LATER)

    reasons = sorted(held.reason for held in flushed.held)
    assert [commit.change for commit in flushed.committed] == ["churn.r3/promote"]
    assert list(repository.list()) == ["churn/v3.json"]
    assert "digest" in reasons[0] + reasons[1]
    assert "not there any more" in reasons[0] + reasons[1]


def test_an_entry_that_cannot_be_read_holds_itself_only(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    storage.blobs.put("alm-definitions/_commits/broken.json", b"{")
    storage.blobs.put("alm-definitions/_commits/strange.json", b'{"id": "x", "files": 3}')
    put(storage, outbox, change(1))

    flushed = outbox.flush(repository, LATER)

    assert told(repository) == ["churn.r1/promote"]
    assert sorted(held.id for held in flushed.held) == ["broken", "strange"]
    assert "restore an earlier version" in flushed.held[0].reason
    outbox.flush(repository, LATER)
    assert [each.tries for each in outbox.pending()] == [1, 1]


def test_a_change_can_be_given_up(
    storage: StorageWorld, outbox: CommitOutbox, repository: MemorySourceControl
):
    outbox.put(change(1, "large.json", b"x" * 100_000))
    repository.fail("commit", Misconfigured("no"))
    outbox.flush(repository, LATER)

    outbox.discard("churn.r1/promote")
    outbox.discard("churn.r1/promote")

    assert [blob.path for blob in storage.blobs.list("alm-definitions", "_commits/")] == []


def test_flushes_at_the_same_time_commit_each_change_once(
    storage: StorageWorld, outbox: CommitOutbox
):
    put(storage, outbox, *(change(number, "same.json", b"%d" % number) for number in range(8)))
    repository = MemoryRepository()

    def flush(_: int) -> None:
        own = CommitOutbox(storage.blobs, storage.clock)
        own.flush(MemorySourceControl(storage.clock, repository), LATER)

    with ThreadPoolExecutor(3) as flushes:
        list(flushes.map(flush, range(3)))

    made = [commit.change for commit, _ in repository.commits]
    assert made == [f"churn.r{number}/promote" for number in range(8)]
    assert waiting(outbox) == []


@pytest.mark.parametrize(
    "change_id", ["held/x", "files/a/b", "a" * 200, "A:b@c/d-e_f.json", "held", "churn.r1"]
)
def test_any_id_of_a_change_has_its_own_entry(
    outbox: CommitOutbox, repository: MemorySourceControl, change_id: str
):
    outbox.put(change(1).model_copy(update={"id": change_id}))

    assert waiting(outbox) == [change_id]
    assert [each.change for each in outbox.flush(repository, LATER).committed] == [change_id]


def test_a_file_is_named_once(outbox: CommitOutbox):
    with pytest.raises(Refused, match="twice"):
        outbox.put(change(1, "a.json"), {"a.json": stored("datasets/a", b"")})
    with pytest.raises(Refused, match="cannot be a path"):
        outbox.put(change(1), {"../a.json": stored("datasets/a", b"")})
    assert waiting(outbox) == []


def stored(path: str, content: bytes) -> Stored:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Stored(blob=path, size=len(content), digest=digest)
