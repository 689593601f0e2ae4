"""Timer triggers: one call per due time, none missed for good, never two at once.

The next due time is on disk: when it has passed while the host was away, the function is called
once with `past_due`. What comes due during a call is skipped, as in Azure.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from devstack.host.clock import Clock
from devstack.host.functions import TimerTrigger
from devstack.host.invoker import Invoker
from devstack.host.outcomes import Call


class ScheduleStatus:
    """When each timer ran and is due, in one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._timers: dict[str, dict[str, str]] = {}
        if path.exists():
            self._timers = json.loads(path.read_text(encoding="utf-8"))

    def find(self, name: str, schedule: str) -> dict[str, str] | None:
        """Return a timer's status, None if it is new or its schedule changed."""
        status = self._timers.get(name)
        return status if status is not None and status["Schedule"] == schedule else None

    def put(self, name: str, status: dict[str, str]) -> None:
        """Record a timer's status; whole or not at all."""
        self._timers[name] = status
        partial = self._path.with_suffix(".new")
        partial.write_text(json.dumps(self._timers, indent=1), encoding="utf-8")
        partial.replace(self._path)


@dataclass(frozen=True)
class TimerFunction:
    """A function and its schedule."""

    name: str
    trigger: TimerTrigger


class TimerListener:
    """Calls one function when it is due."""

    def __init__(
        self,
        function: TimerFunction,
        invoker: Invoker,
        clock: Clock,
        statuses: ScheduleStatus,
        report: Callable[[str], None],
    ) -> None:
        self._name = function.name
        self._trigger = function.trigger
        self._invoker = invoker
        self._clock = clock
        self._statuses = statuses
        self._report = report

    async def run(self) -> None:
        """Call the function at its times until cancelled."""
        last, due = self._resume()
        past_due = self._trigger.use_monitor and due <= self._clock.now()
        if past_due:
            self._report(f"{self._name} was due at {due.isoformat()}: catching up")
        if past_due or self._trigger.run_on_startup:
            last, due = await self._tick(last, due, past_due=past_due)
        while True:
            await self._clock.wait_until(due)
            last, due = await self._tick(last, due, past_due=False)

    def _resume(self) -> tuple[str, datetime]:
        """Return when it ran last (may be empty) and when it is, or was, due."""
        status = self._statuses.find(self._name, self._trigger.schedule.text)
        if status is not None and self._trigger.use_monitor:
            return status["Last"], datetime.fromisoformat(status["Next"])
        due = self._trigger.schedule.next_after(self._clock.now())
        self._put("", due)
        return "", due

    async def _tick(self, last: str, due: datetime, *, past_due: bool) -> tuple[str, datetime]:
        began = self._clock.now()
        await self._invoker.invoke(timer_call(self._name, last, due, past_due=past_due))
        following = self._trigger.schedule.next_after(self._clock.now())
        self._put(began.isoformat(), following)
        return began.isoformat(), following

    def _put(self, last: str, due: datetime) -> None:
        status = {
            "Schedule": self._trigger.schedule.text,
            "Last": last,
            "Next": due.isoformat(),
            "LastUpdated": self._clock.now().isoformat(),
        }
        self._statuses.put(self._name, status)


def timer_call(name: str, last: str, due: datetime, *, past_due: bool) -> Call:
    """Return the call that tells a function its time has come."""
    value: dict[str, Any] = {
        "IsPastDue": past_due,
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": {
            "Last": last or "0001-01-01T00:00:00+00:00",
            "Next": due.isoformat(),
            "LastUpdated": last or due.isoformat(),
        },
    }
    return Call(name, {"type": "json", "value": value})
