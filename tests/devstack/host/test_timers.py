"""Timers, by a clock that only the test moves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from devstack.host import ncrontab
from devstack.host.clock import Clock
from devstack.host.functions import TimerTrigger
from devstack.host.outcomes import Returned
from devstack.host.timers import ScheduleStatus, TimerFunction, TimerListener

START = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)


class Recorder:
    """Stands for the invoker: notes each call, and how long it takes by the test's clock."""

    def __init__(self, clock: Clock, takes_seconds: float = 0) -> None:
        self.calls: list[tuple[datetime, bool]] = []
        self.called = asyncio.Event()
        self._clock = clock
        self._takes_seconds = takes_seconds

    async def invoke(self, call):
        self.calls.append((self._clock.now(), call.source["value"]["IsPastDue"]))
        self._clock.advance(self._takes_seconds)
        self.called.set()
        return Returned()


class Scene:
    def __init__(self, path, *, wall=START, takes_seconds=0, **given) -> None:
        self.clock = Clock(lambda: wall.timestamp())
        self.recorder = Recorder(self.clock, takes_seconds)
        schedule = ncrontab.parse(given.pop("schedule", "0 * * * * *"))
        trigger = TimerTrigger(schedule, **({"use_monitor": True, "run_on_startup": False} | given))
        self.lines: list[str] = []
        self.listener = TimerListener(
            TimerFunction("tick", trigger),
            self.recorder,
            self.clock,
            ScheduleStatus(path / "timers.json"),
            self.lines.append,
        )

    async def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for _ in range(20):
            await asyncio.sleep(0)

    async def run(self, *advances: float) -> list[tuple[str, bool]]:
        task = asyncio.create_task(self.listener.run())
        for seconds in (0, *advances):
            await self.advance(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return [(moment.strftime("%H:%M:%S"), past_due) for moment, past_due in self.recorder.calls]


def run(path, *advances, **given):
    async def scene():
        return await Scene(path, **given).run(*advances)

    return asyncio.run(scene())


def test_a_timer_is_called_at_its_times(tmp_path):
    assert run(tmp_path, 29, 1, 59, 1) == [("12:01:00", False), ("12:02:00", False)]


def test_a_first_start_calls_nothing(tmp_path):
    assert run(tmp_path) == []


def test_a_time_that_passed_while_away_is_caught_up_once(tmp_path):
    run(tmp_path, 30)
    later = datetime(2026, 11, 23, 15, 0, 30, tzinfo=UTC)
    assert run(tmp_path, 30, wall=later) == [("15:00:30", True), ("15:01:00", False)]


def test_nothing_is_caught_up_when_nothing_was_missed(tmp_path):
    run(tmp_path, 30)
    assert run(tmp_path, wall=datetime(2026, 11, 23, 12, 1, 30, tzinfo=UTC)) == []


def test_without_a_monitor_nothing_is_caught_up(tmp_path):
    run(tmp_path, 30, use_monitor=False)
    later = datetime(2026, 11, 23, 15, 0, 30, tzinfo=UTC)
    assert run(tmp_path, wall=later, use_monitor=False) == []


def test_a_changed_schedule_starts_afresh(tmp_path):
    run(tmp_path, 30)
    later = datetime(2026, 11, 23, 15, 0, 30, tzinfo=UTC)
    assert run(tmp_path, wall=later, schedule="0 0 * * * *") == []


def test_run_on_startup_is_called_at_each_start(tmp_path):
    assert run(tmp_path, run_on_startup=True) == [("12:00:30", False)]
    assert run(tmp_path, run_on_startup=True) == [("12:00:30", False)]


def test_times_that_come_due_during_a_call_are_skipped(tmp_path):
    calls = run(tmp_path, 30, 30, takes_seconds=150)
    assert calls == [("12:01:00", False), ("12:04:00", False)]


def test_a_big_step_of_the_clock_calls_once(tmp_path):
    assert run(tmp_path, 3600) == [("13:00:30", False)]


def test_waiting_until_the_past_returns_at_once():
    clock = Clock(lambda: START.timestamp())
    asyncio.run(asyncio.wait_for(clock.wait_until(START), 1))


def test_the_sample_timer_fires_when_its_clock_is_moved(sample):
    moved = sample.admin("POST", "/admin/clock/advance", {"seconds": 24 * 3600})
    assert moved.status == 200
    record = sample.await_records(1, "nightly")[0]
    assert record["past_due"] is False
    assert record["status"]["Next"].endswith("T03:00:00+00:00")


@pytest.mark.parametrize("seconds", [-1, "soon", None, True])
def test_the_clock_goes_forward_by_numbers_only(sample, seconds):
    assert sample.admin("POST", "/admin/clock/advance", {"seconds": seconds}).status == 400
