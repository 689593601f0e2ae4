"""Evaluation: the table of metrics that Evaluate Model puts out, computed from a scored table.

Every number can be computed again from the scored table alone: its label column, `Scored Labels`,
`Scored Probabilities` or `Scored Label Mean`. Numbers are written with all their digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from devstack.studio.learning.failures import BadTable
from devstack.studio.learning.learners import MULTI_CLASS, REGRESSION
from devstack.studio.learning.tables import Cell, ScoredBy, Table, number
from devstack.studio.learning.training import (
    SCORED_LABEL_MEAN,
    SCORED_LABELS,
    SCORED_PROBABILITIES,
)

# Keeps the logarithm finite for a probability that was rounded to 0 or 1.
PROBABILITY_MIN = 1e-15


def evaluate(scored: Table) -> Table:
    """One row of metrics in Studio's columns; a metric without a value is an empty cell.

    Raises BadTable when the table was not scored, has no rows, or a label is missing.
    """
    if scored.scored_by is None:
        raise BadTable("the dataset was not scored: connect it to the output of Score Model")
    labels = scored.column(scored.scored_by.label)
    if not labels:
        raise BadTable("the scored dataset has no rows to evaluate")
    if None in labels:
        raise BadTable(f"label column {scored.scored_by.label!r} has missing values")
    metrics = _metrics(scored, scored.scored_by)
    cells: list[Cell] = [
        repr(float(value)) if np.isfinite(value) else None for value in metrics.values()
    ]
    return Table(tuple(metrics), [cells])


def compare(scored: Sequence[Table]) -> Table:
    """One row of metrics for each scored table, in their order; raises BadTable as `evaluate`."""
    evaluations = [evaluate(table) for table in scored]
    first = evaluations[0]
    if any(evaluation.columns != first.columns for evaluation in evaluations):
        raise BadTable("the scored datasets are of different tasks and cannot be compared")
    return Table(first.columns, [row for evaluation in evaluations for row in evaluation.rows])


def _metrics(scored: Table, by: ScoredBy) -> Mapping[str, float]:
    if by.task == REGRESSION:
        return _regression(_numbers(scored, by.label), _numbers(scored, _answer_column(scored)))
    actual = np.array(scored.column(by.label))
    predicted = np.array(scored.column(SCORED_LABELS))
    if by.task == MULTI_CLASS:
        return _multi_class(actual, predicted, by.classes)
    positive = actual == by.classes[1]
    return _two_class(positive, predicted == by.classes[1], _numbers(scored, SCORED_PROBABILITIES))


def _two_class(
    actual: np.ndarray, predicted: np.ndarray, chances: np.ndarray
) -> Mapping[str, float]:
    hits = float((actual & predicted).sum())
    precision, recall = _share(hits, predicted.sum()), _share(hits, actual.sum())
    log_loss = _log_loss(actual, chances)
    return {
        "Accuracy": float((actual == predicted).mean()),
        "Precision": precision,
        "Recall": recall,
        "F-Score": _share(2 * precision * recall, precision + recall),
        "AUC": _area_under_curve(actual, chances),
        "Average Log Loss": log_loss,
        "Training Log Loss": _log_loss_reduction(actual, log_loss),
    }


def _multi_class(
    actual: np.ndarray, predicted: np.ndarray, classes: tuple[str, ...]
) -> Mapping[str, float]:
    hits = np.array([((actual == name) & (predicted == name)).sum() for name in classes])
    said = np.array([(predicted == name).sum() for name in classes])
    there = np.array([(actual == name).sum() for name in classes])
    overall = float(hits.sum() / len(actual))
    wrong = said + there - 2 * hits
    return {
        "Overall accuracy": overall,
        "Average accuracy": float(np.mean(1 - wrong / len(actual))),
        "Micro-averaged precision": overall,
        "Macro-averaged precision": float(np.mean(hits / np.maximum(said, 1))),
        "Micro-averaged recall": overall,
        "Macro-averaged recall": float(np.mean(hits / np.maximum(there, 1))),
    }


def _regression(actual: np.ndarray, predicted: np.ndarray) -> Mapping[str, float]:
    errors, spread = predicted - actual, actual - actual.mean()
    squared = _ratio(float((errors**2).sum()), float((spread**2).sum()))
    return {
        "Mean Absolute Error": float(np.abs(errors).mean()),
        "Root Mean Squared Error": float(np.sqrt((errors**2).mean())),
        "Relative Absolute Error": _ratio(float(np.abs(errors).sum()), float(np.abs(spread).sum())),
        "Relative Squared Error": squared,
        "Coefficient of Determination": 1 - squared,
    }


def _area_under_curve(actual: np.ndarray, chances: np.ndarray) -> float:
    """The chance that a positive row has the higher probability; ties count half."""
    positives = int(actual.sum())
    negatives = len(actual) - positives
    if not positives or not negatives:
        return float("nan")
    _, places, counts = np.unique(chances, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    above = ranks[actual].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def _log_loss(actual: np.ndarray, chances: np.ndarray) -> float:
    given = np.where(actual, chances, 1 - chances)
    return float(-np.log(np.maximum(given, PROBABILITY_MIN)).mean())


def _log_loss_reduction(actual: np.ndarray, log_loss: float) -> float:
    """Percent by which the loss is lower than that of always answering the share of positives."""
    prior = _log_loss(actual, np.full(len(actual), actual.mean()))
    return 100 * (1 - _ratio(log_loss, prior))


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _answer_column(scored: Table) -> str:
    return SCORED_LABEL_MEAN if SCORED_LABEL_MEAN in scored.columns else SCORED_LABELS


def _numbers(scored: Table, column: str) -> np.ndarray:
    values = [number(cell) for cell in scored.column(column)]
    if None in values:
        raise BadTable(f"column {column!r} has a value that is not a number")
    return np.array(values, dtype=float)
