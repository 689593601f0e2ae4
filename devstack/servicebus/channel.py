"""One AMQP session within a connection: its links, and the deliveries that await settlement.

AMQP calls this a session; here it is a channel, because sessions are what Service Bus groups
messages by.
"""

from typing import TYPE_CHECKING, Any

from devstack.servicebus.amqp_types import CodecError, Described, UInt
from devstack.servicebus.attach import attach
from devstack.servicebus.entities import Lock
from devstack.servicebus.errors import NOT_IMPLEMENTED, LockLost, Refused
from devstack.servicebus.frames import (
    ACCEPTED,
    ATTACH,
    DETACH,
    DISPOSITION,
    FLOW,
    MODIFIED,
    REJECTED,
    RELEASED,
    STATE_ABANDONED,
    STATE_ACCEPTED,
    STATE_DEFERRED,
    STATE_REJECTED,
    STATE_RELEASED,
    TRANSFER,
    WINDOW,
    AmqpError,
    detach,
    disposition,
    performative,
    rejected,
)

if TYPE_CHECKING:
    from devstack.servicebus.connection import Connection
    from devstack.servicebus.links import Link
    from devstack.servicebus.requests import ResponseLink

_LOST = rejected(AmqpError(LockLost().condition, LockLost().description))
_ID_MASK = 2**32 - 1


class Channel:
    """Links by handle, unsettled deliveries by id."""

    def __init__(self, connection: "Connection", number: int) -> None:
        self.connection = connection
        self.number = number
        self.links: dict[int, Link] = {}
        self.responses: list[ResponseLink] = []
        self.deliveries: dict[int, Lock] = {}
        self._next_delivery_id = 0

    def next_delivery_id(self) -> int:
        """Return the id of the next delivery to the peer."""
        number = self._next_delivery_id
        self._next_delivery_id = (number + 1) & _ID_MASK
        return number

    def on_frame(self, code: int, fields: list[Any], payload: bytes) -> None:
        """Handle one frame of this channel. Raises CodecError if it makes no sense."""
        if code == TRANSFER:
            link = self.links.get(fields[0])
            if link is None:
                raise CodecError(f"a transfer on handle {fields[0]}, which is not attached")
            link.on_transfer(fields, payload)
        elif code == DISPOSITION:
            if fields[0]:
                self._on_disposition(fields)
        elif code == FLOW:
            self._on_flow(fields)
        elif code == ATTACH:
            attach(self, fields)
        elif code == DETACH:
            self._on_detach(fields)

    def flow_fields(self) -> tuple[object, ...]:
        """Return what every flow frame says about the channel."""
        return UInt(0), UInt(WINDOW), UInt(self._next_delivery_id), UInt(WINDOW)

    def close_link(self, handle: int, error: AmqpError) -> None:
        """Detach a link on the broker's initiative."""
        link = self.links.pop(handle, None)
        if link is not None:
            link.closed()
            self.connection.write(detach(self.number, handle, error))

    def ended(self) -> None:
        """Let go of everything: the channel or its connection is gone."""
        for link in list(self.links.values()):
            link.closed()
        self.links.clear()
        self.responses.clear()

    def resume(self) -> None:
        """Deliver again: the peer has read what was waiting for it."""
        for link in self.links.values():
            link.resume()

    def _on_flow(self, fields: list[Any]) -> None:
        handle = fields[4]
        if handle is None:
            if fields[9]:
                nulls = (None,) * 7
                self.connection.write(performative(self.number, FLOW, *self.flow_fields(), *nulls))
            return
        link = self.links.get(handle)
        if link is not None:  # else it was detached while the flow was under way
            link.on_flow(fields)

    def _on_detach(self, fields: list[Any]) -> None:
        link = self.links.pop(fields[0], None)
        if link is not None:
            link.closed()
            self.connection.write(detach(self.number, fields[0]))

    # --- settlement ----------------------------------------------------------------------------

    def _on_disposition(self, fields: list[Any]) -> None:
        _, first, last, settled, state, _ = fields
        if first is None:
            raise CodecError("a disposition names no delivery")
        if last is None or last == first:
            outcome = self._settle(first, state)
            if not settled:
                self._answer((first, first), outcome)
            return
        self._settle_range(first, last, state, answer=not settled)

    def _settle_range(
        self, first: int, last: int, state: Described | None, *, answer: bool
    ) -> None:
        """Settle many deliveries; ids that are unknown are answered range by range."""
        gap = first
        for number in sorted(number for number in self.deliveries if first <= number <= last):
            if answer and gap < number:
                self._answer((gap, number - 1), _LOST)
            outcome = self._settle(number, state)
            if answer:
                self._answer((number, number), outcome)
            gap = number + 1
        if answer and gap <= last:
            self._answer((gap, last), _LOST)

    def _answer(self, span: tuple[int, int], outcome: bytes) -> None:
        self.connection.write(disposition(self.number, False, span, True, outcome))

    def _settle(self, delivery_id: int, state: Described | None) -> bytes:
        lock = self.deliveries.pop(delivery_id, None)
        if lock is None:
            return _LOST
        try:
            return settle(lock, state)
        except Refused as refusal:
            if not isinstance(refusal, LockLost):
                self.deliveries[delivery_id] = lock  # refused for what it asked; still locked
            return rejected(AmqpError(refusal.condition, refusal.description))


def settle(lock: Lock, state: Described | None) -> bytes:
    """Do what a delivery state asks for and return the state to echo. Raises Refused."""
    code = ACCEPTED if state is None else state.descriptor
    fields: list[Any] = state.value if state is not None and isinstance(state.value, list) else []
    queue = lock.queue
    if code == ACCEPTED:
        queue.complete(lock)
        return STATE_ACCEPTED
    if code == RELEASED:
        queue.release(lock)
        return STATE_RELEASED
    if code == MODIFIED:
        return _modify(lock, fields)
    if code == REJECTED:
        queue.dead_letter(lock, *_why(fields))
        return STATE_REJECTED
    raise Refused(NOT_IMPLEMENTED, f"delivery state {code!r} (transactions) is not implemented")


def _modify(lock: Lock, fields: list[Any]) -> bytes:
    failed, elsewhere, annotations = (*fields, None, None, None)[:3]
    if annotations:
        raise Refused(NOT_IMPLEMENTED, "changing properties while settling is not implemented")
    if elsewhere:
        lock.queue.defer(lock)
        return STATE_DEFERRED
    if failed:
        lock.queue.abandon(lock)
    else:
        lock.queue.release(lock)
    return STATE_ABANDONED


def _why(fields: list[Any]) -> tuple[str | None, str | None]:
    """Return reason and description of a dead-letter from the error of its delivery state."""
    error = fields[0] if fields else None
    if not isinstance(error, Described) or not isinstance(error.value, list):
        return None, None
    _, description, about = (*error.value, None, None, None)[:3]
    if not isinstance(about, dict):
        return None, _text(description)
    reason = _text(about.get("DeadLetterReason"))
    return reason, _text(about.get("DeadLetterErrorDescription"))


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str) else None
