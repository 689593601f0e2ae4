"""Scored rows: what a model answered to labelled rows, made ready to be measured.

A row that cannot be measured is never left out, since a model could look better by not answering
what is hard: then nothing is measured, and a note says which row and why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from alm.domain import tables
from alm.domain.errors import Misconfigured
from alm.domain.metrics import ScoredRows, Task
from alm.domain.tables import Table

ANSWER_COLUMNS: dict[Task, tuple[str, ...]] = {
    "two-class": ("Scored Labels",),
    "multi-class": ("Scored Labels",),
    "regression": ("Scored Label Mean", "Scored Labels"),
}
PROBABILITIES = "Scored Probabilities"
PROBABILITIES_OF_CLASS = re.compile(r'Scored Probabilities for Class "?(.+?)"?', re.IGNORECASE)
CLASSES_SHOWN_MAX = 5


@dataclass(frozen=True)
class Prepared:
    """Rows that can be measured, or None; notes say what cannot be measured and why."""

    rows: ScoredRows | None
    notes: tuple[str, ...] = ()


def canonical(column: str) -> str:
    """A column name as it is compared: without case, spaces, hyphens, underscores."""
    return re.sub(r"[\s_\-‐-―]+", "", column).casefold()


def is_scored(column: str) -> bool:
    """Say whether a column holds answers of a model, rather than what it was given."""
    return canonical(column).startswith(("scoredlabel", "scoredprobabilit"))


def scored_rows(table: Table, *, label: str, task: Task, positive: str) -> Prepared:
    """Take labels, answers and probabilities from a table of scored rows.

    Raises Misconfigured when it has no label column or no column of answers.
    """
    actual = _cells(table, _label_column(table, label), task)
    answered = _cells(table, _answer_column(table, task), task)
    if not table.rows:
        return Prepared(None, ("no row was scored",))
    notes = actual.problems + answered.problems
    if notes:
        return Prepared(None, notes)
    given = _given(table)
    if task == "regression":
        return Prepared(ScoredRows(task, "", actual.cells, answered.cells, None, (), given))
    if task == "multi-class":
        return _multi_class(table, actual.cells, answered.cells, given)
    return _two_class(table, actual.cells, answered.cells, given, positive)


def _two_class(
    table: Table,
    actual: tuple[str, ...],
    answered: tuple[str, ...],
    given: Table,
    positive_as_declared: str,
) -> Prepared:
    positive = tables.normalised(positive_as_declared) or ""
    classes = tuple(sorted({*actual, *answered}))
    if len(classes) > 2:
        return Prepared(None, (f"labels and answers are {_some(classes)}, not two classes",))
    if positive not in actual:
        why = f"no row is labelled {positive_as_declared!r} (labels are {_some(classes)})"
        remedy = "correct `gate.positive` if the positive class is another"
        rows = ScoredRows("two-class", positive, actual, answered, None, classes, given)
        return Prepared(rows, (f"{why}: only accuracy is measured; {remedy}",))
    chances, notes = _chances(table, tuple(answer == positive for answer in answered))
    rows = ScoredRows("two-class", positive, actual, answered, chances, classes, given)
    return Prepared(rows, notes)


def _chances(
    table: Table, positive: tuple[bool, ...]
) -> tuple[tuple[float, ...] | None, tuple[str, ...]]:
    """Each row's probability of the positive class, or None and why there is none."""
    column = _column(table, PROBABILITIES)
    if column is None:
        return None, (f"there is no column {PROBABILITIES!r}: auc and log_loss are not measured",)
    cells = _cells(table, column, "regression")
    if cells.problems:
        return None, cells.problems
    chances = tuple(float(cell) for cell in cells.cells)
    if _turned_round(positive, chances):
        return None, (
            f"{PROBABILITIES!r} are lower where the positive class is answered, so they are of the "
            "other class: auc and log_loss are not measured; correct `gate.positive`",
        )
    return chances, ()


