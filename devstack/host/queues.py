"""Service Bus triggers: complete on return, abandon on exception, as the Azure host does.

With sessions: `maxConcurrentSessions` slots, each of which takes the next free session, serves it
one message at a time and lets it go after `sessionIdleTimeout` without one. Without: up to
`maxConcurrentCalls` at once. When the worker dies its messages are abandoned (their count goes up),
sessions are let go, and nothing is taken until the next worker is ready.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from devstack.host.broker import BrokerConnection
from devstack.host.host_json import ServiceBusOptions
from devstack.host.invoker import Invoker
from devstack.host.locks import LockKeeper
from devstack.host.messages import call_of
from devstack.host.outcomes import Returned
from devstack.servicebus.client import (
    ConnectionLost,
    Delivery,
    LockLost,
    NoSession,
    Receiver,
    Refused,
)

_ACCEPT_SECONDS = 60.0
_REFUSED_SECONDS = 2.0  # between tries when the broker refuses the queue


@dataclass(frozen=True)
class QueueFunction:
    """A function, its queue, and the connection to the broker."""

    name: str
    queue: str
    sessions: bool
    connection: BrokerConnection


class QueueListener:
    """Feeds one function from one queue."""

    def __init__(
        self,
        function: QueueFunction,
        invoker: Invoker,
        options: ServiceBusOptions,
        report: Callable[[str], None],
    ) -> None:
        self._function = function
        self._invoker = invoker
        self._options = options
        self._say = report
        self._handling: set[asyncio.Task[None]] = set()
        self._trouble = ""

    async def run(self) -> None:
        """Listen until cancelled."""
        if not self._function.sessions:
            await self._listen(self._serve_queue)
        async with asyncio.TaskGroup() as slots:
            for _ in range(self._options.max_concurrent_sessions):
                slots.create_task(self._listen(self._serve_session))

    async def _listen(self, serve: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._invoker.worker.ready.wait()
            try:
                await serve()
            except (NoSession, ConnectionLost, LockLost):
                continue  # nobody needed us, or the next round connects again
            except Refused as error:
                self._report(f"{self._function.name}: queue {self._function.queue!r}: {error}")
                await asyncio.sleep(_REFUSED_SECONDS)

    def _report(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._say(trouble)

    async def _serve_session(self) -> None:
        """Take one session and serve it until it is idle, lost, or the worker is gone."""
        client = await self._function.connection.client()
        queue = self._function.queue
        receiver = await client.accept_session(queue, timeout_seconds=_ACCEPT_SECONDS)
        self._trouble = ""
        keeper = self._keeper(receiver)
        idle_seconds = self._options.session_idle_timeout_seconds
        try:
            while self._invoker.worker.ready.is_set():
                delivery = await receiver.receive(timeout_seconds=idle_seconds)
                if delivery is None:
                    break
                keeper.hold(delivery)
                await self._handle_safely(receiver, delivery)
            await receiver.close()
        finally:
            keeper.stop()

    async def _serve_queue(self) -> None:
        """Take messages as they come; each is handled on its own."""
        client = await self._function.connection.client()
        queue = self._function.queue
        receiver = await client.receiver(queue, credit=self._options.max_concurrent_calls)
        self._trouble = ""
        while True:
            delivery = await receiver.receive()
            if delivery is not None:
                self._start(self._hold_and_handle(receiver, delivery))

    async def _hold_and_handle(self, receiver: Receiver, delivery: Delivery) -> None:
        keeper = self._keeper(receiver)
        keeper.hold(delivery)
        try:
            await self._handle(receiver, delivery)
        finally:
            keeper.stop()

    async def _handle_safely(self, receiver: Receiver, delivery: Delivery) -> None:
        """Handle to the end even when this slot is cancelled: `drain` waits for it."""
        await asyncio.shield(self._start(self._handle(receiver, delivery)))

    def _start(self, handling: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(handling)
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)
        return task

    def _keeper(self, receiver: Receiver) -> LockKeeper:
        return LockKeeper(receiver, self._options.max_auto_lock_renewal_seconds, self._say)

    async def _handle(self, receiver: Receiver, delivery: Delivery) -> None:
        """Call the function and settle the message."""
        outcome = await self._invoker.invoke(call_of(self._function.name, delivery))
        try:
            if isinstance(outcome, Returned):
                await receiver.complete(delivery)
            else:
                await receiver.abandon(delivery)
        except (LockLost, ConnectionLost, Refused) as error:
            name = self._function.name
            self._say(f"{name}: message {delivery.message_id!r} not settled: {error}")

    async def drain(self, seconds: float) -> None:
        """Wait for what is being handled, not longer than `seconds`."""
        if self._handling:
            await asyncio.wait(self._handling, timeout=seconds)
        for task in list(self._handling):
            task.cancel()
