"""Events on their way to the webhook: posted, posted again later, or kept in the inbox."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from pydantic import ValidationError

from alm import log, telemetry
from alm.bootstrap import App
from alm.domain.errors import AlmError
from alm.domain.events import ID_LENGTH_MAX, TRIES_MAX, Delivery
from alm.domain.messages import describe
from alm.engine.announcing import EVENTS_QUEUE
from alm.entrypoints import inbox
from alm.entrypoints.inbox import Received
from alm.ports import Outgoing

FIRST_SECONDS, SECONDS_MAX = 10.0, 3600.0
REMEDY = "look at ALM_EVENTS_WEBHOOK and its receiver; then re-send or discard this item"


def on_event(app: App, received: Received) -> None:
    """Post one event to the webhook. One that it does not take is sent again later.

    After the last try it is kept in the inbox, from where it can be sent again.
    """
    with telemetry.span("on_event", parent=received.traceparent):
        _deliver(app, received)


def _deliver(app: App, received: Received) -> None:
    try:
        found = Delivery.model_validate_json(received.body)
    except ValidationError as error:
        inbox.keep_message(app, received, f"not an event: {describe(error)}")
        return
    webhook = app.ports.event_webhook
    if webhook is None:
        log.warning("event_dropped", type=found.event.get("type"), reason="no webhook any more")
        return
    try:
        webhook.post(found.event)
    except AlmError as error:
        _later(app, received, found, str(error))


def _later(app: App, received: Received, found: Delivery, why: str) -> None:
    tries = found.tries + 1
    told = {"id": found.event.get("id"), "type": found.event.get("type"), "tries": tries}
    log.warning("event_not_delivered", **told, reason=why)
    if tries >= TRIES_MAX:
        again = _bytes(found.model_copy(update={"tries": 0}))
        kept = Received(body=again, message_id=received.message_id, queue=EVENTS_QUEUE)
        inbox.keep_message(app, kept, f"the webhook did not take it: {why}", REMEDY)
        return
    due = app.ports.clock.now() + timedelta(seconds=pause_seconds(tries))
    app.ports.bus.send(
        [
            Outgoing(
                queue=EVENTS_QUEUE,
                id=_named(received.message_id, tries),
                body=_bytes(found.model_copy(update={"tries": tries})),
                due=due,
                subject=str(found.event.get("type", "")),
                traceparent=telemetry.current(),
            )
        ]
    )


def pause_seconds(tries: int) -> float:
    """How long a webhook is left alone after so many failed posts: 10 s, 40 s, … an hour."""
    return min(FIRST_SECONDS * 4.0 ** min(tries - 1, 10), SECONDS_MAX)


def _named(before: str, tries: int) -> str:
    """The id of the message that tries again, made of the last one's: no two events share it."""
    name = f"{before.removesuffix(f'~{tries - 1}') if tries > 1 else before}~{tries}"
    if len(name) <= ID_LENGTH_MAX:
        return name
    return f"e:{hashlib.sha256(before.encode()).hexdigest()[:32]}~{tries}"


def _bytes(found: Delivery) -> bytes:
    return found.model_dump_json(by_alias=True).encode()
