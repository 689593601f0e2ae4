"""A stored message: taken apart on arrival, put together again for every delivery.

Properties, application properties and body are kept as the bytes that came and never decoded. Only
the header and the annotations that a broker owns are rewritten.
"""

import struct
import uuid
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from devstack.servicebus.amqp_types import CodecError, Symbol
from devstack.servicebus.decoding import decode, decode_described_list, descriptor_code, skip
from devstack.servicebus.encoding import described, encode, encode_list, encode_map
from devstack.servicebus.errors import NOT_IMPLEMENTED, Refused

if TYPE_CHECKING:
    from devstack.servicebus.entities import Lock
    from devstack.servicebus.timers import Timer

HEADER, DELIVERY_ANNOTATIONS, MESSAGE_ANNOTATIONS = 0x70, 0x71, 0x72
PROPERTIES, APPLICATION_PROPERTIES, DATA, FOOTER = 0x73, 0x74, 0x75, 0x78

_END_OF_TIME = 253_402_300_799_999  # the year 9999, the last that any client can show
_MESSAGE_ID, _GROUP_ID = 0, 10  # places in the properties section
_SCHEDULED = "x-opt-scheduled-enqueue-time"
_OWNED = {
    *("x-opt-sequence-number", "x-opt-enqueued-time", "x-opt-locked-until", "x-opt-lock-token"),
    *("x-opt-enqueue-sequence-number", "x-opt-message-state", "x-opt-deadletter-source"),
}


class State(IntEnum):
    """Where a message stands; the numbers are those of `x-opt-message-state`."""

    ACTIVE = 0
    DEFERRED = 1
    SCHEDULED = 2


MessageId = str | int | bytes | uuid.UUID


@dataclass(slots=True, eq=False)
class Message:
    """One message and what the broker knows about it. Times are milliseconds since 1970 or 0."""

    bare: bytes  # properties, application properties, body and footer, as they came
    message_id: MessageId | None = None
    session_id: str | None = None
    durable: bool = True
    priority: int = 4
    ttl: int | None = None  # milliseconds, as the sender asked
    annotations: bytes = b""  # keys and values, encoded, that are not ours
    annotation_items: int = 0
    scheduled: int = 0
    sequence: int = 0
    origin: int = 0  # the sequence number it had in the queue it was sent to
    enqueued: int = 0
    expires: int = 0
    delivery_count: int = 0
    state: State = State.ACTIVE
    lock: "Lock | None" = field(default=None, repr=False)
    timer: "Timer | None" = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """What the message counts for against the quota of its queue, in bytes."""
        return len(self.bare) + len(self.annotations)


def parse(payload: bytes) -> Message:
    """Take an encoded message apart. Raises CodecError if it is malformed."""
    message = Message(b"")
    position, end, last = 0, len(payload), HEADER
    try:
        while position < end:
            code, start = descriptor_code(payload, position)
            if not last <= code <= FOOTER:
                raise CodecError(f"section 0x{code:02x} after section 0x{last:02x}")
            if code >= PROPERTIES:
                break
            last = code
            position = _read_section(message, code, payload, position, start)
    except IndexError as error:
        raise CodecError("a section is cut short") from error
    message.bare = bytes(payload[position:])
    _read_bare(message)
    return message


def _read_section(message: Message, code: int, payload: bytes, position: int, start: int) -> int:
    if code == HEADER:
        _, fields, position = decode_described_list(payload, position)
        _read_header(message, fields)
        return position
    if code == MESSAGE_ANNOTATIONS:
        return _read_annotations(message, payload, start)
    return skip(payload, start)


def _read_header(message: Message, fields: list[Any]) -> None:
    fields += [None] * (3 - len(fields))
    durable, priority, ttl = fields[:3]
    if not isinstance(priority, int | None) or not isinstance(ttl, int | None):
        raise CodecError("priority and ttl of a header are numbers")
    message.durable = durable is not False
    message.priority = 4 if priority is None else min(max(priority, 0), 255)
    message.ttl = None if ttl is None else min(max(ttl, 0), 2**32 - 1)


def _read_annotations(message: Message, payload: bytes, start: int) -> int:
    end = skip(payload, start)
    decode(payload, start)  # rejects what is malformed
    constructor = payload[start]
    if constructor not in (0xC1, 0xD1):
        raise CodecError("message annotations are a map")
    position = start + (3 if constructor == 0xC1 else 9)
    kept: list[bytes] = []
    while position < end:
        name, value_at = decode(payload, position)
        after = skip(payload, value_at)
        if name == _SCHEDULED:
            message.scheduled = _timestamp(decode(payload, value_at)[0])
        elif name == "x-opt-via-partition-key":
            raise Refused(NOT_IMPLEMENTED, "sending via another entity is not implemented")
        elif name not in _OWNED:
            kept.append(payload[position:after])
        position = after
    message.annotations, message.annotation_items = b"".join(kept), len(kept)
    return end


def _timestamp(value: object) -> int:
    if not isinstance(value, int):
        raise CodecError(f"{_SCHEDULED} is a timestamp")
    return min(max(0, int(value)), _END_OF_TIME)


def _read_bare(message: Message) -> None:
    bare, position, last = message.bare, 0, PROPERTIES
    while position < len(bare):
        try:
            code, start = descriptor_code(bare, position)
        except IndexError as error:
            raise CodecError("a section is cut short") from error
        if not last <= code <= FOOTER:
            raise CodecError(f"section 0x{code:02x} after section 0x{last:02x}")
        last = code
        if code == PROPERTIES:
            _, fields, position = decode_described_list(bare, position)
            _read_properties(message, fields)
        else:
            position = skip(bare, start)


