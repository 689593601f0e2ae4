"""Split Data: the rows of a dataset in two.

Studio's own parameters: `Fraction of rows in the first output dataset`, `Randomized split`,
`Random seed`, `Stratified split` with its key column; also `Relative Expression`, a comparison of
one column of numbers ('\\"year" > 2010'), whose rows go first. The web services of this Studio give
`Test fraction` instead: the share of the second dataset, split at random, and by the key column
whenever there is one. Without any of these it is 0.3. Rows keep their order.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence

import numpy as np

from devstack.studio.catalogue.columns import picked_columns
from devstack.studio.catalogue.module import Parameter, Parameters
from devstack.studio.learning.failures import BadParameter, BadTable, NotExecutable
from devstack.studio.learning.options import (
    boolean_parameter,
    choice_parameter,
    number_parameter,
    share_parameter,
)
from devstack.studio.learning.tables import Cell, Table, number

MODE, FRACTION = "Splitting mode", "Fraction of rows in the first output dataset"
RANDOMIZED, STRATIFIED = "Randomized split", "Stratified split"
KEY, SEED, EXPRESSION = "Stratification key column", "Random seed", "Relational expression"
ROWS, RELATIVE = "Split Rows", "Relative Expression"
MODES = (ROWS, RELATIVE, "Regular Expression", "Recommender Split")

SPLIT_PARAMETERS = (
    Parameter(MODE, "Mode", ROWS, MODES),
    Parameter(FRACTION, "Double", "0.5", minimum=0, maximum=1),
    Parameter(RANDOMIZED, "Boolean", "True"),
    Parameter(SEED, "Int", "0", minimum=0, maximum=2**32 - 1),
    Parameter(STRATIFIED, "Mode", "False", ("True", "False")),
    Parameter(KEY, "ColumnPicker"),
    Parameter(EXPRESSION, "String"),
)

_COMPARISONS = {
    "==": operator.eq, "!=": operator.ne, ">=": operator.ge, "<=": operator.le,
    ">": operator.gt, "<": operator.lt, "=": operator.eq,
}  # fmt: skip
_EXPRESSION = re.compile(r'\s*\\?"(?P<column>[^"]+)"\s*(?P<sign>[=!<>]{1,2})\s*(?P<value>\S+)\s*')


def split(parameters: Parameters, table: Table) -> tuple[Table, Table]:
    """The two datasets; raises BadParameter or BadTable when there is no such split."""
    mode = choice_parameter(parameters, MODE, MODES, default=ROWS)
    if mode == RELATIVE:
        first = _matching(parameters, table)
    elif mode != ROWS:
        raise NotExecutable(f"splitting mode {mode!r}; choose {ROWS!r} or {RELATIVE!r}")
    elif any(parameters.get(name) for name in (FRACTION, RANDOMIZED, STRATIFIED, MODE)):
        first = _first_share(parameters, table)
    else:
        held_out = _held_out(parameters, table)
        first = [at for at in range(len(table.rows)) if at not in held_out]
    chosen = set(first)
    rest = [at for at in range(len(table.rows)) if at not in chosen]
    return table.take(sorted(chosen)), table.take(rest)


def _first_share(parameters: Parameters, table: Table) -> Sequence[int]:
    """The rows of the first output by Studio's own parameters; either output may be empty."""
    fraction = share_parameter(parameters, FRACTION, 0.5)
    stratified = boolean_parameter(parameters, STRATIFIED, default=False)
    groups = _groups(table, _keys(parameters, table) if stratified else ())
    generator = np.random.default_rng(_seed(parameters))
    randomized = boolean_parameter(parameters, RANDOMIZED, default=True)
    chosen: list[int] = []
    for group in groups:
        ordered = [int(at) for at in generator.permutation(group)] if randomized else group
        chosen += ordered[: round(len(group) * fraction)]
    return chosen


def _keys(parameters: Parameters, table: Table) -> Sequence[int]:
    keys = picked_columns(parameters.get(KEY, ""), table)
    if not keys:
        raise BadParameter(f"parameter {STRATIFIED!r} needs a column in {KEY!r}")
    return keys


def _held_out(parameters: Parameters, table: Table) -> set[int]:
    """The rows of the second output by `Test fraction`; neither output is empty."""
    fraction = float(number_parameter(parameters, "Test fraction", 0.3))
    if not 0 < fraction < 1:
        raise BadParameter(f"parameter 'Test fraction' must be between 0 and 1, not {fraction}")
    generator = np.random.default_rng(_seed(parameters))
    count = len(table.rows)
    if count < 2:
        raise BadTable(f"the dataset has {count} rows, at least 2 are needed to split it")
    chosen: set[int] = set()
    for group in _groups(table, picked_columns(parameters.get(KEY, ""), table)):
        chosen |= {int(at) for at in generator.permutation(group)[: round(len(group) * fraction)]}
    if not chosen or len(chosen) == count:
        raise BadTable(f"{count} rows are too few to set aside a share of {fraction}")
    return chosen


def _seed(parameters: Parameters) -> int:
    seed = int(number_parameter(parameters, SEED, 0))
    if seed < 0:
        raise BadParameter(f"parameter {SEED!r} must be 0 or more, not {seed}")
    return seed


def _groups(table: Table, keys: Sequence[int]) -> list[list[int]]:
    """The rows with the same key cells, in the order of their first row."""
    groups: dict[tuple[Cell, ...], list[int]] = {}
    for at, row in enumerate(table.rows):
        groups.setdefault(tuple(row[key] for key in keys), []).append(at)
    return list(groups.values())


def _matching(parameters: Parameters, table: Table) -> Sequence[int]:
    text = parameters.get(EXPRESSION, "")
    match = _EXPRESSION.fullmatch(text)
    compare = _COMPARISONS.get(match["sign"]) if match else None
    wanted = number(match["value"]) if match else None
    if match is None or compare is None or wanted is None:
        raise BadParameter(
            f'parameter {EXPRESSION!r} must compare a column with a number, as in "age" > 3, '
            f"not {text[:100]!r}"
        )
    values = [number(cell) for cell in table.column(match["column"])]
    return [at for at, value in enumerate(values) if value is not None and compare(value, wanted)]
