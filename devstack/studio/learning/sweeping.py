"""Sweeping: train a learner with many settings and keep the best.

"Random sweep" draws each parameter from its range, "Random grid" draws from all combinations,
"Entire grid" tries them all. A setting is judged on the validation dataset, without one by
cross-validation: the mean of each metric over the folds. The best model is then trained on the
whole training dataset. Equal settings are tried once. Source: Studio's module reference; that
there are five folds is inferred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from statistics import fmean

import numpy as np

from devstack.studio.learning.evaluation import evaluate
from devstack.studio.learning.failures import BadParameter, BadTable
from devstack.studio.learning.learners import MULTI_CLASS, REGRESSION, Learner
from devstack.studio.learning.ranges import Number, Range
from devstack.studio.learning.tables import Cell, Table
from devstack.studio.learning.training import TrainedModel, labelled, train
from devstack.studio.learning.validation import deal, score_fold

RANDOM, GRID, RANDOM_GRID = METHODS = ("Random sweep", "Entire grid", "Random grid")
FOLDS = 5

# Studio's limit on runs holds for grids too.
RUNS_MAX = 10_000

CLASS_METRICS = (
    "Accuracy", "Precision", "Recall", "F-score", "AUC", "Average Log Loss", "Train Log Loss",
)  # fmt: skip
REGRESSION_METRICS = (
    "Mean absolute error",
    "Root of mean squared error",
    "Relative absolute error",
    "Relative squared error",
    "Coefficient of determination",
)

# The metric's column in an evaluation, and whether more of it is better.
_JUDGED: Mapping[str, tuple[str, bool]] = {
    "Accuracy": ("Accuracy", True),
    "Precision": ("Precision", True),
    "Recall": ("Recall", True),
    "F-score": ("F-Score", True),
    "AUC": ("AUC", True),
    "Average Log Loss": ("Average Log Loss", False),
    "Train Log Loss": ("Training Log Loss", True),
    "Mean absolute error": ("Mean Absolute Error", False),
    "Root of mean squared error": ("Root Mean Squared Error", False),
    "Relative absolute error": ("Relative Absolute Error", False),
    "Relative squared error": ("Relative Squared Error", False),
    "Coefficient of determination": ("Coefficient of Determination", True),
}
_OF_MANY_CLASSES: Mapping[str, str] = {
    "Accuracy": "Overall accuracy",
    "Precision": "Macro-averaged precision",
    "Recall": "Macro-averaged recall",
}

Settings = Mapping[str, Number]


@dataclass(frozen=True)
class Sweep:
    """What Tune Model Hyperparameters is told."""

    method: str
    runs: int
    seed: int
    label: str
    class_metric: str = CLASS_METRICS[0]
    regression_metric: str = REGRESSION_METRICS[0]

    def run(
        self, learner: Learner, table: Table, validation: Table | None
    ) -> tuple[Table, TrainedModel]:
        """All settings with their metrics, the best first, and the best model.

        Raises BadParameter for a metric that this learner does not have, or too large a grid.
        """
        column, more_is_better = self._judged_by(learner)
        rows = labelled(table, self.label)
        tried = self._settings(learner)
        metrics = [self._metrics(learner.with_settings(s), rows, validation) for s in tried]
        ranked = sorted(
            range(len(tried)), key=lambda at: _rank(metrics[at].get(column), more_is_better)
        )
        if metrics[ranked[0]].get(column) is None:
            raise BadTable(f"no setting has a value of {column!r} on this dataset")
        best = train(learner.with_settings(tried[ranked[0]]), rows, self.label)
        return _results([tried[at] for at in ranked], [metrics[at] for at in ranked]), best

    def _judged_by(self, learner: Learner) -> tuple[str, bool]:
        metric = self.regression_metric if learner.task == REGRESSION else self.class_metric
        column, more_is_better = _JUDGED[metric]
        if learner.task != MULTI_CLASS:
            return column, more_is_better
        if metric not in _OF_MANY_CLASSES:
            names = ", ".join(_OF_MANY_CLASSES)
            raise BadParameter(f"{learner.name} is judged by one of {names}, not by {metric!r}")
        return _OF_MANY_CLASSES[metric], more_is_better

    def _settings(self, learner: Learner) -> list[Settings]:
        ranges = learner.ranges()
        generator = np.random.default_rng(self.seed)
        if self.method == RANDOM:
            drawn = [
                {name: of.draw(generator) for name, of in ranges.items()} for _ in range(self.runs)
            ]
            return [dict(items) for items in dict.fromkeys(tuple(s.items()) for s in drawn)]
        size = prod(len(of.points) for of in ranges.values())
        if self.method == GRID:
            if size > RUNS_MAX:
                raise BadParameter(f"the grid has {size} settings, at most {RUNS_MAX} are tried")
            return _combinations(ranges, range(size))
        some = generator.choice(min(size, 2**62), size=min(self.runs, size), replace=False)
        return _combinations(ranges, sorted(int(at) for at in some))

    def _metrics(
        self, learner: Learner, rows: Table, validation: Table | None
    ) -> dict[str, float | None]:
        if validation is not None:
            judged = labelled(validation, self.label)
            parts = [train(learner, rows, self.label).score(judged)]
        else:
            folds = deal(learner, rows, self.label, FOLDS, self.seed)
            parts = [score_fold(learner, rows, self.label, fold) for fold in folds]
        return _mean([evaluate(part) for part in parts])


def _combinations(ranges: Mapping[str, Range], places: Sequence[int]) -> list[Settings]:
    """The combinations at these places of the grid, whose last parameter changes fastest."""
    return [_combination(ranges, place) for place in places]


def _combination(ranges: Mapping[str, Range], place: int) -> Settings:
    setting: dict[str, Number] = dict.fromkeys(ranges, 0)
    for name in reversed(list(ranges)):
        place, at = divmod(place, len(ranges[name].points))
        setting[name] = ranges[name].points[at]
    return setting


def _rank(value: float | None, more_is_better: bool) -> tuple[bool, float]:
    """Sorts the best first, and a setting without a value last."""
    if value is None:
        return True, 0.0
    return False, -value if more_is_better else value


def _mean(evaluations: Sequence[Table]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name in evaluations[0].columns:
        cells = [evaluation.column(name)[0] for evaluation in evaluations]
        values = [float(cell) for cell in cells if cell is not None]
        found[name] = fmean(values) if values else None
    return found


def _results(settings: Sequence[Settings], metrics: Sequence[Mapping[str, float | None]]) -> Table:
    rows = [
        [*(repr(value) for value in setting.values()), *map(_cell, of.values())]
        for setting, of in zip(settings, metrics, strict=True)
    ]
    return Table((*settings[0], *metrics[0]), rows)


def _cell(value: float | None) -> Cell:
    return None if value is None else repr(value)
