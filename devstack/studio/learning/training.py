"""Training: a learner and a table of labelled rows become a trained model, which scores tables.

The positive class of a two-class model is the later of the two labels in order: by number when
both are numbers, else by text ("1" after "0", "yes" after "no"). `Scored Probabilities` is its
probability, and `Scored Labels` names it from 0.5 on.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from devstack.studio.learning.failures import BadParameter, BadTable
from devstack.studio.learning.features import Feature, learn_features, matrix
from devstack.studio.learning.learners import (
    LEARNERS,
    MULTI_CLASS,
    REGRESSION,
    TWO_CLASS,
    Learner,
)
from devstack.studio.learning.tables import Cell, ScoredBy, Table, is_numeric, number, present

SCORED_LABELS = "Scored Labels"
SCORED_PROBABILITIES = "Scored Probabilities"
SCORED_LABEL_MEAN = "Scored Label Mean"
SCORED_LABEL_DEVIATION = "Scored Label Standard Deviation"


@dataclass(frozen=True)
class TrainedModel:
    """A fitted estimator with what it takes to score a table with it."""

    learner: str
    task: str
    label: str
    classes: tuple[str, ...]
    features: tuple[Feature, ...]
    estimator: Any

    def score(self, table: Table) -> Table:
        """The table with the scored columns added; raises BadTable when it lacks a feature."""
        scored_by = ScoredBy(self.task, self.label, self.classes)
        encoded = matrix(table, self.features)
        if self.task == REGRESSION:
            added = self._regression_columns(encoded)
        else:
            added = self._class_columns(encoded)
        return replace(table.with_columns(added), scored_by=scored_by)

    def _class_columns(self, encoded: np.ndarray) -> list[tuple[str, list[Cell]]]:
        chances = _rows(self.estimator.predict_proba, encoded, len(self.classes))
        if self.task == TWO_CLASS:
            labels: list[Cell] = [self.classes[int(chance >= 0.5)] for chance in chances[:, 1]]
            return [(SCORED_LABELS, labels), (SCORED_PROBABILITIES, _text(chances[:, 1]))]
        columns = [
            (f'Scored Probabilities for Class "{name}"', _text(chances[:, place]))
            for place, name in enumerate(self.classes)
        ]
        return [*columns, (SCORED_LABELS, [self.classes[at] for at in chances.argmax(axis=1)])]

    def _regression_columns(self, encoded: np.ndarray) -> list[tuple[str, list[Cell]]]:
        answer = LEARNERS[self.learner].answer
        if encoded.shape[0]:
            columns = answer(self.estimator, encoded)
        else:
            columns = [column[:0] for column in answer(self.estimator, _zeros(encoded))]
        names = (
            (SCORED_LABELS,) if len(columns) == 1 else (SCORED_LABEL_MEAN, SCORED_LABEL_DEVIATION)
        )
        return [(name, _text(column)) for name, column in zip(names, columns, strict=True)]


def train(learner: Learner, table: Table, label: str) -> TrainedModel:
    """Fit a learner to the rows whose label is present.

    Raises BadTable when the label column is not there, holds text where numbers are needed, or has
    another number of classes than the learner takes; BadParameter when the learner refuses a value.
    """
    rows = labelled(table, label)
    classes = () if learner.task == REGRESSION else _classes(learner, rows, label)
    features = learn_features(rows, label)
    answers = _answers(rows, label, classes)
    with warnings.catch_warnings():
        # A model that did not quite converge is still a model; Studio does not warn either.
        warnings.simplefilter("ignore")
        try:
            estimator = learner.fit(matrix(rows, features), answers)
        except ValueError as error:
            raise BadParameter(f"{learner.name}: {str(error)[:400]}") from error
    return TrainedModel(learner.name, learner.task, label, classes, features, estimator)


def labelled(table: Table, label: str) -> Table:
    """The rows whose label is present; raises BadTable when there is none."""
    cells = table.column(label)
    rows = table.take(at for at, cell in enumerate(cells) if cell is not None)
    if not rows.rows:
        raise BadTable(f"no row of the dataset has a value in the label column {label!r}")
    return rows


def ordered_labels(cells: list[Cell]) -> tuple[str, ...]:
    """The distinct labels, by number when all are numbers, else by text."""
    names = set(present(cells))
    if is_numeric(names):
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    return tuple(sorted(names))


def _classes(learner: Learner, rows: Table, label: str) -> tuple[str, ...]:
    classes = ordered_labels(rows.column(label))
    if len(classes) == 1:
        raise BadTable(f"label column {label!r} has only one class ({classes[0]!r})")
    if learner.task == TWO_CLASS and len(classes) > 2:
        raise BadTable(f"label column {label!r} has {len(classes)} classes, {learner.name} takes 2")
    if learner.task == MULTI_CLASS and len(classes) > 100:
        raise BadTable(f"label column {label!r} has {len(classes)} classes, at most 100 are taken")
    return classes


def _answers(rows: Table, label: str, classes: tuple[str, ...]) -> np.ndarray:
    cells = rows.column(label)
    if classes:
        places = {name: place for place, name in enumerate(classes)}
        return np.array([places[str(cell)] for cell in cells])
    numbers = [number(cell) for cell in cells]
    wrong = [cell for cell, value in zip(cells, numbers, strict=True) if value is None]
    if wrong:
        raise BadTable(f"label column {label!r} holds {wrong[0]!r}, which is not a number")
    return np.array(numbers, dtype=float)


def _rows(predict: Any, encoded: np.ndarray, width: int) -> np.ndarray:
    if encoded.shape[0]:
        return np.asarray(predict(encoded), dtype=float)
    return np.zeros((0, width)) if width else np.zeros(0)


def _zeros(encoded: np.ndarray) -> np.ndarray:
    """One row of zeros as wide as a matrix without rows: estimators refuse to answer none."""
    return np.zeros((1, encoded.shape[1]))


def _text(values: np.ndarray) -> list[Cell]:
    return [repr(float(value)) for value in values]
