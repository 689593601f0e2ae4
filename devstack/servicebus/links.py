"""Links: the ends of a client's senders and receivers.

The client chooses handles; the broker answers with the same. Names follow the broker's view: an
incoming link takes what a client sends, an outgoing one delivers.
"""

from typing import TYPE_CHECKING, Any

from devstack.servicebus.amqp_types import CodecError, UInt
from devstack.servicebus.decoding import decode, descriptor_code, skip
from devstack.servicebus.entities import Lock, Queue
from devstack.servicebus.errors import LINK_SIZE, NOT_IMPLEMENTED, Refused
from devstack.servicebus.frames import (
    FLOW,
    MESSAGE_FORMAT_BATCH,
    STATE_ACCEPTED,
    AmqpError,
    disposition,
    performative,
    rejected,
    transfer,
    transfer_in_parts,
)
from devstack.servicebus.message import DATA, Message, parse, render

if TYPE_CHECKING:
    from devstack.servicebus.channel import Channel
    from devstack.servicebus.sessions import Session

MESSAGE_BYTES_MAX = 256 * 1024  # the Standard tier's limit, for a message and for a batch
_CREDIT = 10_000  # refreshed at half; the SDK does not wait for it
_COUNT_MASK = 2**32 - 1


class Link:
    """What all links have in common."""

    def __init__(self, channel: "Channel", handle: int) -> None:
        self.channel = channel
        self.connection = channel.connection
        self.handle = handle

    def on_transfer(self, fields: list[Any], payload: bytes) -> None:
        """Take a frame of a message."""
        raise CodecError(f"a transfer on handle {self.handle}, where the broker sends")

    def on_flow(self, fields: list[Any]) -> None:
        """Take note of credit."""

    def resume(self) -> None:
        """Deliver again after congestion."""

    def closed(self) -> None:
        """Let go: the link is detached or its connection is gone."""


class IncomingLink(Link):
    """Takes messages from a client; `take` says what becomes of them."""

    def __init__(self, channel: "Channel", handle: int) -> None:
        super().__init__(channel, handle)
        self._parts: list[bytes] = []
        self._bytes = 0
        self._first: list[Any] | None = None  # the fields of the delivery under way
        self._credit = _CREDIT
        self._count = 0

    def grant_credit(self) -> None:
        """Tell the client how many messages it may send."""
        self._credit = _CREDIT
        self.connection.write(
            performative(
                self.channel.number,
                FLOW,
                *(*self.channel.flow_fields(), UInt(self.handle)),
                *(UInt(self._count), UInt(_CREDIT), None, None, None, None),
            )
        )

    def on_transfer(self, fields: list[Any], payload: bytes) -> None:
        more = fields[5]
        if self._first is None and not more:
            self._complete(fields, payload)  # the usual case: one frame
            return
        if self._first is None:
            self._first = fields
        self._bytes += len(payload)
        if self._bytes <= MESSAGE_BYTES_MAX:
            self._parts.append(payload)
        if fields[9]:
            self._reset()  # aborted: as if it had never begun
        elif not more:
            first, whole = self._first, b"".join(self._parts)
            size = self._bytes
            self._reset()
            self._complete(first, whole, size)

    def _reset(self) -> None:
        self._first, self._parts, self._bytes = None, [], 0

    def _complete(self, fields: list[Any], payload: bytes, size: int | None = None) -> None:
        delivery_id = fields[1]
        if delivery_id is None:
            raise CodecError("a delivery without an id")
        self._count = (self._count + 1) & _COUNT_MASK
        self._credit -= 1
        try:
            if (size or len(payload)) > MESSAGE_BYTES_MAX:
                raise Refused(LINK_SIZE, f"a message has at most {MESSAGE_BYTES_MAX} bytes")
            if fields[7] is not None:
                raise Refused(NOT_IMPLEMENTED, "transactions are not implemented")
            self.take(fields, payload)
        except Refused as refusal:
            state = rejected(AmqpError(refusal.condition, refusal.description))
            self.settle(delivery_id, fields, state)
        if self._credit * 2 < _CREDIT:
            self.grant_credit()

    def take(self, fields: list[Any], payload: bytes) -> None:
        """Do something with a whole message, and settle it. Raises Refused."""
        raise NotImplementedError

    def settle(self, delivery_id: int, fields: list[Any], state: bytes) -> None:
        """Tell the client what became of a message, unless it does not want to know."""
        if not fields[4]:
            span = (delivery_id, delivery_id)
            self.connection.write(disposition(self.channel.number, True, span, True, state))


