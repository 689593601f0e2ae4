"""The inbox: what could not be handled is kept with payload, reason and remedy, and re-sent later.

Keeping is idempotent: the same message or blob, kept again for a redelivery, is one item.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from alm import log, telemetry
from alm.bootstrap import REQUESTS_QUEUE, App
from alm.domain.errors import Refused
from alm.domain.messages import AnyMessage, parse
from alm.domain.run import BlobRef, Reply
from alm.engine import announcing
from alm.ports import InboxItem, Outgoing

CORRECT = "correct what the reason names and send it again, or discard this item"
UNWANTED = "no managed model wants"
UPLOAD = "correct what the reason names, then upload it again; or discard this item"
NAME = (
    "upload it under a name that a pattern matches, then discard this item; or declare a pattern "
    "for it (docs/how-to/add-a-managed-model.md), then upload it again and discard this item"
)
DIED = "look at the app's log of that time; re-send it when the cause is gone, or discard it"
LINE_MAX = 128  # characters of an id or correlation id
ITEM_ID_MAX = 700  # of 1,024 that a blob's name may have, when encoded
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


@dataclass(frozen=True)
class Received:
    """A queue message as it came: its body and what the broker says about it."""

    body: bytes
    message_id: str
    queue: str
    session: str = ""
    correlation_id: str = ""
    reply_to: str = ""
    reason: str = ""
    deliveries: int = 1
    traceparent: str = ""

    @property
    def item_id(self) -> str:
        """Names the message in the inbox; another body under the same id is another item."""
        return _named(f"{self.queue}:{self.message_id}:{_digest(self.body)[:8]}")


def keep_message(app: App, received: Received, reason: str, remedy: str = CORRECT) -> None:
    """Keep a queue message, and tell of it; of an event itself nobody is told, or it would go on
    for ever."""
    item = _received(app, received, reason, remedy)
    if received.queue == announcing.EVENTS_QUEUE:
        app.ports.records.put_inbox(item)
    else:
        announcing.keep(app.ports, item)
    _kept(received.queue, reason)


def _received(app: App, received: Received, reason: str, remedy: str) -> InboxItem:
    payload, encoding = _text(received.body)
    facts = _facts(received.body)
    return InboxItem(
        id=received.item_id,
        at=app.ports.clock.now(),
        source=f"queue {received.queue}",
        reason=reason,
        remedy=remedy,
        payload=payload,
        encoding=encoding,
        queue=received.queue,
        session=received.session,
        model=facts.get("model", ""),
        run=facts.get("run", ""),
        message_id=received.message_id,
        correlation_id=received.correlation_id,
        reply_to=received.reply_to,
    )


def keep_blob(app: App, blob: BlobRef, reason: str) -> None:
    """Keep the event of a blob that starts nothing and should have."""
    announcing.keep(
        app.ports,
        InboxItem(
            id=_named(f"blob:{blob.path}@{blob.etag}"),
            at=app.ports.clock.now(),
            source=f"container {blob.container}",
            reason=reason,
            remedy=NAME if reason.startswith(UNWANTED) else UPLOAD,
            payload=blob.path,
        ),
    )
    _kept(blob.container, reason)


def _kept(source: str, reason: str) -> None:
    """A redelivery tells it again, though it is one item."""
    log.warning("kept_in_inbox", source=source, reason=reason)
    telemetry.count("alm.inbox.kept", source=source)
    telemetry.note(outcome="kept", reason=reason)


def reply_of(received: Received) -> Reply:
    """Where the answer to a message goes, as far as the message can be read at all."""
    try:
        document = json.loads(received.body)
    except (ValueError, RecursionError):
        document = None
    said = document if isinstance(document, dict) else {}

    def one(name: str, otherwise: str) -> str:
        value = said.get(name)
        plain = isinstance(value, str) and value.isprintable() and len(value) <= LINE_MAX
        return value if plain and value else otherwise

    return Reply(
        queue=one("reply_to", received.reply_to),
        request=one("id", received.message_id) or f"sha256:{_digest(received.body)[:32]}",
        correlation_id=one("correlation_id", received.correlation_id),
    )


def again(item: InboxItem, order: str) -> Outgoing:
    """An inbox item as the message to send again. Raises Refused if it did not come from a queue.

    Its id belongs to the order: a repeat of one order is a duplicate that the broker drops, and
    another order is sent whatever was sent before. A request keeps the id that its sender gave it.
    """
    if not item.queue:
        raise Refused(f"item {item.id!r} did not come from a queue; {item.remedy}")
    body = base64.b64decode(item.payload) if item.encoding == "base64" else item.payload.encode()
    if item.queue == REQUESTS_QUEUE:
        body = _whole(item, body)
    name = f"i:{_digest(item.id.encode())[:32]}:{_digest(order.encode())[:16]}"
    context = telemetry.current()
    session = item.session or None
    return Outgoing(item.queue, name, body, session=session, traceparent=context)


def _whole(item: InboxItem, body: bytes) -> bytes:
    """A request with what the first message said beside its body: who asked, and who is told."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return body
    beside = {"reply_to": item.reply_to, "correlation_id": item.correlation_id}
    if _REQUEST_ID.fullmatch(item.message_id):
        beside["id"] = item.message_id
    given = {name: value for name, value in beside.items() if value}
    if not isinstance(document, dict) or given.keys() <= document.keys():
        return body
    return json.dumps({**given, **document}).encode()


def _named(item_id: str) -> str:
    """An id that fits into the name of a blob, where each strange character takes up to twelve."""
    if len(quote(item_id, safe="")) <= ITEM_ID_MAX:
        return item_id
    return f"{item_id[:40]}…{_digest(item_id.encode())[:32]}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _text(body: bytes) -> tuple[str, Literal["utf-8", "base64"]]:
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"


def _facts(body: bytes) -> Mapping[str, str]:
    """Model and run of a message, where it is one of ours."""
    try:
        message: AnyMessage = parse(body)
    except Refused:
        return {}
    return {"model": message.model, "run": getattr(message, "run", "")}
