"""Route templates."""

import pytest

from devstack.host.routes import parse_route

GUID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


@pytest.mark.parametrize(
    ("route", "path", "expected"),
    [
        ("api/models", "/api/models", {}),
        ("api/models", "/API/Models/", {}),
        ("api/models", "/api/models/x", None),
        ("api/models", "/api", None),
        ("api/{model}", "/api/churn", {"model": "churn"}),
        ("api/{model}", "/api/", None),
        ("api/{model}", "/api/a%20b", {"model": "a b"}),
        ("api/{model}", "/api/a%2Fb", {"model": "a%2Fb"}),
        ("api/{m}/v/{n:int}", "/api/churn/v/12", {"m": "churn", "n": "12"}),
        ("api/{m}/v/{n:int}", "/api/churn/v/x", None),
        ("api/{id?}", "/api", {}),
        ("api/{id?}", "/api/7", {"id": "7"}),
        ("api/{id:int?}", "/api/x", None),
        ("api/{id=5}", "/api", {"id": "5"}),
        ("api/{*path}", "/api/a/b/c", {"path": "a/b/c"}),
        ("api/{*path}", "/api", {}),
        ("{*path}", "/", {}),
        ("x/{id:guid}", f"/x/{GUID}", {"id": GUID}),
        ("x/{id:guid}", "/x/1", None),
        ("x/{f:bool}", "/x/TRUE", {"f": "TRUE"}),
        ("x/{w:alpha}", "/x/ab1", None),
        ("x/{w:alpha:length(2)}", "/x/ab", {"w": "ab"}),
        ("x/{w:length(2,3)}", "/x/abcd", None),
        ("x/{w:minlength(3)}", "/x/ab", None),
        ("x/{w:maxlength(3)}", "/x/abc", {"w": "abc"}),
        ("x/{n:range(1,9)}", "/x/10", None),
        ("x/{n:min(5)}", "/x/4", None),
        ("x/{n:max(5)}", "/x/5", {"n": "5"}),
        ("x/{w:regex(^a/(b|c)$)}", "/x/ab", None),
        ("x/{w:regex(^v[0-9]+$)}", "/x/v12", {"w": "v12"}),
        ("x/{d:datetime}", "/x/2026-11-23", {"d": "2026-11-23"}),
        ("x/{n:decimal}", "/x/1.5", {"n": "1.5"}),
    ],
)
def test_matching(route, path, expected):
    assert parse_route(route).match(path) == expected


@pytest.mark.parametrize(
    ("route", "named"),
    [
        ("a/{x:colour}", "constraint 'colour'"),
        ("a/{x", "not a parameter"),
        ("a/v{x}", "not a parameter"),
        ("a//b", "empty part"),
        ("{*all}/b", "last part"),
        ("{x}/{x}", "twice"),
        ("{x:length(a)}", "length"),
        ("{x:regex([)}", "regex"),
    ],
)
def test_a_mistake_is_named(route, named):
    with pytest.raises(ValueError, match=named):
        parse_route(route)