def _read_properties(message: Message, fields: list[Any]) -> None:
    message_id = fields[_MESSAGE_ID] if fields else None
    if not isinstance(message_id, str | int | bytes | uuid.UUID | None):
        raise CodecError("a message id is a string, a number, a uuid or binary")
    session_id = fields[_GROUP_ID] if len(fields) > _GROUP_ID else None
    if not isinstance(session_id, str | None):
        raise CodecError("a session id (group-id) is a string")
    message.message_id, message.session_id = message_id, session_id


_U32 = struct.Struct(">I")
_I64 = struct.Struct(">q")


def _symbol_key(name: str) -> bytes:
    return encode(Symbol(name))


_SEQUENCE_KEY = _symbol_key("x-opt-sequence-number") + b"\x81"
_ENQUEUED_KEY = _symbol_key("x-opt-enqueued-time") + b"\x83"
_ORIGIN_KEY = _symbol_key("x-opt-enqueue-sequence-number") + b"\x81"
_LOCKED_KEY = _symbol_key("x-opt-locked-until") + b"\x83"
_STATE_KEY = _symbol_key("x-opt-message-state") + b"\x71"
_SCHEDULED_KEY = _symbol_key(_SCHEDULED) + b"\x83"
_TOKEN_SECTION = described(
    DELIVERY_ANNOTATIONS,
    encode_map([_symbol_key("x-opt-lock-token"), encode(uuid.UUID(int=0))]),
)[:-16]


def render(message: Message, *, token: bytes | None = None, locked_until: int = 0) -> bytes:
    """Return the message as a receiver sees it: with its lock if there is one, else as peeked."""
    parts = [_header(message)]
    if token is not None:
        parts += (_TOKEN_SECTION, wire_order(token))
    parts += (_annotations(message, locked_until), message.bare)
    return b"".join(parts)


def wire_order(token: bytes) -> bytes:
    """Return the big-endian form of a lock token, which is a little-endian GUID."""
    return token[3::-1] + token[5:3:-1] + token[7:5:-1] + token[8:]


def _header(message: Message) -> bytes:
    durable = b"\x41" if message.durable else b"\x42"
    ttl = b"\x40" if message.ttl is None else b"\x70" + _U32.pack(min(message.ttl, 2**32 - 1))
    first = b"\x41" if message.delivery_count == 0 else b"\x42"
    count = b"\x70" + _U32.pack(message.delivery_count)
    body = b"".join((durable, b"\x50", message.priority.to_bytes(1), ttl, first, count))
    return b"\x00\x53\x70\xc0" + bytes((len(body) + 1, 5)) + body


def _annotations(message: Message, locked_until: int) -> bytes:
    pack = _I64.pack
    origin = message.origin or message.sequence
    parts = [
        *(_SEQUENCE_KEY, pack(message.sequence), _ENQUEUED_KEY, pack(message.enqueued)),
        *(_ORIGIN_KEY, pack(origin), message.annotations),
    ]
    items = 6 + message.annotation_items * 2
    if locked_until:
        parts += (_LOCKED_KEY, pack(locked_until))
        items += 2
    if message.state:
        parts += (_STATE_KEY, _U32.pack(message.state))
        items += 2
    if message.scheduled:
        parts += (_SCHEDULED_KEY, pack(message.scheduled))
        items += 2
    body = b"".join(parts)
    return _MAP_SECTION.pack(b"\x00\x53\x72\xd1", len(body) + 4, items) + body


_MAP_SECTION = struct.Struct(">4sII")


def stored(message: Message) -> bytes:
    """Return the message as the journal keeps it; `parse` reads it back."""
    fields = [encode(message.durable), b"\x50" + message.priority.to_bytes(1)]
    fields.append(b"\x40" if message.ttl is None else b"\x70" + _U32.pack(message.ttl))
    header = described(HEADER, encode_list(fields))
    if not message.annotations:
        return header + message.bare
    size, items = len(message.annotations) + 4, message.annotation_items * 2
    section = _MAP_SECTION.pack(b"\x00\x53\x72\xd1", size, items)
    return b"".join((header, section, message.annotations, message.bare))


def with_application_properties(bare: bytes, added: dict[str, str]) -> bytes:
    """Return a bare message with `added` among its application properties."""
    position = 0
    properties: dict[bytes, bytes] = {}
    if bare[:3] == b"\x00\x53\x73":
        position = skip(bare, 0)
    start = position
    if bare[position : position + 3] == b"\x00\x53\x74":
        start = skip(bare, position)
        if bare[position + 3] in (0xC1, 0xD1):
            properties = _raw_pairs(bare, position + 3, start)
    properties.update({encode(key): encode(value) for key, value in added.items()})
    section = encode_map([item for pair in properties.items() for item in pair])
    return bare[:position] + described(APPLICATION_PROPERTIES, section) + bare[start:]


def _raw_pairs(buffer: bytes, start: int, end: int) -> dict[bytes, bytes]:
    pairs: dict[bytes, bytes] = {}
    position = start + (3 if buffer[start] == 0xC1 else 9)
    while position < end:
        value_at = skip(buffer, position)
        after = skip(buffer, value_at)
        pairs[buffer[position:value_at]] = buffer[value_at:after]
        position = after
    return pairs
