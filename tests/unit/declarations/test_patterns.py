"""Patterns of blob names: what matches, what is refused, and which two could match one name."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alm.domain import patterns
from alm.domain.errors import Misconfigured, Refused


@pytest.mark.parametrize(
    ("pattern", "name", "captures"),
    [
        ("sales/{shop}/*.csv", "sales/north/monday.csv", {"shop": "north"}),
        ("sales/{shop}/*.csv", "sales/north/2024/monday.csv", None),
        ("sales/{shop}/*.csv", "Sales/north/monday.csv", None),
        ("sales/{shop}/*.csv", "sales/north/monday.CSV", None),
        ("sales/{shop}/*.csv", "sales/-north/monday.csv", None),
        ("sales/{shop}/*.csv", "sales/nörth/monday.csv", None),
        ("sales/{shop}/*.csv", f"sales/{'n' * 64}/a.csv", {"shop": "n" * 64}),
        ("sales/{shop}/*.csv", f"sales/{'n' * 65}/a.csv", None),
        ("{model}/*.ilearner", f"{'n' * 90}/a.ilearner", {"model": "n" * 90}),
        ("{region}/{shop}.csv", "eu/north.v2.csv", {"region": "eu", "shop": "north.v2"}),
        ("{shop}-*.csv", "north-2024-01.csv", {"shop": "north"}),
        ("sales/*", "sales/a", {}),
        ("sales/*", "sales/a/b", None),
        ("sales/**", "sales/a/b", {}),
        ("sales/**", "sales", None),
        ("sales/**/x.csv", "sales/x.csv", {}),
        ("sales/**/x.csv", "sales/a/b/x.csv", {}),
        ("sales/**/x.csv", "sales/ax.csv", None),
        ("**/*.csv", "a.csv", {}),
        ("plain.csv", "plain.csv", {}),
        ("a.c*v", "abcsv", None),
        ("x(1)[2]+$^.csv", "x(1)[2]+$^.csv", {}),
    ],
)
def test_a_pattern_matches(pattern, name, captures):
    assert patterns.compile(pattern).match(name) == captures


HOSTILE = [
    "",
    "a/../b.csv",
    "a/./b.csv",
    "/a.csv",
    "a//b.csv",
    "a/b.csv/",
    "a\\b.csv",
    "a\x00b.csv",
    "a\nb.csv",
    "a\u202eb.csv",
    "a\ud800b.csv",
    "a?sig=x.csv",
    "a#b.csv",
    "n" * 901,
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_matches_nothing_and_is_told_why(name):
    assert patterns.fault(name) != ""
    assert patterns.compile("**").match(name) is None
    assert patterns.compile("*").match(name) is None


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "the name is empty"),
        ("/a", "leading or trailing"),
        ("a/", "leading or trailing"),
        ("a/../b", "'..'"),
        ("a\\b", "means something else"),
        ("a\tb", "invisible"),
        ("{a}{b}", "side by side"),
        ("{a}*", "side by side"),
        ("*{a}", "side by side"),
        ("{a}/{a}", "twice"),
        ("a**b", "whole segment"),
        ("***", "whole segment"),
        ("**/**", "twice in a row"),
        ("{A}", "small letters"),
        ("{}", "small letters"),
        ("{a", "lone '{'"),
        ("a}", "lone '}'"),
        ("x" * 257, "256"),
    ],
)
def test_a_wrong_pattern_is_refused_with_a_remedy(pattern, words):
    with pytest.raises(Misconfigured, match=r";") as error:
        patterns.compile(pattern)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("sales/{shop}/*.csv", "sales/north/*.csv", True),
        ("sales/{shop}/*.csv", "sales/*/monday.csv", True),
        ("sales/{shop}/*.csv", "sales/**", True),
        ("sales/{shop}/*.csv", "sales/{shop}/*.tsv", False),
        ("sales/*.csv", "sales/{shop}/*.csv", False),
        ("a/**/b.csv", "a/b.csv", True),
        ("a/**/b.csv", "a/xb.csv", False),
        ("shops--*/*.ilearner", "churn/*.ilearner", False),
        ("shops--*/*.ilearner", "{model}/*.ilearner", True),
        ("a*c", "abbc", True),
        ("a*c", "abbd", False),
    ],
)
def test_two_patterns_that_could_match_one_name_are_found(one, other, both):
    first, second = patterns.compile(one), patterns.compile(other)
    assert patterns.overlap(first, second) is both
    assert patterns.overlap(second, first) is both


def test_no_name_is_slow_to_match():
    pattern = patterns.compile("*a" * 120 + "b")
    began = time.process_time()
    assert pattern.match("a" * 890 + "cb") is None
    assert time.process_time() - began < 2  # a backtracking matcher would take for ever


CAPTURED = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)


@given(st.lists(CAPTURED, min_size=1, max_size=4))
def test_a_slug_says_which_member_it_is(values):
    captures = {f"c{index}": value for index, value in enumerate(values)}
    slug = patterns.slug(captures)
    assert slug == slug.lower()
    assert patterns.unslug(slug, captures) == captures


@given(CAPTURED, CAPTURED, CAPTURED, CAPTURED)
def test_different_members_have_different_slugs(one, two, three, four):
    first, second = {"a": one, "b": two}, {"a": three, "b": four}
    assert (patterns.slug(first) == patterns.slug(second)) is (first == second)


def test_a_simple_slug_is_what_was_captured():
    assert patterns.slug({"region": "eu", "shop": "north-1.b"}) == "eu--north-1.b"
    assert patterns.slug({"shop": "North_A"}) == "_north___a"


@pytest.mark.parametrize("slug", ["", "A", "a--", "--a", "_", "a_", "é", "a b", "a--b--c", "_1"])
def test_what_is_no_slug_is_refused(slug):
    with pytest.raises(Refused):
        patterns.unslug(slug, ["x", "y"])


def test_the_nearest_pattern_is_named():
    known = [patterns.compile("sales/{shop}/*.csv"), patterns.compile("churn/*.csv")]
    assert patterns.nearest("sales/north.csv", known) == "sales/{shop}/*.csv"
    assert patterns.nearest("anything", []) == ""
    assert patterns.nearest("zz/1.parquet", known) == ""


def test_the_first_folder_tells_more_than_what_follows_it():
    known = [patterns.compile(text) for text in ("cancer/*.csv", "sales/{shop}/*.csv")]
    assert patterns.nearest("sails/north/day1.csv", known) == "sales/{shop}/*.csv"
