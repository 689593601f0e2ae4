"""Keeps a lock alive while a function runs, up to `maxAutoLockRenewalDuration`."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from devstack.servicebus.client import ConnectionLost, Delivery, LockLost, Receiver, Refused

_INTERVAL_SECONDS_MAX = 10.0
_LOCK_SECONDS_MAX = 300.0  # the service's limit: a longer one means the broker's clock was moved
_MOVED_CLOCK_INTERVAL_SECONDS = 2.0  # less than half of the shortest lock, 5 s


def renewal_seconds(locked_until: datetime | None, now: datetime) -> float:
    """Return how long to wait before the next renewal: half of what is left, 10 s at most."""
    if locked_until is None:
        return _MOVED_CLOCK_INTERVAL_SECONDS
    left = (locked_until - now).total_seconds()
    if not 0 < left <= _LOCK_SECONDS_MAX:
        return _MOVED_CLOCK_INTERVAL_SECONDS
    return min(left / 2, _INTERVAL_SECONDS_MAX)


class LockKeeper:
    """Renews the lock of a session, or of one delivery of a queue without sessions.

    No task exists until the first renewal is due: most calls are over long before.
    """

    def __init__(
        self, receiver: Receiver, limit_seconds: float, report: Callable[[str], None]
    ) -> None:
        self._receiver = receiver
        self._limit_seconds = limit_seconds
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._deadline = 0.0
        self._delivery: Delivery | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._renewing: asyncio.Task[None] | None = None

    def hold(self, delivery: Delivery) -> None:
        """Keep the lock from now on, for as long as the limit says."""
        self._delivery = delivery
        self._deadline = self._loop.time() + self._limit_seconds
        if self._timer is None and self._renewing is None:
            self._plan(delivery.locked_until)

    def stop(self) -> None:
        """Let the lock expire when it does."""
        if self._timer is not None:
            self._timer.cancel()
        if self._renewing is not None:
            self._renewing.cancel()

    def _plan(self, locked_until: datetime | None) -> None:
        seconds = renewal_seconds(locked_until, datetime.now(UTC))
        self._timer = self._loop.call_later(seconds, self._begin)

    def _begin(self) -> None:
        self._timer = None
        if self._loop.time() < self._deadline:
            self._renewing = asyncio.ensure_future(self._renew())

    async def _renew(self) -> None:
        try:
            locked_until = await self._receiver.renew(self._delivery)
        except (LockLost, ConnectionLost, Refused) as error:
            self._report(f"lock on {self._receiver.entity} not renewed: {error}")
        else:
            self._plan(locked_until)
        finally:
            self._renewing = None
