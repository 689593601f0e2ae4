"""What `ports.Notifier` and `ports.EventWebhook` promise, kept by doubles and adapters."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Protocol

import pytest

from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.adapters.notify import EventPoster, WebhookNotifier
from alm.domain.errors import TRANSIENT, Unavailable, Unknown
from alm.ports import EventWebhook, Notice, Notifier
from tests.doubles.bus import MemoryNotifier, MemoryWebhook
from tests.doubles.storage import EPOCH, FixedClock, MemoryRecords

NOTICE = Notice(
    event="rolled_back",
    model="churn",
    run="churn.r7",
    why="smoke test 'known' failed",
    at=EPOCH,
    webhook="env:TEAM_WEBHOOK",
)
SECRET_PATH = "/hooks/canary-of-the-webhook"


class NotifierWorld(Protocol):
    notifier: Notifier
    webhook: EventWebhook
    records: MemoryRecords

    def told(self) -> list[str]:
        """The runs that the webhook was told of, in order."""
        ...

    def go_away(self) -> None: ...

    def close(self) -> None: ...


class MemoryNotifierWorld:
    def __init__(self) -> None:
        self.records = MemoryRecords(FixedClock())
        self.notifier = MemoryNotifier(self.records)
        self.webhook = MemoryWebhook()

    def told(self) -> list[str]:
        posted = [str(event["subject"]) for event in self.webhook.posted]
        return [*(notice.run for notice in self.notifier.delivered), *posted]

    def go_away(self) -> None:
        self.webhook.fail("post", Unavailable("away"), times=None)
        self.notifier.fail("deliver", Unavailable("away"), times=None)

    def close(self) -> None: ...


class WebhookWorld:
    def __init__(self) -> None:
        self.records = MemoryRecords(FixedClock())
        bodies: list[bytes] = []

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(202 if self.path == SECRET_PATH else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._bodies = bodies
        self._server: HTTPServer | None = HTTPServer(("127.0.0.1", 0), Hook)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        url = f"http://127.0.0.1:{self._server.server_port}{SECRET_PATH}"
        self._http = Http(["127.0.0.1"])
        identity = Identity({"TEAM_WEBHOOK": url, "ALM_LOCAL": "1"}, FixedClock())
        self.notifier = WebhookNotifier(self._http, identity, self.records)
        self.webhook = EventPoster(self._http, identity, "env:TEAM_WEBHOOK")

    def told(self) -> list[str]:
        return [json.loads(body)["subject"] for body in self._bodies]

    def go_away(self) -> None:
        self._http.close()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            self._thread.join()

    def close(self) -> None:
        self.go_away()


@pytest.fixture(params=[MemoryNotifierWorld, WebhookWorld])
def world(request: pytest.FixtureRequest) -> Iterator[NotifierWorld]:
    made: NotifierWorld = request.param()
    yield made
    made.close()


def test_a_notice_is_delivered(world: NotifierWorld):
    world.notifier.notify(NOTICE)

    assert world.told() == ["churn.r7"]
    assert world.records.inbox() == []


def test_an_event_is_posted(world: NotifierWorld):
    world.webhook.post({"subject": "churn.r8"})

    assert world.told() == ["churn.r8"]


def test_an_event_that_nobody_took_is_the_callers_to_send_again(world: NotifierWorld):
    world.go_away()

    with pytest.raises(TRANSIENT) as refused:
        world.webhook.post({"subject": "churn.r8"})

    assert "canary-of-the-webhook" not in str(refused.value)


def test_without_a_webhook_nobody_is_called(world: NotifierWorld):
    world.notifier.notify(replace(NOTICE, webhook=""))

    assert world.told() == []
    assert world.records.inbox() == []


def test_a_notice_that_cannot_be_delivered_is_kept_once(world: NotifierWorld):
    world.go_away()

    world.notifier.notify(NOTICE)
    world.notifier.notify(NOTICE)

    [item] = world.records.inbox()
    assert (item.model, item.run, item.queue) == ("churn", "churn.r7", "")
    assert "webhook" in item.reason


def test_it_never_raises(world: NotifierWorld, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    world.records.fail("put_inbox", Unknown("storage is away too"), times=None)
    world.go_away()

    world.notifier.notify(NOTICE)
    world.notifier.notify(replace(NOTICE, webhook="env:NOT_SET"))

    assert "canary-of-the-webhook" not in caplog.text
