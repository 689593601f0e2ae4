"""The check against the specification finds what is wrong."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.contract.studio.arm_spec import (
    SPEC_2016,
    SPEC_2017,
    SPEC_PLANS,
    check_answered,
    check_sent,
    wrong,
)

SENT: dict[str, Any] = {
    "location": "West Europe",
    "properties": {
        "packageType": "Graph",
        "realtimeConfiguration": {"maxConcurrentCalls": 4},
        "storageAccount": {"name": "a", "key": "k"},
        "assets": {"m": {"name": "m", "type": "Resource", "locationInfo": {"uri": "https://a/b"}}},
        "package": {
            "nodes": {"n": {"assetId": "m", "parameters": {"p": {"value": 1}}}},
            "edges": [{"sourceNodeId": "n", "targetNodeId": "o"}],
            "graphParameters": {"g": {"type": "Int", "links": []}},
        },
    },
}


def changed(path: str, value: object) -> dict[str, Any]:
    document = copy.deepcopy(SENT)
    *parents, last = path.split("/")
    inside = document
    for parent in parents:
        inside = inside[parent]
    if value is None:
        del inside[last]
    else:
        inside[last] = value
    return document


def test_what_is_right_passes() -> None:
    assert list(wrong(SPEC_2017, "WebService", SENT, sent=True)) == []


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("location", None, "location is missing"),
        ("properties", None, "properties is missing"),
        ("properties/packageType", None, "properties.packageType is missing"),
        ("properties/packageType", "Code", "properties.packageType is 'Code'"),
        ("properties/PackageType", "Graph", "PackageType is no field"),
        ("properties/title", 1, "properties.title is 1, not text"),
        ("properties/readOnly", "true", "properties.readOnly is 'true', not flag"),
        ("properties/createdOn", "2026-01-01T00:00:00Z", "properties.createdOn is read-only"),
        ("properties/realtimeConfiguration/maxConcurrentCalls", 3, "is 3, not whole(4..200)"),
        ("properties/assets/m/type", "File", "properties.assets.m.type is 'File'"),
        ("properties/assets/m/locationInfo", "x", "properties.assets.m.locationInfo. is no object"),
        ("properties/assets", [], "properties.assets is [], not {AssetItem}"),
        ("properties/package/edges", {}, "properties.package.edges is {}, not [GraphEdge]"),
        ("properties/package/nodes/n/parameters/p", "1", "parameters.p. is no object"),
        ("properties/package/graphParameters/g/links", None, "links is missing"),
        ("name", "x", "name is read-only"),
        ("etag", "x", "etag is no field of WebService"),
    ],
)
def test_what_is_wrong_is_told(path: str, value: object, told: str) -> None:
    mistakes = list(wrong(SPEC_2017, "WebService", changed(path, value), sent=True))
    assert any(told in mistake for mistake in mistakes), mistakes


def test_versions_differ_in_the_form_of_parameters() -> None:
    plain = changed("properties/package/nodes/n/parameters/p", "1")

    assert list(wrong(SPEC_2016, "WebService", plain, sent=True)) == []
    assert list(wrong(SPEC_2016, "WebService", SENT, sent=True)) != []


@pytest.mark.parametrize("secret", ["keys", "commitmentPlan", "storageAccount"])
def test_what_is_never_answered_is_told(secret: str) -> None:
    hidden = {"keys": {"primary": "a"}, "commitmentPlan": {"id": "p"}}.get(secret)
    properties = {"packageType": "Graph", secret: hidden or {"name": "a", "key": "k"}}
    answered = {"location": "West Europe", "properties": properties}

    mistakes = list(wrong(SPEC_2017, "WebService", answered, sent=False))

    assert [mistake for mistake in mistakes if "never answered" in mistake] == mistakes != []


def test_plans_are_checked_too() -> None:
    plan = {"location": "West Europe", "sku": {"capacity": "1"}}

    assert list(wrong(SPEC_PLANS, "CommitmentPlan", plan, sent=False)) == [
        "sku.capacity is '1', not whole"
    ]


GROUP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning"


@pytest.mark.parametrize(
    ("call", "body", "told"),
    [
        ("PUT webServices/w?api-version=2019-10-01", {}, "is no call of api-version '2019-10-01'"),
        ("PUT webServices/w", {}, "is no call of api-version ''"),
        ("HEAD webServices/w?api-version=2017-01-01", None, "is no call"),
        ("PUT webServices/w?api-version=2017-01-01", {"properties": {}}, "location is missing"),
        ("PATCH webServices/w?api-version=2017-01-01", {"id": "i"}, "id is read-only"),
        ("PATCH webServices/w?api-version=2016-05-01-preview", {}, "location is missing"),
        ("POST commitmentPlans/p/commitmentAssociations/a/move?api-version=2016-05-01-preview",
         {"to": "q"}, "to is no field of Move"),
        ("PUT workspaces/w?api-version=2016-04-01", {"location": "x", "sku": {}},
         "sku is no field of Workspace"),
        ("PATCH workspaces/w?api-version=2019-10-01", None, "is no object"),
    ],
)  # fmt: skip
def test_wrong_calls_are_told(call: str, body: object, told: str) -> None:
    method, _, rest = call.partition(" ")

    _, mistakes = check_sent(method, f"{GROUP}/{rest}", json.dumps(body).encode())

    assert any(told in mistake for mistake in mistakes), mistakes


@pytest.mark.parametrize(
    ("call", "status", "body", "told"),
    [
        ("PUT workspaces/w?api-version=2019-10-01", 201, {}, "the status is none of (200,)"),
        ("GET workspaces/w?api-version=2019-10-01", 404, {"code": "c"}, "message is missing"),
        ("GET webServices?api-version=2017-01-01", 200, {"items": []}, "items is no field"),
        ("GET skus?api-version=2016-05-01-preview", 200,
         {"value": [{"capacity": {"scaleType": "None", "minimum": "1"}}]}, "minimum is '1'"),
    ],
)  # fmt: skip
def test_wrong_answers_are_told(call: str, status: int, body: object, told: str) -> None:
    method, _, rest = call.partition(" ")

    found = check_answered(method, f"{GROUP}/{rest}", status, json.dumps(body).encode())

    assert any(told in mistake for mistake in found[1]), found


def test_what_is_not_resource_managers_is_not_checked() -> None:
    assert check_sent("PUT", "/workspaces/w/webservices/s", b"{}") == ("", [])
    assert check_answered("GET", "/workspaces/w/webservices", 200, b"[]") == ("", [])


def test_what_was_checked_is_told() -> None:
    where = f"{GROUP}/webServices/w?api-version=2016-05-01-preview"
    plain = json.dumps({"location": "x", "properties": {"packageType": "Graph"}}).encode()

    assert check_sent("PATCH", where, plain) == ("PATCH WebService 2016-05-01-preview", [])
    told = check_answered("GET", where, 200, plain)
    assert told == ("answer WebService 2016-05-01-preview", [])
