"""A Git server that is away, refuses, races, loses answers or leads astray; and its secrets."""

from __future__ import annotations

import logging
import random
import socket
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from alm.domain.errors import AlmError, Denied, Misconfigured, Unavailable, Unknown
from alm.domain.source_control import Repository
from tests.contract.git_server import NAME, run_git
from tests.contract.git_worlds import (
    SECRET,
    TOKEN,
    GitBackendWorld,
    HttpGitWorld,
    connected,
)
from tests.contract.test_source_control import SERVERS, change, needs_git, readable
from tests.doubles.storage import FixedClock
from tests.unit.studio.raw_server import RawServer, read_request


@pytest.fixture(params=SERVERS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HttpGitWorld]:
    world: HttpGitWorld = request.param(tmp_path)
    yield world
    world.close()


def told(world: HttpGitWorld) -> list[str]:
    return [commit.change for commit in world.another().log()]


def test_a_push_that_lost_a_race_is_made_again_on_top(world: HttpGitWorld):
    quicker = world.another()
    world.source_control.commit(change(1, a_json=b"1"))
    world.server.before_push = lambda: quicker.commit(change(2, b_json=b"2"))

    made = world.source_control.commit(change(3, a_json=b"3"))

    assert told(world) == ["churn.r3/promote", "churn.r2/promote", "churn.r1/promote"]
    assert list(world.source_control.list()) == ["a.json", "b.json"]
    assert world.source_control.log(count=1)[0] == made
    readable(world)


def test_the_first_commit_races_too(world: HttpGitWorld):
    quicker = world.another()
    world.server.before_push = lambda: quicker.commit(change(1))

    world.source_control.commit(change(2))

    assert told(world) == ["churn.r2/promote", "churn.r1/promote"]


def test_the_same_change_by_two_processes_at_once_is_one_commit(world: HttpGitWorld):
    other = world.another()
    world.source_control.commit(change(1))
    world.server.before_push = lambda: other.commit(change(2))

    made = world.source_control.commit(change(2))

    assert told(world) == ["churn.r2/promote", "churn.r1/promote"]
    assert world.source_control.log(count=1)[0] == made


def test_a_push_whose_answer_was_lost_is_found_by_the_next_attempt(world: HttpGitWorld):
    world.source_control.commit(change(1))
    world.server.lose_push_answer = True

    with pytest.raises(Unknown, match="look before"):
        world.source_control.commit(change(2))
    pushes = world.server.requests["git-receive-pack"]
    made = world.source_control.commit(change(2))

    assert told(world) == ["churn.r2/promote", "churn.r1/promote"]
    assert made.change == "churn.r2/promote"
    assert world.server.requests["git-receive-pack"] == pushes


def test_after_a_lost_answer_others_may_have_gone_on(world: HttpGitWorld):
    world.server.lose_push_answer = True
    with pytest.raises(Unknown):
        world.source_control.commit(change(1, a_json=b"old"))
    world.another().commit(change(2, a_json=b"new"))

    world.another().commit(change(1, a_json=b"old"))

    assert world.source_control.read("a.json") == b"new"
    assert told(world) == ["churn.r2/promote", "churn.r1/promote"]


def test_a_branch_that_always_moves_is_given_up_for_now(world: HttpGitWorld):
    other, numbers = world.another(), iter(range(100, 200))

    def run_ahead() -> None:
        world.server.before_push = None
        other.commit(change(next(numbers)))
        world.server.before_push = run_ahead

    world.server.before_push = run_ahead

    with pytest.raises(Unavailable, match=r"churn\.r1/promote is not committed"):
        world.source_control.commit(change(1))
    world.server.before_push = None
    assert "churn.r1/promote" not in told(world)


def test_a_branch_that_was_put_back_gets_its_changes_again(world: HttpGitWorld):
    first = world.source_control.commit(change(1, a_json=b"1"))
    world.source_control.commit(change(2, b_json=b"2"))
    assert world.path is not None
    (world.path / "refs/heads/main").write_text(f"{first.id}\n")

    world.source_control.commit(change(2, b_json=b"2"))

    assert told(world) == ["churn.r2/promote", "churn.r1/promote"]


def test_a_wrong_token_is_denied(world: HttpGitWorld):
    world.server.password = "another-one"

    with pytest.raises(Denied, match="401"):
        world.source_control.commit(change())


def test_a_token_that_was_renewed_is_looked_up_again(world: HttpGitWorld, tmp_path: Path):
    environment = {"GIT_TOKEN": TOKEN}
    source_control = connected(
        Repository(url=world.server.url, token=SECRET), world.clock, environment
    )
    source_control.commit(change(1))
    world.server.password = environment["GIT_TOKEN"] = "canary-renewed"

    source_control.commit(change(2))

    assert len(source_control.log()) == 2
    source_control.close()


