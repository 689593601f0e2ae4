"""A repository on a disk: created, in use, locked, damaged, or not ours to write."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dulwich.repo import Repo

from alm.adapters.git import GitSourceControl
from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.domain.errors import Misconfigured, Unavailable
from alm.domain.source_control import Change, Repository
from tests.doubles.storage import FixedClock


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def connect(path: Path, opened: ExitStack, branch: str = "main") -> GitSourceControl:
    clock = FixedClock()
    repository = Repository(url=str(path), branch=branch)
    source_control = GitSourceControl.connect(repository, Http(()), Identity({}, clock), clock)
    opened.callback(source_control.close)
    return source_control


def change(number: int) -> Change:
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    return Change(id=f"churn.r{number}", message="Promote", at=at, files={f"v{number}": b""})


def test_a_missing_repository_is_created_and_told(
    tmp_path: Path, opened: ExitStack, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)

    connect(tmp_path / "models.git", opened, "alm/main").commit(change(1))

    assert "repository_created" in caplog.text
    assert (tmp_path / "models.git/HEAD").read_text() == "ref: refs/heads/alm/main\n"
    assert [path.name for path in tmp_path.iterdir()] == ["models.git"]


def test_a_path_whose_folder_is_missing_is_told(tmp_path: Path, opened: ExitStack):
    with pytest.raises(Misconfigured, match="nor does its folder"):
        connect(tmp_path / "no" / "models.git", opened).commit(change(1))


def test_processes_that_create_it_at_once_share_it(tmp_path: Path, opened: ExitStack):
    path = tmp_path / "models.git"

    with ThreadPoolExecutor(4) as processes:
        list(processes.map(lambda number: connect(path, opened).commit(change(number)), range(4)))

    assert list(connect(path, opened).list()) == ["v0", "v1", "v2", "v3"]
    assert [each.name for each in tmp_path.iterdir()] == ["models.git"]


def test_threads_share_one_source_control(tmp_path: Path, opened: ExitStack):
    shared = connect(tmp_path / "models.git", opened)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: shared.commit(change(number)), range(24)))

    assert len(shared.log()) == len(shared.list()) == 24


def test_a_folder_that_is_no_repository_is_told(tmp_path: Path, opened: ExitStack):
    (tmp_path / "file.txt").write_text("")

    with pytest.raises(Misconfigured, match="no Git repository"):
        connect(tmp_path, opened).commit(change(1))


def test_a_branch_that_is_checked_out_is_left_alone(tmp_path: Path, opened: ExitStack):
    with Repo.init(str(tmp_path / "work"), mkdir=True, default_branch=b"main") as repo:
        with pytest.raises(Misconfigured, match="is checked out in"):
            connect(tmp_path / "work", opened).commit(change(1))
        connect(tmp_path / "work", opened, "alm").commit(change(1))

        config = repo.get_config()
        config.set((b"receive",), b"denyCurrentBranch", b"ignore")
        config.write_to_path()
    connect(tmp_path / "work", opened).commit(change(1))

    assert not (tmp_path / "work/v1").exists()


def test_a_lock_left_behind_is_named(tmp_path: Path, opened: ExitStack, caplog):
    caplog.set_level(logging.INFO)
    source_control = connect(tmp_path / "models.git", opened)
    source_control.commit(change(1))
    lock = tmp_path / "models.git/refs/heads/main.lock"
    lock.write_text("")

    with pytest.raises(Unavailable, match=r"main\.lock exists; remove it"):
        source_control.commit(change(2))

    lock.unlink()
    source_control.commit(change(2))
    assert list(source_control.list()) == ["v1", "v2"]


def test_objects_of_a_crashed_commit_do_no_harm(tmp_path: Path, opened: ExitStack):
    source_control = connect(tmp_path / "models.git", opened)
    source_control.commit(change(1))
    head = (tmp_path / "models.git/refs/heads/main").read_bytes()
    source_control.commit(change(2))
    (tmp_path / "models.git/refs/heads/main").write_bytes(head)  # killed before the branch moved

    source_control.commit(change(2))

    assert len(connect(tmp_path / "models.git", opened).log()) == 2


def test_a_damaged_repository_is_told(tmp_path: Path, opened: ExitStack):
    source_control = connect(tmp_path / "models.git", opened)
    made = source_control.commit(change(1))
    stored = tmp_path / "models.git/objects" / made.id[:2] / made.id[2:]
    stored.chmod(0o644)
    stored.write_bytes(b"not what it was")

    with pytest.raises(Misconfigured, match="git fsck"):
        source_control.commit(change(2))


def test_a_branch_that_names_no_commit_is_told(tmp_path: Path, opened: ExitStack):
    source_control = connect(tmp_path / "models.git", opened)
    source_control.commit(change(1))
    (tmp_path / "models.git/refs/heads/main").write_text("0123456789" * 4 + "\n")

    with pytest.raises(Misconfigured, match="git fsck"):
        source_control.commit(change(2))


def test_a_repository_with_other_names_of_objects_is_told(tmp_path: Path, opened: ExitStack):
    Repo.init_bare(str(tmp_path / "a.git"), mkdir=True, object_format="sha256").close()

    with pytest.raises(Misconfigured, match="sha256; only sha1"):
        connect(tmp_path / "a.git", opened).commit(change(1))
