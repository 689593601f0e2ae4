"""From Python values to AMQP 1.0 bytes.

A plain `int` is written as int, or as long where it does not fit; the types of `amqp_types` say
otherwise. Descriptors are always written in the short form: the SDK reads nothing else.
"""

import struct
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from devstack.servicebus.amqp_types import (
    Array,
    Described,
    Long,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

NULL = b"\x40"
TRUE = b"\x41"
FALSE = b"\x42"

_U16 = struct.Struct(">BH")
_U32 = struct.Struct(">BI")
_U64 = struct.Struct(">BQ")
_I32 = struct.Struct(">Bi")
_I64 = struct.Struct(">Bq")
_F64 = struct.Struct(">Bd")
_SIZE_COUNT_8 = struct.Struct(">BBB")
_SIZE_COUNT_32 = struct.Struct(">BII")


def encode(value: object) -> bytes:
    """Return the AMQP bytes of `value`. Raises TypeError for a type AMQP has no place for."""
    encoder = _ENCODERS.get(type(value))
    if encoder is None:
        raise TypeError(f"no AMQP type for {type(value).__name__}")
    return encoder(value)


def encode_list(items: Iterable[bytes]) -> bytes:
    """Return a list of values that are encoded already."""
    return _compound(0xC0, 0xD0, list(items))


def encode_map(pairs: Iterable[bytes]) -> bytes:
    """Return a map of keys and values, in turn, that are encoded already."""
    return _compound(0xC1, 0xD1, list(pairs))


def described(code: int, value: bytes) -> bytes:
    """Return an encoded value behind the descriptor `code`, which is below 256."""
    return b"\x00\x53" + code.to_bytes(1) + value


def described_list(code: int, *fields: object) -> bytes:
    """Return the described list `code` of plain values; trailing nulls stay, the SDK needs them."""
    return described(code, encode_list([encode(field) for field in fields]))


def binary(value: bytes) -> bytes:
    """Return `value` as AMQP binary."""
    return _variable(0xA0, 0xB0, value)


def _compound(short: int, long: int, items: list[bytes]) -> bytes:
    body = b"".join(items)
    if len(body) < 255 and len(items) < 256:
        return _SIZE_COUNT_8.pack(short, len(body) + 1, len(items)) + body
    return _SIZE_COUNT_32.pack(long, len(body) + 4, len(items)) + body


def _variable(short: int, long: int, value: bytes) -> bytes:
    if len(value) < 256:
        return bytes((short, len(value))) + value
    return _U32.pack(long, len(value)) + value


def _integer(value: int) -> bytes:
    if -128 <= value < 128:
        return bytes((0x54, value & 0xFF))
    if -(2**31) <= value < 2**31:
        return _I32.pack(0x71, value)
    return _I64.pack(0x81, value)


def _long(value: int) -> bytes:
    return bytes((0x55, value & 0xFF)) if -128 <= value < 128 else _I64.pack(0x81, value)


def _uint(value: int) -> bytes:
    if value == 0:
        return b"\x43"
    return bytes((0x52, value)) if value < 256 else _U32.pack(0x70, value)


def _ulong(value: int) -> bytes:
    if value == 0:
        return b"\x44"
    return bytes((0x53, value)) if value < 256 else _U64.pack(0x80, value)


def _map(value: dict[Any, Any]) -> bytes:
    return encode_map(encode(item) for pair in value.items() for item in pair)


def _described(value: Described) -> bytes:
    return b"\x00" + encode(value.descriptor) + encode(value.value)


# How one element of an array looks, by kind: its constructor and its bytes without it.
_ELEMENTS: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    Timestamp: (0x83, lambda value: struct.pack(">q", value)),
    Long: (0x81, lambda value: struct.pack(">q", value)),
    uuid.UUID: (0x98, lambda value: bytes(value.bytes)),
    str: (0xB1, lambda value: _counted(value.encode())),
    Symbol: (0xB3, lambda value: _counted(value.encode("ascii"))),
}


def _counted(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


def _array(value: Array) -> bytes:
    constructor, element = _ELEMENTS[value.kind]
    body = bytes((constructor,)) + b"".join(element(item) for item in value.values)
    return _SIZE_COUNT_32.pack(0xF0, len(body) + 4, len(value.values)) + body


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: NULL,
    bool: lambda value: TRUE if value else FALSE,
    int: _integer,
    Long: _long,
    UByte: lambda value: bytes((0x50, value)),
    UShort: lambda value: _U16.pack(0x60, value),
    UInt: _uint,
    ULong: _ulong,
    float: lambda value: _F64.pack(0x82, value),
    Timestamp: lambda value: _I64.pack(0x83, value),
    str: lambda value: _variable(0xA1, 0xB1, value.encode()),
    Symbol: lambda value: _variable(0xA3, 0xB3, value.encode("ascii")),
    bytes: binary,
    uuid.UUID: lambda value: b"\x98" + bytes(value.bytes),
    dict: _map,
    list: lambda value: encode_list([encode(item) for item in value]),
    Described: _described,
    Array: _array,
}
