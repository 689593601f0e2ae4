"""Event Grid at the webhook: which blobs a posted body announces.

Takes arrays of Event Grid events, one CloudEvent, or a batch of them. Source: Event Grid event
schema and CloudEvents 1.0, type Microsoft.Storage.BlobCreated.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

_SUBJECT = re.compile(r"/blobServices/default/containers/(?P<container>[^/]+)/blobs/(?P<name>.+)")
_CREATED = "Microsoft.Storage.BlobCreated"
_VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"


@dataclass(frozen=True)
class Announced:
    """The blobs that were created, as (container, name); or the code of a validation handshake."""

    blobs: tuple[tuple[str, str], ...] = ()
    validation_code: str | None = None


def read_events(body: bytes) -> Announced:
    """Read a posted body. Raises ValueError if it holds no events."""
    document = json.loads(body)
    events = document if isinstance(document, list) else [document]
    if not all(isinstance(event, dict) for event in events):
        raise ValueError("the body must be an event or an array of events")
    for event in events:
        if event.get("eventType") == _VALIDATION:
            return Announced(validation_code=str(_content(event).get("validationCode", "")))
    return Announced(tuple(_blob(event) for event in events if _kind(event) == _CREATED))


def _kind(event: dict[str, Any]) -> str:
    kind = event.get("type") if "specversion" in event else event.get("eventType")
    if not isinstance(kind, str):
        raise ValueError("an event has neither eventType nor specversion and type")
    return kind


def _content(event: dict[str, Any]) -> dict[str, Any]:
    content = event.get("data")
    return content if isinstance(content, dict) else {}


def _blob(event: dict[str, Any]) -> tuple[str, str]:
    match = _SUBJECT.fullmatch(str(event.get("subject", "")))
    if match is None:
        raise ValueError(
            f"subject {event.get('subject')!r} is not "
            "/blobServices/default/containers/<container>/blobs/<name>"
        )
    return match["container"], match["name"]
