"""Tuning and cross-validation: which settings are tried, which is the best, what comes out."""

from __future__ import annotations

import pytest

from devstack.studio.learning.evaluation import evaluate
from devstack.studio.learning.failures import LearningFailure
from devstack.studio.learning.ilearner import write_model
from devstack.studio.learning.learners import Learner
from devstack.studio.learning.tables import Table
from devstack.studio.learning.training import TrainedModel, train
from devstack.studio.modules import Value
from tests.devstack.studio.tables_of_sklearn import run_module, table_for, table_of

LABEL = {"Name or numerical index of the label column": "target"}
TREES, DEPTH = "Number of decision trees", "Maximum depth of the decision trees"
LEAF = "Minimum number of samples per leaf node"


def forest(task: str = "Two-Class Decision Forest", **ranges: str) -> Learner:
    """A forest in the mode of ranges: few trees, and no more values than the test needs."""
    return Learner(
        task,
        {
            "Create trainer mode": "ParameterRange",
            "Range for number of decision trees": ranges.get("trees", "2"),
            "Range for the maximum depth of the decision trees": ranges.get("depth", "1; 6"),
            "Range for the minimum number of samples per leaf node": ranges.get("leaf", "1"),
        },
    )


def tuned(learner: Learner, table: Table, **given: str) -> tuple[Table, TrainedModel]:
    """Sweep results and the best model, with parameters named by their first word."""
    inputs: dict[str, Value] = {"Untrained model": learner, "Training dataset": table}
    names = {
        "mode": "Specify parameter sweeping mode",
        "runs": "Maximum number of runs on random sweep",
        "seed": "Random seed",
        "metric": "Metric for measuring performance for classification",
        "error": "Metric for measuring performance for regression",
    }
    parameters = {**LABEL, **{names[key]: value for key, value in given.items()}}
    values = run_module("Tune Model Hyperparameters", inputs, parameters)
    results, best = values["Sweep results"], values["Trained best model"]
    assert isinstance(results, Table)
    assert isinstance(best, TrainedModel)
    return results, best


def test_the_entire_grid_is_tried_and_the_best_comes_first() -> None:
    table = table_for("two-class")

    results, best = tuned(forest(depth="1; 6", leaf="1; 40"), table, mode="Entire grid")

    tried = set(zip(results.column(DEPTH), results.column(LEAF), strict=True))
    accuracies = [float(cell or "nan") for cell in results.column("Accuracy")]
    assert {("1", "1"), ("1", "40"), ("6", "1"), ("6", "40")} == tried
    assert sorted(accuracies, reverse=True) == accuracies
    assert accuracies[0] > accuracies[-1]
    winner = dict(zip(results.columns, results.rows[0], strict=True))
    assert str(best.estimator.max_depth) == winner[DEPTH]
    assert str(best.estimator.min_samples_leaf) == winner[LEAF]


def test_the_best_model_is_that_of_its_settings_trained_on_all_rows() -> None:
    table = table_for("multi-class")
    learner = forest("Multiclass Decision Forest", depth="1; 4")

    results, best = tuned(learner, table, mode="Entire grid", metric="Recall")

    depth = results.column(DEPTH)[0] or ""
    alone = Learner("Multiclass Decision Forest", {TREES: "2", DEPTH: depth})
    assert write_model(train(alone, table, "target")) == write_model(best)


def test_an_error_is_better_when_it_is_lower() -> None:
    learner = forest("Decision Forest Regression", depth="1; 5", trees="8")

    results, _ = tuned(
        learner, table_for("regression"), mode="Entire grid", error="Root of mean squared error"
    )

    errors = [float(cell or "nan") for cell in results.column("Root Mean Squared Error")]
    assert sorted(errors) == errors
    assert errors[0] < errors[-1]


@pytest.mark.parametrize("mode", ["Random sweep", "Random grid"])
def test_a_random_sweep_tries_so_many_settings_and_repeats_itself_under_its_seed(mode: str) -> None:
    learner = forest(depth="1-9", leaf="1-30", trees="1-3")
    table = table_for("two-class").take(range(0, 569, 4))

    first, best = tuned(learner, table, mode=mode, runs="4", seed="7")
    again, best_again = tuned(learner, table, mode=mode, runs="4", seed="7")
    other, _ = tuned(learner, table, mode=mode, runs="4", seed="8")

    assert 4 == len(first.rows)
    assert first == again
    assert write_model(best) == write_model(best_again)
    assert {tuple(row[:3]) for row in first.rows} != {tuple(row[:3]) for row in other.rows}


