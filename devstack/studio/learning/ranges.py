"""Ranges: the values of a parameter that a sweep tries.

Written as a list of numbers ("2; 8; 32", also with commas, whole numbers also as "1-5"), or as the
range builder's JSON, plain or URL-encoded:

    {"ParameterType": "Integer", "useRangeBuilder": true, "literal": "2, 3", "isLogarithmic": false,
     "minValue": 2, "maxValue": 7, "count": "3"}

Source: a published client that sets such a value, and Microsoft's successor modules. That `count`
points lie from the least to the greatest, both included, is inferred.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Any
from urllib.parse import unquote

import numpy as np

from devstack.studio.learning.failures import BadParameter

Number = int | float

# More values of one parameter than this are a mistake, not a sweep.
POINTS_MAX = 1000

_SPAN = re.compile(r"\s*(\d{1,9})\s*-\s*(\d{1,9})\s*")


@dataclass(frozen=True)
class Range:
    """The values to try in a grid, and what a random sweep draws from."""

    points: tuple[Number, ...]
    bounds: tuple[float, float] | None = None
    logarithmic: bool = False
    whole: bool = False

    def draw(self, generator: np.random.Generator) -> Number:
        """A random value: between the bounds where there are some, else one of the points."""
        if self.bounds is None:
            return self.points[int(generator.integers(len(self.points)))]
        low, high = self.bounds
        if self.logarithmic:
            value = exp(generator.uniform(log(low), log(high)))
        else:
            value = float(generator.uniform(low, high))
        return round(value) if self.whole else value


def read_range(name: str, text: str, *, whole: bool) -> Range:
    """The range that a parameter holds; raises BadParameter naming it."""
    plain = unquote(text) if text.lower().startswith("%7b") else text
    if not plain.lstrip().startswith("{"):
        return Range(_literal(name, plain, whole), whole=whole)
    try:
        described = json.loads(plain)
    except ValueError as error:
        raise _unreadable(name, text) from error
    if not isinstance(described, dict):
        raise _unreadable(name, text)
    if described.get("useRangeBuilder") is True:
        return _built(name, described, whole)
    return Range(_literal(name, str(described.get("literal", "")), whole), whole=whole)


def _literal(name: str, text: str, whole: bool) -> tuple[Number, ...]:
    values: list[Number] = []
    for item in re.split("[;,]", text):
        span = _SPAN.fullmatch(item) if whole else None
        if span is not None:
            first, last = int(span[1]), int(span[2])
            values += range(first, min(last, first + POINTS_MAX) + 1)
        else:
            values.append(_number(name, item, whole))
    return _few(name, tuple(values))


def _built(name: str, described: dict[str, Any], whole: bool) -> Range:
    low, high = (_number(name, described.get(key), False) for key in ("minValue", "maxValue"))
    count = int(_number(name, described.get("count", 3), True))
    logarithmic = described.get("isLogarithmic") is True
    if low > high or not 1 <= count <= POINTS_MAX or (logarithmic and low <= 0):
        raise BadParameter(
            f"the range of {name!r} needs minValue <= maxValue, a count from 1 to {POINTS_MAX}, "
            "and a minValue above 0 when it is logarithmic"
        )
    spaced = np.geomspace if logarithmic else np.linspace
    points = [float(point) for point in spaced(low, high, count)]
    found = tuple(sorted({round(point) for point in points})) if whole else tuple(points)
    return Range(found, (float(low), float(high)), logarithmic, whole)


def _number(name: str, given: Any, whole: bool) -> Number:
    try:
        value: Number = int(str(given)) if whole else float(str(given))
    except ValueError as error:
        raise _unreadable(name, str(given)) from error
    if not isfinite(value):
        raise _unreadable(name, str(given))
    return value


def _few(name: str, values: tuple[Number, ...]) -> tuple[Number, ...]:
    if len(values) > POINTS_MAX:
        raise BadParameter(f"the range of {name!r} has more than {POINTS_MAX} values")
    return values


def _unreadable(name: str, text: str) -> BadParameter:
    return BadParameter(f"the range of {name!r} cannot be read: {text[:100]!r}")
