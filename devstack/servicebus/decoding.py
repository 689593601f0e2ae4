"""From AMQP 1.0 bytes to Python values.

Every encoding of the standard is accepted, within bounds: nesting by `NESTING_MAX`, counts by the
bytes that remain. Whatever is malformed raises CodecError, never another exception. Integers of all
widths become `int`; symbols, timestamps and described values keep their type; decimals become
their raw bytes.
"""

import struct
import uuid
from collections.abc import Callable
from typing import Any

from devstack.servicebus.amqp_types import CodecError, Described, Symbol, Timestamp

NESTING_MAX = 32  # messages of real clients nest four levels deep
NOTHINGS_MAX = 1024  # elements of zero width, which bytes cannot bound

_U16 = struct.Struct(">H")
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_I16 = struct.Struct(">h")
_I32 = struct.Struct(">i")
_I64 = struct.Struct(">q")
_F32 = struct.Struct(">f")
_F64 = struct.Struct(">d")


Decoder = Callable[[bytes, int, int], tuple[Any, int]]


def decode(buffer: bytes, position: int = 0) -> tuple[Any, int]:
    """Return the value that starts at `position` and the position after it.

    Raises CodecError if there is no complete, valid value.
    """
    try:
        return _decode(buffer, position, 0)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise CodecError(f"malformed AMQP value at byte {position}: {error}") from error


def decode_described_list(buffer: bytes, position: int = 0) -> tuple[int, list[Any], int]:
    """Return descriptor code, fields and end of a described list. Raises CodecError."""
    try:
        return _decode_described_list(buffer, position)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise CodecError(f"malformed AMQP list at byte {position}: {error}") from error


def descriptor_code(buffer: bytes, position: int) -> tuple[int, int]:
    """Return the numeric descriptor at `position` and where the described value starts.

    Raises IndexError beyond the end, CodecError if the descriptor is not a number.
    """
    if buffer[position] != 0x00:
        raise CodecError(f"expected a described value at byte {position}")
    if buffer[position + 1] == 0x53:
        return buffer[position + 2], position + 3
    code, position = _decode(buffer, position + 1, 1)
    if type(code) is not int:
        raise CodecError("descriptors other than numbers are not understood")
    return code, position


def skip(buffer: bytes, position: int, depth: int = 0) -> int:
    """Return the position after the value at `position`, without looking into it.

    Raises CodecError if the value is longer than the buffer or its type is unknown.
    """
    if depth > NESTING_MAX:
        raise CodecError(f"values nest deeper than {NESTING_MAX}")
    try:
        if buffer[position] == 0x00:
            return skip(buffer, skip(buffer, position + 1, depth + 1), depth + 1)
        end = _end_of_plain(buffer, position)
    except (IndexError, struct.error) as error:
        raise CodecError(f"value at byte {position} is cut short") from error
    if end > len(buffer):
        raise CodecError(f"value at byte {position} is cut short")
    return end


_WIDTHS = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}


def _end_of_plain(buffer: bytes, position: int) -> int:
    code = buffer[position]
    if code not in _DECODERS:
        raise CodecError(f"unknown AMQP type 0x{code:02x}")
    kind = code >> 4
    if kind in _WIDTHS:
        return position + 1 + _WIDTHS[kind]
    if kind in (0xA, 0xC, 0xE):
        return position + 2 + buffer[position + 1]
    return int(position + 5 + _U32.unpack_from(buffer, position + 1)[0])


def _decode(buffer: bytes, position: int, depth: int) -> tuple[Any, int]:
    code = buffer[position]
    decoder = _DECODERS.get(code)
    if decoder is None:
        if code == 0x00:
            return _described(buffer, position + 1, depth)
        raise CodecError(f"unknown AMQP type 0x{code:02x}")
    return decoder(buffer, position + 1, depth)


