"""Learners: how well each learns, what it takes, and files that only look like its models."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge

from devstack.studio.learning.evaluation import evaluate
from devstack.studio.learning.failures import BadModel, BadParameter, BadTable
from devstack.studio.learning.ilearner import read_model, write_model
from devstack.studio.learning.learners import LEARNERS, Learner
from devstack.studio.learning.ranges import POINTS_MAX, read_range
from devstack.studio.learning.tables import Table
from devstack.studio.learning.training import TrainedModel, train
from tests.devstack.studio.tables_of_sklearn import table_for, table_of

# The metric of each task, and what a learner of it must reach on rows that it has not seen.
REACHED = {
    "two-class": ("AUC", 0.97),
    "multi-class": ("Overall accuracy", 0.9),
    "regression": ("Coefficient of Determination", 0.25),
}


@cache
def parts(task: str) -> tuple[Table, Table]:
    """Every third row apart: two thirds to learn from, one third to judge by."""
    table = table_for(task)
    count = len(table.rows)
    return (
        table.take(at for at in range(count) if at % 3),
        table.take(at for at in range(count) if not at % 3),
    )


@cache
def model_of(learner: str) -> TrainedModel:
    return train(Learner(learner), parts(LEARNERS[learner].task)[0], "target")


def metric(scored: Table, name: str) -> float:
    return float(evaluate(scored).column(name)[0] or "nan")


@pytest.mark.parametrize("learner", sorted(LEARNERS))
def test_a_learner_predicts_rows_that_it_has_not_seen(learner: str) -> None:
    task = LEARNERS[learner].task
    name, least = REACHED[task]

    assert least < metric(model_of(learner).score(parts(task)[1]), name)


@pytest.mark.parametrize(
    "learner", ["Two-Class Averaged Perceptron", "Two-Class Support Vector Machine"]
)
def test_the_probabilities_of_a_margin_are_calibrated(learner: str) -> None:
    scored = model_of(learner).score(parts("two-class")[1])

    chances = [float(cell or "nan") for cell in scored.column("Scored Probabilities")]

    assert any(0.02 < chance < 0.98 for chance in chances)
    assert metric(scored, "Average Log Loss") < 0.25


@pytest.mark.parametrize("learner", ["Decision Forest Regression", "Bayesian Linear Regression"])
def test_some_regressions_say_how_sure_they_are(learner: str) -> None:
    scored = model_of(learner).score(parts("regression")[1])

    deviations = [float(cell or "nan") for cell in scored.column("Scored Label Standard Deviation")]

    assert "Scored Label Mean" in scored.columns
    assert min(deviations) > 0
    assert len(set(deviations)) > 10


def test_a_bayesian_line_is_the_ridge_of_its_weight() -> None:
    rows = np.random.default_rng(1).normal(size=(50, 3))
    answers = rows @ [1.0, -2.0, 0.5] + 3

    fitted = Learner("Bayesian Linear Regression", {"Regularization weight": "4"}).fit(
        rows, answers
    )

    ridge = Ridge(alpha=4).fit(rows, answers)
    assert ridge.predict(rows) == pytest.approx(fitted.predict(rows))


def test_a_poisson_regression_finds_rates() -> None:
    rows = "\n".join(f"{at % 5},{round(math.exp(at % 5))}" for at in range(50))
    table = table_of("x,target\n" + rows)
    light = {"L2 regularization weight": "0"}

    scored = train(Learner("Poisson Regression", light), table, "target").score(table)

    answers = [float(cell or "nan") for cell in scored.column("Scored Labels")]
    assert [math.exp(at) for at in range(5)] == pytest.approx(answers[:5], rel=0.05)
    with pytest.raises(BadTable, match="takes no negative labels"):
        train(Learner("Poisson Regression"), table_of("x,target\n1,-1\n2,3"), "target")


def test_gradient_descent_ends_near_least_squares() -> None:
    learned, judged = parts("regression")
    descent = {"Solution method": "Online Gradient Descent", "Number of training epochs": "50",
               "Learning rate": "0.01"}  # fmt: skip

    by_descent = train(Learner("Linear Regression", descent), learned, "target").score(judged)
    by_squares = model_of("Linear Regression").score(judged)

    name = "Root Mean Squared Error"
    assert metric(by_squares, name) == pytest.approx(metric(by_descent, name), rel=0.05)
    assert by_squares.rows != by_descent.rows


@pytest.mark.parametrize(
    ("learner", "option", "value"),
    [
        ("Two-Class Boosted Decision Tree", "Number of trees constructed", "3"),
        ("Two-Class Boosted Decision Tree", "Learning rate", "0.01"),
        ("Two-Class Logistic Regression", "L2 regularization weight", "100"),
        ("Two-Class Decision Forest", "Resampling method", "Replicate"),
        ("Two-Class Neural Network", "Number of hidden nodes", "4, 3"),
        ("Two-Class Averaged Perceptron", "Maximum number of iterations", "1"),
        ("Two-Class Support Vector Machine", "Lambda", "0.1"),
        ("Multiclass Neural Network", "Shuffle examples", "False"),
        ("Decision Forest Regression", "Number of decision trees", "2"),
        ("Neural Network Regression", "Number of learning iterations", "3"),
    ],
)
def test_a_parameter_changes_the_model(learner: str, option: str, value: str) -> None:
    learned, _ = parts(LEARNERS[learner].task)

    changed = train(Learner(learner, {option: value}), learned, "target")

    assert write_model(changed) != write_model(model_of(learner))


@pytest.mark.parametrize(
    ("learner", "option", "value", "message"),
    [
        ("Linear Regression", "L2 regularization weight", "-1", "must be at least 0"),
        ("Linear Regression", "L2 regularization weight", "nan", "must be a number, not 'nan'"),
        ("Linear Regression", "Solution method", "Guess", "must be one of 'Ordinary Least"),
        ("Two-Class Decision Forest", "Number of decision trees", "0", "must be at least 1"),
        ("Two-Class Decision Forest", "Number of decision trees", "2.5", "a whole number"),
        ("Two-Class Boosted Decision Tree", "The learning rate", "3", "must be at most 1"),
        ("Two-Class Neural Network", "Number of hidden nodes", "many", "must be whole numbers"),
        ("Two-Class Neural Network", "Number of hidden nodes", "0", "layers of 1 to 10000"),
        ("Two-Class Neural Network", "Shuffle examples", "maybe", "must be True or False"),
        ("Two-Class Neural Network", "Random number seed", "-4", "must be at least 0"),
    ],
)
def test_a_parameter_outside_its_limits_is_named(
    learner: str, option: str, value: str, message: str
) -> None:
    with pytest.raises(BadParameter, match=message):
        train(Learner(learner, {option: value}), parts(LEARNERS[learner].task)[0], "target")


def test_training_in_the_mode_of_ranges_takes_the_first_value_of_each() -> None:
    ranged = {
        "Create trainer mode": "Parameter Range",
        "Range for number of decision trees": "3; 5",
        "Range for the maximum depth of the decision trees": "2",
    }
    learned, _ = parts("two-class")

    fitted = train(Learner("Two-Class Decision Forest", ranged), learned, "target").estimator

    assert (3, 2) == (fitted.n_estimators, fitted.max_depth)


BUILDER = '{"useRangeBuilder": true, "minValue": %s, "maxValue": %s, "count": "3"%s}'


@pytest.mark.parametrize(
    ("text", "whole", "points"),
    [
        ("2; 8; 32", True, (2, 8, 32)),
        ("2, 8,32", True, (2, 8, 32)),
        ("1-4; 9", True, (1, 2, 3, 4, 9)),
        ("0.1; 1e-5", False, (0.1, 1e-5)),
        ('{"useRangeBuilder": false, "literal": "2, 3"}', True, (2, 3)),
        ("%7B%22literal%22%3A%222%2C%203%22%7D", True, (2, 3)),
        (BUILDER % (0, 10, ""), True, (0, 5, 10)),
        (BUILDER % (0.01, 1, ', "isLogarithmic": true'), False, (0.01, 0.1, 1.0)),
    ],
)
def test_a_range_is_read(text: str, whole: bool, points: tuple[float, ...]) -> None:
    assert points == pytest.approx(read_range("r", text, whole=whole).points)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read: ''"),
        ("many", "cannot be read: 'many'"),
        ("2.5", "cannot be read"),
        ("inf", "cannot be read"),
        ("[1]", "cannot be read"),
        ("{", "cannot be read"),
        (f"1-{POINTS_MAX * 3}", f"more than {POINTS_MAX} values"),
        (BUILDER % (5, 1, ""), "minValue <= maxValue"),
        (BUILDER % (0, 1, ', "isLogarithmic": true'), "above 0 when it is logarithmic"),
    ],
)
def test_what_is_no_range_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadParameter, match=message):
        read_range("r", text, whole=True)


def test_a_built_range_is_drawn_from_between_its_ends() -> None:
    generator = np.random.default_rng(3)
    built = read_range("r", BUILDER % (1, 1000, ', "isLogarithmic": true'), whole=False)
    listed = read_range("r", "1; 3", whole=True)

    drawn = [built.draw(generator) for _ in range(400)]

    assert min(drawn) >= 1
    assert max(drawn) <= 1000
    assert sum(value < 31.7 for value in drawn) == pytest.approx(200, abs=50)
    assert {1, 3} == {listed.draw(generator) for _ in range(50)}


def tampered(learner: str, change: Callable[[Any], object]) -> bytes:
    """The file of a model whose estimator was changed after training."""
    model = read_model(write_model(model_of(learner)))
    change(model.estimator)
    return write_model(model)


def _set(name: str, value: object) -> Callable[[Any], object]:
    return lambda estimator: setattr(estimator, name, value)


def _cut(name: str) -> Callable[[Any], object]:
    return lambda estimator: setattr(estimator, name, getattr(estimator, name)[..., :-1])


def _first_tree(change: Callable[[Any], object]) -> Callable[[Any], object]:
    return lambda estimator: change(np.ravel(np.array(estimator.estimators_, dtype=object))[0])


def _point(name: str, value: int) -> Callable[[Any], object]:
    def change(grown: Any) -> None:
        getattr(grown.tree_, name)[0] = value

    return _first_tree(change)


@pytest.mark.parametrize(
    ("learner", "change"),
    [
        ("Two-Class Logistic Regression", _cut("coef_")),
        ("Two-Class Averaged Perceptron", _set("intercept_", np.array([np.nan]))),
        ("Two-Class Support Vector Machine", _set("classes_", np.array([0, 1, 2]))),
        ("Multiclass Logistic Regression", _cut("intercept_")),
        ("Multiclass Logistic Regression", _set("classes_", np.array(["a", "b", "c"]))),
        ("Linear Regression", _cut("coef_")),
        ("Poisson Regression", _set("intercept_", "much")),
        ("Bayesian Linear Regression", _cut("sigma_")),
        ("Bayesian Linear Regression", _set("alpha_", -1.0)),
        ("Two-Class Neural Network", _set("coefs_", [np.zeros((30, 1))])),
        ("Two-Class Neural Network", _set("activation", "boom")),
        ("Multiclass Neural Network", _set("_label_binarizer", None)),
        ("Neural Network Regression", _set("n_layers_", 10_000_000)),
        ("Two-Class Decision Forest", _set("estimators_", [])),
        ("Two-Class Decision Forest", _set("estimators_", [Ridge()])),
        ("Multiclass Decision Forest", _set("classes_", np.array([0, 1]))),
        ("Decision Forest Regression", _point("children_left", 10_000_000)),
        ("Decision Forest Regression", _point("children_right", 0)),
        ("Decision Forest Regression", _point("feature", 5000)),
        ("Decision Forest Regression", _point("feature", -2)),
        ("Two-Class Boosted Decision Tree", _point("children_left", 10_000_000)),
        ("Two-Class Boosted Decision Tree", _cut("estimators_")),
        ("Two-Class Boosted Decision Tree", _set("init_", Ridge())),
        ("Two-Class Boosted Decision Tree", _set("init_", DummyClassifier())),
        ("Boosted Decision Tree Regression", _set("estimators_", None)),
    ],
)
def test_a_model_whose_parts_do_not_fit_is_refused(
    learner: str, change: Callable[[Any], object]
) -> None:
    with pytest.raises(BadModel):
        read_model(tampered(learner, change))


@pytest.mark.parametrize("learner", sorted(LEARNERS))
def test_a_model_is_not_taken_for_one_of_another_learner(learner: str) -> None:
    kind = LEARNERS[learner]
    other = next(
        name for name, of in LEARNERS.items() if of.task == kind.task and of.kept != kind.kept
    )

    with pytest.raises(BadModel, match=f"which is no learner of Studio's {other}"):
        read_model(write_model(replace(model_of(learner), learner=other)))


@pytest.mark.parametrize(
    ("learner", "classes"),
    [
        ("Two-Class Logistic Regression", ("0",)),
        ("Two-Class Logistic Regression", ("0", "0")),
        ("Two-Class Neural Network", ("0", "1", "2")),
        ("Multiclass Decision Forest", ("0", "1")),
        ("Linear Regression", ("0", "1")),
    ],
)
def test_a_model_with_other_classes_than_its_estimator_is_refused(
    learner: str, classes: tuple[str, ...]
) -> None:
    with pytest.raises(BadModel):
        read_model(write_model(replace(model_of(learner), classes=classes)))
