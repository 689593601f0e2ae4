"""Which URLs are called, and what answers mean to those who called."""

from __future__ import annotations

import logging

import pytest

from alm.adapters.answers import expect, object_of, refusal
from alm.adapters.connections import Answer, Request, Site
from alm.adapters.http import Http, split
from alm.domain.errors import (
    AlmError,
    Conflict,
    Denied,
    Misconfigured,
    NotFound,
    Unavailable,
    Unknown,
)
from tests.unit.studio.scripted import KEY, Scripted, error, http

URL = "https://studio.test/workspaces/w/services/e/jobs?api-version=2.0&sig=s3cr3t"
HEADERS = {"Authorization": f"Bearer {KEY}"}


def answered(*answer: object) -> Answer:
    return http(Scripted(answer)).send("GET", URL, headers=HEADERS)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "BadArgument"), Misconfigured),
        (error(401, "Unauthorized"), Denied),
        (error(403, "Forbidden"), Denied),
        (error(404, "NotFound"), NotFound),
        (error(408, "RequestTimeout"), Unavailable),
        ((408, None), Unknown),
        (error(409, "Conflict"), Conflict),
        ((412, None), Conflict),
        (error(413, "MemoryQuotaViolation"), Misconfigured),
        ((429, None), Unavailable),
        (error(500, "InternalError"), Unknown),
        ((502, b"<html>bad gateway</html>"), Unknown),
        (error(503, "ServiceUnavailable", "NoMoreResources"), Unavailable),
        (error(504, "GatewayTimeout"), Unknown),
        ((302, None, {"location": "https://elsewhere.test/?sig=x"}), Misconfigured),
        ((204, None), Misconfigured),
    ],
)
def test_an_unwanted_answer_is_the_error_its_caller_decides_on(
    answer: tuple[object, ...], kind: type[AlmError]
) -> None:
    with pytest.raises(kind) as raised:
        expect(answered(*answer), 200, doing="start job 5f0c")

    assert type(raised.value) is kind


def test_a_message_names_operation_place_codes_text_and_remedy() -> None:
    answer = answered(*error(400, "BadArgument", "InvalidBlob", message="Wrong."), {
        "x-ms-request-id": "r-7"
    })  # fmt: skip

    with pytest.raises(Misconfigured) as raised:
        expect(answer, 200, doing="create a batch job", remedy="compare the inputs")

    assert str(raised.value) == (
        "create a batch job: https://studio.test/workspaces/w/services/e/jobs answered "
        "400 BadArgument (InvalidBlob): Wrong.; InvalidBlob! [request r-7]; compare the inputs"
    )


def test_no_secret_is_in_a_message_even_if_the_service_repeats_it() -> None:
    text = f"{KEY} https://a/b?sv=1&sig=s3cr3t&se=2 AccountKey=abcdef== Bearer t0ken"
    answer = answered(*error(400, "BadArgument", message=text))

    with pytest.raises(Misconfigured) as raised:
        expect(answer, 200, doing="x")

    shown = str(raised.value)
    assert [s for s in (KEY, "s3cr3t", "abcdef", "t0ken") if s in shown] == []


def test_a_redirect_is_told_but_not_followed() -> None:
    transport = Scripted((302, None, {"location": "https://elsewhere.test/a?sig=x"}))

    answer = http(transport).send("GET", URL, headers={})
    with pytest.raises(Misconfigured, match=r"redirect to https://elsewhere.test/a, which is not"):
        expect(answer, 200, doing="x")

    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://studio.test/a", ["studio.test"]),
        ("https://STUDIO.test/a", ["Studio.Test"]),
        ("https://eu.services.test/a", ["*.services.test"]),
        ("https://studio.test:8443/a", ["studio.test:8443"]),
        ("http://127.0.0.1:7071/a", ["127.0.0.1"]),
        ("http://localhost/a", ["localhost"]),
        ("http://[::1]:80/a", ["::1"]),
    ],
)
def test_allowed_hosts_are_called(url: str, allowed: list[str]) -> None:
    transport = Scripted((200, None))

    Http(allowed, transport=transport).send("GET", url, headers={})

    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://other.test/a", ["studio.test"]),
        ("https://studio.test.evil.test/a", ["studio.test"]),
        ("https://services.test/a", ["*.services.test"]),
        ("https://evilservices.test/a", ["*.services.test"]),
        ("https://studio.test:444/a", ["studio.test:443"]),
        ("http://studio.test/a", ["studio.test"]),
        ("http://169.254.169.254/a", ["127.0.0.1"]),
        ("https://user@studio.test/a", ["studio.test"]),
        ("https://studio.test/a b", ["studio.test"]),
        ("https://studio.test/a\r\nX: y", ["studio.test"]),
        ("ftp://studio.test/a", ["studio.test"]),
        ("file:///etc/passwd", ["studio.test"]),
        ("https://studio.test:99999/a", ["studio.test"]),
        ("", ["studio.test"]),
    ],
)
def test_other_hosts_and_unsafe_urls_are_not_called(url: str, allowed: list[str]) -> None:
    transport = Scripted((200, None))

    with pytest.raises(Misconfigured):
        Http(allowed, transport=transport).send("GET", url, headers={})

    assert transport.requests == []


