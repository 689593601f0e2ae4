"""A delivery of Service Bus as the call the Azure host would make of it."""

import base64
import json
import uuid
from datetime import datetime
from typing import Any

from devstack.host.outcomes import Call
from devstack.servicebus.client import Delivery

Metadata = dict[str, tuple[str, Any]]


def call_of(function: str, delivery: Delivery) -> Call:
    """Return the call that hands a message to a function."""
    return Call(function, {"type": "bytes"}, metadata_of(delivery), delivery.body)


def metadata_of(delivery: Delivery) -> Metadata:
    """Return the trigger metadata: the keys that Azure sends, absent ones left out.

    There is no LockedUntil and no TimeToLive. Times named `...Utc` carry no zone, so the library
    makes naive datetimes of them, as it does in Azure. The count is one more than the wire says:
    the first delivery is number 1.
    """
    properties = json.dumps(delivery.application_properties, default=_plain)
    metadata: Metadata = {
        "DeliveryCount": ("json", str(delivery.delivery_count + 1)),
        "SequenceNumber": ("json", str(delivery.sequence_number)),
        "LockToken": ("string", str(delivery.lock_token)),
        "ApplicationProperties": ("json", properties),
        "UserProperties": ("json", properties),
    }
    texts = {
        "MessageId": delivery.message_id,
        "CorrelationId": delivery.correlation_id,
        "ContentType": delivery.content_type,
        "Subject": delivery.subject,
        "Label": delivery.subject,
        "SessionId": delivery.session_id,
        "ReplyTo": delivery.reply_to,
        "ReplyToSessionId": delivery.reply_to_session_id,
        "To": delivery.to,
        "PartitionKey": delivery.partition_key,
        "DeadLetterSource": delivery.dead_letter_source,
    }
    metadata |= {name: ("string", text) for name, text in texts.items() if text is not None}
    times = {"EnqueuedTime": delivery.enqueued_time, "ExpiresAt": delivery.expires_at}
    for name, moment in times.items():
        if moment is not None:
            metadata[name] = ("json", json.dumps(moment.isoformat()))
            metadata[f"{name}Utc"] = ("json", json.dumps(moment.replace(tzinfo=None).isoformat()))
    return metadata


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case uuid.UUID():
            return str(value)
        case _:
            return str(value)
