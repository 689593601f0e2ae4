"""Notices to a webhook: what is posted, and what becomes of one that cannot be."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alm.adapters.connections import Transport
from alm.adapters.notify import WebhookNotifier
from alm.domain.errors import Unavailable, Unknown
from alm.ports import Notice
from tests.doubles.storage import FixedClock, MemoryRecords
from tests.unit.studio.scripted import Scripted, http, identity

SECRET = "T0123456789/canary-canary"
HOOK = SECRET.partition("/")[2]
URL = f"https://studio.test/hooks/{SECRET}?key={SECRET}"
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
NOTICE = Notice("failed", "churn", "churn.r7", "job 12 failed: no rows", AT, webhook="env:HOOK")


def notifier(transport: Transport, records: MemoryRecords, url: str = URL) -> WebhookNotifier:
    return WebhookNotifier(http(transport), identity(HOOK=url), records)


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords(FixedClock(AT))


def test_a_notice_is_posted_as_a_cloud_event(records: MemoryRecords) -> None:
    transport = Scripted((202, None))

    notifier(transport, records).notify(NOTICE)

    event = transport.sent()
    assert isinstance(event, dict)
    assert (event["specversion"], event["type"], event["subject"]) == (
        "1.0",
        "alm.run.failed",
        "churn.r7",
    )
    assert event["data"]["why"] == "job 12 failed: no rows"
    assert transport.requests[0].headers["Content-Type"] == "application/cloudevents+json"
    assert transport.seen == [f"POST /hooks/{SECRET}?key={SECRET}"]


def test_a_repeat_can_be_told_by_its_id(records: MemoryRecords) -> None:
    transport = Scripted((200, None), (200, None), (200, None))
    told = notifier(transport, records)

    told.notify(NOTICE)
    told.notify(replace(NOTICE, at=AT.replace(hour=13)))
    told.notify(replace(NOTICE, event="held"))

    ids = [json.loads(request.body or b"")["id"] for request in transport.requests]
    assert ids[0] == ids[1] != ids[2]


def test_without_a_webhook_it_is_only_logged(
    records: MemoryRecords, caplog: pytest.LogCaptureFixture
) -> None:
    transport = Scripted()

    with caplog.at_level(logging.WARNING, "alm"):
        notifier(transport, records).notify(replace(NOTICE, webhook=""))

    assert [line.message.split()[0] for line in caplog.records] == ["notice"]
    assert transport.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        (500, {"hook": URL}),
        (404, None),
        (404, {"error": {"message": f"Cannot POST /hooks/{SECRET}"}}),
        (410, {"error": {"message": f"there is no hook {HOOK} of T0123456789"}}),
        (302, None, {"location": f"https://elsewhere.test/hooks/{SECRET}"}),
        Unknown("lost"),
        Unavailable("refused"),
    ],
)
def test_what_cannot_be_delivered_is_kept_without_the_secret(
    answer: object, records: MemoryRecords, caplog: pytest.LogCaptureFixture
) -> None:
    told = notifier(Scripted(answer, answer), records)

    with caplog.at_level(logging.DEBUG):
        told.notify(NOTICE)
        told.notify(NOTICE)

    (item,) = records.inbox()
    assert item.reason.startswith("the webhook did not take it")
    assert (item.model, item.run, item.queue) == ("churn", "churn.r7", "")
    for part in (SECRET, HOOK):
        assert part not in repr(item)
        assert all(part not in repr(vars(line)) for line in caplog.records)


@pytest.mark.parametrize(
    "url", ["", "not a url", "https://elsewhere.test/x", "http://studio.test/"]
)
def test_a_webhook_that_may_not_be_called_is_not(url: str, records: MemoryRecords) -> None:
    transport = Scripted()

    notifier(transport, records, url).notify(NOTICE)

    assert transport.requests == []
    assert len(records.inbox()) == 1


def test_an_inbox_that_is_away_is_not_raised(records: MemoryRecords) -> None:
    records.fail("put_inbox", Unavailable("away"))

    notifier(Scripted((500, None)), records).notify(NOTICE)

    assert records.inbox() == []
