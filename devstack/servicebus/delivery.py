"""A received message, as Python values."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from devstack.servicebus.amqp_types import Described, Timestamp
from devstack.servicebus.message import (
    APPLICATION_PROPERTIES,
    DATA,
    HEADER,
    MESSAGE_ANNOTATIONS,
)
from devstack.servicebus.sections import (
    SEQUENCE,
    VALUE,
    decode_sections,
    mapping,
    properties_of,
)

_TTL, _DELIVERY_COUNT = 2, 4  # places in the header
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True, eq=False)
class Delivery:
    """One message in our hands. Times are aware UTC; what the sender left out is None."""

    body: bytes
    message_id: str | None
    session_id: str | None
    correlation_id: str | None
    subject: str | None
    content_type: str | None
    reply_to: str | None
    reply_to_session_id: str | None
    to: str | None
    partition_key: str | None
    application_properties: dict[str, object]
    delivery_count: int  # failed deliveries before this one
    sequence_number: int
    enqueued_time: datetime | None
    locked_until: datetime | None
    expires_at: datetime | None
    lock_token: uuid.UUID
    dead_letter_source: str | None
    delivery_id: int = field(default=0, repr=False)  # the connection's number for it


def read_delivery(delivery_id: int, tag: bytes, payload: bytes) -> Delivery:
    """Return a transferred message. Raises CodecError if it is malformed."""
    sections = decode_sections(payload)
    properties = properties_of(sections)
    annotations = mapping(sections, MESSAGE_ANNOTATIONS)
    header = [*(sections.get(HEADER) or []), None, None, None, None, None]
    enqueued = time_of(annotations.get("x-opt-enqueued-time"))
    ttl = header[_TTL]
    return Delivery(
        body=_body(sections),
        message_id=_text(properties["message_id"]),
        session_id=_text(properties["group_id"]),
        correlation_id=_text(properties["correlation_id"]),
        subject=_text(properties["subject"]),
        content_type=_text(properties["content_type"]),
        reply_to=_text(properties["reply_to"]),
        reply_to_session_id=_text(properties["reply_to_group_id"]),
        to=_text(properties["to"]),
        partition_key=_text(annotations.get("x-opt-partition-key")),
        application_properties={
            str(name): plain(value)
            for name, value in mapping(sections, APPLICATION_PROPERTIES).items()
        },
        delivery_count=header[_DELIVERY_COUNT] or 0,
        sequence_number=annotations.get("x-opt-sequence-number", 0),
        enqueued_time=enqueued,
        locked_until=time_of(annotations.get("x-opt-locked-until")),
        expires_at=None if ttl is None or enqueued is None else _later(enqueued, ttl),
        lock_token=uuid.UUID(bytes_le=tag),
        dead_letter_source=_text(annotations.get("x-opt-deadletter-source")),
        delivery_id=delivery_id,
    )


def time_of(value: object) -> datetime | None:
    """Return an AMQP timestamp as a datetime, the last one there is if it is beyond it."""
    return _later(_EPOCH, value) if isinstance(value, int) else None


def plain(value: object) -> object:
    """Return a property in Python's own types."""
    match value:
        case Timestamp():
            return time_of(value)
        case str():
            return str(value)
        case Described():
            return plain(value.value)
        case _:
            return value


def _later(start: datetime, milliseconds: int) -> datetime:
    try:
        return start + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _text(value: object) -> str | None:
    """Return an id as text; others than strings come from other SDKs."""
    match value:
        case None:
            return None
        case bytes():
            return value.decode(errors="replace")
        case _:
            return str(value)


def _body(sections: dict[int, Any]) -> bytes:
    if DATA in sections:
        data = sections[DATA]
        return data if isinstance(data, bytes) else b""
    value = sections.get(VALUE, sections.get(SEQUENCE, b""))
    if isinstance(value, bytes):
        return value
    return str(plain(value)).encode()
