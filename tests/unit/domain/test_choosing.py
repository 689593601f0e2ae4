"""A version, an alias or the weights decide on an endpoint: the same one for the same key."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alm.domain.choosing import Choice, choose
from alm.domain.errors import Refused

CHOICES = (
    Choice(target="ep-v1", version="v1", aliases=("previous",), weight=0),
    Choice(target="ep-v2", version="v2", aliases=("champion",), weight=90),
    Choice(target="ep-v2-eu", version="v2", aliases=("champion",), weight=30),
    Choice(target="ep-v3", version="v3", aliases=("candidate",), weight=30),
)


def share(choices: tuple[Choice, ...], calls: int = 4000) -> Counter[str]:
    return Counter(choose(choices, key=f"customer-{n}").target for n in range(calls))


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"version": "v1"}, {"ep-v1"}),
        ({"version": "v2"}, {"ep-v2", "ep-v2-eu"}),
        ({"alias": "previous"}, {"ep-v1"}),
        ({"alias": "champion"}, {"ep-v2", "ep-v2-eu"}),
        ({"alias": "candidate"}, {"ep-v3"}),
        ({}, {"ep-v2", "ep-v2-eu", "ep-v3"}),
    ],
)
def test_a_version_an_alias_or_the_weights_decide(wish: dict[str, str], expected: set[str]):
    assert expected == {choose(CHOICES, key=str(n), **wish).target for n in range(300)}


def test_shares_are_as_the_weights_whatever_they_sum_to():
    found = share(CHOICES)

    assert 0 == found["ep-v1"]
    assert 0.55 < found["ep-v2"] / 4000 < 0.65
    assert 0.17 < found["ep-v2-eu"] / 4000 < 0.23
    assert 0.17 < found["ep-v3"] / 4000 < 0.23


@given(st.text(), st.permutations(CHOICES))
def test_a_key_always_gets_the_same_endpoint(key: str, order: list[Choice]):
    assert choose(CHOICES, key=key) == choose(order, key=key)


def test_a_changed_weight_moves_only_the_share_that_must_move():
    more = (*CHOICES[:3], CHOICES[3].model_copy(update={"weight": 60.0}))

    for n in range(2000):
        before, after = (choose(some, key=str(n)).target for some in (CHOICES, more))
        assert before == after or after == "ep-v3"


def test_endpoints_without_weight_serve_when_they_are_asked_for():
    none = tuple(choice.model_copy(update={"weight": 0.0}) for choice in CHOICES)

    assert {"ep-v2", "ep-v2-eu"} == {
        choose(none, key=str(n), version="v2").target for n in range(100)
    }


def test_the_choice_is_returned_as_it_was_given():
    assert CHOICES[0] is choose(CHOICES, version="v1")


@pytest.mark.parametrize(
    ("choices", "wish", "why"),
    [
        (CHOICES, {"version": "v4"}, "no endpoint has version 'v4': .*ep-v1 .v1, previous."),
        (CHOICES, {"alias": "champoin"}, "alias 'champoin': did you mean 'champion'"),
        (CHOICES, {"version": "v1", "alias": "x"}, "ask for one of them"),
        ((), {}, "there is no endpoint"),
        (CHOICES[:1], {}, "every endpoint has weight 0: ep-v1 .v1, previous."),
    ],
)
def test_what_cannot_be_chosen_is_told_with_what_there_is(choices, wish, why: str):
    with pytest.raises(Refused, match=why):
        choose(choices, key="k", **wish)


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), 1e12])
def test_a_weight_is_a_share(weight: float):
    with pytest.raises(ValidationError):
        Choice(target="a", weight=weight)
