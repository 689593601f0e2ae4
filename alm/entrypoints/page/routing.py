"""The map of the page: address, role, what is shown. Who asks is decided before anything is read.

Without a role only the sign-in form and the files of `static` are shown.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from alm import log
from alm.bootstrap import App
from alm.domain.errors import AlmError, NotFound
from alm.domain.nearest import shown
from alm.entrypoints import access
from alm.entrypoints.access import Forbidden, Role
from alm.entrypoints.api import problems
from alm.entrypoints.api.calls import Call, path_values
from alm.entrypoints.page import (
    evidence,
    inbox,
    model,
    models,
    orders,
    overview,
    rendering,
    run,
    runs,
    schedule,
    session,
    sign_in,
    static,
    studio,
)
from alm.entrypoints.page.answers import Answer, redirect
from alm.entrypoints.page.asking import Ask, address
from alm.entrypoints.page.session import Visitor

Handler = Callable[[Ask], Answer]


@dataclass(frozen=True)
class Route:
    """One page. order: what its form does, and what role that needs; None: it has no form."""

    path: str
    show: Handler
    role: Role = "reader"
    order: Handler | None = None


def sign_out(ask: Ask) -> Answer:
    """Take the session back."""
    return redirect(sign_in.PATH).with_headers(Set_Cookie=session.ended(ask.app.settings))


ROUTES = (
    Route("", overview.show),
    Route("models", models.show),
    Route("runs", runs.show),
    Route("runs/{run}", run.show),
    Route("runs/{run}/evidence/{piece}", evidence.fetch),
    Route("models/{model}", model.show),
    Route("inbox", inbox.show),
    Route("inbox/{item}", inbox.show_item),
    Route("schedule", schedule.show),
    Route("studio", studio.show),
    Route("studio/{workspace}/difference", studio.show_difference),
    Route("studio/{workspace}/{experiment}", studio.show_experiment),
    *(Route(path, form.confirm, form.role, form.give) for path, form in orders.ORDERS.items()),
    Route("sign-out", lambda _: redirect("/"), order=sign_out),
)


def respond(app: App, call: Call) -> Answer:
    """Answer one request. Every failure is a page that says what to do."""
    path = call.path.strip("/")
    if path.startswith("static/"):
        return static.answer(path.removeprefix("static/")) or _plain_404()
    now = app.ports.clock.now()
    if f"/{path}" == sign_in.PATH:
        return sign_in.answer(app, call, now)
    found = session.visitor(call.headers, app.settings, now, app.ports.new_id())
    if isinstance(found, Forbidden):
        return sign_in.wanted(app, call, _place(call), found)
    answer = _answer(_asked(app, call, found, now), call)
    return answer.with_headers(Set_Cookie=found.cookie) if found.cookie else answer


def failed(call: Call, error: Exception) -> Answer:
    """Say that the app is at fault, to anybody: who asks may not be known."""
    name = f"urn:uuid:{uuid.uuid4()}"
    log.error("page_failed", instance=name, reason=f"{type(error).__name__}: {error}")
    return rendering.bare("failed.html", "The app failed", status=500, name=name)


def _answer(ask: Ask, call: Call) -> Answer:
    try:
        route, values = _route(call.path)
    except AlmError as error:
        return problem(ask, error)
    allowed = access.permitted(ask.caller, route.role)
    if isinstance(allowed, Forbidden):
        return refused(ask, 403, allowed.why)
    ask = replace(ask, values=values)
    handler = route.show
    if call.method == "POST":
        why = _distrust(ask, call) if route.order else "this page takes no form; go back"
        if why or route.order is None:
            return refused(ask, 403 if route.order else 405, why)
        handler = route.order
    try:
        return handler(ask)
    except AlmError as error:
        return problem(ask, error)


def problem(ask: Ask, error: AlmError) -> Answer:
    """A failure, with the words that say what to do."""
    return refused(ask, problems.kind_of(error).status, str(error))


def refused(ask: Ask, status: int, why: str) -> Answer:
    titles = {403: "Not allowed", 404: "Not found", 503: "Not now"}
    title = titles.get(status, "That did not work")
    return rendering.page(ask, "error.html", title, {"why": why}, status=status, every=0)


def _distrust(ask: Ask, call: Call) -> str:
    """Why a form is not taken for one of ours; "" if it is."""
    why = session.distrust(call.headers)
    if not why and not access.same(ask.form.get("token", ""), ask.token):
        why = "the form is not of this session"
    return f"{why}; open the page again and send its form" if why else ""


def _asked(app: App, call: Call, found: Visitor, now: datetime) -> Ask:
    return Ask(
        app=app,
        caller=found.caller,
        path="/" + call.path.strip("/"),
        now=now,
        token=session.token(found),
        query={name: value for name, value in call.query.items() if name != "code"},
        form=sign_in.read_form(call.body) if call.method == "POST" else {},
        fragment="hx-request" in call.headers,
    )


def _route(path: str) -> tuple[Route, Mapping[str, str]]:
    for route in ROUTES:
        values = path_values(route.path, path.strip("/"))
        if values is not None:
            return route, values
    raise NotFound(f"there is nothing at {shown('/' + path.strip('/'))}")


def _place(call: Call) -> str:
    """Where to go after signing in."""
    return address("/" + call.path.strip("/"), call.query) if call.method == "GET" else "/"


def _plain_404() -> Answer:
    return Answer(404, "there is no such file", "text/plain")
