"""The OpenAPI document is valid, and what the API really answers is what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import azure.functions as func
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from alm.domain.errors import AlmError, Denied, Misconfigured, Unavailable, Unknown
from alm.domain.ledger import Active, Ledger
from alm.domain.messages import trigger_id
from alm.domain.run import RunState
from alm.domain.versions import InService
from alm.engine import finishing
from alm.entrypoints.api import answers, asks, openapi, responding
from alm.entrypoints.api.calls import ALWAYS, Answer
from alm.entrypoints.api.routes import ROUTES
from alm.ports import InboxItem, Row, Scores
from tests.doubles.storage import EPOCH
from tests.unit.entrypoints.app_world import KEYS, AppWorld, covered, trigger
from tests.unit.entrypoints.test_api import BODIES, address, furnished

DOCUMENT = openapi.document(ROUTES)
PROBLEM = {"$ref": "#/components/schemas/Problem"}
UNDOCUMENTED = {*ALWAYS, "Cache-Control"}
Furnish = Callable[[AppWorld], object]


def by_name(name: str) -> responding.Route:
    return next(route for route in ROUTES if route.handler.__name__ == name)


def named(route: responding.Route) -> str:
    return route.handler.__name__


def closed(schema: Any) -> Any:
    """The same schema, but nothing goes that it does not name."""
    match schema:
        case dict():
            inside = {name: closed(part) for name, part in schema.items()}
            is_object = inside.get("type") == "object" and "properties" in inside
            return {**inside, "additionalProperties": False} if is_object else inside
        case list():
            return [closed(part) for part in schema]
        case _:
            return schema


CLOSED = closed(DOCUMENT["components"])


def errors_of(schema: dict[str, Any], value: object) -> list[str]:
    checker = Draft202012Validator({**schema, "components": CLOSED}, format_checker=FormatChecker())
    return [f"{list(error.absolute_path)}: {error.message}" for error in checker.iter_errors(value)]


def check(route: responding.Route, answer: Answer) -> None:
    """An answer has a status, a body and headers that the document knows."""
    responses = DOCUMENT["paths"][f"/{route.path}"][route.method.lower()]["responses"]
    assert str(answer.status) in responses, answer.body
    response = responses[str(answer.status)]
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    headers = response.get("headers", {})
    assert set(answer.headers) - UNDOCUMENTED <= set(headers)
    if "content" not in response:
        assert answer.text == ""
        return
    ((media_type, content),) = response["content"].items()
    assert (answer.media_type, errors_of(content["schema"], answer.body)) == (media_type, [])


def test_the_document_is_a_valid_one():
    validate(DOCUMENT)


def test_every_route_is_in_it_under_a_name_of_its_own():
    listed = [
        (method.upper(), path.removeprefix("/"), operation["operationId"])
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    ]
    assert sorted(listed) == sorted(
        (route.method, route.path, route.handler.__name__) for route in ROUTES
    )
    assert len({name for *_, name in listed}) == len(listed)


def test_it_is_served_as_it_is_kept(world):
    assert world.call("GET", "openapi.json").body == DOCUMENT


def test_every_example_is_one():
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for example in schema.get("examples", []):
            assert errors_of({"$ref": f"#/components/schemas/{name}"}, example) == []


# -- good answers ----------------------------------------------------------------------------------


def full(world: AppWorld) -> None:
    """A managed model with everything: a held run, a version, a waiting trigger, a past."""
    furnished(world)
    ledger, etag = world.ledgers.get("churn")
    served = ledger.serves["us"]
    changes = {"before": {"us": served}, "unknown": ("us",), "champion": "v1"}
    changes |= {"waiting": (trigger("t:churn:y", by="me"),), "dataset": world.upload("datasets/a")}
    world.ledgers.put(ledger.model_copy(update=changes), etag)
    for place in range(3):
        targets = {"us": f"v{place}"}
        world.versions.put_in_service(
            InService(model="churn", run="churn.r1", at=EPOCH, champion="v1", targets=targets)
        )
    world.services.target(world.app.declarations.resolve("churn").targets[0]).answer = _scored


def _scored(rows: list[Row]) -> Scores:
    return Scores(("Scored Labels", "x"), tuple(("1", None) for _ in rows))


def in_flight(world: AppWorld) -> None:
    full(world)
    entry = {"n": 1, "stage": "start", "outcome": "done", "at": EPOCH.isoformat()}
    state = RunState(version=2, began=EPOCH, metrics={"auc": 0.8}).model_dump(mode="json")
    record = {"schema": 1, "run": "churn.r7", "model": "churn", "pipeline": "retrain"}
    record |= {"state": state, "history": [entry], "stage": "patch", "due": EPOCH.isoformat()}
    world.records.put_active("churn", "churn.r7", {**record, "configuration": "c", "why": ""})


def over(world: AppWorld) -> None:
    world.ended("ok", triggers=covered("t:churn:x"), champion="v1", unknown=["us"], shown=True)


GOOD: list[tuple[str, Furnish, dict[str, str]]] = [
    *((named(route), full, {}) for route in ROUTES),
    ("list_models", full, {"limit": "1"}),
    ("list_targets", full, {"read": "true"}),
    ("list_served", full, {"at": "2026-05-01T12:00:00Z"}),
    ("show_choice", full, {"alias": "champion"}),
    ("list_runs", in_flight, {"model": "churn"}),
    ("show_run", in_flight, {}),
    ("list_runs", over, {}),
    ("show_run", over, {}),
    ("show_model", over, {}),
    ("show_model", lambda _world: None, {}),
    ("show_order", over, {}),
]


@pytest.mark.parametrize(
    ("name", "furnish", "query"),
    [pytest.param(*case, id=f"{case[0]} {place}") for place, case in enumerate(GOOD)],
)
def test_what_is_answered_is_what_the_document_says(world, name, furnish, query):
    furnish(world)
    route = by_name(name)
    body = BODIES.get(route.path, {}) if route.method == "POST" else None
    answer = world.call(route.method, address(route), body, role=route.role, query=query)
    assert answer.status in route.statuses, answer.body
    check(route, answer)


def test_nothing_that_the_app_knows_is_missing_from_what_is_shown(world):
    """But the steps of a ledger, and the triggers that it has seen."""
    ledger = world.active()
    step = ledger.active.step
    ended = finishing.ended_record(ledger.model_copy(update={"finished_at": EPOCH}), step)
    in_flight = finishing.active_record(step.model_copy(update={"ledger": ledger}), EPOCH)
    record = {info.alias or name for name, info in answers.RunRecord.model_fields.items()}

    assert set(answers.ShownLedger.model_fields) == set(Ledger.model_fields) - {"seen"}
    assert set(answers.ActiveRun.model_fields) == set(Active.model_fields) - {"step"}
    assert set(answers.InboxEntry.model_fields) == {field.name for field in fields(InboxItem)}
    assert set(ended) | set(in_flight) == record


@pytest.mark.parametrize("state", ["sent", "waiting", "running", "ended"])
def test_every_state_of_an_order_is_in_the_document(world, state):
    name = trigger_id("churn", "o1")
    match state:
        case "waiting":
            world.put_ledger(world.active().with_waiting(trigger(name)))
        case "running":
            world.active(triggers=(trigger(name),))
        case "ended":
            world.ended("failed", triggers=covered(name), why="told")
    answer = world.call("GET", "models/churn/orders/o1")
    assert answer.body["state"] == state
    check(by_name("show_order"), answer)


def test_a_decision_that_has_happened_is_in_the_document(world):
    world.active(held=True, cancel="cancelled")
    answer = world.call("POST", "runs/churn.r7/cancel")
    assert answer.body["done"]
    check(by_name("cancel"), answer)


# -- failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_every_failure_is_one_that_the_document_tells(world, route):
    full(world)
    seen = set()
    for headers, body, query in _wrong(route):
        role = "" if route.method == "GET" else route.role
        given = {"query": query, "headers": headers, "role": role}
        answer = world.call(route.method, address(route), body, **given)
        assert answer.status >= 300, (headers, body, query)
        check(route, answer)
        seen.add(answer.status)
    elsewhere = {404, 409, 422, 500, 502, 503} | ({403} if route.role == "reader" else set())
    assert set(openapi.problems_of(route)) - elsewhere <= seen


def _wrong(route: responding.Route) -> list[tuple[dict[str, str], bytes | None, dict[str, str]]]:
    unknown: dict[str, str] = {"x-alm-key": "guess"}
    if route.method == "GET":
        return [(unknown, None, {}), ({"if-none-match": "*"}, None, {}), ({}, None, {"x": "1"})]
    other = next(key for role, key in KEYS.items() if role != route.role)
    calls: list[tuple[dict[str, str], bytes | None, dict[str, str]]] = [
        (unknown, None, {}),
        ({}, b'{"x": 1}', {}),
        ({}, b" " * (route.body_bytes_max + 1), {}),
        ({"content-type": "text/plain"}, b"{}", {}),
    ]
    if route.role != "reader":
        calls.append(({"x-alm-key": other}, None, {}))
    if route.changes:
        calls.append(({"if-match": '"other"'}, _body(route), {}))
    return calls


def _body(route: responding.Route) -> bytes:
    return json.dumps(BODIES.get(route.path, {})).encode()


@pytest.mark.parametrize("route", [r for r in ROUTES if r.changes], ids=named)
def test_a_key_of_another_call_is_a_failure_that_the_document_tells(world, route):
    full(world)
    key = {"idempotency-key": "k1"}
    other = next(r for r in ROUTES if r.changes and r.role == route.role and r is not route)
    for each in (other, route):
        answer = world.call("POST", address(each), _body(each), role=each.role, headers=key)
    assert answer.status == 422
    check(route, answer)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("storage is away"), 503),
        (Unknown("no answer"), 503),
        (Denied("the identity was refused"), 502),
        (Misconfigured("the ledger cannot be read"), 409),
    ],
)
@pytest.mark.parametrize("name", ["list_models", "show_model", "show_run", "start_run", "approve"])
def test_trouble_behind_the_api_is_in_the_document(world, name: str, error: AlmError, status: int):
    full(world)
    for operation in ("get", "list"):
        world.ledgers.fail(operation, error, times=None)
    route = by_name(name)
    world.bus.fail("send", error)
    body = BODIES.get(route.path) if route.method == "POST" else None
    answer = world.call(route.method, address(route), body, role=route.role)
    assert answer.status == status
    check(route, answer)


def test_a_failure_of_the_app_tells_where_to_look_and_nothing_else(caplog):
    call = responding.Call("GET", "models", {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    answer = responding.failed(call, KeyError("AccountKey=canary"))
    check(by_name("list_models"), answer)
    assert (answer.status, answer.body["trace_id"]) == (500, "a" * 32)
    assert "canary" not in answer.text
    assert answer.body["instance"] in caplog.text


def test_an_app_that_cannot_start_answers_with_a_problem(monkeypatch):
    import function_app

    monkeypatch.setenv("ALM_API_KEYS", "canary")
    request = func.HttpRequest("GET", "http://x/api/models", body=b"")
    response = function_app.answered(request, "models", responding)
    assert (response.status_code, response.mimetype) == (500, "application/problem+json")
    assert errors_of(PROBLEM, json.loads(response.get_body())) == []
    assert b"canary" not in response.get_body()


# -- what may be asked -----------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_what_a_schema_takes_is_taken(route):
    """The examples, and every default of a parameter."""
    schema = route.takes.model_json_schema()
    for example in schema.get("examples", [{}] if "required" not in schema else []):
        asks.read(route.takes, example, "a field")
    for name, field in schema.get("properties", {}).items():
        if route.method == "GET" and field.get("default") not in (None, ""):
            asks.read(route.takes, {name: str(field["default"])}, "a parameter")
