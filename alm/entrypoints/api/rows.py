"""Rows to score: what a call brings, checked before anything is sent."""

from __future__ import annotations

from math import isfinite

from alm.domain.errors import Refused
from alm.domain.nearest import shown

ROWS_MAX = 1000  # of one call; more is work for batch execution


def checked_rows(given: object) -> object:
    """The rows as they are. Raises Refused, saying which row is wrong and how."""
    if not isinstance(given, list) or not given or not all(isinstance(row, dict) for row in given):
        raise Refused('rows: write a list of objects, one per row, for example [{"age": 39}]')
    if len(given) > ROWS_MAX:
        raise Refused(f"rows: {len(given)} rows, at most {ROWS_MAX} are scored; use a batch job")
    for place, row in enumerate(given, start=1):
        _check(place, row)
    return given


def _check(place: int, row: dict[str, object]) -> None:
    if not row:
        raise Refused(f"rows: row {place} is empty; name its columns, null for what is missing")
    for column, cell in row.items():
        if isinstance(cell, dict | list):
            raise Refused(
                f"rows: row {place} has a list or an object in {shown(column)}; cells are "
                "text, numbers, true, false or null"
            )
        if isinstance(cell, float) and not isfinite(cell):
            raise Refused(f"rows: row {place} has {cell} in {shown(column)}; write null")
