"""Join Data: rows of two datasets that have the same keys, side by side.

A key with a missing cell matches nothing. A column whose name the left dataset has already gets
" (2)" after its name. Parameter names are those of the module reference; the suffix and the order
of the rows (that of the left dataset, then the right rows without a partner) are inferred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from devstack.studio.catalogue.columns import picked_columns
from devstack.studio.catalogue.module import Parameters
from devstack.studio.learning.failures import BadParameter
from devstack.studio.learning.options import boolean_parameter, choice_parameter
from devstack.studio.learning.tables import Cell, Table

INNER, LEFT, FULL, SEMI = JOINS = (
    "Inner Join",
    "Left Outer Join",
    "Full Outer Join",
    "Left Semi-Join",
)


def join(parameters: Parameters, left: Table, right: Table) -> Table:
    """The joined table; raises BadParameter when the keys do not fit each other."""
    left_keys = picked_columns(parameters.get("Join key columns for L", ""), left)
    right_keys = picked_columns(parameters.get("Join key columns for R", ""), right)
    if not left_keys or len(left_keys) != len(right_keys):
        raise BadParameter(
            f"a join needs as many key columns on the left ({len(left_keys)}) as on the right "
            f"({len(right_keys)}), at least one"
        )
    how = choice_parameter(parameters, "Join type", JOINS, default=INNER)
    match_case = boolean_parameter(parameters, "Match case", default=True)
    pairs = _pairs(
        [_key(row, left_keys, match_case) for row in left.rows],
        [_key(row, right_keys, match_case) for row in right.rows],
    )
    if how == SEMI:
        return left.take(sorted({at for at, _ in pairs if at is not None}))
    keep = boolean_parameter(parameters, "Keep right key columns in joined table", default=True)
    kept = [at for at in range(len(right.columns)) if keep or at not in right_keys]
    return _side_by_side(left, right.project(kept), pairs + _alone(how, left, right, pairs))


def _key(row: Sequence[Cell], places: Sequence[int], match_case: bool) -> tuple[str, ...] | None:
    cells = [row[place] for place in places]
    texts = tuple(cell if match_case else cell.lower() for cell in cells if cell is not None)
    return texts if len(texts) == len(cells) else None


Pair = tuple[int | None, int | None]


def _pairs(
    left: Sequence[tuple[str, ...] | None], right: Sequence[tuple[str, ...] | None]
) -> list[Pair]:
    partners = defaultdict(list)
    for at, key in enumerate(right):
        if key is not None:
            partners[key].append(at)
    return [(at, other) for at, key in enumerate(left) if key for other in partners.get(key, ())]


def _alone(how: str, left: Table, right: Table, pairs: Sequence[Pair]) -> list[Pair]:
    """The rows without a partner that an outer join keeps."""
    joined_left, joined_right = {at for at, _ in pairs}, {other for _, other in pairs}
    found: list[Pair] = []
    if how in (LEFT, FULL):
        found += [(at, None) for at in range(len(left.rows)) if at not in joined_left]
    if how == FULL:
        found += [(None, at) for at in range(len(right.rows)) if at not in joined_right]
    return found


def _side_by_side(left: Table, right: Table, pairs: Sequence[Pair]) -> Table:
    ordered = sorted(pairs, key=lambda pair: (pair[0] is None, pair[0] or 0, pair[1] or 0))
    nothing_left: list[Cell] = [None] * len(left.columns)
    nothing_right: list[Cell] = [None] * len(right.columns)
    rows = [
        (nothing_left if at is None else left.rows[at])
        + (nothing_right if other is None else right.rows[other])
        for at, other in ordered
    ]
    columns = list(left.columns)
    for name in right.columns:
        new = name
        while new in columns:
            new = f"{new} (2)"
        columns.append(new)
    return Table(tuple(columns), rows, marks=left.marks)
