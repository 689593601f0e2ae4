"""Time: a clock that can be moved forward, and one heap of everything that is due later.

All times are milliseconds since 1970-01-01 UTC, on the clock the clients use too: the SDK compares
`locked_until` with its own clock.
"""

import heapq
import itertools
import time
from collections.abc import Callable
from typing import Any

_STALE_MIN = 1000  # below this many cancelled timers a clean-up is not worth its cost


class Clock:
    """Wall-clock time plus what `advance` added; a restart forgets the addition."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._offset = 0

    def now(self) -> int:
        """Return the time in milliseconds."""
        return int(self._wall() * 1000) + self._offset

    def advance(self, milliseconds: int) -> None:
        """Move the clock forward."""
        assert milliseconds >= 0
        self._offset += milliseconds


class Timer:
    """Something that is due; cancelled ones stay in the heap until it is cleaned."""

    __slots__ = ("action", "argument", "due")

    def __init__(self, due: int, action: Callable[[Any], None], argument: object) -> None:
        self.due = due
        self.action: Callable[[Any], None] | None = action
        self.argument: object = argument


class Timers:
    """One heap of timers. Setting and cancelling cost no scan."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timer]] = []
        self._numbers = itertools.count()
        self._cancelled = 0

    def at(self, due: int, action: Callable[[Any], None], argument: object) -> Timer:
        """Have `action(argument)` called once `fire` is told a time of `due` or later."""
        timer = Timer(due, action, argument)
        heapq.heappush(self._heap, (due, next(self._numbers), timer))
        return timer

    def cancel(self, timer: Timer) -> None:
        """Forget a timer; harmless if it fired."""
        if timer.action is None:
            return
        timer.action = timer.argument = None
        self._cancelled += 1
        if self._cancelled > _STALE_MIN and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].action is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    @property
    def next_due(self) -> int | None:
        """When the next timer is due, or None if there is none."""
        while self._heap and self._heap[0][2].action is None:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        return self._heap[0][0] if self._heap else None

    def fire(self, now: int) -> None:
        """Call what is due, in order of its time."""
        due = self.next_due
        while due is not None and due <= now:
            timer = heapq.heappop(self._heap)[2]
            action, argument = timer.action, timer.argument
            timer.action = timer.argument = None
            if action is not None:
                action(argument)
            due = self.next_due

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled
