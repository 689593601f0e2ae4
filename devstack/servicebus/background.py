"""A broker in a thread of its own, for tests and programs that are not asynchronous."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from devstack.servicebus.context import QueueConfig
from devstack.servicebus.errors import ConfigError, JournalInUse
from devstack.servicebus.server import Broker
from devstack.servicebus.timers import Clock

_START_SECONDS = 30
_T = TypeVar("_T")


class BackgroundBroker:
    """Runs a broker from `with` to the end of its block.

        with BackgroundBroker(queues, folder) as running:
            ServiceBusClient.from_connection_string(running.connection_string)

    `call` runs a function on the broker's thread: its objects are not for other threads.
    """

    def __init__(
        self,
        queues: Sequence[QueueConfig],
        data: Path,
        *,
        clock: Clock | None = None,
        port: int = 0,
    ) -> None:
        self._queues = queues
        self._data = data
        self._clock = clock
        self._port = port
        self._started: Future[Broker] = Future()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.broker = self._started.result(_START_SECONDS)
        self.connection_string = self.broker.connection_string
        self.port = self.broker.port
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def call(self, function: Callable[[Broker], _T]) -> _T:
        """Return what `function(broker)` returns on the broker's thread."""
        assert self._loop is not None

        async def run() -> _T:
            return function(self.broker)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(_START_SECONDS)

    def advance(self, seconds: float) -> None:
        """Move the broker's clock forward and do what is due then."""
        self.call(lambda broker: broker.advance_clock(round(seconds * 1000)))

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            broker = Broker(self._queues, self._data, clock=self._clock)
            await broker.start(self._port)
        except (OSError, sqlite3.Error, ConfigError, JournalInUse) as error:
            self._started.set_exception(error)  # raised again in the thread that asked
            return
        self._started.set_result(broker)
        try:
            await self._stop.wait()
        finally:
            await broker.stop()
