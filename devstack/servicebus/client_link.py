"""One link of the client: opened, fed with frames, and ended with the error it ended with."""

import asyncio
import itertools
from typing import Any

from devstack.servicebus.amqp_types import UInt
from devstack.servicebus.client_wire import Wire
from devstack.servicebus.encoding import described, encode, encode_list
from devstack.servicebus.errors import ConnectionLost
from devstack.servicebus.frames import ATTACH, FLOW, WINDOW, detach, frame, performative

_names = itertools.count()


class ClientLink:
    """One link. After `end` every use of it raises the error it ended with."""

    initial_credit = 0

    def __init__(self, wire: Wire, entity: str) -> None:
        self.wire = wire
        self.entity = entity
        self.handle = -1
        self.detaching = False
        self.received = 0  # deliveries, which is the link's delivery-count
        self._attached: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._first: list[Any] | None = None
        self._parts: list[bytes] = []

    async def attach(self, asked: tuple[Any, ...]) -> None:
        """Open the link: role, settle modes, source, target, properties. Raises Refused."""
        role, sender_mode, receiver_mode, source, target, properties = asked
        self._attached = asyncio.get_running_loop().create_future()
        self.handle = self.wire.add(self)
        name = f"link-{next(_names)}"
        data = performative(
            *(0, ATTACH, name, UInt(self.handle), role, sender_mode, receiver_mode),
            *(source, target, None, None, None if role else UInt(0)),
            *(None, None, None, properties),
        )
        if self.initial_credit:  # pipelined, so that the first message comes with the answer
            data += self.flow(self.initial_credit)
        self.wire.write(data)
        await self._attached

    def flow(self, credit: int) -> bytes:
        """Return the frame that lets the broker have `credit` deliveries under way."""
        numbers = (0, WINDOW, 0, WINDOW, self.handle, self.received, credit)
        fields = [encode(UInt(number)) for number in numbers]
        return frame(0, described(FLOW, encode_list([*fields, *(b"\x40",) * 4])))

    def detach(self) -> None:
        """Close the link; nobody waits for the broker's answer."""
        if self.detaching or self._error is not None or self.handle < 0:
            return
        self.detaching = True
        self._error = ConnectionLost("the link was closed")
        if not self.wire.closed.is_set():
            self.wire.write(detach(0, self.handle))

    def check(self) -> None:
        """Raise the error that ended the link, if it has ended."""
        if self._error is not None:
            raise self._error

    def end(self, error: Exception | None) -> None:
        """Take note that the link is gone."""
        if self._error is None:
            self._error = error or ConnectionLost("the broker closed the link")
        if self._attached is not None and not self._attached.done():
            self._attached.set_exception(self._error)
            self._attached.exception()  # who attached may have been cancelled; that is no warning
        self.on_closed()

    def on_attach(self, fields: list[Any]) -> None:
        """Take the broker's answer; without source and target a detach with the reason follows."""
        if fields[5] is None or fields[6] is None:
            return
        self.on_attached(fields)
        if self._attached is not None and not self._attached.done():
            self._attached.set_result(None)

    def on_transfer(self, fields: list[Any], payload: bytes) -> None:
        """Take a frame of a message; tell `on_message` of whole ones."""
        if self._first is None and not fields[5]:
            self.received += 1
            self.on_message(fields, payload)
            return
        self._first = self._first or fields
        self._parts.append(payload)
        if not fields[5]:
            first, whole = self._first, b"".join(self._parts)
            self._first, self._parts = None, []
            self.received += 1
            self.on_message(first, whole)

    def on_attached(self, fields: list[Any]) -> None:
        """Read what the broker's attach says."""

    def on_message(self, fields: list[Any], payload: bytes) -> None:
        """Take a whole message."""

    def on_closed(self) -> None:
        """Wake whoever waits on this link."""
