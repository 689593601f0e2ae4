"""A broker per module, queues per test, and the unmodified SDK."""

import asyncio
import itertools
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender

from devstack.servicebus.background import BackgroundBroker
from devstack.servicebus.context import QueueConfig

_names = itertools.count(1)


class Bus:
    """The SDK against a running broker. Handlers are closed at the end of the module, all at once:
    the SDK takes half a second to close one."""

    def __init__(self, running: BackgroundBroker) -> None:
        self.running = running
        self._loop = asyncio.Runner()
        self.client = ServiceBusClient.from_connection_string(running.connection_string)
        self.impatient = ServiceBusClient.from_connection_string(
            running.connection_string, retry_total=0
        )
        self._open: list[Any] = []

    def run(self, scenario: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run(scenario)

    def queue(self, **settings: Any) -> str:
        config = replace(QueueConfig(f"queue-{next(_names)}"), **settings)
        self.running.call(lambda broker: broker.add(config))
        return config.name

    async def open(self, *handlers: Any) -> None:
        self._open.extend(handlers)
        await asyncio.gather(*(handler.__aenter__() for handler in handlers))

    async def sender(self, queue: str) -> ServiceBusSender:
        sender = self.client.get_queue_sender(queue)
        await self.open(sender)
        return sender

    async def receiver(self, queue: str, **settings: Any) -> ServiceBusReceiver:
        receiver = self.client.get_queue_receiver(queue, **settings)
        await self.open(receiver)
        return receiver

    async def both(
        self, queue: str, **settings: Any
    ) -> tuple[ServiceBusSender, ServiceBusReceiver]:
        sender = self.client.get_queue_sender(queue)
        receiver = self.client.get_queue_receiver(queue, **settings)
        await self.open(sender, receiver)
        return sender, receiver

    async def close(self, handler: Any) -> None:
        self._open.remove(handler)
        await handler.close()

    def stop(self) -> None:
        async def close() -> None:
            await asyncio.gather(*(handler.close() for handler in self._open))
            await self.client.close()
            await self.impatient.close()

        self.run(close())
        self._loop.close()


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    with BackgroundBroker([], tmp_path_factory.mktemp("broker")) as running:
        bus = Bus(running)
        yield bus
        bus.stop()
