"""The page: what operators see in a browser, and the forms by which they give orders.

Rendered here, complete without JavaScript; htmx only fetches the same again every few seconds. Each
page is one module with a pure function that turns documents into what its template shows.
`routing.ROUTES` is the map.
"""

from __future__ import annotations

from alm.bootstrap import App
from alm.entrypoints.api.calls import Call
from alm.entrypoints.page.answers import Answer

__all__ = ["Answer", "Call", "failed", "respond"]


def respond(app: App, call: Call) -> Answer:
    """Answer one request of a browser. Templates are loaded at the first."""
    from alm.entrypoints.page import routing

    return routing.respond(app, call)


def failed(call: Call, error: Exception) -> Answer:
    """The answer when the app itself is at fault: where its log tells more, and nothing else."""
    from alm.entrypoints.page import routing

    return routing.failed(call, error)
