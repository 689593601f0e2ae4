"""Whatever a declaration says, it is read or its mistakes are told; nothing else happens."""

from __future__ import annotations

import copy
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alm.adapters.declarations import Declarations
from alm.domain.errors import Misconfigured
from tests.unit.declarations.folders import CHURN, SHOPS, put

Place = tuple[Any, ...]

odd_values = st.sampled_from(
    [
        None, True, 0, -1, 1.5, 10**30, "", "x", "{", "}", "{shop}", "{model}", "{nobody}", "a/b",
        "env:X", "env:{shop}", "https://{shop}/x", "**", "* * * * *", [], [1], {}, {"a": 1},
        {"list": [1, 2]}, {"file": "shops.csv"}, [{"a": 1}], "captures", "datasets/x", "é",
    ]
)  # fmt: skip


def places(value: object, place: Place = ()) -> Iterator[Place]:
    yield place
    inside = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
    for key, item in inside:
        if isinstance(item, (dict, list)):
            yield from places(item, (*place, key))
        else:
            yield (*place, key)


def spoilt(declaration: dict[str, Any], place: Place, odd: object, as_key: bool) -> dict[str, Any]:
    copied = copy.deepcopy(declaration)
    inside: Any = copied
    for part in place[:-1]:
        inside = inside[part]
    if as_key and isinstance(inside, dict):
        inside[f"{place[-1]}x"] = inside.pop(place[-1])
    else:
        inside[place[-1]] = odd
    return copied


@settings(deadline=None, max_examples=150)
@pytest.mark.parametrize("declaration", [CHURN, SHOPS], ids=["model", "family"])
@given(data=st.data())
def test_any_declaration_is_read_or_its_mistakes_are_told(declaration, data):
    spots = [place for place in places(declaration) if place]
    broken = declaration
    for _ in range(data.draw(st.integers(1, 2))):
        odd = data.draw(odd_values)
        place = data.draw(st.sampled_from(spots))
        try:
            broken = spoilt(broken, place, odd, data.draw(st.booleans()))
        except (KeyError, TypeError, IndexError):
            continue  # the first change took this place away

    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "managed_models"
        put(folder, "x.yaml", broken)
        put(folder, "shops.csv", "shop\nnorth\n")
        try:
            declarations = Declarations.read(folder, None)
        except Misconfigured as error:
            told = str(error).splitlines()[1:]
            assert told
            assert all(re.match(r"  managed_models/[\w.]+:\d+: .+: .+; .+$", line) for line in told)
        else:
            declarations.matching_dataset("sales/north/a.csv")
            declarations.check_members()
