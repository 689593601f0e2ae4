"""Learners: which scikit-learn estimator stands behind each of Studio's learner modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from devstack.studio.learning import libraries
from devstack.studio.learning.failures import BadParameter

TWO_CLASS, MULTI_CLASS, REGRESSION = "two-class", "multi-class", "regression"


@dataclass(frozen=True)
class Learner:
    """An untrained model: a learner's name with its parameters."""

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """two-class, multi-class or regression."""
        return LEARNERS[self.name].task

    def estimator(self) -> Any:
        """A fresh scikit-learn estimator; raises BadParameter for a value that does not fit."""
        kind = LEARNERS[self.name]
        options = {
            option: number_parameter(self.parameters, name, default)
            for name, (option, default) in kind.parameters.items()
        }
        libraries.load()
        return kind.build(options)


@dataclass(frozen=True)
class LearnerKind:
    """A row of the table of learners: Studio's parameter names, the estimator's, the defaults."""

    task: str
    build: Callable[[dict[str, Any]], Any]
    parameters: Mapping[str, tuple[str, int | float]]


def number_parameter(parameters: Mapping[str, str], name: str, default: int | float) -> int | float:
    """The number given for a parameter, of the type of its default; raises BadParameter."""
    given = parameters.get(name)
    if given is None or given == "":
        return default
    try:
        return type(default)(given)
    except ValueError as error:
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise BadParameter(f"parameter {name!r} must be {kind}, not {given!r}") from error


def _logistic(options: dict[str, Any]) -> Any:
    from sklearn.linear_model import LogisticRegression

    weight = options.pop("l2")
    return LogisticRegression(C=1.0 / weight if weight > 0 else 1e6, max_iter=1000, **options)


def _ridge(options: dict[str, Any]) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(**options)


def _boosted_classifier(options: dict[str, Any]) -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(**options)


def _boosted_regressor(options: dict[str, Any]) -> Any:
    from sklearn.ensemble import GradientBoostingRegressor

    return GradientBoostingRegressor(**options)


def _forest_regressor(options: dict[str, Any]) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(**options)


_SEED: Mapping[str, tuple[str, int | float]] = {"Random number seed": ("random_state", 0)}
_LOGISTIC = {"L2 regularization weight": ("l2", 1.0), **_SEED}
_BOOSTED = {
    "Maximum number of leaves per tree": ("max_leaf_nodes", 20),
    "Minimum number of samples per leaf node": ("min_samples_leaf", 10),
    "Learning rate": ("learning_rate", 0.2),
    "Total number of trees constructed": ("n_estimators", 100),
    **_SEED,
}
_FOREST = {
    "Number of decision trees": ("n_estimators", 8),
    "Maximum depth of the decision trees": ("max_depth", 32),
    "Minimum number of samples per leaf node": ("min_samples_leaf", 1),
    **_SEED,
}

LEARNERS: Mapping[str, LearnerKind] = {
    "Two-Class Logistic Regression": LearnerKind(TWO_CLASS, _logistic, _LOGISTIC),
    "Two-Class Boosted Decision Tree": LearnerKind(TWO_CLASS, _boosted_classifier, _BOOSTED),
    "Multiclass Logistic Regression": LearnerKind(MULTI_CLASS, _logistic, _LOGISTIC),
    "Linear Regression": LearnerKind(
        REGRESSION, _ridge, {"L2 regularization weight": ("alpha", 0.001), **_SEED}
    ),
    "Boosted Decision Tree Regression": LearnerKind(REGRESSION, _boosted_regressor, _BOOSTED),
    "Decision Forest Regression": LearnerKind(REGRESSION, _forest_regressor, _FOREST),
}
