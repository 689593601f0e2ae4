"""AMQP values to bytes and back, and bytes that are none."""

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devstack.servicebus import frames
from devstack.servicebus.amqp_types import (
    Array,
    CodecError,
    Described,
    Long,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)
from devstack.servicebus.decoding import NESTING_MAX, decode, decode_described_list, skip
from devstack.servicebus.encoding import encode
from devstack.servicebus.frames import AmqpError, disposition, rejected, transfer

_int64 = st.integers(-(2**63), 2**63 - 1)
_ascii = st.text(st.characters(max_codepoint=127), max_size=300)
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
_keys = _text | _int64 | st.uuids() | _ascii.map(Symbol)
_scalars = (
    st.none()
    | st.booleans()
    | _int64
    | _int64.map(Long)
    | _int64.map(Timestamp)
    | st.integers(0, 255).map(UByte)
    | st.integers(0, 2**16 - 1).map(UShort)
    | st.integers(0, 2**32 - 1).map(UInt)
    | st.integers(0, 2**64 - 1).map(ULong)
    | st.floats(allow_nan=False)
    | st.binary(max_size=300)
    | st.uuids()
    | _keys
)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=40)
        | st.dictionaries(_keys, inner, max_size=20)
        | st.builds(Described, st.integers(0, 2**64 - 1).map(ULong), inner)
    ),
    max_leaves=40,
)


@given(_values)
def test_values_survive_a_round_trip(value):
    data = encode(value)

    assert (value, len(data)) == decode(data)
    assert len(data) == skip(data, 0)


@given(st.lists(_int64, max_size=40), st.lists(st.uuids(), max_size=5), st.lists(_text, max_size=5))
def test_arrays_survive_a_round_trip(numbers, uuids, texts):
    for kind, values in ((Timestamp, numbers), (Long, numbers), (uuid.UUID, uuids), (str, texts)):
        data = encode(Array(kind, values))
        assert (values, len(data)) == decode(data)
        assert len(data) == skip(data, 0)


@settings(max_examples=300)
@given(_values, st.data())
def test_damaged_values_raise_one_error_only(value, data):
    good = bytearray(encode(value))
    if good and data.draw(st.booleans()):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(good[: data.draw(st.integers(0, len(good)))])
    for read in (decode, decode_described_list, lambda buffer: skip(buffer, 0)):
        try:
            read(cut)
        except CodecError:
            continue


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x56\x01", True),
        (b"\x56\x00", False),
        (b"\x43", 0),
        (b"\x44", 0),
        (b"\x50\xff", 255),
        (b"\x51\xff", -1),
        (b"\x54\x80", -128),
        (b"\x61\xff\xff", -1),
        (b"\x72\x3f\x80\x00\x00", 1.0),
        (b"\x73\x00\x00\x00\xe9", "é"),
        (b"\x74abcd", b"abcd"),
        (b"\x45", []),
        (b"\xc0\x01\x00", []),
        (b"\xc1\x01\x00", {}),
        (b"\xe0\x04\x02\x50\x01\x02", [1, 2]),
        (b"\xe0\x02\x03\x41", [True, True, True]),
        (b"\xe0\x06\x01\x00\x53\x24\x50\x01", [Described(0x24, 1)]),
        (b"\x00\xa3\x01x\x41", Described(Symbol("x"), True)),
        (b"\x00\x80\x00\x00\x00\x00\x00\x00\x00\x24\x45", Described(0x24, [])),
    ],
)
def test_every_form_of_the_standard_is_read(data, value):
    assert (value, len(data)) == decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x3f",  # no such type
        b"\xa1\x05abc",  # cut short
        b"\xa1\x01\xff",  # not UTF-8
        b"\xb0\xff\xff\xff\xff",  # four gigabytes that are not there
        b"\xd0\x00\x00\x00\x04\xff\xff\xff\xff",  # four billion items in no bytes
        b"\xf0\x00\x00\x00\x05\xff\xff\xff\xff\x41",  # four billion trues in one byte
        b"\xc1\x03\x01\x41\x41",  # a key and no value, in the count
        b"\xc1\x03\x02\x45\x41",  # a list as a key
        b"\xc0\x03\x01\x41\x41",  # more bytes than items
        b"\x73\x00\x11\x00\x00",  # beyond the last character
    ],
)
def test_what_is_malformed_is_refused(data):
    with pytest.raises(CodecError):
        decode(data)


def test_nesting_is_bounded():
    for opening in (b"\xc0", b"\xd0"):
        data = b"\x41"
        for _ in range(NESTING_MAX + 5):
            size = len(data) + 1
            short = opening == b"\xc0"
            if short and size > 255:
                break
            head = bytes((size, 1)) if short else (size + 3).to_bytes(4) + (1).to_bytes(4)
            data = opening + head + data
        with pytest.raises(CodecError):
            decode(data)
    with pytest.raises(CodecError):
        decode(b"\x00" * 5000)
    with pytest.raises(CodecError):
        skip(b"\x00" * 5000, 0)


def test_hand_packed_frames_say_what_they_should():
    data = disposition(3, False, (5, 9), True, frames.STATE_ACCEPTED)
    assert len(data) == int.from_bytes(data[:4])
    code, fields, _ = decode_described_list(data, 8)
    assert (0x15, [False, 5, 9, True, Described(0x24, []), None]) == (code, fields)

    long = disposition(3, True, (5, 5), True, rejected(AmqpError("a:b", "x" * 400)))
    assert len(long) == int.from_bytes(long[:4])
    assert "x" * 400 == decode_described_list(long, 8)[1][4].value[0].value[1]

    data = transfer(1, 2, 3, b"t" * 16, b"payload", settled=True)
    assert len(data) == int.from_bytes(data[:4])
    code, fields, end = decode_described_list(data, 8)
    assert (0x14, [2, 3, b"t" * 16, 0, True, False, *[None] * 5]) == (code, fields)
    assert b"payload" == data[end:]


@given(st.integers(0, 5000), st.integers(512, 2000))
def test_large_deliveries_are_cut_into_frames_that_fit(size, frame_bytes_max):
    payload = bytes(number % 251 for number in range(size))
    whole = transfer(1, 2, 3, b"t" * 16, payload, settled=False)
    cut = frames.transfer_in_parts(whole, frame_bytes_max) if payload else whole

    received, more = b"", True
    while cut:
        length = int.from_bytes(cut[:4])
        _, fields, end = decode_described_list(cut[:length], 8)
        assert (length <= frame_bytes_max, fields[0], more) == (True, 2, True)
        received += cut[end:length]
        more, cut = fields[5], cut[length:]

    assert (payload, False) == (received, more)
