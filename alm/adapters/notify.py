"""Notices and events to webhooks. See `ports.Notifier`, `ports.EventWebhook`.

A notice's id is made of what it is about, so that a receiver can tell a repeat. The webhook's URL
is a secret by itself: only its host is ever shown.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from alm import log, telemetry
from alm.adapters.answers import error_of
from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.domain.errors import AlmError
from alm.domain.events import MEDIA_TYPE, encoded
from alm.ports import InboxItem, Notice, Records

SECONDS_MAX = 10.0
TAKEN = (200, 201, 202, 204)
_PARTS = re.compile("[/?&=]")


class WebhookNotifier:
    """Posts each notice as a CloudEvents document to the webhook that the managed model names."""

    def __init__(self, http: Http, identity: Identity, records: Records) -> None:
        self._http = http
        self._identity = identity
        self._records = records

    def notify(self, notice: Notice) -> None:
        fields = {"notice": notice.event, "model": notice.model, "run": notice.run}
        log.warning("notice", **fields, reason=notice.why)
        if not notice.webhook:
            return
        body = document(notice)
        try:
            post(self._http, self._identity, notice.webhook, body)
        except AlmError as error:
            log.warning("notice_not_delivered", **fields, reason=str(error))
            self._keep(notice, body, str(error))

    def _keep(self, notice: Notice, body: bytes, reason: str) -> None:
        item = InboxItem(
            id=f"notice:{notice_id(notice)}",
            at=notice.at,
            source="notification",
            reason=f"the webhook did not take it: {reason}",
            remedy="look at the webhook's address and receiver; then discard this item",
            payload=body.decode(),
            model=notice.model,
            run=notice.run,
        )
        try:
            self._records.put_inbox(item)
            telemetry.count("alm.inbox.kept", source="notification")
        except AlmError as error:
            log.warning("notice_lost", reason=str(error))


class EventPoster:
    """Posts every event to the webhook of the settings. See `ports.EventWebhook`."""

    def __init__(self, http: Http, identity: Identity, webhook: str) -> None:
        self._http = http
        self._identity = identity
        self._webhook = webhook

    def post(self, event: Mapping[str, object]) -> None:
        post(self._http, self._identity, self._webhook, encoded(event))


def post(http: Http, identity: Identity, webhook: str, body: bytes) -> None:
    """Post a CloudEvents document. webhook: the name of the secret that is its URL."""
    headers = {"Content-Type": MEDIA_TYPE}
    if context := telemetry.current():
        headers["traceparent"] = context
    answer = http.send(
        "POST",
        identity.secret(webhook).get_secret_value(),
        headers=headers,
        body=body,
        deadline_seconds=SECONDS_MAX,
        path_is_secret=True,
    )
    if answer.status not in TAKEN:
        parts = _PARTS.split(answer.request.target)  # receivers say what they were asked for
        raise error_of(answer, doing="post to the webhook", secrets=parts)


def notice_id(notice: Notice) -> str:
    facts = f"{notice.event}|{notice.model}|{notice.run}|{notice.digest or notice.why}"
    return hashlib.sha256(facts.encode()).hexdigest()[:32]


def document(notice: Notice) -> bytes:
    """The notice as CloudEvents JSON, with the extension for distributed tracing."""
    context = telemetry.current()
    return json.dumps(
        {
            **({"traceparent": context} if context else {}),
            "specversion": "1.0",
            "id": notice_id(notice),
            "type": f"alm.run.{notice.event}",
            "source": f"/models/{notice.model}",
            "subject": notice.run,
            "time": notice.at.isoformat(),
            "datacontenttype": "application/json",
            "data": {
                "model": notice.model,
                "run": notice.run,
                "why": notice.why,
                "digest": notice.digest,
            },
        }
    ).encode()