class QueueSenderLink(IncomingLink):
    """A client's sender to a queue."""

    def __init__(self, channel: "Channel", handle: int, queue: Queue) -> None:
        super().__init__(channel, handle)
        self._queue = queue

    def take(self, fields: list[Any], payload: bytes) -> None:
        message_format = fields[3]
        if not message_format:
            messages = [parse(payload)]
        elif message_format == MESSAGE_FORMAT_BATCH:
            messages = _batch(payload)
        else:
            raise Refused(NOT_IMPLEMENTED, f"message format {message_format} is not implemented")
        self._queue.send(messages)
        self.settle(fields[1], fields, STATE_ACCEPTED)


def _batch(payload: bytes) -> list[Message]:
    """Return the messages of a batch: one per data section; the rest of the envelope is void."""
    messages = []
    position = 0
    try:
        while position < len(payload):
            code, start = descriptor_code(payload, position)
            position = skip(payload, start)
            if code == DATA:
                content, _ = decode(payload, start)
                if not isinstance(content, bytes):
                    raise CodecError("the data section of a batch is binary")
                messages.append(parse(content))
    except IndexError as error:
        raise CodecError("a batch is cut short") from error
    return messages


class OutgoingLink(Link):
    """Delivers the messages of a queue to a client; a consumer in the queue's eyes."""

    def __init__(self, channel: "Channel", handle: int, queue: Queue, *, settled: bool) -> None:
        super().__init__(channel, handle)
        self.settles_on_send = settled
        self.queue = queue
        self.credit = 0
        self._count = 0

    def can_take(self) -> bool:
        return self.credit > 0 and not self.connection.congested

    def deliver(self, message: Message, lock: Lock | None) -> None:
        channel = self.channel
        delivery_id = channel.next_delivery_id()
        if lock is None:
            tag = delivery_id.to_bytes(16)
            payload = render(message)
        else:
            tag = lock.token
            lock.delivery_id = delivery_id
            channel.deliveries[delivery_id] = lock
            payload = render(message, token=tag, locked_until=lock.until)
        data = transfer(
            channel.number, self.handle, delivery_id, tag, payload, settled=lock is None
        )
        if len(data) > self.connection.peer_frame_bytes_max:
            data = transfer_in_parts(data, self.connection.peer_frame_bytes_max)
        self.credit -= 1
        self._count = (self._count + 1) & _COUNT_MASK
        self.connection.write(data)

    def lost(self, lock: Lock) -> None:
        self.channel.deliveries.pop(lock.delivery_id, None)

    def granted(self, session: "Session") -> None:
        raise AssertionError("a link without sessions waits for none")

    def session_lost(self, session: "Session") -> None:
        raise AssertionError("a link without sessions loses none")

    def on_flow(self, fields: list[Any]) -> None:
        count, credit, drain, echo = fields[5], fields[6], fields[8], fields[9]
        if credit is not None:
            seen = self._count if count is None else count
            self.credit = max(0, seen + credit - self._count)
        self.resume()
        if drain:
            self.connection.broker.pump_now()
            self._count = (self._count + self.credit) & _COUNT_MASK
            self.credit = 0
        if drain or echo:
            self._report(drain=bool(drain))

    def _report(self, *, drain: bool) -> None:
        self.connection.write(
            performative(
                self.channel.number,
                FLOW,
                *(*self.channel.flow_fields(), UInt(self.handle)),
                *(UInt(self._count), UInt(self.credit), UInt(0), drain, False, None),
            )
        )

    def resume(self) -> None:
        if self.credit > 0:
            self.queue.subscribe(self)

    def closed(self) -> None:
        self.credit = 0
        self.queue.unsubscribe(self)
