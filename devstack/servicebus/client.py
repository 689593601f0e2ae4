"""A client for processes that serve many sessions: all of them as links on one connection.

Opening a link costs one round trip, so a session can be accepted for each message. It speaks the
same protocol as the SDK, without tokens; it is for this machine only.
"""

import asyncio
import itertools
from datetime import datetime
from typing import Any

from devstack.servicebus.amqp_types import Described, Symbol, UByte, UInt, ULong
from devstack.servicebus.attach_reply import SESSION_FILTER
from devstack.servicebus.client_link import ClientLink
from devstack.servicebus.client_requests import Requests
from devstack.servicebus.client_wire import Wire, refusal_of
from devstack.servicebus.delivery import Delivery, read_delivery
from devstack.servicebus.errors import TIMEOUT, ConnectionLost, LockLost, NoSession, Refused
from devstack.servicebus.frames import (
    ACCEPTED,
    SOURCE,
    STATE_ABANDONED,
    STATE_ACCEPTED,
    TARGET,
    disposition,
)
from devstack.servicebus.sender import Sender

__all__ = ["Client", "ConnectionLost", "Delivery", "LockLost", "NoSession", "Receiver", "Refused"]

_UNSETTLED, _SECOND = UByte(0), UByte(1)  # the broker confirms each settlement
_names = itertools.count()


class Client:
    """One connection to a broker. `closed` is set when it is gone, whoever ended it."""

    def __init__(self, wire: Wire) -> None:
        """Use `connect`."""
        self._wire = wire
        self._requests: dict[str, Requests] = {}
        self.closed: asyncio.Event = wire.closed

    @classmethod
    async def connect(cls, host: str, port: int) -> "Client":
        """Open a connection. Raises OSError if nobody listens, ConnectionLost if it is refused."""
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(Wire, host, port)
        await wire.opened
        return cls(wire)

    async def close(self) -> None:
        """Close the connection. Sessions are released; message locks stay until they expire."""
        self._wire.close()
        await self.closed.wait()

    async def receiver(self, entity: str, *, credit: int) -> "Receiver":
        """Receive from a queue without sessions or a dead-letter sub-queue.

        At most `credit` deliveries are unsettled at a time; settling one makes room for the next.
        Raises Refused.
        """
        return await self._open(entity, credit, {}, None)

    async def accept_session(self, entity: str, *, timeout_seconds: float) -> "Receiver":
        """Lock the next session that is free and has messages.

        Raises NoSession if there is none in time, Refused if the queue has no sessions.
        """
        milliseconds = UInt(max(0, round(timeout_seconds * 1000)))
        properties = {Symbol(TIMEOUT): milliseconds}
        try:
            return await self._open(entity, 1, properties, {SESSION_FILTER: None})
        except Refused as refusal:
            if refusal.condition == TIMEOUT:
                raise NoSession from None
            raise

    async def sender(self, entity: str) -> Sender:
        """Send to a queue. Raises Refused."""
        link = ClientLink(self._wire, entity)
        source = Described(ULong(SOURCE), [f"sender-{next(_names)}"])
        target = Described(ULong(TARGET), [entity])
        await link.attach((False, _UNSETTLED, UByte(0), source, target, None))
        return Sender(link)

    async def requests(self, entity: str) -> Requests:
        """Return the pair of management links of a queue, opened once."""
        found = self._requests.get(entity)
        if found is None:
            found = self._requests[entity] = Requests(self._wire, f"{entity}/$management")
        await found.open()
        return found

    async def _open(
        self,
        entity: str,
        credit: int,
        properties: dict[Any, Any],
        session_filter: dict[Any, Any] | None,
    ) -> "Receiver":
        receiver = Receiver(self, self._wire, entity, credit)
        source = Described(ULong(SOURCE), [entity, *(None,) * 6, session_filter])
        target = Described(ULong(TARGET), [f"receiver-{next(_names)}"])
        try:
            await receiver.attach((True, _UNSETTLED, _SECOND, source, target, properties))
        except asyncio.CancelledError:
            receiver.detach()
            raise
        return receiver


class Receiver(ClientLink):
    """Takes messages from one queue or one session; deliveries wait here until asked for."""

    def __init__(self, client: Client, wire: Wire, entity: str, credit: int) -> None:
        """Use `Client.receiver` or `Client.accept_session`."""
        super().__init__(wire, entity)
        self.session_id: str | None = None
        self.session_locked_until: datetime | None = None
        self._client = client
        self._credit = self.initial_credit = credit
        self._deliveries: list[Delivery] = []
        self._waiter: asyncio.Future[None] | None = None

    async def receive(self, *, timeout_seconds: float | None = None) -> Delivery | None:
        """Return the next message, or None when the time is over.

        Raises LockLost when the session's lock expired, ConnectionLost, Refused. One call at a
        time: a receiver does not decide which of two callers comes first.
        """
        if not self._deliveries:
            await self._wait(timeout_seconds)
        if not self._deliveries:
            return None
        return self._deliveries.pop(0)

    async def complete(self, delivery: Delivery) -> None:
        """Delete a message. Returns once the broker has it on disk. Raises LockLost."""
        await self._settle(delivery, STATE_ACCEPTED)

    async def abandon(self, delivery: Delivery) -> None:
        """Give a message back and count a failed delivery. Raises LockLost."""
        await self._settle(delivery, STATE_ABANDONED)

    async def renew(self, delivery: Delivery | None = None) -> datetime:
        """Renew the session's lock, or that of a message; return until when. Raises LockLost."""
        requests = await self._client.requests(self.entity)
        if self.session_id is not None:
            until = await requests.renew_session(self.session_id)
            self.session_locked_until = until
            return until
        if delivery is None:
            raise ValueError("a receiver without a session renews the lock of a delivery")
        delivery.locked_until = await requests.renew_message(delivery.lock_token)
        return delivery.locked_until

    async def close(self) -> None:
        """Stop receiving. A session is released; locked messages of a queue stay locked."""
        self.detach()

    async def _wait(self, timeout_seconds: float | None) -> None:
        """Wait for a delivery, the end of the link, or the end of the time."""
        self.check()
        loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()
        timer = None
        if timeout_seconds is not None:
            timer = loop.call_later(timeout_seconds, self._wake)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()
        if not self._deliveries:
            self.check()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _settle(self, delivery: Delivery, state: bytes) -> None:
        self.check()
        number, delivery.delivery_id = delivery.delivery_id, -1
        if number < 0:
            raise LockLost  # settled before; its credit has been given back already
        outcome: asyncio.Future[Described | None] = self.wire.expect_outcome(number)
        self._credit += 1
        self.wire.write(
            disposition(0, True, (number, number), False, state) + self.flow(self._credit)
        )
        answer = await outcome
        fields = answer.value if answer is not None else None
        if answer is None or answer.descriptor == ACCEPTED or not fields:
            return
        error = fields[0]
        if isinstance(error, Described):
            refusal = refusal_of(error)
            assert refusal is not None
            raise refusal

    def on_attached(self, fields: list[Any]) -> None:
        source = fields[5].value
        filters = source[7] if len(source) > 7 else None
        self.session_id = (filters or {}).get(SESSION_FILTER)

    def on_message(self, fields: list[Any], payload: bytes) -> None:
        self._credit -= 1
        self._deliveries.append(read_delivery(fields[1], fields[2], payload))
        self._wake()

    def on_closed(self) -> None:
        self._wake()
