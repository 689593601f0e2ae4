"""Following an order: what is told on the way, what is borne with, when it ends."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rich.console import Console

from alm.domain.errors import Unavailable
from alm.domain.ledger import Seen
from alm.domain.messages import trigger_id
from alm.entrypoints.cli.client import ApiFailed, ApiUnreachable, Client
from alm.entrypoints.cli.follow import AWAY_SECONDS_MAX, SEEN_SECONDS_MAX, Follower, exit_code
from tests.doubles.storage import EPOCH
from tests.unit.entrypoints.api_server import ApiServer
from tests.unit.entrypoints.app_world import KEYS, AppWorld, covered, trigger

NAME = trigger_id("churn", "o1")


class Watching:
    """A follower whose pauses move the world on, one scene at a time."""

    def __init__(
        self, client: Client, scenes: Iterator[Callable[[], object]], *, terminal: bool = False
    ) -> None:
        self.told = io.StringIO()
        self.time = 0.0
        self._scenes = scenes
        console = Console(file=self.told, width=200, force_terminal=terminal)
        self.follower = Follower(client, console, pause=self._pause, now=lambda: self.time)

    def until_ended(self, minutes: float = 60) -> list[dict[str, Any]]:
        return self.follower.until_ended("o1", ["churn"], minutes)

    def _pause(self, seconds: float) -> None:
        self.time += max(seconds, 1)
        next(self._scenes, lambda: None)()


def watching(
    world: AppWorld,
    server: ApiServer,
    *scenes: Callable[[], object],
    terminal: bool = False,
) -> Watching:
    return Watching(Client(server.url, KEYS["reader"]), iter(scenes), terminal=terminal)


@pytest.fixture
def server(world: AppWorld) -> Iterator[ApiServer]:
    with ApiServer(world) as running:
        yield running


def record(world: AppWorld, stage: str, *entries: tuple[int, str, str, str]) -> None:
    history = [
        {"n": n, "stage": name, "outcome": outcome, "why": why, "at": f"2026-01-05T12:00:{n:02}"}
        for n, name, outcome, why in entries
    ]
    document = {"run": "churn.r7", "model": "churn", "stage": stage, "history": history}
    world.records.put_active("churn", "churn.r7", document)


def test_a_run_is_told_as_it_goes(world, server):
    mine = (trigger(NAME),)
    history = [(1, "start", "done", ""), (2, "await", "wait", "job j1 is Running")]

    def running():
        world.active(triggers=mine)
        record(world, "await", *history)

    def still_running():
        record(world, "await", history[0], (3, "await", "wait", "job j1 is Running"))

    def held():
        world.active(triggers=mine, held=True)

    def over():
        entry = {
            "n": 5,
            "stage": "smoke",
            "outcome": "done",
            "why": "",
            "at": "2026-01-05T12:00:09",
        }
        world.ended("ok", triggers=covered(NAME), history=[entry])

    watch = watching(world, server, running, still_running, held, over)
    (row,) = watch.until_ended()
    assert (row["run"], row["result"]) == ("churn.r7", "ok")
    assert watch.told.getvalue().splitlines() == [
        "12:00:01 churn.r7 start: done",
        "12:00:02 churn.r7 await: wait, job j1 is Running",
        "churn.r7 is held: approval is required",
        "  to let it go on: alm approve churn.r7",
        "12:00:09 churn.r7 smoke: done",
    ]


def test_an_order_waits_behind_another_run(world, server):
    def waiting():
        world.put_ledger(world.active(number=6).with_waiting(trigger(NAME)))

    def over():
        world.ended("ok", triggers=covered(NAME))

    (row,) = watching(world, server, waiting, over).until_ended()
    assert row["result"] == "ok"


def test_an_order_that_no_run_takes_up_was_skipped(world, server):
    world.put_ledger(world.active().model_copy(update={"seen": (Seen(id=NAME, at=EPOCH),)}))
    watch = watching(world, server)
    (row,) = watch.until_ended()
    assert row["result"] == "skipped"
    assert watch.time > SEEN_SECONDS_MAX


def test_an_app_that_is_away_for_a_while_is_waited_for(world, server):
    world.ended("ok", triggers=covered(NAME))
    world.ledgers.fail("get", Unavailable("storage is away"), times=20)
    (row,) = watching(world, server).until_ended()
    assert row["result"] == "ok"


def test_an_app_that_stays_away_is_told(world):
    watch = Watching(Client("http://127.0.0.1:1/api", ""), iter(()))
    with pytest.raises(ApiUnreachable):
        watch.until_ended()
    assert watch.time > AWAY_SECONDS_MAX


def test_a_refusal_is_told_at_once(world, server):
    watch = Watching(Client(server.url, "guess"), iter(()))
    with pytest.raises(ApiFailed, match="401"):
        watch.until_ended()
    assert watch.time == 0


def test_waiting_has_an_end(world, server):
    (row,) = watching(world, server).until_ended(minutes=1)
    assert row["state"] == "sent"


def test_whoever_interrupts_is_told_that_the_run_goes_on(world, server):
    def interrupt() -> None:
        raise KeyboardInterrupt

    watch = watching(world, server, interrupt)
    with pytest.raises(KeyboardInterrupt):
        watch.until_ended()
    assert "to follow it again: alm wait o1 --model churn" in watch.told.getvalue()


def test_a_long_wait_without_a_terminal_tells_each_minute_that_it_goes_on(world, server):
    why = "job j1 is Running"

    def running():
        world.active(triggers=(trigger(NAME),))
        record(world, "await", (1, "await", "wait", why))

    watch = watching(world, server, running)
    (row,) = watch.until_ended(minutes=3)
    assert row["state"] == "running"
    told = watch.told.getvalue().splitlines()
    assert told[0] == f"12:00:01 churn.r7 await: wait, {why}"
    assert told[1:] == [f"churn.r7 await for 1:00: {why}", f"churn.r7 await for 2:00: {why}"]


def test_on_a_terminal_one_live_line_tells_stage_age_and_reason(world, server):
    def running():
        world.active(triggers=(trigger(NAME),))
        record(world, "await", (1, "await", "wait", "job [j1] is Running"))

    watch = watching(world, server, running, terminal=True)
    watch.until_ended(minutes=0.2)
    assert "churn.r7 await for 10 s: job [j1] is Running" in watch.told.getvalue()


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([{"state": "ended", "result": "ok"}, {"state": "ended", "result": "harvested"}], 0),
        ([{"state": "ended", "result": "verified"}, {"state": "ended", "result": "drift"}], 1),
        ([{"state": "held"}, {"state": "ended", "result": "failed"}], 1),
        ([{"state": "held"}, {"state": "ended", "result": "ok"}], 4),
        ([{"state": "held"}, {"state": "running"}], 4),
        ([{"state": "running"}, {"state": "ended", "result": "ok"}], 5),
        ([{}], 5),
    ],
)
def test_a_wait_ends_with_the_code_of_what_it_saw(rows, code):
    assert exit_code(rows) == code
