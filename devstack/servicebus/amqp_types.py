"""Values of the AMQP 1.0 type system that Python has no type for."""

from dataclasses import dataclass
from typing import Any


class CodecError(ValueError):
    """The bytes are not valid AMQP; the connection they came from cannot go on."""


class Symbol(str):
    """An ASCII name from a constrained domain, such as an error condition."""

    __slots__ = ()


class Timestamp(int):
    """Milliseconds since 1970-01-01 UTC."""

    __slots__ = ()


class UByte(int):
    """An integer to be written as ubyte."""

    __slots__ = ()


class UShort(int):
    """An integer to be written as ushort."""

    __slots__ = ()


class UInt(int):
    """An integer to be written as uint."""

    __slots__ = ()


class ULong(int):
    """An integer to be written as ulong."""

    __slots__ = ()


class Long(int):
    """An integer to be written as long, however small."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Described:
    """A value with a descriptor that says what it means."""

    descriptor: object
    value: Any


@dataclass(frozen=True, slots=True)
class Array:
    """Values of one fixed-width type, to be written as an array; arrays decode to lists."""

    kind: type
    values: list[Any]
