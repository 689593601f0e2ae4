"""Metrics: how good answers to labelled rows are, for the rows as they are and for resamples.

There is one formula per metric. It takes how often each row counts, so that the number reported and
the numbers of a bootstrap cannot differ in meaning. A metric without a value is NaN in an array and
absent from a mapping: it is never replaced by a number.

Conventions, as scikit-learn and Studio have them: the precision of a class that was never answered
is 0; precision and recall of many classes are macro averages over the classes that the model knows,
a class without rows counting as 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from alm.domain.tables import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Measured = dict[str, NDArray[np.float64]]

Task = Literal["two-class", "multi-class", "regression"]

LOWER_IS_BETTER = frozenset({"log_loss", "mae", "rmse", "rae", "rse"})

PROBABILITY_MIN = 1e-15  # keeps the logarithm of a probability that was rounded to 0 finite
WITHOUT_VALUE = {
    "auc": "all rows are of one class",
    "log_loss": "a probability lies outside 0 to 1",
    "r2": "all labels are alike",
    "rae": "all labels are alike",
    "rse": "all labels are alike",
}
"""Why a metric may have no value for rows that were scored well."""

SPREAD_MIN = 1e-12  # relative; labels closer together are all the same but for rounding


@dataclass(frozen=True)
class ScoredRows:
    """Labelled rows and what one model answered to them, ready to be measured.

    actual, answered: per row, text as `tables.normalised` gives it. chances: per row, the
    probability of the positive class (two-class) or of the actual one (multi-class). classes: all
    that the model knows. given: label and other columns that were not scored: which rows these are.
    """

    task: Task
    positive: str
    actual: tuple[str, ...]
    answered: tuple[str, ...]
    chances: tuple[float, ...] | None
    classes: tuple[str, ...]
    given: Table


def metrics_of(rows: ScoredRows) -> dict[str, float]:
    """Every metric of these rows; not finite where it has no value for them."""
    import numpy as np

    measured = measure(rows, np.ones((1, len(rows.actual))))
    return {name: float(column[0]) for name, column in measured.items()}


def measure(rows: ScoredRows, counts: Floats) -> Measured:
    """Every metric of each resample; a row of `counts` says how often each scored row was drawn."""
    import numpy as np

    formulas: dict[Task, Callable[[ScoredRows, Floats], Measured]] = {
        "two-class": _two_class,
        "multi-class": _multi_class,
        "regression": _regression,
    }
    with np.errstate(all="ignore"):
        return formulas[rows.task](rows, counts)


def _two_class(rows: ScoredRows, counts: Floats) -> Measured:
    import numpy as np

    actual_text, answered_text = np.array(rows.actual), np.array(rows.answered)
    actual, answered = actual_text == rows.positive, answered_text == rows.positive
    measured = {"accuracy": _mean(counts, actual_text == answered_text)}
    if not actual.any():
        return measured
    hits, said, there = (_sum(counts, part) for part in (actual & answered, answered, actual))
    measured["precision"] = _share(hits, said)
    measured["recall"] = hits / there
    measured["f_score"] = np.where(there > 0, 2 * hits / (said + there), np.nan)
    if rows.chances is not None:
        chances = np.array(rows.chances)
        measured["auc"] = _area_under_curve(counts, actual, chances)
        measured["log_loss"] = _log_loss(counts, np.where(actual, chances, 1 - chances))
    return measured


def _multi_class(rows: ScoredRows, counts: Floats) -> Measured:
    import numpy as np

    classes = np.array(rows.classes)
    actual = np.array(rows.actual)[:, None] == classes
    answered = np.array(rows.answered)[:, None] == classes
    hits, said, there = (_sum(counts, part) for part in (actual & answered, answered, actual))
    total = counts.sum(axis=1)
    accuracy = hits.sum(axis=1) / total
    wrong = (said + there - 2 * hits).mean(axis=1)
    measured = {
        "accuracy": accuracy,
        "average_accuracy": 1 - wrong / total,
        "micro_precision": accuracy,
        "micro_recall": accuracy,
        "precision": _share(hits, said).mean(axis=1),
        "recall": _share(hits, there).mean(axis=1),
        "f_score": _share(2 * hits, said + there).mean(axis=1),
    }
    if rows.chances is not None:
        measured["log_loss"] = _log_loss(counts, np.array(rows.chances))
    return measured


def _regression(rows: ScoredRows, counts: Floats) -> Measured:
    import numpy as np

    actual = np.array(rows.actual, dtype=np.float64)
    errors = np.array(rows.answered, dtype=np.float64) - actual
    absolute, squared = _mean(counts, np.abs(errors)), _mean(counts, errors**2)
    distances = actual - _mean(counts, actual)[:, None]
    total = counts.sum(axis=1)
    spread = np.einsum("ij,ij->i", counts, np.abs(distances)) / total
    variance = np.einsum("ij,ij->i", counts, distances**2) / total
    varied = variance > (SPREAD_MIN * np.abs(actual).max()) ** 2
    relative_squared = np.where(varied, squared / variance, np.nan)
    return {
        "mae": absolute,
        "rmse": np.sqrt(squared),
        "rae": np.where(varied, absolute / spread, np.nan),
        "rse": relative_squared,
        "r2": 1 - relative_squared,
    }


def _area_under_curve(counts: Floats, actual: NDArray[np.bool_], chances: Floats) -> Floats:
    """The chance that a positive row was given the higher probability; ties count half.

    NaN for a resample with one class only.
    """
    import numpy as np

    positives = np.flatnonzero(actual)
    negatives = np.flatnonzero(~actual)
    negatives = negatives[np.argsort(chances[negatives], kind="stable")]
    drawn = counts[:, positives]
    below = np.zeros((len(counts), len(negatives) + 1))
    np.cumsum(counts[:, negatives], axis=1, out=below[:, 1:])
    ordered = chances[negatives]
    lower = np.searchsorted(ordered, chances[positives], side="left")
    upper = np.searchsorted(ordered, chances[positives], side="right")
    ahead = np.einsum("ij,ij->i", drawn, below[:, lower])
    level = ahead if np.array_equal(lower, upper) else _ahead(drawn, below, upper)
    pairs = drawn.sum(axis=1) * below[:, -1]
    return np.where(pairs > 0, (ahead + level) / (2 * pairs), np.nan)


def _ahead(drawn: Floats, below: Floats, places: NDArray[np.intp]) -> Floats:
    import numpy as np

    return np.asarray(np.einsum("ij,ij->i", drawn, below[:, places]))


def _log_loss(counts: Floats, given: Floats) -> Floats:
    """The mean of -ln of the probability that was given to what was the case; NaN outside 0..1."""
    import numpy as np

    if given.min() < 0 or given.max() > 1:
        return np.full(len(counts), np.nan)
    return _mean(counts, -np.log(np.maximum(given, PROBABILITY_MIN)))


def _sum(counts: Floats, part: NDArray[np.bool_] | Floats) -> Floats:
    return counts @ part.astype(counts.dtype)


def _mean(counts: Floats, part: NDArray[np.bool_] | Floats) -> Floats:
    mean: Floats = _sum(counts, part) / counts.sum(axis=1)
    return mean


def _share(part: Floats, whole: Floats) -> Floats:
    """Part of whole; 0 where there is no whole."""
    import numpy as np

    return np.where(whole > 0, part / np.maximum(whole, 1), 0.0)
