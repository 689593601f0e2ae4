"""Learners: Studio's learner modules, their parameters, and the estimator behind each.

Names, defaults and default ranges are those of Studio's modules; a parameter is also found under
the title that its screen shows. In the trainer mode "Parameter Range" the first value of each range
is what Train Model takes; a sweep over a learner in the mode "Single Parameter" tries the default
ranges. Source: the module reference of Studio (classic).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from devstack.studio.learning import estimators, libraries
from devstack.studio.learning.options import Option, Setting, choice_parameter
from devstack.studio.learning.ranges import Range, read_range

TWO_CLASS, MULTI_CLASS, REGRESSION = "two-class", "multi-class", "regression"

TRAINER_MODE = "Create trainer mode"
SINGLE, RANGE = TRAINER_MODES = ("Single Parameter", "Parameter Range")

Fit = Callable[[dict[str, Setting], np.ndarray, np.ndarray], Any]
Answer = Callable[[Any, np.ndarray], list[np.ndarray]]


@dataclass(frozen=True)
class Learner:
    """An untrained model: a learner's name with its parameters."""

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """two-class, multi-class or regression."""
        return LEARNERS[self.name].task

    def fit(self, rows: np.ndarray, answers: np.ndarray) -> Any:
        """An estimator fitted to rows; raises BadParameter for a value that does not fit."""
        libraries.load()
        return LEARNERS[self.name].fit(self.options(), rows, answers)

    def options(self) -> dict[str, Setting]:
        """The value of each option by the argument it becomes; raises BadParameter."""
        found = {}
        for name, option in LEARNERS[self.name].parameters.items():
            value = option.read(self.parameters, name)
            if self._mode() == RANGE and option.swept:
                value = option.within(option.swept, self._range(option).points[0])
            found[option.argument] = value
        return found

    def ranges(self) -> dict[str, Range]:
        """What a sweep tries, by the name of the parameter; raises BadParameter."""
        return {
            name: self._range(option)
            for name, option in LEARNERS[self.name].parameters.items()
            if option.swept
        }

    def with_settings(self, settings: Mapping[str, int | float]) -> Learner:
        """The same learner with single values for some of its parameters."""
        given = {name: repr(value) for name, value in settings.items()}
        return Learner(self.name, {**self.parameters, TRAINER_MODE: SINGLE, **given})

    def _mode(self) -> str:
        return choice_parameter(self.parameters, TRAINER_MODE, TRAINER_MODES, default=SINGLE)

    def _range(self, option: Option) -> Range:
        text = self.parameters.get(option.swept, "") if self._mode() == RANGE else ""
        found = read_range(
            option.swept, text or option.sweep, whole=isinstance(option.default, int)
        )
        for point in (*found.points, *(found.bounds or ())):
            option.within(option.swept, point)
        return found


@dataclass(frozen=True)
class LearnerKind:
    """A row of the table of learners.

    `kept` is the type of estimator that a trained model of this kind holds; `answer` gives the
    columns that a regression scores: one, or mean and standard deviation.
    """

    family: str
    task: str
    kept: str
    fit: Fit
    parameters: Mapping[str, Option]
    answer: Answer = estimators.predicted


# The least number that a parameter which must not be 0 may have.
_ABOVE_ZERO = 1e-300

