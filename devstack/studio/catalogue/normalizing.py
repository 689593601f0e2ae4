"""Normalize Data: what its method learns from each column.

ZScore: mean and deviation (of all rows). MinMax: least value and spread. LogNormal: mean and
deviation of the logarithms of the positive values. Logistic and Tanh learn nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import log
from statistics import fmean, pstdev

from devstack.studio.catalogue.columns import picked_columns
from devstack.studio.catalogue.module import Parameters
from devstack.studio.learning.failures import BadParameter, BadTable
from devstack.studio.learning.options import boolean_parameter, choice_parameter
from devstack.studio.learning.tables import Table, is_numeric, present
from devstack.studio.learning.transforms import Scale, Transform

Learned = tuple[float, float]


def normalize(parameters: Parameters, table: Table) -> Transform:
    """The normalizing transformation; raises BadParameter or BadTable when it is not possible."""
    method = choice_parameter(parameters, "Transformation method", METHODS, default="ZScore")
    picked = picked_columns(parameters.get("Columns to transform", ""), table)
    if not picked:
        raise BadParameter("parameter 'Columns to transform' selects no column")
    learned = {table.columns[at]: _learn(method, table, table.columns[at]) for at in picked}
    zero = boolean_parameter(parameters, "Use 0 for constant columns when checked", default=True)
    step = Scale.model_validate({"method": method, "columns": learned, "zero_for_constant": zero})
    return Transform(steps=[step])


def _learn(method: str, table: Table, name: str) -> Learned:
    cells = table.column(name)
    if present(cells) and not is_numeric(cells):
        raise BadTable(f"column {name!r} holds text, and text cannot be normalized")
    values = [float(cell) for cell in present(cells)]
    return _METHODS[method](values) if values else (0.0, 0.0)


def _zscore(values: Sequence[float]) -> Learned:
    return fmean(values), pstdev(values)


def _minmax(values: Sequence[float]) -> Learned:
    return min(values), max(values) - min(values)


def _log_normal(values: Sequence[float]) -> Learned:
    logarithms = [log(value) for value in values if value > 0]
    return (fmean(logarithms), pstdev(logarithms)) if logarithms else (0.0, 0.0)


def _nothing(values: Sequence[float]) -> Learned:
    return 0.0, 0.0


_METHODS: Mapping[str, Callable[[Sequence[float]], Learned]] = {
    "ZScore": _zscore,
    "MinMax": _minmax,
    "Logistic": _nothing,
    "LogNormal": _log_normal,
    "Tanh": _nothing,
}
METHODS = tuple(_METHODS)
