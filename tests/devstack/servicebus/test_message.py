"""Messages taken apart and put together."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.servicebus.amqp_types import CodecError, Symbol, Timestamp, UInt
from devstack.servicebus.encoding import binary, described, encode, encode_list
from devstack.servicebus.errors import Refused
from devstack.servicebus.message import (
    APPLICATION_PROPERTIES,
    DATA,
    HEADER,
    MESSAGE_ANNOTATIONS,
    PROPERTIES,
    parse,
    render,
    stored,
    with_application_properties,
)
from devstack.servicebus.sections import decode_sections, encode_message

_BODY = described(DATA, binary(b"body"))


def _annotated(**annotations: object) -> bytes:
    named = {Symbol(name.replace("_", "-")): value for name, value in annotations.items()}
    return described(MESSAGE_ANNOTATIONS, encode(named)) + _BODY


def test_a_delivery_carries_the_brokers_annotations_and_the_senders():
    message = parse(
        described(HEADER, encode_list([encode(True), b"\x40", encode(UInt(5000))]))
        + _annotated(x_opt_partition_key="p", x_opt_sequence_number=99, x_opt_lock_token="mine")
    )
    message.sequence, message.enqueued, message.delivery_count = 7, 1000, 2
    token = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")

    sections = decode_sections(render(message, token=token.bytes_le, locked_until=2000))

    assert [True, 4, 5000, False, 2] == sections[HEADER]
    assert {"x-opt-lock-token": token} == sections[0x71]
    assert {
        "x-opt-sequence-number": 7,
        "x-opt-enqueued-time": 1000,
        "x-opt-enqueue-sequence-number": 7,
        "x-opt-partition-key": "p",
        "x-opt-locked-until": 2000,
    } == sections[MESSAGE_ANNOTATIONS]
    assert b"body" == sections[DATA]


@pytest.mark.parametrize("message_id", ["text", 2**60, uuid.uuid4(), b"bytes"])
def test_message_ids_of_all_types_are_read(message_id):
    message = parse(encode_message({"message_id": message_id, "group_id": "s"}, {}, _BODY))

    assert (message_id, "s") == (message.message_id, message.session_id)


@given(
    st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=3),
    st.none() | st.integers(0, 2**32 - 1),
    st.integers(0, 255),
)
def test_what_the_journal_keeps_reads_back_the_same(annotations, ttl, priority):
    header = [
        encode(True),
        b"\x50" + bytes((priority,)),
        encode(None if ttl is None else UInt(ttl)),
    ]
    message = parse(
        described(HEADER, encode_list(header))
        + described(MESSAGE_ANNOTATIONS, encode(annotations))
        + encode_message({"message_id": "m"}, {"a": 1}, _BODY)
    )

    assert message.bare and vars_of(message) == vars_of(parse(stored(message)))


def vars_of(message):
    return {name: getattr(message, name) for name in message.__slots__}


def test_a_schedule_is_read_from_its_annotation():
    message = parse(_annotated(x_opt_scheduled_enqueue_time=Timestamp(123)))

    assert (123, b"") == (message.scheduled, message.annotations)


def test_sending_via_another_entity_is_refused():
    with pytest.raises(Refused, match="not implemented"):
        parse(_annotated(x_opt_via_partition_key="p"))


@pytest.mark.parametrize("given", [{}, {"DeadLetterReason": "old", "kept": 1}])
def test_reasons_join_the_application_properties(given):
    bare = parse(encode_message({"message_id": "m"}, given, _BODY)).bare

    sections = decode_sections(with_application_properties(bare, {"DeadLetterReason": "new"}))

    assert {**given, "DeadLetterReason": "new"} == sections[APPLICATION_PROPERTIES]
    assert "m" == sections[PROPERTIES][0]
    assert b"body" == sections[DATA]


@pytest.mark.parametrize(
    "payload",
    [
        b"\x00",
        b"\x00\x53",
        b"\x00\x53\x75\xa0\x05abc",  # a body cut short
        b"\x00\x53\x10\x45",  # not a section
        b"\x00\x53\x79\x45",  # beyond the last section
        _BODY + described(HEADER, encode_list([])),  # out of order
        described(HEADER, b"\x41"),
        described(MESSAGE_ANNOTATIONS, encode([])),
        described(PROPERTIES, encode([[1]])) + _BODY,
        described(HEADER, encode_list([b"\x40", encode("high")])),
    ],
)
def test_malformed_messages_are_refused(payload):
    with pytest.raises(CodecError):
        parse(payload)
