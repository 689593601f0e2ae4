"""What `ports.SourceControl` promises, kept by the double, on a disk, and by two Git servers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from alm.domain.errors import TRANSIENT, Misconfigured, NotFound
from alm.domain.source_control import Author, Change, Commit
from alm.ports import SourceControl
from tests.contract.git_server import run_git
from tests.contract.git_worlds import (
    DiskGitWorld,
    GitBackendWorld,
    GitWorld,
    HttpGitWorld,
    MemoryGitWorld,
    has_git,
)
from tests.doubles.storage import EPOCH

WRITERS, COMMITS = 2, 20
TRIES_MAX = 20
needs_git = pytest.mark.skipif(not has_git, reason="the command `git` is not on this machine")
SERVERS = [HttpGitWorld, pytest.param(GitBackendWorld, marks=needs_git)]
REFUSING = [MemoryGitWorld, *SERVERS]
REAL = [DiskGitWorld, *SERVERS]


@pytest.fixture(params=[MemoryGitWorld, *REAL])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GitWorld]:
    world: GitWorld = request.param(tmp_path)
    yield world
    world.close()


def change(number: int | str = 1, **files: bytes | None) -> Change:
    """A change; of a file's name, `__` is a slash and `_` a dot."""
    named = {name.replace("__", "/").replace("_", "."): files[name] for name in files}
    return Change(
        id=f"churn.r{number}/promote",
        message=f"Promote churn v{number}",
        at=EPOCH,
        files=named or {"churn/manifest.json": f"{number}\n".encode()},
    )


def test_a_change_is_read_back(world: GitWorld):
    made = world.source_control.commit(change(churn__wsd_json=b"{}\n", README_md=b"# Models\n"))

    assert world.source_control.read("churn/wsd.json") == b"{}\n"
    assert world.another().read("README.md", at=made.id) == b"# Models\n"
    assert list(world.another().list()) == ["README.md", "churn/wsd.json"]


def test_a_commit_tells_who_made_which_change_when(world: GitWorld):
    author = Author(name="Ada Lovelace (ä)", email="ada@example.org")
    asked = change().model_copy(update={"author": author, "message": "Promote v1\n\nAUC is up"})
    world.clock.advance(90)

    made = world.source_control.commit(asked)

    expected = Commit(
        id=made.id,
        change="churn.r1/promote",
        message="Promote v1\n\nAUC is up",
        author=author,
        at=EPOCH + timedelta(seconds=90),
    )
    assert expected == made
    assert [expected] == list(world.another().log())


def test_an_empty_repository_has_nothing(world: GitWorld):
    assert list(world.source_control.list()) == []
    assert list(world.source_control.log()) == []
    with pytest.raises(NotFound, match="nothing"):
        world.source_control.read("nothing")


def test_the_same_change_is_committed_once(world: GitWorld):
    first = world.source_control.commit(change(1))
    world.source_control.commit(change(2))

    assert world.source_control.commit(change(1)) == first
    assert world.another().commit(change(1)) == first
    assert world.source_control.read("churn/manifest.json") == b"2\n"
    assert len(world.source_control.log()) == 2


def test_an_old_change_is_found_below_many(world: GitWorld):
    first = world.source_control.commit(change(0))
    for number in range(1, 30):
        world.clock.advance(1)
        world.source_control.commit(change(number))

    assert world.another().commit(change(0)) == first
    assert len(world.another().log(count=100)) == 30


def test_a_change_that_alters_nothing_is_a_commit(world: GitWorld):
    world.source_control.commit(change(1, a_json=b"same"))

    world.source_control.commit(change(2, a_json=b"same"))

    told = [commit.change for commit in world.another().log()]
    assert told == ["churn.r2/promote", "churn.r1/promote"]


def test_quoted_text_does_not_pass_for_a_change(world: GitWorld):
    quoting = change(1).model_copy(update={"message": "Refused:\n\nAlm-Change: churn.r2/promote"})
    world.source_control.commit(quoting)

    made = world.another().commit(change(2))

    assert made.message == "Promote churn v2"
    assert len(world.source_control.log()) == 2


def test_a_file_is_deleted_and_its_empty_folder_with_it(world: GitWorld):
    first = world.source_control.commit(change(1, a__b__c_json=b"1", a__d_json=b"2"))

    world.source_control.commit(change(2, a__b__c_json=None))

    assert list(world.another().list()) == ["a/d.json"]
    assert world.source_control.read("a/b/c.json", at=first.id) == b"1"
    with pytest.raises(NotFound, match=r"a/b/c\.json"):
        world.source_control.read("a/b/c.json")


def test_deleting_what_is_not_there_is_harmless(world: GitWorld):
    world.source_control.commit(change(1, a_json=b"1"))

    world.source_control.commit(change(2, a_json__below=None, other__x_json=None, b_json=None))

    assert list(world.source_control.list()) == ["a.json"]


def test_the_last_file_can_be_deleted(world: GitWorld):
    world.source_control.commit(change(1, a__b_json=b"1"))

    world.source_control.commit(change(2, a__b_json=None))

    assert list(world.another().list()) == []


def test_a_file_does_not_take_the_place_of_a_folder(world: GitWorld):
    world.source_control.commit(change(1, a__b_json=b"1"))

    with pytest.raises(Misconfigured, match="'a'"):
        world.source_control.commit(change(2, a=b"file"))
    with pytest.raises(Misconfigured, match=r"a/b\.json"):
        world.source_control.commit(change(3, a__b_json__c=b"below a file"))
    assert list(world.source_control.list()) == ["a/b.json"]