def test_a_validation_dataset_judges_instead_of_folds() -> None:
    table = table_for("two-class")
    learned, judged = table.take(range(0, 569, 2)), table.take(range(1, 569, 2))
    inputs: dict[str, Value] = {
        "Untrained model": forest(depth="1; 6"),
        "Training dataset": learned,
        "Validation dataset": judged,
    }
    parameters = {**LABEL, "Specify parameter sweeping mode": "Entire grid"}

    values = run_module("Tune Model Hyperparameters", inputs, parameters)

    results, best = values["Sweep results"], values["Trained best model"]
    assert isinstance(results, Table)
    assert isinstance(best, TrainedModel)
    expected = evaluate(best.score(judged))
    assert expected.column("Accuracy")[0] == results.column("Accuracy")[0]


def test_a_learner_without_ranges_is_tuned_over_studios_default_ranges() -> None:
    table = table_for("regression")

    results, _ = tuned(Learner("Poisson Regression"), table, mode="Entire grid")
    bayesian, _ = tuned(Learner("Bayesian Linear Regression"), table)

    weights = {float(cell or "nan") for cell in results.column("L2 regularization weight")}
    assert {0.01, 0.1, 1.0} == weights
    assert 1 == len(bayesian.rows)


@pytest.mark.parametrize(
    ("learner", "given", "message"),
    [
        (forest(depth="1-900", leaf="1-900"), {"mode": "Entire grid"}, "grid has 810000 settings"),
        (forest("Multiclass Decision Forest"), {"metric": "AUC"}, "is judged by one of Accuracy"),
        (forest(trees="0"), {}, "must be at least 1, not 0"),
        (forest(trees="many"), {}, "'Range for number of decision trees' cannot be read"),
        (forest(), {"runs": "0"}, "must be at least 1"),
        (forest(), {"mode": "Guess"}, "must be one of 'Random sweep'"),
        (forest(), {"metric": "Beauty"}, "must be one of 'Accuracy'"),
    ],
)
def test_a_sweep_that_cannot_be_is_named(
    learner: Learner, given: dict[str, str], message: str
) -> None:
    table = table_for("multi-class" if "Multi" in learner.name else "two-class")

    with pytest.raises(LearningFailure, match=message):
        tuned(learner, table, **given)


def test_too_few_rows_for_the_folds_are_named() -> None:
    with pytest.raises(LearningFailure, match="has 3 labelled rows, 5 folds need 10"):
        tuned(forest(), table_of("a,target\n1,0\n2,1\n3,0"))


@pytest.mark.parametrize(
    ("learner", "task"),
    [
        ("Two-Class Logistic Regression", "two-class"),
        ("Multiclass Logistic Regression", "multi-class"),
        ("Linear Regression", "regression"),
    ],
)
def test_cross_validation_scores_every_row_once(learner: str, task: str) -> None:
    table = table_for(task)
    inputs: dict[str, Value] = {"Untrained model": Learner(learner), "Dataset": table}

    values = run_module("Cross Validate Model", inputs, {**LABEL, "Random seed": "3"})

    scored, by_fold = values["Scored results"], values["Evaluation results by fold"]
    assert isinstance(scored, Table)
    assert isinstance(by_fold, Table)
    assert table.column("target") == scored.column("target")
    folds = scored.column("Fold Number")
    assert {str(at) for at in range(10)} == set(folds)
    assert [*map(str, range(10)), "Mean", "Standard Deviation"] == by_fold.column("Fold Number")
    assert [str(folds.count(str(at))) for at in range(10)] == (
        by_fold.column("Number of examples in fold")[:10]
    )
    whole = {"two-class": "AUC", "multi-class": "Overall accuracy"}.get(task, "Mean Absolute Error")
    together = float(evaluate(scored).column(whole)[0] or "nan")
    mean = float(by_fold.column(whole)[10] or "nan")
    assert together == pytest.approx(mean, rel=0.05)
