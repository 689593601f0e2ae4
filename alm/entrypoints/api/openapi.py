"""The API as an OpenAPI 3.1 document: a pure function of its routes and of what they name.

Served at `GET /api/openapi.json`, kept in `docs/openapi.json`, which `schemas.py` writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic import TypeAdapter

from alm.entrypoints.access import CSRF_HEADER
from alm.entrypoints.access import KEY_HEADER as API_KEY_HEADER
from alm.entrypoints.api import answers, problems
from alm.entrypoints.api.calls import Route
from alm.entrypoints.api.json_schemas import Schemas, portable, rewritten

API_VERSION = "1.0.0"
COMPONENTS = "#/components/schemas/{model}"
ABOUT = """\
What people and scripts see and order. Orders are accepted at once and then take their way through
the mailbox of each managed model. Fields are only ever added to answers: skip what you do not know.
What a call does not take is refused, not ignored. A method that a path does not have is answered
with 405 and the header `Allow`. More: docs/api.md, and docs/errors.md for what can go wrong.
"""
TAGS = {
    "models": "Managed models",
    "score": "Scoring",
    "runs": "Runs",
    "inbox": "Inbox",
    "pipelines": "The app",
    "openapi.json": "The app",
}
IN_PATH = {
    "model": ("A managed model; for an order also a family, which is all its members.", "churn"),
    "run": ("A run.", "churn.r7"),
    "order": ("The id of an order, as its answer gave it.", "nightly-1.5f0c2a91"),
    "item": (
        "An inbox item, percent-encoded, or `~` and the base64url of its name.",
        "alm-requests:42:1f3a9c07",
    ),
}
KEY = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$"
PARAMETERS = {
    "Idempotency-Key": (
        "Names the order: sent again with it, the call is answered as it was.",
        KEY,
    ),
    "If-Match": ("The ETag of what is changed: 412 if it changed since.", ""),
    "If-None-Match": ("The ETag that the caller has: 304 if nothing changed.", ""),
    CSRF_HEADER: ("Any text; needed of a browser that is signed in by the platform.", ""),
}
HEADERS = {
    "ETag": "A strong ETag of what is answered.",
    "Link": 'Where there is more: `<?…>; rel="next"`.',
    "Retry-After": "Seconds to wait.",
    "Idempotent-Replayed": "`true`: this is the answer that the key has got before.",
}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    listed = tuple(routes)
    answered, shapes = _schemas([route.answers for route in listed], "serialization")
    asked, bodies = _schemas([route.takes for route in listed], "validation")
    paths: dict[str, Any] = {}
    for route, answer, takes in zip(listed, answered, asked, strict=True):
        operation = _operation(route, answer, takes, bodies)
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = operation
    used = {route.takes.__name__: bodies[route.takes.__name__] for route in listed if _posts(route)}
    _, problem = _schemas([answers.Problem], "serialization")
    schemas = {**_open(shapes), **_open(problem), **used}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "azure-studio-alm",
            "version": API_VERSION,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api"}],
        "security": [{"key": []}],
        "tags": [{"name": name} for name in dict.fromkeys(TAGS.values())],
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items())), **_components()},
    }


def _components() -> dict[str, Any]:
    """What operations refer to beside schemas."""
    unchanged = {"description": "Nothing changed.", "headers": _headers("ETag")}
    return {
        "responses": {"304": unchanged, **{str(one): _problem(one) for one in _statuses()}},
        "parameters": {name: _header(name, *about) for name, about in PARAMETERS.items()},
        "headers": {
            name: {"description": about, "schema": {"type": "string"}}
            for name, about in HEADERS.items()
        },
        "securitySchemes": {
            "key": {
                "type": "apiKey",
                "in": "header",
                "name": API_KEY_HEADER,
                "description": "A key has one role: reader, operator or approver.",
            }
        },
    }


def _operation(
    route: Route, answer: dict[str, Any], takes: dict[str, Any], bodies: dict[str, Any]
) -> dict[str, Any]:
    told = (route.handler.__doc__ or "").strip()
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": told.splitlines()[0],
        "description": f"Role: {route.role}.",
        "tags": [TAGS[route.path.partition("/")[0]]],
        "parameters": [*_in_path(route), *_in_header(route)],
        "responses": {str(status): _good(route, answer) for status in route.statuses},
    }
    schema = bodies[route.takes.__name__]
    if _posts(route):
        content = {"application/json": {"schema": takes}}
        operation["requestBody"] = {"required": "required" in schema, "content": content}
    else:
        operation["parameters"] += [
            _parameter(name, dict(field)) for name, field in schema.get("properties", {}).items()
        ]
        operation["responses"]["304"] = {"$ref": "#/components/responses/304"}
    for status in problems_of(route):
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/{status}"}
    return operation


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    about = schema.pop("description")
    return {"name": name, "in": "query", "description": about, "schema": schema}


def problems_of(route: Route) -> list[int]:
    """The statuses that a call can fail with, once its path and method are found."""
    found = [400, 401, 409, 500, 502, 503]
    if "{" in route.path:
        found.append(404)
    if _posts(route):
        found += [403, 413, 415]
    if route.changes:
        found += [412, 422]
    return sorted(found)


def _posts(route: Route) -> bool:
    return route.method != "GET"


def _good(route: Route, answer: dict[str, Any]) -> dict[str, Any]:
    names = ["ETag"] if not _posts(route) else []
    names += ["Link"] if "after" in route.names else []
    names += ["Idempotent-Replayed"] if route.changes else []
    about = {"description": "Done, or accepted." if route.changes else "What was asked for."}
    headers = {"headers": _headers(*names)} if names else {}
    return {**about, **headers, "content": {"application/json": {"schema": answer}}}


def _problem(status: int) -> dict[str, Any]:
    kinds = [kind for kind in problems.KINDS if kind.status == status]
    told = "; ".join(f"{kind.title} ({kind.type})" for kind in kinds)
    schema = {"$ref": COMPONENTS.format(model=answers.Problem.__name__)}
    found: dict[str, Any] = {
        "description": f"{told}.",
        "content": {"application/problem+json": {"schema": schema}},
    }
    match status:
        case 412:
            found["headers"] = _headers("ETag")
        case 503:
            found["headers"] = _headers("Retry-After")
    return found


def _statuses() -> list[int]:
    return sorted({kind.status for kind in problems.KINDS} - {problems.WRONG_METHOD.status})


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _header(name: str, about: str, pattern: str) -> dict[str, Any]:
    schema = {"type": "string", **({"pattern": pattern} if pattern else {})}
    return {"name": name, "in": "header", "description": about, "schema": schema}


def _in_path(route: Route) -> Iterator[dict[str, Any]]:
    for name, (about, example) in IN_PATH.items():
        if f"{{{name}}}" in route.path:
            schema = {"type": "string", "minLength": 1}
            where = {"name": name, "in": "path", "required": True}
            yield {**where, "description": about, "schema": schema, "example": example}


def _in_header(route: Route) -> Iterator[dict[str, str]]:
    names = ["If-None-Match"]
    if _posts(route):
        names = [CSRF_HEADER]
    if route.changes:
        names = ["Idempotency-Key", "If-Match", CSRF_HEADER]
    yield from ({"$ref": f"#/components/parameters/{name}"} for name in names)


def _schemas(
    kinds: list[Any], mode: Literal["validation", "serialization"]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The schema of each kind, and the named ones that they refer to."""
    adapters = [(place, mode, TypeAdapter(kind)) for place, kind in enumerate(kinds)]
    found, named = TypeAdapter.json_schemas(
        adapters, ref_template=COMPONENTS, schema_generator=Schemas
    )
    schemas = [found[place, mode] for place, _ in enumerate(kinds)]
    return schemas, rewritten(named.get("$defs", {}), portable)


def _open(schema: dict[str, Any]) -> Any:
    """The schemas of answers: fields may be added to them one day."""
    return rewritten(schema, _opened)


def _opened(schema: dict[str, Any]) -> dict[str, Any]:
    closed = ("additionalProperties", False)
    return {name: part for name, part in schema.items() if (name, part) != closed}
