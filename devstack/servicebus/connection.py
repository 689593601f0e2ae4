"""One TCP connection: headers, frames in, frames out.

Whatever a peer sends, at worst its own connection ends. Output is collected and written by
`flush`, which the broker calls after the journal's commit: no answer leaves before what it
confirms is on disk.
"""

import asyncio
import struct
from typing import TYPE_CHECKING, Any

from devstack.servicebus.amqp_types import Array, CodecError, Described, Symbol, UByte, UInt, UShort
from devstack.servicebus.channel import Channel
from devstack.servicebus.decoding import decode_described_list
from devstack.servicebus.encoding import described_list
from devstack.servicebus.frames import (
    AMQP_HEADER,
    ATTACH,
    BEGIN,
    CLOSE,
    DETACH,
    DISPOSITION,
    END,
    FLOW,
    FRAME_BYTES_MAX,
    FRAME_BYTES_MIN,
    HANDLE_MAX,
    HEARTBEAT,
    OPEN,
    SASL_HEADER,
    SASL_INIT,
    SASL_MECHANISMS,
    SASL_OUTCOME,
    TRANSFER,
    WINDOW,
    AmqpError,
    frame,
    performative,
)

if TYPE_CHECKING:
    from devstack.servicebus.server import Broker

OUTPUT_BYTES_MAX = 1024 * 1024  # beyond this nothing is delivered until the peer has read some
CHANNEL_MAX = 255
IDLE_MS = 240_000  # announced, never enforced: on one machine a dead peer closes its socket
MECHANISMS = ("ANONYMOUS", "PLAIN", "EXTERNAL", "MSSBCBS")  # all are let in; see package docstring

_HEADER = struct.Struct(">IBBH")
_SASL, _AMQP = 1, 0
_Text, _Number, _Flag, _Map, _Value = str, int, bool, dict, object
_Kind = type | tuple[type, ...]
_SHAPES: dict[int, tuple[_Kind, ...]] = {
    OPEN: (_Text, _Text, _Number, _Number, _Number, *(_Value,) * 5),
    BEGIN: (_Number, _Number, _Number, _Number, _Number, *(_Value,) * 3),
    ATTACH: (
        *(_Text, _Number, _Flag, _Number, _Number, Described, Described),
        *(_Value, _Flag, _Number, _Number, _Value, _Value, _Map),
    ),
    FLOW: (*(_Number,) * 8, _Flag, _Flag, _Value),
    TRANSFER: (
        *(_Number, _Number, bytes, _Number, _Flag, _Flag, _Number),
        *(Described, _Flag, _Flag, _Flag),
    ),
    DISPOSITION: (_Flag, _Number, _Number, _Flag, Described, _Flag),
    DETACH: (_Number, _Flag, _Value),
    END: (_Value,),
    CLOSE: (_Value,),
}


