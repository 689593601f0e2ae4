"""The bus as the contract suite sees it: the double, and the sender over the local broker."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from alm.adapters.service_bus import ServiceBusBus
from alm.ports import Bus, Outgoing
from devstack.servicebus.background import BackgroundBroker
from devstack.servicebus.client import Client, Delivery, NoSession, Receiver
from devstack.servicebus.context import QueueConfig
from tests.doubles.bus import MemoryBus

PLAIN, SESSIONS, ONCE = "plain", "sessions", "once"
QUEUES = (
    QueueConfig(PLAIN),
    QueueConfig(SESSIONS, requires_session=True),
    QueueConfig(ONCE, duplicate_window_ms=60_000),
)
ACCEPTED_SECONDS = 5.0
TAKERS = 8  # sessions taken at a time
QUIET_SECONDS = 0.2  # a broker on this machine hands over what it has at once


class Received(NamedTuple):
    """A message at the other end."""

    id: str | None
    body: bytes
    session: str | None
    subject: str
    correlation_id: str
    content_type: str
    traceparent: str = ""


class BusWorld(Protocol):
    bus: Bus

    def received(self, queue: str) -> list[Received]:
        """Take what a queue holds, in order."""
        ...

    def close(self) -> None: ...


class MemoryBusWorld:
    """The double. Only its queue `once` looks for duplicates."""

    def __init__(self) -> None:
        self.bus: Bus = self
        self._plain = MemoryBus([PLAIN, SESSIONS, ONCE])
        self._once = MemoryBus([PLAIN, SESSIONS, ONCE], duplicate_detection=True)

    def send(self, messages: list[Outgoing]) -> None:
        once = bool(messages) and all(message.queue == ONCE for message in messages)
        (self._once if once else self._plain).send(messages)

    def received(self, queue: str) -> list[Received]:
        bus = self._once if queue == ONCE else self._plain
        return [
            Received(
                message.id,
                message.body,
                message.session,
                message.subject,
                message.correlation_id,
                message.content_type,
                message.traceparent,
            )
            for message in bus.accepted(queue)
        ]

    def close(self) -> None: ...


class BrokerWorld:
    """The sender, and a broker of its own."""

    def __init__(self, folder: Path) -> None:
        self.running = BackgroundBroker(QUEUES, folder).__enter__()
        self.bus = ServiceBusBus.from_connection_string(
            self.running.connection_string,
            [PLAIN, SESSIONS, ONCE],
            accepted_seconds=ACCEPTED_SECONDS,
        )

    def received(self, queue: str) -> list[Received]:
        return asyncio.run(take_all(self.running.port, queue, sessions=queue == SESSIONS))

    def close(self) -> None:
        self.bus.close()
        self.running.__exit__(None, None, None)


async def take_all(port: int, queue: str, *, sessions: bool) -> list[Received]:
    """Take everything that a queue of a broker on this machine holds."""
    client = await Client.connect("127.0.0.1", port)
    if sessions:
        parts = await asyncio.gather(*(_take_sessions(client, queue) for _ in range(TAKERS)))
        found = [delivery for part in parts for delivery in part]
    else:
        found = await _drain(await client.receiver(queue, credit=1000))
    await client.close()
    return [_received(delivery) for delivery in found]


async def _take_sessions(client: Client, queue: str) -> list[Delivery]:
    found: list[Delivery] = []
    while True:
        try:
            session = await client.accept_session(queue, timeout_seconds=QUIET_SECONDS)
        except NoSession:
            return found
        found += await _drain(session)
        await session.close()


async def _drain(receiver: Receiver) -> list[Delivery]:
    found: list[Delivery] = []
    while (delivery := await receiver.receive(timeout_seconds=QUIET_SECONDS)) is not None:
        found.append(delivery)
        await receiver.complete(delivery)
    return found


def _received(delivery: Delivery) -> Received:
    return Received(
        delivery.message_id,
        delivery.body,
        delivery.session_id,
        delivery.subject or "",
        delivery.correlation_id or "",
        delivery.content_type or "",
        _context(delivery.application_properties),
    )


def _context(properties: Mapping[str, object]) -> str:
    """Under both names, or none."""
    assert properties.get("traceparent") == properties.get("Diagnostic-Id")
    return str(properties.get("traceparent", ""))
