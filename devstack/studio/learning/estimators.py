"""Estimators: how each kind of learner is fitted with scikit-learn, and in what form it is kept.

What is kept is the simplest estimator that gives the same answers, so that a model file holds few
types. A linear margin with Platt's scaling is a logistic regression; a gradient descent ends in a
line; a Poisson regression is a line whose exponential is the answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from devstack.studio.learning.failures import BadParameter, BadTable
from devstack.studio.learning.options import Setting

Options = dict[str, Setting]

# What a regularization weight of 0 becomes: no penalty that a number could show.
WEAKEST_PENALTY = 1e6
RESAMPLING = ("Bagging", "Replicate", "Bagging Resampling", "Replicate Resampling")
LAYER_NODES_MAX = 10_000
LAYERS_MAX = 16

# exp of more than this is more than any count.
LOG_ANSWER_MAX = 700.0


def logistic(options: Options, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Logistic regression with an L2 penalty; the L1 weight of Studio has no counterpart here."""
    from sklearn.linear_model import LogisticRegression

    weight = float(options.pop("l2"))
    strength = 1.0 / weight if weight > 0 else WEAKEST_PENALTY
    return LogisticRegression(C=strength, max_iter=1000, **options).fit(rows, answers)


def averaged_perceptron(options: Options, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Averaged perceptron, its margin scaled to probabilities."""
    from sklearn.linear_model import SGDClassifier

    fitted = SGDClassifier(
        loss="perceptron", penalty=None, average=True, learning_rate="constant", tol=None, **options
    ).fit(rows, answers)
    return _scaled_to_probabilities(fitted, rows, answers)


def support_vectors(options: Options, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Linear support vector machine with an L1 penalty, its margin scaled to probabilities."""
    from sklearn.linear_model import SGDClassifier

    fitted = SGDClassifier(loss="hinge", penalty="l1", tol=None, **options).fit(rows, answers)
    return _scaled_to_probabilities(fitted, rows, answers)


def boosted_classifier(options: Options, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Gradient boosting of classification trees."""
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(**options).fit(rows, answers)


def boosted_regressor(options: Options, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Gradient boosting of regression trees."""
    from sklearn.ensemble import GradientBoostingRegressor

    return GradientBoostingRegressor(**options).fit(rows, answers)


def forest_classifier(options: Options, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Forest of classification trees; "Replicate" gives every tree all rows."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(**_resampled(options)).fit(rows, answers)


def forest_regressor(options: Options, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Forest of regression trees; "Replicate" gives every tree all rows."""
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(**_resampled(options)).fit(rows, answers)


def network_classifier(options: Options, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Fully connected network, trained by gradient descent."""
    from sklearn.neural_network import MLPClassifier

    return _bare(MLPClassifier(**_layered(options)).fit(rows, answers))


def network_regressor(options: Options, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Fully connected network; it learns the scaled label, the last layer scales back."""
    from sklearn.neural_network import MLPRegressor

    mean, deviation = float(answers.mean()), float(answers.std()) or 1.0
    fitted = MLPRegressor(**_layered(options)).fit(rows, (answers - mean) / deviation)
    fitted.coefs_[-1] = fitted.coefs_[-1] * deviation
    fitted.intercepts_[-1] = fitted.intercepts_[-1] * deviation + mean
    return _bare(fitted)


def linear(options: Options, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Least squares with an L2 penalty, or stochastic gradient descent to the same end."""
    from sklearn.linear_model import Ridge, SGDRegressor

    descent = {key: options.pop(key) for key in ("eta0", "max_iter", "decrease")}
    if options.pop("method") == "Ordinary Least Squares":
        return Ridge(**options).fit(rows, answers)
    mean, deviation = float(answers.mean()), float(answers.std()) or 1.0
    fitted = SGDRegressor(
        alpha=options["alpha"],
        random_state=options["random_state"],
        learning_rate="invscaling" if descent.pop("decrease") else "constant",
        average=True,
        tol=None,
        **descent,
    ).fit(rows, (answers - mean) / deviation)
    return _line(fitted.coef_ * deviation, float(fitted.intercept_[0]) * deviation + mean)


def poisson(options: Options, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Poisson regression, kept as the line whose exponential is the answer."""
    from sklearn.linear_model import PoissonRegressor

    if (answers < 0).any():
        raise BadTable("Poisson Regression takes no negative labels")
    fitted = PoissonRegressor(solver="newton-cholesky", max_iter=1000, **options).fit(rows, answers)
    return _line(fitted.coef_, float(fitted.intercept_))


def bayesian(options: Options, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Bayesian line: the weight is the precision of the prior by that of the noise (Bishop, 3.3).

    The precision of the noise is estimated from the residuals.
    """
    from sklearn.linear_model import BayesianRidge

    weight = float(options["weight"])
    offset, mean = rows.mean(axis=0), float(answers.mean())
    centred = rows - offset
    precision = centred.T @ centred + weight * np.eye(rows.shape[1])
    coefficients = np.linalg.solve(precision, centred.T @ (answers - mean))
    residual = answers - mean - centred @ coefficients
    noise = max(float((residual**2).mean()), np.finfo(float).tiny)
    fitted = BayesianRidge()
    fitted.coef_, fitted.intercept_ = coefficients, mean - float(offset @ coefficients)
    fitted.alpha_, fitted.lambda_ = 1.0 / noise, weight / noise
    fitted.sigma_ = noise * np.linalg.inv(precision)
    fitted.X_offset_, fitted.n_features_in_ = offset, rows.shape[1]
    return fitted


def predicted(estimator: Any, rows: np.ndarray) -> list[np.ndarray]:
    """The answer of each row."""
    return [np.asarray(estimator.predict(rows), dtype=float)]


def exponential(estimator: Any, rows: np.ndarray) -> list[np.ndarray]:
    """The exponential of each row's answer."""
    return [np.exp(np.minimum(estimator.predict(rows), LOG_ANSWER_MAX))]


def spread_of_trees(estimator: Any, rows: np.ndarray) -> list[np.ndarray]:
    """Mean and standard deviation of what the trees answer."""
    answers = np.array([tree.predict(rows) for tree in estimator.estimators_])
    return [answers.mean(axis=0), answers.std(axis=0)]


def spread_of_line(estimator: Any, rows: np.ndarray) -> list[np.ndarray]:
    """Mean and standard deviation of the answer that the line expects."""
    centred = rows - estimator.X_offset_
    variance = ((centred @ estimator.sigma_) * centred).sum(axis=1) + 1.0 / estimator.alpha_
    return [np.asarray(estimator.predict(rows), dtype=float), np.sqrt(variance)]


def _line(coefficients: np.ndarray, intercept: float) -> Any:
    from sklearn.linear_model import Ridge

    line = Ridge()
    line.coef_, line.intercept_ = np.asarray(coefficients, dtype=float), intercept
    line.n_features_in_ = len(coefficients)
    return line


def _scaled_to_probabilities(fitted: Any, rows: np.ndarray, answers: np.ndarray) -> Any:
    """Platt's scaling, with his smoothed targets: a logistic regression on the margin."""
    from sklearn.linear_model import LogisticRegression

    margin = fitted.decision_function(rows)
    spread = float(margin.std()) or 1.0
    positive = answers == 1
    high = (positive.sum() + 1) / (positive.sum() + 2)
    low = 1 / ((~positive).sum() + 2)
    target = np.where(positive, high, low)
    twice = np.concatenate([margin, margin]).reshape(-1, 1) / spread
    labels = np.repeat([1, 0], len(margin))
    weights = np.concatenate([target, 1 - target])
    scale = LogisticRegression(C=WEAKEST_PENALTY, max_iter=1000)
    scale.fit(twice, labels, sample_weight=weights)
    slope = scale.coef_ / spread
    scale.coef_ = slope * fitted.coef_
    scale.intercept_ = slope[0] * fitted.intercept_ + scale.intercept_
    scale.n_features_in_ = rows.shape[1]
    return scale


def _resampled(options: Options) -> dict[str, Any]:
    method = str(options.pop("resampling"))
    return {**options, "bootstrap": method.startswith("Bagging")}


def _layered(options: Options) -> dict[str, Any]:
    text = str(options.pop("layers"))
    try:
        layers = tuple(int(item) for item in text.split(","))
    except ValueError as error:
        raise BadParameter(
            f"parameter 'Number of hidden nodes' must be whole numbers, not {text[:100]!r}"
        ) from error
    if len(layers) > LAYERS_MAX or not all(1 <= nodes <= LAYER_NODES_MAX for nodes in layers):
        raise BadParameter(
            f"parameter 'Number of hidden nodes' must name at most {LAYERS_MAX} layers of 1 to "
            f"{LAYER_NODES_MAX} nodes, not {text[:100]!r}"
        )
    return {"hidden_layer_sizes": layers, "solver": "sgd", "tol": 0.0, **options}


def _bare(network: Any) -> Any:
    """The network without what only its training needs."""
    for name in ("_optimizer", "_random_state", "loss_curve_", "_no_improvement_count"):
        network.__dict__.pop(name, None)
    network.random_state = 0
    return network