def _described(buffer: bytes, position: int, depth: int) -> tuple[Described, int]:
    if depth >= NESTING_MAX:
        raise CodecError(f"values nest deeper than {NESTING_MAX}")
    descriptor, position = _decode(buffer, position, depth + 1)
    value, position = _decode(buffer, position, depth + 1)
    return Described(descriptor, value), position


_CONSTANTS: dict[int, Any] = {0x40: None, 0x41: True, 0x42: False, 0x43: 0, 0x44: 0}


def _decode_described_list(buffer: bytes, position: int) -> tuple[int, list[Any], int]:
    code, position = descriptor_code(buffer, position)
    constructor = buffer[position]
    if constructor == 0xC0:
        fields, position = _list8(buffer, position + 1, 0)
    elif constructor == 0x45:
        fields, position = [], position + 1
    elif constructor == 0xD0:
        fields, position = _list32(buffer, position + 1, 0)
    else:
        raise CodecError(f"expected a list, found AMQP type 0x{constructor:02x}")
    return code, fields, position


def _list8(buffer: bytes, position: int, depth: int) -> tuple[list[Any], int]:
    end = position + 1 + buffer[position]
    return _items(buffer, position + 2, end, buffer[position + 1], depth), end


def _list32(buffer: bytes, position: int, depth: int) -> tuple[list[Any], int]:
    size = _U32.unpack_from(buffer, position)[0]
    count = _U32.unpack_from(buffer, position + 4)[0]
    end = position + 4 + size
    return _items(buffer, position + 8, end, count, depth), end


def _items(buffer: bytes, position: int, end: int, count: int, depth: int) -> list[Any]:
    if end > len(buffer) or count > end - position or depth >= NESTING_MAX:
        raise CodecError(f"{count} items at depth {depth} do not fit into {end - position} bytes")
    items: list[Any] = []
    for _ in range(count):
        code = buffer[position]
        if code in _CONSTANTS:
            items.append(_CONSTANTS[code])
            position += 1
        elif code == 0x52:
            items.append(buffer[position + 1])
            position += 2
        else:
            value, position = _decode(buffer, position, depth + 1)
            items.append(value)
    if position != end:
        raise CodecError(f"a compound value ends at byte {position}, its size says {end}")
    return items


