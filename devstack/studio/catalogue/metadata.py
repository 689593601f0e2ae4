"""Edit Metadata: rename columns, and say how later modules take them.

Cells are text throughout, so a data type changes what a column counts as, never its cells: String
makes it categorical, Integer and Double make it numeric again and refuse cells that are not,
DateTime and TimeSpan leave it the text it is. Weights are not executable locally.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from devstack.studio.catalogue.columns import picked_columns
from devstack.studio.catalogue.module import Parameters
from devstack.studio.learning.failures import BadParameter, BadTable, NotExecutable
from devstack.studio.learning.options import choice_parameter
from devstack.studio.learning.tables import (
    CATEGORICAL,
    LABEL,
    NO_FEATURE,
    Table,
    is_numeric,
    present,
)

UNCHANGED = "Unchanged"
DATA_TYPES = (UNCHANGED, "String", "Integer", "Double", "Boolean", "DateTime", "TimeSpan")
CATEGORICAL_CHOICES = (
    UNCHANGED, "Categorical", "NonCategorical", "Make categorical", "Make non-categorical",
)  # fmt: skip
_MARKS: Mapping[str, tuple[str, bool]] = {
    "Features": (NO_FEATURE, False),
    "Labels": (LABEL, True),
    "Label": (LABEL, True),
    "ClearFeatures": (NO_FEATURE, True),
    "ClearLabels": (LABEL, False),
    "Clear feature": (NO_FEATURE, True),
    "Clear label": (LABEL, False),
}
_WEIGHTS = ("Weights", "Weight", "ClearWeights", "Clear weight")
_CLEAR_SCORES = ("ClearScores", "Clear score")
FLAGS = (UNCHANGED, *_MARKS, *_CLEAR_SCORES, *_WEIGHTS)


def edit_metadata(parameters: Parameters, table: Table) -> Table:
    """The table as its columns are to be taken; raises BadParameter, BadTable."""
    picked = picked_columns(parameters.get("Column", ""), table)
    if not picked:
        raise BadParameter("parameter 'Column' selects no column")
    names = [table.columns[at] for at in picked]
    table = _typed(parameters, table, names)
    table = _flagged(parameters, table, names)
    return _renamed(parameters.get("New Column Name", ""), table, picked)


def _typed(parameters: Parameters, table: Table, names: Sequence[str]) -> Table:
    wanted = choice_parameter(parameters, "Data Type", DATA_TYPES, default=UNCHANGED)
    if wanted in ("Integer", "Double"):
        for name in names:
            _check_numbers(table, name, whole=wanted == "Integer")
    if wanted in ("String", "Integer", "Double"):
        table = _marked(table, names, CATEGORICAL, set_it=wanted == "String")
    categorical = choice_parameter(
        parameters, "Categorical", CATEGORICAL_CHOICES, default=UNCHANGED
    )
    if categorical == UNCHANGED:
        return table
    set_it = categorical in ("Categorical", "Make categorical")
    return _marked(table, names, CATEGORICAL, set_it=set_it)


def _check_numbers(table: Table, name: str, *, whole: bool) -> None:
    cells = table.column(name)
    numeric = not present(cells) or is_numeric(cells)
    if not numeric or (whole and not all(float(cell).is_integer() for cell in present(cells))):
        kind = "whole numbers" if whole else "numbers"
        raise BadTable(f"column {name!r} cannot be converted: not all its cells are {kind}")


def _flagged(parameters: Parameters, table: Table, names: Sequence[str]) -> Table:
    wanted = choice_parameter(parameters, "Fields", FLAGS, default=UNCHANGED)
    if wanted == UNCHANGED:
        return table
    if wanted in _WEIGHTS:
        raise NotExecutable("weights of rows")
    if wanted in _CLEAR_SCORES:
        return replace(table, scored_by=None)
    mark, set_it = _MARKS[wanted]
    if mark == LABEL and set_it:
        if len(names) != 1:
            raise BadParameter(f"parameter 'Fields' makes one column the label, not {len(names)}")
        table = _marked(table, table.columns, LABEL, set_it=False)
    return _marked(table, names, mark, set_it=set_it)


def _marked(table: Table, names: Sequence[str], mark: str, *, set_it: bool) -> Table:
    changed = dict(table.marks)
    for name in names:
        marks = changed.pop(name, frozenset()) - {mark}
        if set_it or marks:
            changed[name] = marks | {mark} if set_it else marks
    return replace(table, marks=changed)


def _renamed(text: str, table: Table, picked: Sequence[int]) -> Table:
    if not text.strip():
        return table
    names = [name.strip() for name in text.split(",")]
    if len(names) != len(picked) or not all(names):
        raise BadParameter(
            f"parameter 'New Column Name' has {len(names)} names for {len(picked)} columns"
        )
    columns = list(table.columns)
    for at, name in zip(picked, names, strict=True):
        columns[at] = name
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise BadParameter(
            f"parameter 'New Column Name' gives two columns the name {repeated[0]!r}"
        )
    new = dict(zip(table.columns, columns, strict=True))
    by = table.scored_by
    return replace(
        table,
        columns=tuple(columns),
        marks={new[name]: marks for name, marks in table.marks.items() if name in new},
        scored_by=replace(by, label=new.get(by.label, by.label)) if by else None,
    )
