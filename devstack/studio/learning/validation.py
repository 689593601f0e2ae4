"""Cross-validation: every row scored once by a model that has not seen it.

Rows are dealt to the folds at random, of classes in equal shares; Studio makes ten folds. Metrics
of all folds come with their mean and their standard deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import stdev

import numpy as np

from devstack.studio.learning.evaluation import evaluate
from devstack.studio.learning.failures import BadTable
from devstack.studio.learning.learners import REGRESSION, Learner
from devstack.studio.learning.tables import Cell, Table
from devstack.studio.learning.training import labelled, train

FOLDS = 10
FOLD = "Fold Number"
EXAMPLES = "Number of examples in fold"
MEAN, DEVIATION = "Mean", "Standard Deviation"


def cross_validate(learner: Learner, table: Table, label: str, seed: int) -> tuple[Table, Table]:
    """The scored rows with the number of their fold, and the metrics of each fold.

    Raises BadTable when there are fewer labelled rows than folds.
    """
    rows = labelled(table, label)
    folds = deal(learner, rows, label, FOLDS, seed)
    scored = [score_fold(learner, rows, label, fold) for fold in folds]
    return _together(scored, folds), _by_fold([evaluate(part) for part in scored], folds)


def deal(learner: Learner, rows: Table, label: str, count: int, seed: int) -> list[list[int]]:
    """The rows of each fold, in order; raises BadTable when there are too few."""
    if len(rows.rows) < 2 * count:
        raise BadTable(
            f"the dataset has {len(rows.rows)} labelled rows, {count} folds need {2 * count}"
        )
    generator = np.random.default_rng(seed)
    groups: dict[Cell, list[int]] = {}
    for at, cell in enumerate(rows.column(label)):
        groups.setdefault(None if learner.task == REGRESSION else cell, []).append(at)
    dealt = [int(at) for group in groups.values() for at in generator.permutation(group)]
    return [sorted(dealt[fold::count]) for fold in range(count)]


def score_fold(learner: Learner, rows: Table, label: str, fold: Sequence[int]) -> Table:
    """The rows of one fold, scored by a model of the others."""
    held_out = set(fold)
    rest = rows.take(at for at in range(len(rows.rows)) if at not in held_out)
    return train(learner, rest, label).score(rows.take(fold))


def _together(scored: Sequence[Table], folds: Sequence[Sequence[int]]) -> Table:
    """All folds in the order of the rows; a class that one fold does not know has no chance."""
    widest = max(scored, key=lambda part: len(part.columns))
    numbered: list[tuple[int, list[Cell]]] = []
    for number, (part, fold) in enumerate(zip(scored, folds, strict=True)):
        places = [part.columns.index(n) if n in part.columns else None for n in widest.columns]
        for at, row in zip(fold, part.rows, strict=True):
            cells = ["0.0" if place is None else row[place] for place in places]
            numbered.append((at, [*cells, str(number)]))
    rows = [row for _, row in sorted(numbered, key=lambda item: item[0])]
    return replace(widest, columns=(*widest.columns, FOLD), rows=rows)


def _by_fold(evaluations: Sequence[Table], folds: Sequence[Sequence[int]]) -> Table:
    metrics = evaluations[0].columns
    rows: list[list[Cell]] = [
        [str(number), str(len(fold)), *evaluation.rows[0]]
        for number, (evaluation, fold) in enumerate(zip(evaluations, folds, strict=True))
    ]
    total = str(sum(len(fold) for fold in folds))
    values = [_present_numbers(evaluations, name) for name in metrics]
    means: list[Cell] = [repr(sum(of) / len(of)) if of else None for of in values]
    deviations: list[Cell] = [repr(stdev(of)) if len(of) > 1 else None for of in values]
    summary = [[MEAN, total, *means], [DEVIATION, total, *deviations]]
    return Table((FOLD, EXAMPLES, *metrics), rows + summary)


def _present_numbers(evaluations: Sequence[Table], name: str) -> list[float]:
    cells = [evaluation.column(name)[0] for evaluation in evaluations]
    return [float(cell) for cell in cells if cell is not None]