def _as_map(items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise CodecError("a map has a key without a value")
    try:
        return dict(zip(items[::2], items[1::2], strict=True))
    except TypeError as error:
        raise CodecError("a map key is a list, a map or an array") from error


def _map8(buffer: bytes, position: int, depth: int) -> tuple[dict[Any, Any], int]:
    items, end = _list8(buffer, position, depth)
    return _as_map(items), end


def _map32(buffer: bytes, position: int, depth: int) -> tuple[dict[Any, Any], int]:
    items, end = _list32(buffer, position, depth)
    return _as_map(items), end


def _array8(buffer: bytes, position: int, depth: int) -> tuple[list[Any], int]:
    end = position + 1 + buffer[position]
    return _elements(buffer, position + 2, end, buffer[position + 1], depth), end


def _array32(buffer: bytes, position: int, depth: int) -> tuple[list[Any], int]:
    end = position + 4 + _U32.unpack_from(buffer, position)[0]
    count = _U32.unpack_from(buffer, position + 4)[0]
    return _elements(buffer, position + 8, end, count, depth), end


def _elements(buffer: bytes, position: int, end: int, count: int, depth: int) -> list[Any]:
    if end > len(buffer) or count > max(end - position, NOTHINGS_MAX):
        raise CodecError(f"an array of {count} elements does not fit into {end - position} bytes")
    if depth >= NESTING_MAX:
        raise CodecError(f"values nest deeper than {NESTING_MAX}")
    descriptor: object = None
    described = buffer[position] == 0x00
    if described:
        descriptor, position = _decode(buffer, position + 1, depth + 1)
    decoder = _DECODERS.get(buffer[position])
    if decoder is None:
        raise CodecError(f"unknown AMQP type 0x{buffer[position]:02x} in an array")
    position += 1
    items: list[Any] = []
    for _ in range(count):
        value, position = decoder(buffer, position, depth + 1)
        items.append(Described(descriptor, value) if described else value)
    if position != end:
        raise CodecError(f"an array ends at byte {position}, its size says {end}")
    return items


def _bytes_at(buffer: bytes, position: int, size: int) -> bytes:
    end = position + size
    if end > len(buffer):
        raise CodecError(f"a value of {size} bytes is cut short at byte {position}")
    return bytes(buffer[position:end])


def _fixed(layout: struct.Struct, convert: Callable[[Any], Any] | None = None) -> Decoder:
    size, unpack_from = layout.size, layout.unpack_from
    if convert is None:
        return lambda buffer, position, _: (unpack_from(buffer, position)[0], position + size)
    return lambda buffer, position, _: (
        convert(unpack_from(buffer, position)[0]),
        position + size,
    )


def _raw(size: int) -> Decoder:
    return lambda buffer, position, _: (_bytes_at(buffer, position, size), position + size)


def _variable8(convert: Callable[[bytes], Any]) -> Decoder:
    def decoder(buffer: bytes, position: int, _depth: int) -> tuple[Any, int]:
        start = position + 1
        end = start + buffer[position]
        if end > len(buffer):
            raise CodecError(f"a value is cut short at byte {position}")
        return convert(buffer[start:end]), end

    return decoder


def _variable32(convert: Callable[[bytes], Any]) -> Decoder:
    def decoder(buffer: bytes, position: int, _depth: int) -> tuple[Any, int]:
        size = _U32.unpack_from(buffer, position)[0]
        return convert(_bytes_at(buffer, position + 4, size)), position + 4 + size

    return decoder


def _constant(value: object) -> Decoder:
    return lambda _buffer, position, _depth: (value, position)


def _uuid(buffer: bytes, position: int, _depth: int) -> tuple[uuid.UUID, int]:
    return uuid.UUID(bytes=_bytes_at(buffer, position, 16)), position + 16


def _character(number: int) -> str:
    if number > 0x10FFFF:
        raise CodecError(f"0x{number:x} is not a character")
    return chr(number)


def _text(value: bytes) -> str:
    return value.decode()


def _symbol(value: bytes) -> Symbol:
    return Symbol(value.decode("ascii"))


_BYTE = struct.Struct(">B")
_SIGNED = struct.Struct(">b")
_DECODERS: dict[int, Decoder] = {
    **{code: _constant(value) for code, value in _CONSTANTS.items()},
    0x45: lambda _buffer, position, _depth: ([], position),
    **dict.fromkeys((0x50, 0x52, 0x53), _fixed(_BYTE)),
    **dict.fromkeys((0x51, 0x54, 0x55), _fixed(_SIGNED)),
    0x56: _fixed(_BYTE, bool),
}
for _code, _layout in (
    *((0x60, _U16), (0x61, _I16), (0x70, _U32), (0x71, _I32)),
    *((0x72, _F32), (0x80, _U64), (0x81, _I64), (0x82, _F64)),
):
    _DECODERS[_code] = _fixed(_layout)
_DECODERS |= {0x73: _fixed(_U32, _character), 0x83: _fixed(_I64, Timestamp), 0x98: _uuid}
_DECODERS |= {0x74: _raw(4), 0x84: _raw(8), 0x94: _raw(16)}  # decimals
_DECODERS |= {0xA0: _variable8(bytes), 0xA1: _variable8(_text), 0xA3: _variable8(_symbol)}
_DECODERS |= {0xB0: _variable32(bytes), 0xB1: _variable32(_text), 0xB3: _variable32(_symbol)}
_DECODERS |= {0xC0: _list8, 0xC1: _map8, 0xD0: _list32, 0xD1: _map32}
_DECODERS |= {0xE0: _array8, 0xF0: _array32}
