"""What telemetry is told of a call over HTTP: where to, how long, what came of it. Never its path.

Span fields are those of OpenTelemetry's semantic conventions for HTTP clients. The context is not
sent along: Studio's protocol is frozen, and nobody there continues a trace (webhooks get it, see
`notify.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from time import monotonic

from alm import telemetry
from alm.adapters.connections import Answer, Request
from alm.domain.errors import AlmError

FAILED_FROM = 400


def recorded(request: Request, call: Callable[[], Answer]) -> Answer:
    """Make a call. A span is recorded only as part of another: a reader's look is no trace."""
    if not telemetry.is_on():
        return call()
    began, status = monotonic(), "error"
    try:
        with _span(request):
            answer = call()
            status = str(answer.status)
            telemetry.note(attributes={"http.response.status_code": answer.status})
            if answer.status >= FAILED_FROM:
                telemetry.failed(f"answered {answer.status}")
            return answer
    except AlmError as error:
        status = type(error).__name__.lower()
        raise
    finally:
        seconds = monotonic() - began
        host, method = request.site.host, request.method
        telemetry.observe("alm.call.duration", seconds, host=host, method=method, status=status)


def _span(request: Request) -> AbstractContextManager[object]:
    if not telemetry.current():
        return telemetry.span_of_nothing()
    site = request.site
    facts = {
        "http.request.method": request.method,
        "server.address": site.host,
        "server.port": site.port,
        "url.scheme": site.scheme,
    }
    return telemetry.span(f"{request.method} {site.host}", outbound=True, attributes=facts)
