"""Modules that make and judge models: learners, train, tune, score, evaluate, cross-validate."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devstack.studio.catalogue.columns import one_column
from devstack.studio.catalogue.module import (
    DATASET,
    LEARNER,
    TRAINED_MODEL,
    Module,
    Parameter,
    Parameters,
    Values,
    value_at,
)
from devstack.studio.learning.evaluation import compare
from devstack.studio.learning.learners import (
    LEARNERS,
    SINGLE,
    TRAINER_MODE,
    TRAINER_MODES,
    Learner,
    LearnerKind,
)
from devstack.studio.learning.options import Option, boolean_parameter, choice_parameter
from devstack.studio.learning.sweeping import CLASS_METRICS, METHODS, REGRESSION_METRICS, Sweep
from devstack.studio.learning.tables import Table
from devstack.studio.learning.training import TrainedModel, train
from devstack.studio.learning.validation import cross_validate

LABEL = ("Label column", "Name or numerical index of the label column")
LONG_LABEL = LABEL[::-1]
METHOD, RUNS, SEED = (
    "Specify parameter sweeping mode",
    "Maximum number of runs on random sweep",
    "Random seed",
)
CLASS_METRIC = "Metric for measuring performance for classification"
REGRESSION_METRIC = "Metric for measuring performance for regression"
APPEND = "Append score columns to output"

_SEED_OPTION = Option("seed", 0, least=0, most=2**32 - 1)
_SEED_PARAMETER = Parameter(SEED, "Int", "0", minimum=0, maximum=2**32 - 1)


def _train(parameters: Parameters, values: Values) -> Values:
    table = value_at(values, "Dataset", Table)
    label = one_column(parameters, LABEL, table)
    return {"Trained model": train(value_at(values, "Untrained model", Learner), table, label)}


def _tune(parameters: Parameters, values: Values) -> Values:
    table = value_at(values, "Training dataset", Table)
    validation = values.get("Validation dataset")
    metrics = {CLASS_METRIC: CLASS_METRICS, REGRESSION_METRIC: REGRESSION_METRICS}
    chosen = {
        name: choice_parameter(parameters, name, choices, default=choices[0])
        for name, choices in metrics.items()
    }
    sweep = Sweep(
        method=choice_parameter(parameters, METHOD, METHODS, default=METHODS[0]),
        runs=int(Option("runs", 5, least=1, most=10_000).read(parameters, RUNS)),
        seed=int(_SEED_OPTION.read(parameters, SEED)),
        label=one_column(parameters, LONG_LABEL, table),
        class_metric=chosen[CLASS_METRIC],
        regression_metric=chosen[REGRESSION_METRIC],
    )
    if validation is not None:
        validation = value_at(values, "Validation dataset", Table)
    results, best = sweep.run(value_at(values, "Untrained model", Learner), table, validation)
    return {"Sweep results": results, "Trained best model": best}


def _cross_validate(parameters: Parameters, values: Values) -> Values:
    table = value_at(values, "Dataset", Table)
    learner = value_at(values, "Untrained model", Learner)
    seed = int(_SEED_OPTION.read(parameters, SEED))
    scored, by_fold = cross_validate(
        learner, table, one_column(parameters, LONG_LABEL, table), seed
    )
    return {"Scored results": scored, "Evaluation results by fold": by_fold}


def _score(parameters: Parameters, values: Values) -> Values:
    table = value_at(values, "Dataset", Table)
    scored = value_at(values, "Trained model", TrainedModel).score(table)
    if boolean_parameter(parameters, APPEND, default=True):
        return {"Scored dataset": scored}
    added = [at for at, name in enumerate(scored.columns) if name.startswith("Scored ")]
    return {"Scored dataset": scored.project(added)}


def _evaluate(parameters: Parameters, values: Values) -> Values:
    ports = ("Scored dataset", "Scored dataset to compare")
    scored = [value_at(values, port, Table) for port in ports if port in values or port == ports[0]]
    return {"Evaluation results": compare(scored)}


def _untrained(name: str) -> Callable[[Parameters, Values], Values]:
    def run(parameters: Parameters, values: Values) -> Values:
        return {"Untrained model": Learner(name, dict(parameters))}

    return run


def _learner(name: str, kind: LearnerKind) -> Module:
    task = "Regression" if kind.task == "regression" else "Classification"
    return Module(
        kind.family,
        {},
        {"Untrained model": LEARNER},
        _untrained(name),
        parameters=tuple(_learner_parameters(kind)),
        category=f"Machine Learning / Initialize Model / {task}",
    )


def _learner_parameters(kind: LearnerKind) -> list[Parameter]:
    found = [_parameter(name, option) for name, option in kind.parameters.items()]
    swept = [
        Parameter(option.swept, "ParameterRange", option.sweep)
        for option in kind.parameters.values()
        if option.swept
    ]
    mode = Parameter(TRAINER_MODE, "Mode", SINGLE, TRAINER_MODES)
    return [mode, *found, *swept] if swept else found


def _parameter(name: str, option: Option) -> Parameter:
    types: Mapping[type, str] = {bool: "Boolean", int: "Int", float: "Double", str: "String"}
    kind = "Mode" if option.choices else types[type(option.default)]
    default = str(option.default)
    return Parameter(name, kind, default, option.choices, option.least, option.most)


_LABEL_PARAMETER = Parameter(LONG_LABEL[0], "ColumnPicker", optional=False)

MODELLING: Mapping[str, Module] = {
    "Train Model": Module(
        "5cc7053eaa30450d96c0dae4be720977",
        {"Untrained model": LEARNER, "Dataset": DATASET},
        {"Trained model": TRAINED_MODEL},
        _train,
        parameters=(Parameter(LABEL[0], "ColumnPicker", optional=False),),
        category="Machine Learning / Train",
    ),
    "Tune Model Hyperparameters": Module(
        "038d91b6c2f242a192151f2c20ed1b40",
        {"Untrained model": LEARNER, "Training dataset": DATASET, "Validation dataset": DATASET},
        {"Sweep results": DATASET, "Trained best model": TRAINED_MODEL},
        _tune,
        optional=frozenset({"Validation dataset"}),
        parameters=(
            Parameter(METHOD, "Mode", METHODS[0], METHODS),
            Parameter(RUNS, "Int", "5", minimum=1, maximum=10_000),
            _SEED_PARAMETER,
            _LABEL_PARAMETER,
            Parameter(CLASS_METRIC, "Mode", CLASS_METRICS[0], CLASS_METRICS),
            Parameter(REGRESSION_METRIC, "Mode", REGRESSION_METRICS[0], REGRESSION_METRICS),
        ),
        category="Machine Learning / Train",
    ),
    "Score Model": Module(
        "401b4f92e7244d5abe81d5b0ff9bdb33",
        {"Trained model": TRAINED_MODEL, "Dataset": DATASET},
        {"Scored dataset": DATASET},
        _score,
        parameters=(Parameter(APPEND, "Boolean", "True"),),
        category="Machine Learning / Score",
    ),
    "Evaluate Model": Module(
        "927d65ac3b504694990320f6c1672089",
        {"Scored dataset": DATASET, "Scored dataset to compare": DATASET},
        {"Evaluation results": DATASET},
        _evaluate,
        optional=frozenset({"Scored dataset to compare"}),
        category="Machine Learning / Evaluate",
    ),
    "Cross Validate Model": Module(
        "75fb875d6b864d468bcc74261ade5826",
        {"Untrained model": LEARNER, "Dataset": DATASET},
        {"Scored results": DATASET, "Evaluation results by fold": DATASET},
        _cross_validate,
        parameters=(_LABEL_PARAMETER, _SEED_PARAMETER),
        category="Machine Learning / Evaluate",
    ),
    **{name: _learner(name, kind) for name, kind in LEARNERS.items()},
}
