"""The HTTP API: what people and scripts see and order. Plain values in, plain values out.

`routes.py` is the map; `docs/api.md` describes it, `docs/errors.md` what to do when a call fails.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from alm import log, telemetry
from alm.bootstrap import App
from alm.domain.errors import AlmError, NotFound, Refused, Unavailable, Unknown
from alm.domain.nearest import shown
from alm.entrypoints.access import Caller, Forbidden, authorise
from alm.entrypoints.api import asks, conditions, problems, repeats
from alm.entrypoints.api.calls import RETRY_SECONDS, Answer, Call, Order, problem
from alm.entrypoints.api.repeats import Kept
from alm.entrypoints.api.routes import ROUTES, Route

__all__ = ["ROUTES", "Answer", "Call", "Route", "carry_out", "failed", "respond"]

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
KEY_HEADER = "idempotency-key"
HOSTS_OWN = "code"  # a parameter of the Functions host
TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")
JSON = re.compile(r"application/([\w.-]+\+)?json\s*(;.*)?", re.IGNORECASE)


def respond(app: App, call: Call) -> Answer:
    """Answer one call. Every failure is a problem document that says what to do."""
    try:
        answer = _respond(app, call)
    except AlmError as error:
        answer = _refused(error, str(error))
    return _traced(call, answer)


def failed(call: Call, error: Exception) -> Answer:
    """The answer when the app itself is at fault: where the log tells more, and nothing else."""
    instance = f"urn:uuid:{uuid.uuid4()}"
    log.error("api_failed", instance=instance, reason=f"{type(error).__name__}: {error}")
    detail = f"the app failed; its log tells more under {instance}; look what became of the call"
    return _traced(call, problem(problems.FAILED, detail, {"instance": instance}))


def _refused(error: AlmError, told: str, **more: str) -> Answer:
    kind = problems.kind_of(error)
    extra = {"Retry-After": str(RETRY_SECONDS)} if kind.status == 503 else {}
    return problem(kind, told, more, **extra)


def _traced(call: Call, answer: Answer) -> Answer:
    """A problem names the caller's trace, where there is one."""
    trace = TRACE.fullmatch(call.headers.get("traceparent", ""))
    if answer.status < 400 or trace is None:
        return answer
    assert isinstance(answer.body, dict)
    return replace(answer, body={**answer.body, "trace_id": trace[1]})


def _respond(app: App, call: Call) -> Answer:
    found = _route(call.method, call.path)
    if isinstance(found, Answer):
        return found
    route, values = found
    caller = authorise(
        call.headers, route.role, changes=route.method != "GET", settings=app.settings
    )
    if isinstance(caller, Forbidden):
        recognised = problems.NOT_ALLOWED if caller.status == 403 else problems.NOT_RECOGNISED
        return problem(recognised, caller.why)
    if route.method == "GET":
        order = Order(values, _asked(call, route), caller.name, "")
        answer = route.handler(app, order)
        return conditions.with_etag(answer, call.headers.get(conditions.NONE_MATCH, ""))
    with _span(call, route, values):
        answer = _unreadable(call, route) or _posted(app, call, caller)
        telemetry.note(attributes={"http.response.status_code": answer.status})
        return answer


def _span(call: Call, route: Route, values: Mapping[str, str]) -> AbstractContextManager[object]:
    """What somebody may order is recorded, in the trace of the caller; mere looking is not."""
    return telemetry.span(
        "api" if route.changes else "score",
        parent=call.headers.get("traceparent", ""),
        attributes={"http.request.method": call.method, "http.route": route.path},
        model=values.get("model", ""),
        run=values.get("run", ""),
    )


def _route(method: str, path: str) -> tuple[Route, dict[str, str]] | Answer:
    path = path.strip("/")
    found = [(route, values) for route in ROUTES if (values := route.match(path)) is not None]
    for route, values in found:
        if route.method == method:
            return route, values
    if found:
        allowed = ", ".join(sorted({route.method for route, _ in found}))
        told = f"{method} means nothing to this; use {allowed}"
        return problem(problems.WRONG_METHOD, told, Allow=allowed)
    told = f"there is nothing at {shown(path)}; GET models, runs, inbox, pipelines or openapi.json"
    return problem(problems.NO_ROUTE, told)


def _unreadable(call: Call, route: Route) -> Answer | None:
    """Why a body is not even looked at."""
    size, kind = len(call.body), call.headers.get("content-type", "")
    if size > route.body_bytes_max:
        told = f"the body has {size} bytes; send at most {route.body_bytes_max}"
        return problem(problems.TOO_LARGE, told)
    if size and kind and not JSON.fullmatch(kind.strip()):
        told = f"the body is {shown(kind)}; send JSON with `Content-Type: application/json`"
        return problem(problems.NOT_JSON, told)
    return None


