"""What telemetry is told of calls over HTTP."""

from __future__ import annotations

import pytest

from alm import telemetry
from alm.adapters.connections import Answer, Request, Transport
from alm.adapters.http import Http
from alm.domain.errors import Unknown
from tests.recorded import recording

URL = "https://studio.example:8443/workspaces/w?sig=canary-77"


class OneAnswer(Transport):
    """A transport that answers with a status, or raises."""

    def __init__(self, status: int = 200, error: Exception | None = None) -> None:
        self.status, self.error = status, error

    def exchange(self, request: Request, seconds: float) -> Answer:
        if self.error is not None:
            raise self.error
        return Answer(self.status, {}, b"", request)


def calling(transport: OneAnswer) -> Http:
    return Http(["studio.example"], transport=transport)


def send(http: Http) -> Answer:
    return http.send("PATCH", URL, headers={"k": "canary-77"})


def open_(http: Http) -> Answer:
    return http.open(URL, headers={"k": "canary-77"})


@pytest.mark.parametrize(("call", "method"), [(send, "PATCH"), (open_, "GET")])
def test_a_call_is_a_span_inside_what_makes_it_and_a_duration(call, method):
    with recording() as recorded:
        with telemetry.span("retrain/patch", parent=""):
            call(calling(OneAnswer(404)))

        span = recorded.span(f"{method} studio.example")
        assert span.parent == recorded.span("retrain/patch").span
        assert (span.status, span.why) == ("error", "answered 404")
        assert span.fields == {
            "http.request.method": method,
            "server.address": "studio.example",
            "server.port": 8443,
            "url.scheme": "https",
            "http.response.status_code": 404,
        }
        labels = f"host=studio.example method={method} status=404"
        assert list(recorded.metrics()["alm.call.duration"]) == [labels]


def test_a_call_that_was_not_answered_is_told_by_its_error():
    with recording() as recorded:
        with pytest.raises(Unknown), telemetry.span("begin", parent=""):
            send(calling(OneAnswer(error=Unknown("the answer was lost"))))

        assert "error" == recorded.span("PATCH studio.example").status
        (labels,) = recorded.metrics()["alm.call.duration"]
        assert labels == "host=studio.example method=PATCH status=unknown"


def test_a_call_that_is_part_of_nothing_is_measured_and_no_trace():
    with recording() as recorded:
        send(calling(OneAnswer()))

        assert recorded.spans() == []
        assert "alm.call.duration" in recorded.metrics()


def test_no_secret_of_a_call_is_told():
    with recording() as recorded:
        with telemetry.span("begin", parent=""):
            send(calling(OneAnswer(500)))

        assert "canary-77" not in repr((recorded.spans(), recorded.metrics()))