def test_a_url_that_is_a_secret_is_shown_without_its_path(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "alm.adapters.http")
    calls = http(Scripted(error(404, "NotFound")))

    answer = calls.send("POST", "https://studio.test/s3cr3t", headers={}, path_is_secret=True)
    with pytest.raises(NotFound) as raised:
        expect(answer, 200, doing="post a notice")

    assert "s3cr3t" not in f"{raised.value} {caplog.records[0].__dict__}"


@pytest.mark.parametrize("url", ["https://user:s3cr3t@studio.test/", "https://st udio/s3cr3t"])
def test_a_url_that_is_none_is_not_shown_in_full(url: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        split(url)

    assert "s3cr3t" not in str(raised.value)


def test_a_url_is_split_into_site_and_target() -> None:
    assert split("https://Studio.test/a/b?c=d#e") == (
        Site("https", "studio.test", 443), "/a/b?c=d"
    )  # fmt: skip


def test_a_call_is_logged_without_its_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "alm.adapters.http")

    answered(200, {})

    (record,) = caplog.records
    assert record.__dict__["url"] == "https://studio.test/workspaces/w/services/e/jobs"
    assert "s3cr3t" not in str(record.__dict__)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"", b"\xff"])
def test_an_answer_that_is_no_object_is_a_wrong_url(body: bytes) -> None:
    with pytest.raises(Misconfigured, match="check that the URL is that of the service"):
        object_of(answered(200, body), doing="read an endpoint")


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (b'{"error": {"code": "A", "message": "B", "details": "odd"}}', "A", "B"),
        (b'{"Error": {"Code": "A", "Message": "B"}}', "A", "B"),
        (b'{"code": "A", "message": "B"}', "A", "B"),
        (b'{"error": "odd"}', "", ""),
        (b"plain words", "", "plain words"),
        (b"", "", ""),
        (b"null", "", "null"),
    ],
)
def test_every_kind_of_error_body_is_read(body: bytes, code: str, text: str) -> None:
    refused = refusal(answered(400, body))

    assert (refused.code, refused.text) == (code, text)


class Patient(Scripted):
    """Remembers how long each call may take; each takes that long but a second."""

    def __init__(self) -> None:
        super().__init__(by=lambda _request: (200, None))
        self.seconds: list[float] = []

    def exchange(self, request: Request, seconds: float) -> Answer:
        self.seconds.append(round(seconds))
        return super().exchange(request, seconds)


def test_calls_of_one_operation_share_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    time = iter(range(1000, 2000, 25))
    monkeypatch.setattr("alm.adapters.http.monotonic", lambda: float(next(time)))
    transport = Patient()
    calls = http(transport)

    with calls.within(60), calls.within(500), pytest.raises(Unavailable, match="was not sent"):
        for _ in range(3):
            calls.send("GET", URL, headers={})
    calls.send("GET", URL, headers={})

    assert transport.seconds == [35, 10, 60]


def test_a_call_may_have_less_time_than_its_operation() -> None:
    transport = Patient()
    calls = http(transport)

    with calls.within(60):
        calls.send("GET", URL, headers={}, deadline_seconds=5)

    assert transport.seconds == [5]


def test_what_an_error_says_twice_is_told_once() -> None:
    said = "Invalid argument provided. No column 'x'."
    body = {"error": {"code": "A", "message": said, "details": [{"message": "No column 'x'"}]}}
    other = {"error": {"code": "A", "message": "No column", "details": [{"message": said}]}}

    assert [refusal(answered(400, one)).text for one in (body, other)] == [said, said]
