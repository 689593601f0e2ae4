"""Clean Missing Data: the transformation that its parameters and its dataset ask for.

Rules of Studio: only columns whose share of missing cells lies between the two ratios are cleaned;
mean and median take numbers only, and give whole numbers in columns of whole numbers. Inferred:
ties of the mode go to the first value in order; a transformation that drops columns drops those
that it dropped when it was learned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median

from devstack.studio.catalogue.columns import picked_columns
from devstack.studio.catalogue.module import Parameters
from devstack.studio.learning.failures import BadParameter, BadTable, NotExecutable
from devstack.studio.learning.options import (
    boolean_parameter,
    choice_parameter,
    share_parameter,
)
from devstack.studio.learning.tables import Cell, Table, column_type, is_numeric, number, present
from devstack.studio.learning.transforms import DropColumns, DropRows, Fill, Step, Transform

CUSTOM, REMOVE_ROW, REMOVE_COLUMN = (
    "Custom substitution value",
    "Remove entire row",
    "Remove entire column",
)
ONLY_IN_STUDIO = ("Replace using MICE", "Replace using Probabilistic PCA")


def clean(parameters: Parameters, table: Table) -> Transform:
    """The cleaning transformation; raises BadParameter or BadTable when it is not possible."""
    mode = choice_parameter(
        parameters, "Cleaning mode", (*CLEANING_MODES, *ONLY_IN_STUDIO), default=CUSTOM
    )
    if mode in ONLY_IN_STUDIO:
        raise NotExecutable(f"cleaning mode {mode!r}; choose one of {', '.join(CLEANING_MODES)}")
    columns = _within_ratios(parameters, table)
    if mode == REMOVE_ROW:
        return Transform(steps=[DropRows(columns=columns)])
    if mode == REMOVE_COLUMN:
        holed = [name for name in columns if None in table.column(name)]
        return Transform(steps=[DropColumns(columns=holed)])
    indicators = boolean_parameter(
        parameters, "Generate missing value indicator column", default=False
    )
    if mode == CUSTOM:
        text = parameters.get("Replacement value") or "0"
        replacements = {name: _custom(name, table.column(name), text) for name in columns}
        return Transform(steps=[Fill(replacements=replacements, indicators=indicators)])
    return Transform(steps=_learned_steps(parameters, table, columns, mode, indicators))


def _learned_steps(
    parameters: Parameters, table: Table, columns: Sequence[str], mode: str, indicators: bool
) -> list[Step]:
    """A column without any value has no mean: it is removed, or passed on as it is."""
    cells = {name: table.column(name) for name in columns}
    empty = [name for name in columns if not present(cells[name])]
    replacements = {
        name: _LEARNED[mode](name, cells[name]) for name in columns if name not in empty
    }
    steps: list[Step] = [Fill(replacements=replacements, indicators=indicators)]
    kept = choice_parameter(
        parameters, "Cols with all missing values", ("Propagate", "Remove"), default="Remove"
    )
    if empty and kept == "Remove":
        steps.append(DropColumns(columns=empty))
    return steps


def _within_ratios(parameters: Parameters, table: Table) -> list[str]:
    least = share_parameter(parameters, "Minimum missing value ratio", 0.0)
    most = share_parameter(parameters, "Maximum missing value ratio", 1.0)
    picked = picked_columns(parameters.get("Columns to be cleaned", ""), table)
    if not picked:
        raise BadParameter("parameter 'Columns to be cleaned' selects no column")
    names = [table.columns[at] for at in picked]
    return [name for name in names if least <= _missing_share(table.column(name)) <= most]


def _missing_share(cells: Sequence[Cell]) -> float:
    return cells.count(None) / len(cells) if cells else 0.0


def _custom(name: str, cells: Sequence[Cell], text: str) -> str:
    if None in cells and is_numeric(cells) and number(text) is None:
        raise BadParameter(
            f"parameter 'Replacement value' must be a number for column {name!r}, not {text[:60]!r}"
        )
    return text


def _mean(name: str, cells: Sequence[Cell]) -> str:
    return _rounded(cells, fmean(_numbers(name, cells)))


def _median(name: str, cells: Sequence[Cell]) -> str:
    return _rounded(cells, median(_numbers(name, cells)))


def _mode(name: str, cells: Sequence[Cell]) -> str:
    counted = Counter(present(cells))
    return min(counted, key=lambda value: (-counted[value], value))


def _numbers(name: str, cells: Sequence[Cell]) -> list[float]:
    if not is_numeric(cells):
        raise BadTable(f"column {name!r} holds text: choose columns of numbers, or another mode")
    return [float(cell) for cell in present(cells)]


def _rounded(cells: Sequence[Cell], value: float) -> str:
    return repr(value) if column_type(cells) == "Double" else str(round(value))


_LEARNED: Mapping[str, Callable[[str, Sequence[Cell]], str]] = {
    "Replace with mean": _mean,
    "Replace with median": _median,
    "Replace with mode": _mode,
}
CLEANING_MODES = (CUSTOM, *_LEARNED, REMOVE_ROW, REMOVE_COLUMN)
