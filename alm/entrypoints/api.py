"""The HTTP API: what people and scripts see and order. Plain values in, plain values out.

`ROUTES` is the map: method, path, who may, what it does. `docs/api.md` describes it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from alm import telemetry
from alm.bootstrap import App
from alm.domain.errors import (
    AlmError,
    Denied,
    NotFound,
    Refused,
    Unavailable,
    Unknown,
    UnknownModel,
)
from alm.domain.nearest import shown, suggestion
from alm.entrypoints import orders, scoring, views
from alm.entrypoints.access import Caller, Forbidden, authorise
from alm.entrypoints.calls import RETRY_SECONDS, Answer, Call, Order, Route, problem

__all__ = ["ROUTES", "Answer", "Call", "respond"]

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
KEY_HEADER = "idempotency-key"
STATUS: tuple[tuple[type[AlmError], int], ...] = (
    (UnknownModel, 404),
    (NotFound, 404),
    (Refused, 400),
    (Denied, 502),
    (Unavailable, 503),
    (Unknown, 503),
    (AlmError, 409),
)


def respond(app: App, call: Call) -> Answer:
    """Answer one call. Every failure is a problem document that says what to do."""
    try:
        found = _route(call)
    except Refused as error:
        return problem(400, str(error))
    if isinstance(found, Answer):
        return found
    route, values = found
    changes = route.method != "GET"
    caller = authorise(call.headers, route.role, changes=changes, settings=app.settings)
    if isinstance(caller, Forbidden):
        return problem(caller.status, caller.why)
    if not changes:
        return _handled(app, call, route, values, caller)
    with _span(call, route, values):
        answer = _handled(app, call, route, values, caller)
        telemetry.note(attributes={"http.response.status_code": answer.status})
        return answer


def _span(call: Call, route: Route, values: Mapping[str, str]) -> AbstractContextManager[object]:
    """What somebody may order is recorded, in the trace of the caller; mere looking is not."""
    return telemetry.span(
        "score" if route.handler is scoring.score else "api",
        parent=call.headers.get("traceparent", ""),
        attributes={"http.request.method": call.method, "http.route": route.path},
        model=values.get("model", ""),
        run=values.get("run", ""),
    )


def _route(call: Call) -> tuple[Route, dict[str, str]] | Answer:
    path = call.path.strip("/")
    found = [(route, values) for route in ROUTES if (values := route.match(path)) is not None]
    for route, values in found:
        if route.method == call.method:
            return route, values
    if found:
        allowed = ", ".join(sorted({route.method for route, _ in found}))
        return problem(405, f"{call.method} means nothing to this; use {allowed}", Allow=allowed)
    return problem(404, f"there is nothing at {shown(path)}; GET models, runs, inbox or pipelines")


def _handled(
    app: App, call: Call, route: Route, values: Mapping[str, str], caller: Caller
) -> Answer:
    if len(call.body) > route.body_bytes_max and route.method != "GET":
        size = len(call.body)
        return problem(413, f"the body has {size} bytes; send at most {route.body_bytes_max}")
    key = call.headers.get(KEY_HEADER) or app.ports.new_id()
    try:
        document = _document(call, route)
        order_id = _order_id(call, caller.name, key)
        return route.handler(app, Order(values, call.query, document, caller.name, order_id))
    except (Unavailable, Unknown) as error:
        how = f"; try again with the header Idempotency-Key: {key}" if route.method != "GET" else ""
        return problem(503, f"{error}{how}", **{"Retry-After": str(RETRY_SECONDS)})
    except AlmError as error:
        status = next(code for kind, code in STATUS if isinstance(error, kind))
        return problem(status, str(error))


def _document(call: Call, route: Route) -> Mapping[str, Any]:
    """The body of an order; whatever the route does not take is refused, not ignored."""
    if route.method == "GET":
        _check_names(call.query, (*route.takes, "code"), "a parameter of this")  # code: the host's
        return {}
    try:
        document = json.loads(call.body or b"{}", object_pairs_hook=_once)
    except RecursionError as error:
        raise Refused("the body is nested too deeply; send one flat JSON object") from error
    except ValueError as error:
        raise Refused(f"the body is not JSON ({error}); send one JSON object") from error
    if not isinstance(document, dict):
        raise Refused("the body is not a JSON object; send one, or nothing")
    _check_names(document, route.takes, "a field of this order")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Refused("the body names a field twice; which one counts would be a guess")
    return found


def _check_names(given: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    for name in given:
        if name not in known:
            raise Refused(f"{shown(name)} is not {what}; {suggestion(name, known)}")


def _order_id(call: Call, by: str, key: str) -> str:
    """Name an order: the same key with the same order is the same; with another it is another."""
    if not KEY.fullmatch(key):
        raise Refused(
            f"the header Idempotency-Key is {shown(key)}; write letters, digits and . _ : -, "
            "at most 100"
        )
    facts = b"\n".join((by.encode(), call.path.strip("/").encode(), call.body))
    return f"{key}.{hashlib.sha256(facts).hexdigest()[:8]}"


HARVEST = ("experiment", "node", "port")
SCORE = ("rows", "input", "output", *scoring.CHOOSES)
ROUTES = (
    Route("GET", "models", "reader", views.list_models, ("limit", "after", "state")),
    Route("GET", "models/{model}", "reader", views.show_model),
    Route("GET", "models/{model}/versions", "reader", views.list_versions),
    Route("GET", "models/{model}/targets", "reader", views.list_targets, ("read",)),
    Route("GET", "models/{model}/orders/{order}", "reader", orders.show_order),
    Route("POST", "models/{model}/start", "operator", orders.start_run),
    Route("POST", "models/{model}/publish", "operator", orders.publish, ("blob",)),
    Route("POST", "models/{model}/rollback", "operator", orders.roll_back, ("version",)),
    Route("POST", "models/{model}/verify", "operator", orders.verify),
    Route("POST", "models/{model}/harvest", "operator", orders.harvest, HARVEST),
    Route("POST", "models/{model}/redeploy", "operator", orders.redeploy, ("commit",)),
    Route("GET", "models/{model}/served", "reader", views.list_served, ("at",)),
    Route("GET", "models/{model}/choose", "reader", scoring.show_choice, scoring.CHOOSES),
    Route("POST", "score/{model}", "reader", scoring.score, SCORE, body_bytes_max=4 << 20),
    Route("GET", "runs", "reader", views.list_runs, ("model", "days", "limit")),
    Route("GET", "runs/{run}", "reader", views.show_run),
    Route("POST", "runs/{run}/approve", "approver", orders.approve, ("digest",)),
    Route("POST", "runs/{run}/refuse", "approver", orders.refuse, ("digest",)),
    Route("POST", "runs/{run}/cancel", "operator", orders.cancel),
    Route("GET", "inbox", "reader", views.list_inbox, ("limit",)),
    Route("GET", "inbox/{item}", "reader", views.show_inbox),
    Route("POST", "inbox/{item}/redrive", "operator", orders.redrive),
    Route("POST", "inbox/{item}/discard", "operator", orders.discard),
    Route("GET", "pipelines", "reader", views.list_pipelines),
)
