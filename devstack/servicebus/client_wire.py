"""The client's end of a connection: frames in, frames out, links by handle, one channel."""

import asyncio
import struct
import uuid
from typing import Any, Protocol

from devstack.servicebus.amqp_types import CodecError, Described, UInt
from devstack.servicebus.decoding import decode_described_list
from devstack.servicebus.errors import (
    LOCK_LOST,
    SESSION_LOST,
    ConnectionLost,
    LockLost,
    Refused,
)
from devstack.servicebus.frames import (
    AMQP_HEADER,
    ATTACH,
    BEGIN,
    CLOSE,
    DETACH,
    DISPOSITION,
    FRAME_BYTES_MAX,
    HANDLE_MAX,
    OPEN,
    TRANSFER,
    WINDOW,
    detach,
    performative,
)

_HEADER = struct.Struct(">IBBH")
_FIELDS = {ATTACH: 14, DETACH: 3, TRANSFER: 11, DISPOSITION: 6}


class LinkEnd(Protocol):
    """What the wire needs of a link."""

    detaching: bool

    def on_attach(self, fields: list[Any]) -> None: ...
    def on_transfer(self, fields: list[Any], payload: bytes) -> None: ...
    def end(self, error: Exception | None) -> None: ...


class Wire(asyncio.Protocol):
    """One connection. Everything that waits on it fails with ConnectionLost when it goes."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._output: list[bytes] = []
        self._links: dict[int, LinkEnd] = {}
        self._free_handles: list[int] = []
        self._next_handle = 0
        self._next_delivery_id = 0
        self._outcomes: dict[tuple[bool, int], asyncio.Future[Described | None]] = {}

    # --- what asyncio calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        container = f"devstack-client-{uuid.uuid4().hex[:12]}"
        windows = (UInt(0), UInt(WINDOW), UInt(WINDOW), UInt(HANDLE_MAX))
        self.write(
            AMQP_HEADER
            + performative(0, OPEN, container, None, UInt(FRAME_BYTES_MAX), *(None,) * 7)
            + performative(0, BEGIN, None, *windows, None, None, None)
        )

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data
        try:
            self._buffer = data[self._consume(data) :]
        except CodecError as error:
            self._fail(ConnectionLost(f"the broker sent what is not AMQP: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._fail(ConnectionLost(f"the connection to the broker is gone: {error or 'closed'}"))

    # --- for links -----------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes at the end of this turn, together with others. Raises ConnectionLost."""
        if self._transport is None or self.closed.is_set():
            raise ConnectionLost("the connection to the broker is closed")
        if not self._output:
            asyncio.get_running_loop().call_soon(self._flush)
        self._output.append(data)

    def close(self) -> None:
        """Say good-bye and close."""
        if self._transport is not None and not self.closed.is_set():
            self._output.append(performative(0, CLOSE, None))
            self._flush()
            self._transport.close()

    def _flush(self) -> None:
        if self._transport is not None and self._output:
            self._transport.write(b"".join(self._output))
        self._output.clear()

    def add(self, link: "LinkEnd") -> int:
        """Register a link and return its handle."""
        if self._free_handles:
            handle = self._free_handles.pop()
        else:
            handle, self._next_handle = self._next_handle, self._next_handle + 1
        self._links[handle] = link
        return handle

    def next_delivery_id(self) -> int:
        """Return the id of the next message we send."""
        number = self._next_delivery_id
        self._next_delivery_id = (number + 1) & 0xFFFFFFFF
        return number

    def expect_outcome(
        self, delivery_id: int, *, sent: bool = False
    ) -> "asyncio.Future[Described | None]":
        """Return what will become of a delivery: one we received or, if `sent`, one of ours."""
        future: asyncio.Future[Described | None] = asyncio.get_running_loop().create_future()
        self._outcomes[sent, delivery_id] = future
        return future

    # --- input ---------------------------------------------------------------------------------

    def _consume(self, data: bytes) -> int:
        position = 0
        if not self.opened.done():
            if len(data) < 8:
                return 0
            if data[:8] == AMQP_HEADER:
                position = 8
        while len(data) - position >= 8:
            size, offset, _, _ = _HEADER.unpack_from(data, position)
            if not 8 <= offset * 4 <= size <= FRAME_BYTES_MAX:
                raise CodecError(f"a frame of {size} bytes")
            if len(data) - position < size:
                break
            self._on_frame(data[position + offset * 4 : position + size])
            position += size
        return position

    def _on_frame(self, body: bytes) -> None:
        if not body:
            return
        code, fields, end = decode_described_list(body)
        fields.extend((None,) * (_FIELDS.get(code, 0) - len(fields)))
        if code == TRANSFER:
            self._links[fields[0]].on_transfer(fields, body[end:])
        elif code == DISPOSITION:
            self._on_disposition(fields)
        elif code == ATTACH:
            self._links[fields[1]].on_attach(fields)
        elif code == DETACH:
            self._on_detach(fields)
        elif code == BEGIN:
            self.opened.set_result(None)
        elif code == CLOSE:
            error = fields[0] if fields else None
            self._fail(ConnectionLost(f"the broker closed the connection: {error}"))

    def _on_disposition(self, fields: list[Any]) -> None:
        role, first, last, settled, state, _ = fields
        if not settled:
            return
        for number in range(first, (first if last is None else last) + 1):
            future = self._outcomes.pop((role, number), None)
            if future is not None and not future.done():
                future.set_result(state)

    def _on_detach(self, fields: list[Any]) -> None:
        handle, _, error = fields
        link = self._links.pop(handle, None)
        if link is None:
            return
        if not link.detaching:
            self.write(detach(0, handle))
        self._free_handles.append(handle)
        link.end(refusal_of(error))

    def _fail(self, error: ConnectionLost) -> None:
        if self.closed.is_set():
            return
        self.closed.set()
        if self._transport is not None:
            self._transport.close()
        waiting: list[asyncio.Future[Any]] = [self.opened, *self._outcomes.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # nobody may be waiting any more; that is no warning
        self._outcomes.clear()
        for link in self._links.values():
            link.end(error)
        self._links.clear()


def refusal_of(error: Described | None) -> Refused | None:
    """Return the exception for an error of the broker, None if there is none."""
    if not isinstance(error, Described) or not error.value:
        return None
    condition, description = (*error.value, "")[:2]
    if condition in (LOCK_LOST, SESSION_LOST):
        return LockLost(str(description), str(condition))
    return Refused(str(condition), str(description))