def test_any_content_comes_back_as_it_was(world: GitWorld):
    content = bytes(range(256)) * 5000 + b"\r\n"

    world.source_control.commit(change(model_ilearner=content, empty=b""))

    assert world.another().read("model.ilearner") == content
    assert world.another().read("empty") == b""


def test_files_are_listed_by_the_beginning_of_their_paths(world: GitWorld):
    world.source_control.commit(
        change(models__a__1_json=b"", models__ab__2_json=b"", models_json=b"", other=b"")
    )

    assert list(world.source_control.list("models/a")) == ["models/a/1.json", "models/ab/2.json"]
    assert list(world.source_control.list("models/a/")) == ["models/a/1.json"]
    assert list(world.source_control.list("nothing/")) == []


def test_the_log_of_a_path_names_the_changes_to_it(world: GitWorld):
    world.source_control.commit(change(1, a__x_json=b"1"))
    world.source_control.commit(change(2, b__y_json=b"1"))
    world.source_control.commit(change(3, a__x_json=b"2"))
    world.source_control.commit(change(4, a__x_json=None))

    def told(path: str, count: int = 50) -> list[str]:
        return [each.change[7:8] for each in world.another().log(path, count=count)]

    assert told("") == ["4", "3", "2", "1"]
    assert told("a/x.json") == told("a") == ["4", "3", "1"]
    assert told("b/y.json") == ["2"]
    assert told("c") == []
    assert told("a", count=2) == ["4", "3"]


def test_an_unknown_commit_is_not_found(world: GitWorld):
    world.source_control.commit(change(1, a_json=b"1"))

    for at in ("0" * 40, "main", "../../etc", "HEAD~1"):
        with pytest.raises(NotFound):
            world.source_control.read("a.json", at=at)


def test_each_process_goes_on_from_what_the_other_committed(world: GitWorld):
    one, other = world.source_control, world.another()

    for number in range(6):
        (one if number % 2 else other).commit(change(number, **{f"f{number}": b"x"}))

    assert list(one.list()) == list(other.list()) == [f"f{number}" for number in range(6)]
    assert len(one.log()) == 6


def test_writers_at_the_same_time_lose_nothing(world: GitWorld):
    def write(writer: int) -> None:
        source_control = world.another()
        for number in range(COMMITS):
            persistently(
                source_control, change(f"{writer}-{number}", **{f"f{writer}-{number}": b""})
            )

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write, range(WRITERS)))

    commits = world.another().log(count=100)
    assert len(commits) == WRITERS * COMMITS
    assert len({commit.change for commit in commits}) == WRITERS * COMMITS
    assert len(world.another().list()) == WRITERS * COMMITS
    readable(world)


def persistently(source_control: SourceControl, wanted: Change) -> None:
    """As callers do: what may have gone wrong by chance is asked for again."""
    for _ in range(TRIES_MAX):
        try:
            source_control.commit(wanted)
            return
        except TRANSIENT:
            continue
    raise AssertionError(f"{wanted.id} was not committed in {TRIES_MAX} tries")


@pytest.mark.parametrize("world", REFUSING, indirect=True)
def test_a_repository_that_refuses_says_why(world: GitWorld):
    world.source_control.commit(change(1))
    world.refuse("main is protected, open a pull request")

    with pytest.raises(Misconfigured, match="main is protected, open a pull request"):
        world.source_control.commit(change(2))
    assert len(world.another().log()) == 1

    world.allow()
    world.source_control.commit(change(2))
    assert len(world.another().log()) == 2


@needs_git
@pytest.mark.parametrize("world", REAL, indirect=True)
def test_others_read_it_with_git(world: GitWorld):
    assert world.path is not None
    world.source_control.commit(change(1, churn__wsd_json=b'{\n  "a": 1\n}\n'))
    world.source_control.commit(change(2, churn__wsd_json=b'{\n  "a": 2\n}\n', model_bin=b"\x00"))

    readable(world)
    assert run_git(world.path, "show", "main:churn/wsd.json") == '{\n  "a": 2\n}\n'
    trailers = run_git(
        world.path, "log", "--format=%s|%(trailers:key=Alm-Change,valueonly)", "main"
    )
    assert trailers.split("\n")[0] == "Promote churn v2|churn.r2/promote"
    assert '-  "a": 1' in run_git(world.path, "diff", "main~1", "main")


@needs_git
@pytest.mark.parametrize("world", REAL, indirect=True)
def test_what_others_push_with_git_is_built_upon(world: GitWorld, tmp_path: Path):
    assert world.path is not None
    world.source_control.commit(change(1, a_json=b"1"))
    people_commit(world.path, tmp_path / "clone", "by hand.txt", "a file of ours")

    world.source_control.commit(change(2, a_json=b"2"))

    assert list(world.source_control.list()) == ["a.json", "by hand.txt"]
    told = [commit.change for commit in world.source_control.log()]
    assert told == ["churn.r2/promote", "", "churn.r1/promote"]
    readable(world)


def people_commit(repository: Path, clone: Path, name: str, content: str) -> None:
    run_git(repository, "clone", "-q", "-b", "main", str(repository), str(clone))
    (clone / name).write_text(content)
    run_git(clone, "add", "-A")
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    run_git(clone, *person, "commit", "-q", "-m", "By hand")
    run_git(clone, "push", "-q", "origin", "main")
    run_git(repository, "gc", "-q")  # what was loose is packed now


def readable(world: GitWorld) -> None:
    """Git finds nothing wrong with the repository."""
    if world.path is not None and has_git:
        run_git(world.path, "fsck", "--strict", "--no-dangling")
