"""Frames: what the two ends of a connection say to each other.

Performatives are written with every field, nulls too, because older SDKs index without looking. The
two hot ones, transfer and disposition, are packed by one `struct` call each.
"""

import struct
from dataclasses import dataclass

from devstack.servicebus.amqp_types import Described, Symbol, UInt, ULong
from devstack.servicebus.encoding import NULL, described, described_list, encode, encode_list

OPEN, BEGIN, ATTACH, FLOW, TRANSFER = 0x10, 0x11, 0x12, 0x13, 0x14
DISPOSITION, DETACH, END, CLOSE = 0x15, 0x16, 0x17, 0x18
SASL_MECHANISMS, SASL_INIT, SASL_OUTCOME = 0x40, 0x41, 0x44
ERROR, ACCEPTED, REJECTED, RELEASED, MODIFIED = 0x1D, 0x24, 0x25, 0x26, 0x27
SOURCE, TARGET, COORDINATOR = 0x28, 0x29, 0x30
DECLARED, TRANSACTIONAL_STATE = 0x33, 0x34

AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
HEARTBEAT = b"\x00\x00\x00\x08\x02\x00\x00\x00"

FRAME_BYTES_MAX = 1024 * 1024  # what the SDK offers too
FRAME_BYTES_MIN = 512  # by the standard; smaller offers are fatal
HANDLE_MAX = 65_535
WINDOW = 2**31 - 1  # session windows are not policed: the SDK counts deliveries, not frames
MESSAGE_FORMAT_BATCH = 0x80013700


@dataclass(frozen=True, slots=True)
class AmqpError:
    """What went wrong, in the words of the protocol."""

    condition: str
    description: str

    def described(self) -> Described:
        """Return the error as a described list; all three fields, or the SDK hangs."""
        return Described(ULong(ERROR), [Symbol(self.condition), self.description, None])


def frame(channel: int, body: bytes, kind: int = 0) -> bytes:
    """Return one frame around an encoded performative."""
    return _HEADER.pack(len(body) + 8, 2, kind, channel) + body


def performative(channel: int, code: int, *fields: object) -> bytes:
    """Return the frame of a performative with these fields, nulls included."""
    return frame(channel, described_list(code, *fields))


def detach(channel: int, handle: int, error: AmqpError | None = None) -> bytes:
    """Return a closing detach."""
    body = described_list(DETACH, UInt(handle), True, error.described() if error else None)
    return frame(channel, body)


def outcome(code: int, *fields: object) -> bytes:
    """Return an encoded delivery state."""
    return described_list(code, *fields) if fields else bytes((0x00, 0x53, code, 0x45))


def rejected(error: AmqpError) -> bytes:
    """Return the delivery state of something refused."""
    return outcome(REJECTED, error.described())


STATE_ACCEPTED = outcome(ACCEPTED)
STATE_RELEASED = outcome(RELEASED)
STATE_REJECTED = outcome(REJECTED, None)  # the echo of a dead-letter: no error means success
STATE_ABANDONED = outcome(MODIFIED, True, False, None)
STATE_DEFERRED = outcome(MODIFIED, True, True, None)

_HEADER = struct.Struct(">IBBH")
_DISPOSITION = struct.Struct(">IBBH3sBBBBBIBIB")
_TRANSFER = struct.Struct(">IBBH3sBBBBIBIH16sBBB5s")
_CONTINUATION = struct.Struct(">IBBH3sBBBBI4sB5s")
_LIST8_FROM = 13  # where the size of a hand-packed list starts to count
_NULLS4 = b"\x40" * 4
_NULLS5 = b"\x40" * 5


def disposition(
    channel: int, role: bool, span: tuple[int, int], settled: bool, state: bytes
) -> bytes:
    """Return the disposition of the deliveries from `span[0]` to `span[1]`; role True receives."""
    first, last = span
    if len(state) > 200:  # an error with a long description needs a longer list
        return frame(channel, _long_disposition(role, span, settled, state))
    size = _DISPOSITION.size + len(state) + 1
    head = _DISPOSITION.pack(
        *(size, 2, 0, channel, b"\x00\x53\x15", 0xC0, size - _LIST8_FROM, 6),
        *(0x41 if role else 0x42, 0x70, first, 0x70, last, 0x41 if settled else 0x42),
    )
    return head + state + b"\x40"


def _long_disposition(role: bool, span: tuple[int, int], settled: bool, state: bytes) -> bytes:
    ids = [encode(UInt(number)) for number in span]
    fields = [encode(role), *ids, encode(settled), state, NULL]
    return described(DISPOSITION, encode_list(fields))


def transfer(
    channel: int, handle: int, delivery_id: int, tag: bytes, payload: bytes, *, settled: bool
) -> bytes:
    """Return a delivery in one frame; the tag has 16 bytes."""
    return (
        _TRANSFER.pack(
            *(_TRANSFER.size + len(payload), 2, 0, channel, b"\x00\x53\x14", 0xC0),
            *(_TRANSFER.size - _LIST8_FROM, 11, 0x70, handle, 0x70, delivery_id, 0xA010, tag),
            *(0x43, 0x41 if settled else 0x42, 0x42, _NULLS5),
        )
        + payload
    )


def transfer_in_parts(transferred: bytes, frame_bytes_max: int) -> bytes:
    """Return the delivery that `transfer` made, cut into frames of at most `frame_bytes_max`."""
    _, _, _, channel, *_ = _HEADER.unpack_from(transferred)
    handle = int.from_bytes(transferred[15:19])
    head, payload = transferred[: _TRANSFER.size], transferred[_TRANSFER.size :]
    room = frame_bytes_max - _TRANSFER.size
    pieces = [payload[start : start + room] for start in range(0, len(payload), room)]
    first = bytearray(head)
    first[0:4] = (len(head) + len(pieces[0])).to_bytes(4)
    first[_MORE_AT] = 0x41 if len(pieces) > 1 else 0x42
    frames = [bytes(first) + pieces[0]]
    for index, piece in enumerate(pieces[1:], start=2):
        more = 0x41 if index < len(pieces) else 0x42
        frames.append(
            _CONTINUATION.pack(
                *(_CONTINUATION.size + len(piece), 2, 0, channel, b"\x00\x53\x14", 0xC0),
                *(_CONTINUATION.size - _LIST8_FROM, 11, 0x70, handle, _NULLS4, more, _NULLS5),
            )
            + piece
        )
    return b"".join(frames)


_MORE_AT = _TRANSFER.size - 6
