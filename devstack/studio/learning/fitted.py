"""Fitted estimators from outside: does what was read have the structure that its kind has?

A file may hold any values. Arrays of another shape would fail when the model scores, and a tree
that points beyond its nodes would read memory that is not its own; so both are refused on reading.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from devstack.studio.learning.failures import BadModel
from devstack.studio.learning.learners import LEARNERS, REGRESSION, TWO_CLASS

FILE = "the .iLearner file"
CLASSES_MAX = 100

# What an estimator of scikit-learn raises when its parts do not fit together.
NONSENSE = (ValueError, TypeError, AttributeError, IndexError, KeyError, ArithmeticError)

_TREE_TYPES = ("DecisionTreeClassifier", "DecisionTreeRegressor")
_ACTIVATIONS = ("identity", "logistic", "tanh", "relu", "softmax")


def check_estimator(learner: str, classes: Sequence[str], width: int, estimator: Any) -> None:
    """Raise BadModel unless the estimator is what this learner keeps for so many columns."""
    kind = LEARNERS[learner]
    name = type(estimator).__name__
    if name != kind.kept or not type(estimator).__module__.startswith("sklearn."):
        raise BadModel(f"{FILE} holds a {name}, which is no learner of Studio's {learner}")
    if getattr(estimator, "n_features_in_", None) != width:
        raise BadModel(f"the estimator in {FILE} takes other columns than it says")
    _check_classes(kind.task, classes)
    try:
        _CHECKS[name](estimator, width, _outputs(kind.task, classes))
        _try(estimator, width, kind.task, classes)
    except NONSENSE as error:
        raise BadModel(f"the estimator in {FILE} does not hang together: {error}") from error


def _check_classes(task: str, classes: Sequence[str]) -> None:
    if (task == REGRESSION) != (not classes):
        raise BadModel(f"{FILE} names classes for a regression, or none for a class")
    if len(set(classes)) != len(classes) or len(classes) > CLASSES_MAX:
        raise BadModel(f"{FILE} names a class twice, or more than {CLASSES_MAX}")
    if task == TWO_CLASS and len(classes) != 2:
        raise BadModel(f"{FILE} names {len(classes)} classes instead of 2")


def _outputs(task: str, classes: Sequence[str]) -> int:
    """How many numbers a linear layer gives per row: one for a line or between two classes."""
    return 1 if task == REGRESSION or len(classes) == 2 else len(classes)


def _try(estimator: Any, width: int, task: str, classes: Sequence[str]) -> None:
    """Score one row, so that no mistake waits for the first caller."""
    row = np.zeros((1, width))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if task == REGRESSION:
            _require(np.shape(estimator.predict(row)) == (1,))
        else:
            _require(np.shape(estimator.predict_proba(row)) == (1, len(classes)))


def _check_line(estimator: Any, width: int, outputs: int) -> None:
    _numbers(estimator.coef_, (width,))
    _require(isinstance(estimator.intercept_, float) and np.isfinite(estimator.intercept_))


def _check_bayesian(estimator: Any, width: int, outputs: int) -> None:
    _check_line(estimator, width, outputs)
    _numbers(estimator.X_offset_, (width,))
    _numbers(estimator.sigma_, (width, width))
    _require(isinstance(estimator.alpha_, float) and estimator.alpha_ > 0)


def _check_logistic(estimator: Any, width: int, outputs: int) -> None:
    _numbers(estimator.coef_, (outputs, width))
    _numbers(estimator.intercept_, (outputs,))
    _check_labels(estimator, outputs)


def _check_labels(estimator: Any, outputs: int) -> None:
    count = 2 if outputs == 1 else outputs
    _require(np.array_equal(estimator.classes_, np.arange(count)))


def _check_network(estimator: Any, width: int, outputs: int) -> None:
    weights, biases = estimator.coefs_, estimator.intercepts_
    _require(isinstance(weights, list) and len(weights) == len(biases) == estimator.n_layers_ - 1)
    inner = width
    for layer, bias in zip(weights, biases, strict=True):
        _numbers(layer, (inner, len(bias)))
        _numbers(bias, (len(bias),))
        inner = len(bias)
    _require(inner == outputs == estimator.n_outputs_)
    _require({estimator.activation, estimator.out_activation_} <= set(_ACTIVATIONS))


def _check_classifying_network(estimator: Any, width: int, outputs: int) -> None:
    _check_network(estimator, width, outputs)
    _check_labels(estimator, outputs)
    _require(type(estimator._label_binarizer).__name__ == "LabelBinarizer")


def _check_forest(estimator: Any, width: int, outputs: int) -> None:
    _require(isinstance(estimator.estimators_, list) and len(estimator.estimators_) > 0)
    classifies = type(estimator).__name__ == "RandomForestClassifier"
    if classifies:
        _check_labels(estimator, outputs)
    count = (2 if outputs == 1 else outputs) if classifies else 1
    for grown in estimator.estimators_:
        _check_tree(grown, width, count)


def _check_boosted(estimator: Any, width: int, outputs: int) -> None:
    grown = estimator.estimators_
    _require(isinstance(grown, np.ndarray) and grown.ndim == 2 and grown.shape[1] == outputs)
    _require(type(estimator.init_).__name__ in ("DummyClassifier", "DummyRegressor"))
    if hasattr(estimator, "classes_"):
        _check_labels(estimator, outputs)
    for tree in grown.ravel().tolist():
        _check_tree(tree, width, 1)


def _check_tree(estimator: Any, width: int, count: int) -> None:
    """Refuse a tree that could read beyond its nodes, its columns or its values."""
    _require(type(estimator).__name__ in _TREE_TYPES and estimator.n_features_in_ == width)
    tree = estimator.tree_
    _require(type(tree).__name__ == "Tree" and tree.n_features == width and tree.n_outputs == 1)
    _require(tree.value.shape == (tree.node_count, 1, count))
    inner = tree.children_left != -1
    places = np.arange(tree.node_count)
    for children in (tree.children_left, tree.children_right):
        if (children >= tree.node_count).any() or (children < -1).any():
            raise BadModel(f"a decision tree in {FILE} points beyond its nodes")
        # A child comes after its parent, so no path goes round in a circle.
        _require(bool((children[inner] > places[inner]).all()))
    asked = tree.feature[inner]
    if (asked >= width).any() or (asked < 0).any():
        raise BadModel(f"a decision tree in {FILE} asks for a column it does not have")


def _numbers(values: Any, shape: tuple[int, ...]) -> None:
    _require(isinstance(values, np.ndarray) and values.shape == shape)
    _require(values.dtype.kind == "f" and bool(np.isfinite(values).all()))


def _require(holds: Any) -> None:
    if not holds:
        raise ValueError("a part has not the shape or the values it must have")


_CHECKS = {
    "LogisticRegression": _check_logistic,
    "Ridge": _check_line,
    "BayesianRidge": _check_bayesian,
    "MLPClassifier": _check_classifying_network,
    "MLPRegressor": _check_network,
    "RandomForestClassifier": _check_forest,
    "RandomForestRegressor": _check_forest,
    "GradientBoostingClassifier": _check_boosted,
    "GradientBoostingRegressor": _check_boosted,
}
assert {kind.kept for kind in LEARNERS.values()} <= set(_CHECKS), "an estimator has no check"