_SEED = {"Random number seed": Option("random_state", 0, least=0, most=2**32 - 1)}
_TOLERANCE = {
    "Optimization Tolerance": Option(
        "tol", 1e-7, ("Optimization tolerance",), _ABOVE_ZERO,
        swept="Range for optimization tolerance", sweep="0.00001; 0.00000001",
    ),
}  # fmt: skip
_LOGISTIC = {
    **_TOLERANCE,
    "L2 Regularizaton weight": Option(
        "l2", 1.0, ("L2 regularization weight", "L2 Regularization weight"), 0,
        swept="Range for L2 regularization weight", sweep="0.01; 0.1; 1.0",
    ),
    **_SEED,
}  # fmt: skip
_BOOSTED = {
    "Maximum number of leaves per tree": Option(
        "max_leaf_nodes", 20, (), 2,
        swept="Range for maximum number of leaves per tree", sweep="2; 8; 32; 128",
    ),
    "Minimum number of training instances required to form a leaf": Option(
        "min_samples_leaf", 10, ("Minimum number of samples per leaf node",), 1,
        swept="Range for minimum number of training instances required to form a leaf",
        sweep="1; 10; 50",
    ),
    "The learning rate": Option(
        "learning_rate", 0.2, ("Learning rate",), _ABOVE_ZERO, 1,
        swept="Range for learning rate", sweep="0.025; 0.05; 0.1; 0.2; 0.4",
    ),
    "Total number of trees constructed": Option(
        "n_estimators", 100, ("Number of trees constructed",), 1,
        swept="Range for total number of trees constructed", sweep="20; 100; 500",
    ),
    **_SEED,
}  # fmt: skip
_FOREST = {
    "Resampling method": Option("resampling", "Bagging", choices=estimators.RESAMPLING),
    "Number of decision trees": Option(
        "n_estimators", 8, (), 1, swept="Range for number of decision trees", sweep="1; 8; 32",
    ),
    "Maximum depth of the decision trees": Option(
        "max_depth", 32, (), 1,
        swept="Range for the maximum depth of the decision trees", sweep="1; 16; 64",
    ),
    "Minimum number of samples per leaf node": Option(
        "min_samples_leaf", 1, (), 1,
        swept="Range for the minimum number of samples per leaf node", sweep="1; 4; 16",
    ),
    **_SEED,
}  # fmt: skip
_PERCEPTRON = {
    "Initial learning rate": Option(
        "eta0", 1.0, ("Learning rate",), _ABOVE_ZERO,
        swept="Range for initial learning rate", sweep="0.1; 0.5; 1.0",
    ),
    "Maximum number of iterations": Option(
        "max_iter", 10, (), 1, swept="Range for maximum number of iterations", sweep="1; 10",
    ),
    **_SEED,
}  # fmt: skip
_VECTORS = {
    "Number of iterations": Option(
        "max_iter", 10, (), 1, swept="Range for number of iterations", sweep="1; 10; 100"
    ),
    "The value lambda": Option(
        "alpha", 0.001, ("Lambda",), _ABOVE_ZERO,
        swept="Range for lambda", sweep="0.00001; 0.0001; 0.001; 0.01; 0.1",
    ),
    **_SEED,
}  # fmt: skip


def _network(rate: float, rates: str, iterations: str) -> dict[str, Option]:
    return {
        "Number of hidden nodes": Option("layers", "100"),
        "The learning rate": Option(
            "learning_rate_init", rate, ("Learning rate",), _ABOVE_ZERO, 2,
            swept="Range for learning rate", sweep=rates,
        ),
        "Number of learning iterations": Option(
            "max_iter", 100, (), 1,
            swept="Range for number of learning iterations", sweep=iterations,
        ),
        "The momentum": Option("momentum", 0.0, least=0, most=1),
        "Shuffle examples": Option("shuffle", True),
        **_SEED,
    }  # fmt: skip


_LINEAR = {
    "Solution method": Option(
        "method", "Ordinary Least Squares",
        choices=("Ordinary Least Squares", "Online Gradient Descent"),
    ),
    "L2 regularization weight": Option(
        "alpha", 0.001, ("L2 regularization term weight",), 0,
        swept="Range for L2 regularization term weight", sweep="0.001; 0.01; 0.1",
    ),
    "Learning rate": Option(
        "eta0", 0.1, (), _ABOVE_ZERO,
        swept="Range for learning rate", sweep="0.025; 0.05; 0.1; 0.2",
    ),
    "Number of epochs over which algorithm iterates through examples": Option(
        "max_iter", 10, ("Number of training epochs",), 1,
        swept="Range for number of epochs over which algorithm iterates through examples",
        sweep="1; 10; 100",
    ),
    "Decrease learning rate as iterations progress": Option(
        "decrease", True, ("Decrease learning rate",)
    ),
    **_SEED,
}  # fmt: skip
_POISSON = {
    **_TOLERANCE,
    "L2 regularization weight": Option(
        "alpha", 1.0, (), 0,
        swept="Range for L2 regularization weight", sweep="0.01; 0.1; 1.0",
    ),
}  # fmt: skip
_BAYESIAN = {"Regularization weight": Option("weight", 1.0, (), _ABOVE_ZERO)}