def test_a_token_can_be_a_bearer(world: HttpGitWorld):
    world.another(auth="bearer").commit(change())

    assert f"Bearer {TOKEN}" in world.server.authorizations


def test_a_repository_that_is_not_there_is_misconfigured(world: HttpGitWorld):
    elsewhere = world.another(url=world.server.url.replace("models", "nowhere"))

    with pytest.raises(Misconfigured, match="there is no repository at"):
        elsewhere.commit(change())


def test_no_server_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    repository = Repository(url=f"http://127.0.0.1:{port}{NAME}")

    with pytest.raises(Unavailable, match="cannot connect"):
        connected(repository, FixedClock(), {}).commit(change())


def test_a_server_that_says_nothing_is_waited_for_until_the_deadline_only():
    with RawServer(_silent) as server:
        repository = Repository(url=f"http://127.0.0.1:{server.port}{NAME}")

        with pytest.raises(Unavailable, match="nothing was pushed yet"):
            connected(repository, FixedClock(), {}, seconds=0.3).commit(change())


def _silent(connection: socket.socket) -> None:
    while read_request(connection):
        pass


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, Unavailable),
        (503, Unavailable),
        (429, Unavailable),
        (403, Denied),
        (400, Misconfigured),
    ],
)
def test_other_answers_mean_what_they_mean(world: HttpGitWorld, status: int, error: type[AlmError]):
    world.server.answers = status, {}, b"so it is"

    with pytest.raises(error, match=str(status)):
        world.source_control.commit(change())


def test_a_redirect_is_refused(world: HttpGitWorld):
    world.server.answers = 302, {"Location": "http://127.0.0.1:1/other.git/info/refs"}, b""

    with pytest.raises(Misconfigured, match="redirect"):
        world.source_control.commit(change())


def test_a_page_that_is_no_git_server_is_told(world: HttpGitWorld):
    world.server.answers = 200, {"Content-Type": "text/html"}, b"<h1>Sign in</h1>"

    with pytest.raises(Misconfigured, match="as no Git server does"):
        world.source_control.commit(change())


@pytest.mark.parametrize(
    "body", [b"", b"garbage", b"ffff", b"001e# service=git-upload-pack\n0000", b"0004", b"000e" * 9]
)
def test_an_answer_that_cannot_be_read_changes_nothing(world: HttpGitWorld, body: bytes):
    world.server.answers = (
        200,
        {"Content-Type": "application/x-git-upload-pack-advertisement"},
        body,
    )

    with pytest.raises((Unavailable, Misconfigured)):
        world.source_control.commit(change())
    world.server.answers = None
    assert told(world) == []


def test_only_allowed_hosts_are_called(world: HttpGitWorld):
    elsewhere = connected(Repository(url="https://git.example.org/a.git"), world.clock, {})

    with pytest.raises(Misconfigured, match="not a host this app may call"):
        elsewhere.commit(change())


def test_one_change_costs_two_calls_and_two_to_read_it_back(world: HttpGitWorld):
    world.source_control.commit(change(1))
    world.server.requests.clear()

    world.source_control.commit(change(2))

    assert world.server.requests["git-receive-pack"] == 1
    assert sum(world.server.requests.values()) <= 4


@needs_git
def test_contents_are_not_fetched_to_commit(tmp_path: Path):
    world = GitBackendWorld(tmp_path)
    assert world.path is not None
    content = random.Random(1).randbytes(3_000_000)
    world.source_control.commit(change(1, model_ilearner=content))
    world.source_control.commit(change(2, a_json=b"1"))

    world.server.bytes_sent.clear()

    later = world.another()
    later.commit(change(3, a_json=b"2"))

    assert world.server.bytes_sent.total() < 20_000
    assert later.read("model.ilearner") == content
    assert run_git(world.path, "cat-file", "-s", "main:model.ilearner").strip() == "3000000"
    world.close()


def test_no_secret_is_told_logged_or_stored(world: HttpGitWorld, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    world.source_control.commit(change(1))
    quoting = f"Authorization {sorted(world.server.authorizations)} {TOKEN}"
    texts = [repr(world.source_control), repr(vars(world.source_control))]

    for status in (401, 403, 500, 400):
        world.server.answers = status, {}, quoting.encode()
        with pytest.raises(AlmError) as raised:
            world.source_control.commit(change(2))
        texts += traceback.format_exception(raised.value)
    world.server.answers = None
    world.refuse(f"who has {TOKEN}")
    with pytest.raises(Misconfigured) as refused:
        world.source_control.commit(change(2))
    texts += traceback.format_exception(refused.value)
    world.allow()  # the hook itself, a file of the repository, holds it

    assert world.path is not None
    stored = [file.read_bytes() for file in world.path.rglob("*") if file.is_file()]
    assert "canary" not in "\n".join(texts) + caplog.text
    assert all(b"canary" not in content for content in stored)