class Connection(asyncio.Protocol):
    """The broker's end of one connection."""

    def __init__(self, broker: "Broker") -> None:
        self.broker = broker
        self.channels: dict[int, Channel] = {}
        self.peer_frame_bytes_max = FRAME_BYTES_MIN
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._needed = 8
        self._expects_header = True
        self._opened = False
        self._closing = False
        self._output: list[bytes] = []
        self._output_bytes = 0
        self._paused = False
        self._starved = False
        self._heartbeat: asyncio.TimerHandle | None = None

    # --- what asyncio calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=OUTPUT_BYTES_MAX)
        self._transport = transport
        self.broker.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return
            data = bytes(self._buffer)
            self._buffer.clear()
        try:
            position = self._consume(data)
        except CodecError as error:
            self.fail(AmqpError("amqp:decode-error", str(error)))
        else:
            self._buffer += data[position:]

    def connection_lost(self, _error: Exception | None) -> None:
        self._closing = True
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        self._end_channels()
        self.broker.connections.discard(self)
        self.broker.dirty.discard(self)

    def pause_writing(self) -> None:
        self._paused = True
        if self._transport is not None:
            self._transport.pause_reading()  # who does not read shall not make us write more

    def resume_writing(self) -> None:
        self._paused = False
        if self._transport is not None:
            self._transport.resume_reading()
        self._relieve()

    # --- output --------------------------------------------------------------------------------

    @property
    def congested(self) -> bool:
        """Whether more deliveries should wait until the peer has read what is there."""
        if self._paused or self._output_bytes > OUTPUT_BYTES_MAX:
            self._starved = True
            return True
        return False

    def write(self, data: bytes) -> None:
        """Have `data` sent after the next commit."""
        self._output.append(data)
        self._output_bytes += len(data)
        self.broker.request_flush(self)

    def flush(self) -> None:
        """Send what was collected; called after a commit."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(b"".join(self._output))
        self._output.clear()
        self._output_bytes = 0
        if self._closing:
            self._transport.close()
        elif not self._paused:
            self._relieve()

    def _relieve(self) -> None:
        if self._starved:
            self._starved = False
            for channel in self.channels.values():
                channel.resume()

    def fail(self, error: AmqpError) -> None:
        """Close the connection, telling the peer why if it can understand that."""
        if self._closing:
            return
        self._closing = True
        self._end_channels()
        self.write(performative(0, CLOSE, error.described()) if self._opened else b"")

    def _end_channels(self) -> None:
        for channel in self.channels.values():
            channel.ended()
        self.channels.clear()

    def abort(self) -> None:
        """Drop the connection without another word."""
        if self._transport is not None:
            self._transport.abort()

    # --- input ---------------------------------------------------------------------------------

    def _consume(self, data: bytes) -> int:
        """Handle every complete frame; return the position of the rest."""
        position, end = 0, len(data)
        while end - position >= 8 and not self._closing:
            if self._expects_header:
                self._on_header(data[position : position + 8])
                position += 8
                continue
            size, offset, kind, number = _HEADER.unpack_from(data, position)
            if not 8 <= offset * 4 <= size <= FRAME_BYTES_MAX:
                raise CodecError(f"a frame of {size} bytes with an offset of {offset} words")
            self._needed = size
            if end - position < size:
                return position
            self._on_frame(kind, number, data[position + offset * 4 : position + size])
            position += size
        self._needed = 8
        return position

    def _on_header(self, header: bytes) -> None:
        self._expects_header = False
        if header == SASL_HEADER:
            mechanisms = Array(Symbol, list(MECHANISMS))
            body = described_list(SASL_MECHANISMS, mechanisms)
            self.write(SASL_HEADER + frame(0, body, _SASL))
        elif header == AMQP_HEADER:
            self.write(AMQP_HEADER)
        else:
            self.write(AMQP_HEADER)  # the standard's way to say what is spoken here
            self._closing = True

    def _on_frame(self, kind: int, number: int, body: bytes) -> None:
        if not body:
            return  # a heartbeat
        code, fields, end = decode_described_list(body)
        if kind == _SASL:
            self._on_sasl(code)
            return
        shape = _SHAPES.get(code)
        if kind != _AMQP or shape is None:
            raise CodecError(f"unknown frame 0x{code:02x} of type {kind}")
        _check_shape(fields, shape)
        if code == OPEN or not self._opened:
            self._on_open(code, fields)
        elif code == CLOSE:
            self._closing = True
            self._end_channels()
            self.write(performative(0, CLOSE, None))
        elif code == BEGIN:
            self._on_begin(number, fields)
        else:
            self._on_channel(number, code, fields, body[end:])

    def _on_sasl(self, code: int) -> None:
        if code != SASL_INIT or self._opened:
            raise CodecError(f"unexpected SASL frame 0x{code:02x}")
        self.write(frame(0, described_list(SASL_OUTCOME, UByte(0), None), _SASL))
        self._expects_header = True

    def _on_open(self, code: int, fields: list[Any]) -> None:
        if code != OPEN or self._opened:
            raise CodecError("the first frame, and only the first, is open")
        offered = 2**32 - 1 if fields[2] is None else fields[2]
        self.peer_frame_bytes_max = max(FRAME_BYTES_MIN, min(offered, FRAME_BYTES_MAX))
        self._opened = True
        product = {Symbol("product"): "devstack.servicebus"}
        self.write(
            performative(
                *(0, OPEN, self.broker.container_id, fields[1], UInt(FRAME_BYTES_MAX)),
                *(UShort(CHANNEL_MAX), UInt(IDLE_MS), None, None, None, None, product),
            )
        )
        if fields[4]:
            self._beat(max(fields[4] / 2000, 0.1))

    def _beat(self, seconds: float) -> None:
        """Send a heartbeat now and every so many seconds: the peer asked for it."""
        if self._transport is not None and not self._closing:
            self._transport.write(HEARTBEAT)
            loop = asyncio.get_running_loop()
            self._heartbeat = loop.call_later(seconds, self._beat, seconds)

    def _on_begin(self, number: int, fields: list[Any]) -> None:
        if number in self.channels or number > CHANNEL_MAX:
            raise CodecError(f"channel {number} is in use or beyond {CHANNEL_MAX}")
        self.channels[number] = Channel(self, number)
        windows = (UInt(0), UInt(WINDOW), UInt(WINDOW), UInt(HANDLE_MAX))
        self.write(performative(number, BEGIN, UShort(number), *windows, None, None, None))

    def _on_channel(self, number: int, code: int, fields: list[Any], payload: bytes) -> None:
        channel = self.channels.get(number)
        if channel is None:
            raise CodecError(f"channel {number} has not begun")
        if code == END:
            del self.channels[number]
            channel.ended()
            self.write(performative(number, END, None))
        else:
            channel.on_frame(code, fields, payload)


def _check_shape(fields: list[Any], shape: tuple[_Kind, ...]) -> None:
    """Pad what was left out with None; raise CodecError where a field has the wrong type."""
    if len(fields) < len(shape):
        fields.extend((None,) * (len(shape) - len(fields)))
    for value, kind in zip(fields, shape, strict=False):
        if value is not None and not isinstance(value, kind):
            raise CodecError(f"a field of a performative is a {type(value).__name__}")
