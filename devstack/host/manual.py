"""`POST /admin/functions/<name>`: the call that fires a function by hand.

The input stands for what the trigger would bring: a message body, a blob's `container/name`, a
request's body. Timers take none. No receipt and no schedule status is touched, so an operator, or
a test that wants duplicates, may fire as often as wanted.
"""

import uuid
from datetime import UTC, datetime
from urllib.parse import quote

from devstack.host.blobs import BlobListener
from devstack.host.functions import (
    BlobTrigger,
    Function,
    HttpTrigger,
    ServiceBusTrigger,
    TimerTrigger,
)
from devstack.host.http_functions import http_call
from devstack.host.http_server import Request
from devstack.host.messages import call_of
from devstack.host.outcomes import Call
from devstack.host.timers import timer_call
from devstack.servicebus.client import Delivery


async def manual_call(function: Function, given: str, blobs: BlobListener) -> Call:
    """Return the call. Raises ValueError when the input cannot stand for the trigger."""
    match function.trigger:
        case BlobTrigger():
            return await _blob_call(function.name, given, blobs)
        case ServiceBusTrigger():
            return call_of(function.name, _delivery(given))
        case TimerTrigger(schedule):
            now = datetime.now(UTC)
            return timer_call(function.name, "", schedule.next_after(now), past_due=False)
        case HttpTrigger(route):
            request = Request("POST", "/" + quote(route.text), body=given.encode())
            return http_call(function.name, {}, request)


async def _blob_call(name: str, path: str, blobs: BlobListener) -> Call:
    blob = await blobs.find(name, path)
    call = None if blob is None else await blobs.call_of(name, blob)
    if call is None:
        raise ValueError(f"blob {path!r} does not exist; give input as container/name")
    return call


def _delivery(body: str) -> Delivery:
    return Delivery(
        body=body.encode(),
        message_id=str(uuid.uuid4()),
        session_id=None,
        correlation_id=None,
        subject=None,
        content_type=None,
        reply_to=None,
        reply_to_session_id=None,
        to=None,
        partition_key=None,
        application_properties={},
        delivery_count=0,
        sequence_number=0,
        enqueued_time=datetime.now(UTC),
        locked_until=None,
        expires_at=None,
        lock_token=uuid.uuid4(),
        dead_letter_source=None,
    )
