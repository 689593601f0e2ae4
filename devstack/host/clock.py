"""The clock that timers go by: wall time plus what `advance` added, so that tests move time."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_GLANCE_SECONDS = 30.0  # a laptop that slept wakes to the right time within this


class Clock:
    """Aware UTC time that can be moved forward; a restart forgets the addition."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._added = timedelta()
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """Return the time."""
        return datetime.fromtimestamp(self._wall(), UTC) + self._added

    def advance(self, seconds: float) -> datetime:
        """Move the clock forward, wake whoever waits on it, return the new time."""
        assert seconds >= 0
        self._added += timedelta(seconds=seconds)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        return self.now()

    async def wait_until(self, due: datetime) -> None:
        """Return once the clock shows `due` or later."""
        while (remaining := (due - self.now()).total_seconds()) > 0:
            moved = self._moved
            try:
                await asyncio.wait_for(moved.wait(), min(remaining, _GLANCE_SECONDS))
            except TimeoutError:
                continue