LEARNERS: Mapping[str, LearnerKind] = {
    "Two-Class Logistic Regression": LearnerKind(
        "b0fd7660eeed43c5948720d9cc79ed5d", TWO_CLASS, "LogisticRegression",
        estimators.logistic, _LOGISTIC,
    ),
    "Two-Class Boosted Decision Tree": LearnerKind(
        "e3c522f853d948298ea45c6a6b75330c", TWO_CLASS, "GradientBoostingClassifier",
        estimators.boosted_classifier, _BOOSTED,
    ),
    "Two-Class Decision Forest": LearnerKind(
        "5a7d5466992840c8a19cd5de4882c77e", TWO_CLASS, "RandomForestClassifier",
        estimators.forest_classifier, _FOREST,
    ),
    "Two-Class Averaged Perceptron": LearnerKind(
        "5ed44caa5360407dae6c7a88c491474a", TWO_CLASS, "LogisticRegression",
        estimators.averaged_perceptron, _PERCEPTRON,
    ),
    "Two-Class Support Vector Machine": LearnerKind(
        "12d8479b74b44e67b8ded32867380e20", TWO_CLASS, "LogisticRegression",
        estimators.support_vectors, _VECTORS,
    ),
    "Two-Class Neural Network": LearnerKind(
        "ebc29f52719d4d0fb66a2ce85f527c7d", TWO_CLASS, "MLPClassifier",
        estimators.network_classifier, _network(0.1, "0.1; 0.2; 0.4", "20; 40; 80; 160"),
    ),
    "Multiclass Logistic Regression": LearnerKind(
        "1d195fe598cd4e1aa1c8076aaa3e02c3", MULTI_CLASS, "LogisticRegression",
        estimators.logistic, _LOGISTIC,
    ),
    "Multiclass Decision Forest": LearnerKind(
        "5e70108d2e4445d986e894f37c68fe86", MULTI_CLASS, "RandomForestClassifier",
        estimators.forest_classifier, _FOREST,
    ),
    "Multiclass Neural Network": LearnerKind(
        "e8b401fb230a4b21bd11d1fda0d57c1f", MULTI_CLASS, "MLPClassifier",
        estimators.network_classifier, _network(0.1, "0.1; 0.2; 0.4", "20; 40; 80; 160"),
    ),
    "Linear Regression": LearnerKind(
        "31960a6f789b4cf788d62e1152c0bd1a", REGRESSION, "Ridge", estimators.linear, _LINEAR,
    ),
    "Bayesian Linear Regression": LearnerKind(
        "ee12de502b344145aec023e0485da308", REGRESSION, "BayesianRidge",
        estimators.bayesian, _BAYESIAN, estimators.spread_of_line,
    ),
    "Poisson Regression": LearnerKind(
        "80e21b9d382740d8b733b53148becbc2", REGRESSION, "Ridge",
        estimators.poisson, _POISSON, estimators.exponential,
    ),
    "Boosted Decision Tree Regression": LearnerKind(
        "0207d2526c414c7784c373bdf1ac5960", REGRESSION, "GradientBoostingRegressor",
        estimators.boosted_regressor, _BOOSTED,
    ),
    "Decision Forest Regression": LearnerKind(
        "562988b2e7404e3a8131358391bad755", REGRESSION, "RandomForestRegressor",
        estimators.forest_regressor, _FOREST, estimators.spread_of_trees,
    ),
    "Neural Network Regression": LearnerKind(
        "d7ee222c669f4200a576a761a9c1a928", REGRESSION, "MLPRegressor",
        estimators.network_regressor, _network(0.02, "0.01; 0.02; 0.04", "20; 40; 80; 160"),
    ),
}  # fmt: skip
