"""Whole messages with every section decoded: requests, responses, and what our own client reads."""

from typing import Any

from devstack.servicebus.amqp_types import CodecError
from devstack.servicebus.decoding import decode, descriptor_code
from devstack.servicebus.encoding import described, encode, encode_list
from devstack.servicebus.message import APPLICATION_PROPERTIES, DATA, PROPERTIES

SEQUENCE, VALUE = 0x76, 0x77
PROPERTY_NAMES = (
    *("message_id", "user_id", "to", "subject", "reply_to", "correlation_id", "content_type"),
    *("content_encoding", "absolute_expiry_time", "creation_time", "group_id"),
    *("group_sequence", "reply_to_group_id"),
)


def decode_sections(payload: bytes) -> dict[int, Any]:
    """Return the sections by code; data sections are joined. Raises CodecError."""
    sections: dict[int, Any] = {}
    position = 0
    try:
        while position < len(payload):
            code, start = descriptor_code(payload, position)
            value, position = decode(payload, start)
            if code == DATA and isinstance(value, bytes):
                value = sections.get(DATA, b"") + value
            sections[code] = value
    except IndexError as error:
        raise CodecError("a section is cut short") from error
    return sections


def properties_of(sections: dict[int, Any]) -> dict[str, Any]:
    """Return the properties by name; those that were left out are None."""
    values = sections.get(PROPERTIES) or []
    if not isinstance(values, list):
        raise CodecError("properties are a list")
    padded = [*values, *(None,) * len(PROPERTY_NAMES)]
    return dict(zip(PROPERTY_NAMES, padded, strict=False))


def mapping(sections: dict[int, Any], code: int) -> dict[Any, Any]:
    """Return a section that is a map, or an empty one if it is missing."""
    value = sections.get(code)
    return value if isinstance(value, dict) else {}


def encode_message(
    properties: dict[str, object], application: dict[str, object], body: bytes
) -> bytes:
    """Return a message; `body` is an encoded section."""
    fields = [encode(properties.get(name)) for name in PROPERTY_NAMES]
    while fields and fields[-1] == b"\x40":
        fields.pop()
    return b"".join(
        (
            described(PROPERTIES, encode_list(fields)),
            described(APPLICATION_PROPERTIES, encode(application)) if application else b"",
            body,
        )
    )