def _posted(app: App, call: Call, caller: Caller) -> Answer:
    """Answer a call that has a body; where it is not certain, tell the key to repeat it with."""
    key = call.headers.get(KEY_HEADER) or app.ports.new_id()
    try:
        return carry_out(app, call, _document(call), caller, key)
    except (Unavailable, Unknown) as error:
        told = f"{error}; try again with the header Idempotency-Key: {key}"
        return _refused(error, told, idempotency_key=key)
    except AlmError as error:
        return _refused(error, str(error))


def carry_out(
    app: App, call: Call, document: Mapping[str, Any], caller: Caller, key: str
) -> Answer:
    """Do what a POST asks of somebody who may: once, where the call has an idempotency key.

    key: that one, or what else names the order. Raises what stands against it.
    """
    found = _route(call.method, call.path)
    assert not isinstance(found, Answer), call.path
    route, values = found
    order_id = _order_id(call, document, caller.distinct, key)
    asked = asks.read(route.takes, document, "a field of this order")
    given = call.headers.get(KEY_HEADER, "")
    order = Order(values, asked, caller.name, order_id, given, caller.distinct)
    return _changed(app, call, route, order) if route.changes else route.handler(app, order)


def _changed(app: App, call: Call, route: Route, order: Order) -> Answer:
    """Carry an order out, once for its key: a repeat is answered as it was the first time."""
    before = repeats.kept(app, order)
    if before is not None:
        return _repeated(app, route, order, before)
    changed = _since_looked(app, call)
    if changed is not None:
        return changed
    try:
        answer = route.handler(app, order)
    except NotFound:
        before = repeats.kept(app, order)  # the same call was quicker
        if before is None:
            raise
        return _repeated(app, route, order, before)
    repeats.keep(app, order, call, answer)
    if route.closing is not None:
        route.closing(app, order, None)
    return answer


def _repeated(app: App, route: Route, order: Order, before: Kept) -> Answer:
    if not before.answers(order):
        told = (
            f"the key {order.key!r} belongs to {shown(before.call)} of {before.at:%Y-%m-%d %H:%M}"
        )
        remedy = "repeat that call exactly as it was, or give this one a key of its own"
        return problem(problems.KEY_REUSED, f"{told}; {remedy}")
    if route.closing is not None:
        route.closing(app, order, before.at)
    return before.again


def _since_looked(app: App, call: Call) -> Answer | None:
    """Refuse a change of what is no longer as the caller saw it (If-Match)."""
    given = call.headers.get(conditions.MATCH, "")
    if not given:
        return None
    seen = call.path.strip("/").rpartition("/")[0]
    found = _route("GET", seen)
    assert not isinstance(found, Answer), "what can be changed can be looked at"
    route, values = found
    if values.get("model") in app.declarations.families():
        raise Refused("If-Match is about one managed model, and this is a family; leave it out")
    etag = route.handler(app, Order(values, route.takes(), "", "")).etag
    if conditions.holds(etag, given):
        return None
    told = f"{shown(seen)} is not as it was when you looked; GET it again, then decide"
    return problem(problems.CHANGED, told, ETag=etag)


def _asked(call: Call, route: Route) -> asks.Asked:
    given = {name: value for name, value in call.query.items() if name != HOSTS_OWN}
    return asks.read(route.takes, given, "a parameter of this")


def _document(call: Call) -> dict[str, Any]:
    try:
        document = json.loads(call.body or b"{}", object_pairs_hook=_once)
    except RecursionError as error:
        raise Refused("the body is nested too deeply; send one flat JSON object") from error
    except ValueError as error:
        raise Refused(f"the body is not JSON ({error}); send one JSON object") from error
    if not isinstance(document, dict):
        raise Refused("the body is not a JSON object; send one, or nothing")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Refused("the body names a field twice; which one counts would be a guess")
    return found


def _order_id(call: Call, document: Mapping[str, Any], by: str, key: str) -> str:
    """Name an order: another caller, path or body is another order, whatever its key."""
    if not KEY.fullmatch(key):
        raise Refused(
            f"the header Idempotency-Key is {shown(key)}; write letters, digits and . _ : -, "
            "at most 100"
        )
    try:
        body = json.dumps(document, sort_keys=True)
    except RecursionError as error:
        raise Refused("the body is nested too deeply; an order is one flat object") from error
    facts = "\n".join((by, call.path.strip("/"), body)).encode("utf-8", "surrogatepass")
    return f"{key}.{hashlib.sha256(facts).hexdigest()[:8]}"
