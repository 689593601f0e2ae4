"""Deliveries as trigger metadata."""

import json
import uuid
from datetime import UTC, datetime

import azure.functions as func
from azure.functions import meta

from devstack.host.messages import call_of
from devstack.servicebus.client import Delivery

MOMENT = datetime(2026, 11, 23, 12, 30, 0, 250000, tzinfo=UTC)


def delivery(**given):
    facts = dict.fromkeys(Delivery.__dataclass_fields__)
    facts |= {
        "body": b'{"MessageId": "from the body"}',
        "message_id": "m-1",
        "application_properties": {"n": 1, "raw": b"\x01", "when": MOMENT},
        "delivery_count": 0,
        "sequence_number": 9,
        "lock_token": uuid.UUID(int=7),
        "enqueued_time": MOMENT,
        "delivery_id": 0,
    }
    return Delivery(**facts | given)


def decoded(made):
    call = call_of("f", made)
    metadata = {name: meta.Datum(value, kind) for name, (kind, value) in call.metadata.items()}
    converter = func.get_binding_registry().get("serviceBusTrigger")
    return converter.decode(meta.Datum(call.body, "bytes"), trigger_metadata=metadata)


def test_the_library_reads_what_azure_would_send():
    message = decoded(delivery(session_id="s", subject="retrain/begin", correlation_id="c"))
    assert message.get_body() == b'{"MessageId": "from the body"}'
    assert message.message_id == "m-1"
    assert message.session_id == "s"
    assert message.subject == message.label == "retrain/begin"
    assert message.correlation_id == "c"
    assert message.delivery_count == 1
    assert message.sequence_number == 9
    assert message.lock_token == str(uuid.UUID(int=7))
    assert message.user_properties == message.application_properties
    assert message.application_properties == {"n": 1, "raw": "AQ==", "when": MOMENT.isoformat()}


def test_what_azure_leaves_out_is_none():
    message = decoded(delivery())
    assert message.session_id is None
    assert message.locked_until is None
    assert message.time_to_live is None
    assert message.expires_at_utc is None


def test_utc_times_have_no_zone_as_in_azure():
    assert decoded(delivery()).enqueued_time_utc == MOMENT.replace(tzinfo=None)


def test_absent_values_are_not_sent():
    metadata = call_of("f", delivery(message_id=None)).metadata
    assert "MessageId" not in metadata
    assert "SessionId" not in metadata
    assert json.loads(metadata["EnqueuedTime"][1]) == MOMENT.isoformat()
