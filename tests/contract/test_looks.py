"""Looks at queues by the management API, with and without leave; and at tokens."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport
from azure.servicebus import ServiceBusClient
from azure.servicebus.management import ServiceBusAdministrationClient

from alm.adapters.queue_looks import QueueLooks
from alm.adapters.token_looks import TokenLooks
from alm.domain.errors import AlmError, Denied, NotFound, Unavailable
from alm.domain.looks import QueueFacts
from devstack.servicebus.background import BackgroundBroker
from devstack.servicebus.context import QueueConfig

ENTRY = """<entry xmlns="http://www.w3.org/2005/Atom"><title type="text">alm-steps</title>
<content type="application/xml"><QueueDescription
 xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"
 xmlns:d2p1="http://schemas.microsoft.com/netservices/2011/06/servicebus"
><LockDuration>PT1M</LockDuration><RequiresDuplicateDetection>true</RequiresDuplicateDetection>
<RequiresSession>true</RequiresSession>
<DuplicateDetectionHistoryTimeWindow>PT1H</DuplicateDetectionHistoryTimeWindow>
<MaxDeliveryCount>5</MaxDeliveryCount><MessageCount>4</MessageCount>
<CountDetails><d2p1:ActiveMessageCount>1</d2p1:ActiveMessageCount>
<d2p1:DeadLetterMessageCount>3</d2p1:DeadLetterMessageCount></CountDetails>
<EnablePartitioning>false</EnablePartitioning></QueueDescription></content></entry>"""
EMPTY = '<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">none</title></feed>'


@contextmanager
def management(status: int, body: str) -> Iterator[str]:
    """A management API that always answers the same; its connection string."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/atom+xml;type=entry;charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        place = f"Endpoint=sb://127.0.0.1:{server.server_port};SharedAccessKeyName=k"
        yield f"{place};SharedAccessKey=a2V5;UseDevelopmentEmulator=true"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def looks(text: str, bus: str = "") -> QueueLooks:
    return QueueLooks(
        lambda: ServiceBusClient.from_connection_string(bus, retry_total=0),
        lambda: ServiceBusAdministrationClient.from_connection_string(
            text, retry_total=0, transport=Plain()
        ),
    )


class Plain(RequestsTransport):
    """The SDK always asks by https; here there is nobody in between."""

    def send(self, request: Any, **options: Any) -> Any:
        request.url = request.url.replace("https://", "http://")
        return super().send(request, **options)


def test_all_properties_of_a_queue_are_seen_where_there_is_leave() -> None:
    with management(200, ENTRY) as text:
        seen = looks(text).properties("alm-steps")

    assert seen == QueueFacts(
        "alm-steps",
        sessions=True,
        duplicate_seconds=3600.0,
        lock_seconds=60.0,
        deliveries_max=5,
        partitioned=False,
        dead=3,
    )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(401, "", Denied), (403, "", Denied), (200, EMPTY, NotFound), (500, "", Unavailable)],
)
def test_what_the_management_api_refuses_is_told(
    status: int, body: str, kind: type[AlmError]
) -> None:
    with management(status, body) as text, pytest.raises(kind) as raised:
        looks(text).properties("alm-steps")
    assert "a2V5" not in str(raised.value)


def test_without_leave_links_are_opened(tmp_path: Path) -> None:
    queues = [QueueConfig("alm-steps", requires_session=True)]
    with BackgroundBroker(queues, tmp_path) as broker, management(401, "") as text:
        seen = looks(text, broker.connection_string).look("alm-steps")

    assert (seen.sessions, seen.may_send, seen.may_receive, seen.dead) == (True, True, True, 0)
    assert (seen.duplicate_seconds, seen.deliveries_max) == (None, None)
    assert seen.unseen == "the management API answered 401"


# -- tokens --------------------------------------------------------------------------------------


class Signed:
    """A credential that is signed in as somebody, or nobody."""

    def __init__(self, token: str = "", error: Exception | None = None) -> None:
        self._token, self._error = token, error

    def get_token(self, *_: str, **__: object) -> AccessToken:
        if self._error:
            raise self._error
        return AccessToken(self._token, 1_800_000_000)


def web_token(**claims: str) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{body}.signature"


@pytest.mark.parametrize(
    ("token", "who", "tenant"),
    [
        (web_token(upn="ada@example.com", oid="o", tid="t"), "ada@example.com", "t"),
        (web_token(appid="a-1", tid="t"), "a-1", "t"),
        ("opaque", "somebody", ""),
        ("a.%%.c", "somebody", ""),
    ],
)
def test_a_token_tells_whose_it_is(token: str, who: str, tenant: str) -> None:
    facts = TokenLooks(Signed(token)).look("scope")

    assert (facts.who, facts.tenant, facts.credential) == (who, tenant, "Signed")
    assert facts.expires == datetime.fromtimestamp(1_800_000_000, UTC)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ClientAuthenticationError("no"), Denied),
        (ServiceRequestError("away"), Unavailable),
    ],
)
def test_why_there_is_no_token_is_told(error: Exception, kind: type[AlmError]) -> None:
    with pytest.raises(kind):
        TokenLooks(Signed(error=error)).look("scope")
