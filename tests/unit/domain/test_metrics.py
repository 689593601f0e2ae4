"""Every metric equals scikit-learn's, for the rows as they are and for resamples of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from alm.domain.metrics import ScoredRows, measure, metrics_of
from alm.domain.tables import Table

NOTHING_GIVEN = Table((), ())
# Coarse probabilities, so that ties are common; none is 0 or 1, where clipping conventions differ.
CHANCES = st.integers(1, 19).map(lambda twentieths: twentieths / 20)
LABELLED = st.lists(st.tuples(st.booleans(), CHANCES), min_size=2, max_size=40)
VALUES = st.floats(-1e3, 1e3).map(lambda value: round(value, 3))
CLASSES = ("a", "b", "c", "d")


def two_class(rows: list[tuple[bool, float]]) -> ScoredRows:
    return ScoredRows(
        "two-class",
        "yes",
        tuple("yes" if label else "no" for label, _ in rows),
        tuple("yes" if chance >= 0.5 else "no" for _, chance in rows),
        tuple(chance for _, chance in rows),
        ("no", "yes"),
        NOTHING_GIVEN,
    )


def regression(rows: list[tuple[float, float]]) -> ScoredRows:
    actual, answered = (tuple(repr(value) for value in side) for side in zip(*rows, strict=True))
    return ScoredRows("regression", "", actual, answered, None, (), NOTHING_GIVEN)


@given(LABELLED)
def test_two_class_metrics_are_those_of_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    actual = [label for label, _ in rows]
    chances = [chance for _, chance in rows]
    answered = [chance >= 0.5 for chance in chances]
    assume(any(actual) and not all(actual))

    expected = {
        "accuracy": sklearn_metrics.accuracy_score(actual, answered),
        "precision": sklearn_metrics.precision_score(actual, answered, zero_division=0),
        "recall": sklearn_metrics.recall_score(actual, answered),
        "f_score": sklearn_metrics.f1_score(actual, answered),
        "auc": sklearn_metrics.roc_auc_score(actual, chances),
        "log_loss": sklearn_metrics.log_loss(actual, chances),
    }
    assert expected == pytest.approx(metrics_of(two_class(rows)), abs=1e-12)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abd")), min_size=1))
def test_multi_class_metrics_are_those_of_scikit_learn(rows: list[tuple[str, str]]) -> None:
    actual, answered = (list(side) for side in zip(*rows, strict=True))
    scored = ScoredRows(
        "multi-class", "", tuple(actual), tuple(answered), None, CLASSES, NOTHING_GIVEN
    )

    def averaged(score: Callable[..., float], average: str) -> float:
        return score(actual, answered, labels=CLASSES, average=average, zero_division=0)

    measured = metrics_of(scored)
    average_accuracy = measured.pop("average_accuracy")
    expected = {
        "accuracy": sklearn_metrics.accuracy_score(actual, answered),
        "precision": averaged(sklearn_metrics.precision_score, "macro"),
        "recall": averaged(sklearn_metrics.recall_score, "macro"),
        "f_score": averaged(sklearn_metrics.f1_score, "macro"),
        "micro_precision": averaged(sklearn_metrics.precision_score, "micro"),
        "micro_recall": averaged(sklearn_metrics.recall_score, "micro"),
    }
    assert expected == pytest.approx(measured, abs=1e-12)
    one_class_each = [np.mean([(a == name) == (b == name) for a, b in rows]) for name in CLASSES]
    assert np.mean(one_class_each) == pytest.approx(average_accuracy, abs=1e-12)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=30))
def test_regression_metrics_are_those_of_scikit_learn(rows: list[tuple[float, float]]) -> None:
    actual, answered = (list(side) for side in zip(*rows, strict=True))
    assume(len(set(actual)) > 1)

    r2 = sklearn_metrics.r2_score(actual, answered)
    absolute = sklearn_metrics.mean_absolute_error(actual, answered)
    expected = {
        "mae": absolute,
        "rmse": sklearn_metrics.root_mean_squared_error(actual, answered),
        "rae": absolute / np.mean(np.abs(np.array(actual) - np.mean(actual))),
        "rse": 1 - r2,
        "r2": r2,
    }
    assert expected == pytest.approx(metrics_of(regression(rows)), rel=1e-9, abs=1e-9)


def test_multi_class_log_loss_is_that_of_scikit_learn() -> None:
    actual = ("a", "c", "b", "a")
    chances = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.5, 0.25, 0.25], [0.2, 0.2, 0.6]])
    given_to_actual = tuple(
        float(row["abc".index(label)]) for row, label in zip(chances, actual, strict=True)
    )
    scored = ScoredRows(
        "multi-class", "", actual, actual, given_to_actual, ("a", "b", "c"), NOTHING_GIVEN
    )

    expected = sklearn_metrics.log_loss(actual, chances, labels=["a", "b", "c"])
    assert expected == pytest.approx(metrics_of(scored)["log_loss"])


@given(LABELLED, st.integers(0, 2**32 - 1))
def test_a_resample_is_measured_like_its_rows_written_out(
    rows: list[tuple[bool, float]], seed: int
) -> None:
    drawn = np.random.default_rng(seed).integers(0, len(rows), len(rows))
    counts = np.bincount(drawn, minlength=len(rows)).astype(float)[None, :]
    written_out = [rows[place] for place in drawn]
    assume(any(label for label, _ in written_out))

    measured = {name: float(value[0]) for name, value in measure(two_class(rows), counts).items()}

    assert metrics_of(two_class(written_out)) == pytest.approx(measured, nan_ok=True)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=20), st.integers(0, 2**32 - 1))
def test_a_resample_of_numbers_is_measured_like_its_rows_written_out(
    rows: list[tuple[float, float]], seed: int
) -> None:
    drawn = np.random.default_rng(seed).integers(0, len(rows), len(rows))
    counts = np.bincount(drawn, minlength=len(rows)).astype(float)[None, :]
    assume(len({rows[place][0] for place in drawn}) > 1)

    measured = {name: float(value[0]) for name, value in measure(regression(rows), counts).items()}

    written_out = metrics_of(regression([rows[place] for place in drawn]))
    assert written_out == pytest.approx(measured, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("label", [True, False])
def test_auc_has_no_value_for_one_class(label: bool) -> None:
    measured = metrics_of(two_class([(label, 0.2), (label, 0.9)]))

    assert not np.isfinite(measured.get("auc", np.nan))


def test_r2_has_no_value_for_labels_that_are_all_alike() -> None:
    measured = metrics_of(regression([(0.1, 0.2), (0.1, 0.3), (0.1, 0.1)]))

    assert [np.isfinite(measured[name]) for name in ("mae", "rmse")] == [True, True]
    assert [np.isfinite(measured[name]) for name in ("rae", "rse", "r2")] == [False] * 3


def test_a_model_that_never_says_yes_has_precision_0() -> None:
    measured = metrics_of(two_class([(True, 0.1), (False, 0.2)]))

    assert (measured["precision"], measured["recall"], measured["f_score"]) == (0.0, 0.0, 0.0)


def test_certain_and_wrong_is_a_large_but_finite_loss() -> None:
    measured = metrics_of(two_class([(True, 0.0), (False, 0.0)]))

    assert np.log(1e15) / 2 == pytest.approx(measured["log_loss"])
