"""Blob path patterns."""

import pytest

from devstack.host.patterns import parse_pattern


@pytest.mark.parametrize(
    ("pattern", "container", "name", "expected"),
    [
        ("datasets/{name}", "datasets", "a.csv", {"name": "a.csv"}),
        ("datasets/{name}", "datasets", "2026/11/a.csv", {"name": "2026/11/a.csv"}),
        ("datasets/{name}", "models", "a.csv", None),
        ("datasets", "datasets", "a.csv", {"name": "a.csv"}),
        ("datasets/{day}/{file}.csv", "datasets", "mon/a.csv", {"day": "mon", "file": "a"}),
        ("datasets/{day}/{file}.csv", "datasets", "a.csv", None),
        ("datasets/fixed.csv", "datasets", "fixed.csv", {}),
        ("datasets/fixed.csv", "datasets", "fixedXcsv", None),
        ("datasets/{name}.csv", "datasets", ".csv", None),
        ("datasets/{name}", "datasets", "two\nlines", {"name": "two\nlines"}),
    ],
)
def test_matching(pattern, container, name, expected):
    assert parse_pattern(pattern).match(container, name) == expected


@pytest.mark.parametrize(
    "pattern", ["{any}/x", "UPPER/{x}", "a/{x}", "data/{x}/{x}", "data/{x", "data/x}", "data/{}"]
)
def test_a_pattern_that_cannot_be_used_is_refused(pattern):
    with pytest.raises(ValueError, match="path"):
        parse_pattern(pattern)