def _turned_round(positive: tuple[bool, ...], chances: tuple[float, ...]) -> bool:
    yes = [chance for chance, said in zip(chances, positive, strict=True) if said]
    no = [chance for chance, said in zip(chances, positive, strict=True) if not said]
    return bool(yes and no) and max(yes) < min(no)


def _multi_class(
    table: Table, actual: tuple[str, ...], answered: tuple[str, ...], given: Table
) -> Prepared:
    columns = {
        tables.normalised(found.group(1)) or "": column
        for column in table.columns
        if (found := PROBABILITIES_OF_CLASS.fullmatch(column))
    }
    classes = tuple(sorted({*actual, *answered, *columns}))
    chances, notes = _chances_of_actual(table, actual, columns) if columns else (None, ())
    return Prepared(ScoredRows("multi-class", "", actual, answered, chances, classes, given), notes)


def _chances_of_actual(
    table: Table, actual: tuple[str, ...], columns: dict[str, str]
) -> tuple[tuple[float, ...] | None, tuple[str, ...]]:
    """The probability that each row's own class was given; a class unknown to the model got 0."""
    cells = {name: _cells(table, column, "regression") for name, column in columns.items()}
    problems = tuple(problem for column in cells.values() for problem in column.problems)
    if problems:
        return None, problems
    chances = tuple(
        float(cells[name].cells[place]) if name in cells else 0.0
        for place, name in enumerate(actual)
    )
    return chances, ()


@dataclass(frozen=True)
class _Column:
    cells: tuple[str, ...]
    problems: tuple[str, ...] = ()


def _cells(table: Table, column: str, task: Task) -> _Column:
    """The cells of a column, all of them there, and numbers where the task needs numbers."""
    cells = tuple(tables.normalised(cell) for cell in table.column(column))
    absent = [place for place, cell in enumerate(cells, start=1) if cell is None]
    if absent:
        return _Column((), (_problem(column, "no value", absent, len(cells)),))
    present = tuple(cell for cell in cells if cell is not None)
    if task == "regression":
        wrong = [p for p, cell in enumerate(present, start=1) if tables.number(cell) is None]
        if wrong:
            return _Column((), (_problem(column, "no finite number", wrong, len(cells)),))
    return _Column(present)


def _problem(column: str, what: str, places: Sequence[int], rows: int) -> str:
    return f"{column!r} has {what} in {len(places)} of {rows} rows (first: row {places[0]})"


def _given(table: Table) -> Table:
    """What is not an answer: label, features, keys."""
    kept = [place for place, column in enumerate(table.columns) if not is_scored(column)]
    return Table(
        tuple(table.columns[place] for place in kept),
        tuple(tuple(row[place] for place in kept) for row in table.rows),
    )


def _column(table: Table, name: str) -> str | None:
    wanted = canonical(name)
    return next((column for column in table.columns if canonical(column) == wanted), None)


def _label_column(table: Table, label: str) -> str:
    if not label:
        raise Misconfigured(
            "scored rows cannot be judged without their label: declare `gate.label` "
            f"(columns are {tables.named(table.columns)})"
        )
    if label not in table.columns:
        raise Misconfigured(
            f"the scored rows have no label column {label!r} (they have "
            f"{tables.named(table.columns)}); correct `gate.label`"
        )
    return label


def _answer_column(table: Table, task: Task) -> str:
    for name in ANSWER_COLUMNS[task]:
        column = _column(table, name)
        if column is not None:
            return column
    raise Misconfigured(
        f"the scored rows have no column {' or '.join(map(repr, ANSWER_COLUMNS[task]))} (they have "
        f"{tables.named(table.columns)}); let the service put it out, or correct `gate.task`"
    )


def _some(classes: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in classes[:CLASSES_SHOWN_MAX])
    return shown + (
        f" and {len(classes) - CLASSES_SHOWN_MAX} more" * (len(classes) > CLASSES_SHOWN_MAX)
    )
