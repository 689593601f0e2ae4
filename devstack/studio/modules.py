"""Modules: the building blocks of graphs. One table, one function per module.

A module takes its parameters (text, as Studio keeps them) and the values at its input ports, and
gives the values of its output ports. Ids are those of Studio's global workspace where they are
known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import numpy as np

from devstack.studio.catalogue.module import (
    DATASET,
    GLOBAL_WORKSPACE,
    LEARNER,
    TRAINED_MODEL,
    TRANSFORM,
    Module,
    Parameter,
    Parameters,
    Value,
    Values,
    dataset,
    describe,
)
from devstack.studio.learning.evaluation import evaluate
from devstack.studio.learning.failures import BadParameter, BadTable
from devstack.studio.learning.learners import LEARNERS, Learner, number_parameter
from devstack.studio.learning.tables import Table
from devstack.studio.learning.training import TrainedModel, train

__all__ = [
    "DATASET", "LEARNER", "TRAINED_MODEL", "TRANSFORM", "GLOBAL_WORKSPACE",
    "MODULES", "Module", "Parameter", "Value", "catalogue", "column_names", "module_named_by",
]  # fmt: skip


def catalogue() -> list[dict[str, Any]]:
    """Every module by name: id, name, family, category, inputs, outputs, parameters."""
    return [describe(name, module) for name, module in sorted(MODULES.items())]


def module_named_by(module_id: str) -> str | None:
    """The name of the module with this id, of any version; None when there is none."""
    parts = module_id.split(".")
    family = parts[1] if len(parts) > 1 else module_id
    return _BY_FAMILY.get(family)


def column_names(parameter: str) -> list[str]:
    """The columns that a column picker selects: plain names, or Studio's URL-encoded rules."""
    if not parameter.startswith(("{", "%7B", "%7b")):
        return [parameter] if parameter else []
    try:
        rules = json.loads(unquote(parameter)).get("rules", [])
        return [str(name) for rule in rules if not rule.get("exclude") for name in rule["columns"]]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadParameter(f"the column selection {parameter[:200]!r} cannot be read") from error


def _split(parameters: Parameters, values: Values) -> Values:
    """Split rows at random; with a key column each of its values is split in proportion."""
    table = dataset(values, "Dataset")
    fraction = _test_fraction(parameters)
    seed = number_parameter(parameters, "Random seed", 0)
    if seed < 0:
        raise BadParameter(f"parameter 'Random seed' must be 0 or more, not {seed}")
    if len(table.rows) < 2:
        raise BadTable(f"the dataset has {len(table.rows)} rows, at least 2 are needed to split it")
    keys = column_names(parameters.get("Stratification key column", ""))
    held_out = _held_out(table, keys, fraction, int(seed))
    rest = [at for at in range(len(table.rows)) if at not in held_out]
    return {
        "Results dataset1": table.take(rest),
        "Results dataset2": table.take(sorted(held_out)),
    }


def _test_fraction(parameters: Parameters) -> float:
    fraction = float(number_parameter(parameters, "Test fraction", 0.3))
    if not 0 < fraction < 1:
        raise BadParameter(f"parameter 'Test fraction' must be between 0 and 1, not {fraction}")
    return fraction


def _held_out(table: Table, keys: list[str], fraction: float, seed: int) -> set[int]:
    generator = np.random.default_rng(seed)
    groups: dict[tuple[str | None, ...], list[int]] = {}
    columns = [table.column(name) for name in keys]
    for at in range(len(table.rows)):
        groups.setdefault(tuple(column[at] for column in columns), []).append(at)
    chosen: set[int] = set()
    for group in groups.values():
        count = round(len(group) * fraction)
        chosen |= {int(at) for at in generator.permutation(group)[:count]}
    if not chosen or len(chosen) == len(table.rows):
        raise BadTable(f"{len(table.rows)} rows are too few to set aside a share of {fraction}")
    return chosen


def _train_model(parameters: Parameters, values: Values) -> Values:
    labels = column_names(parameters.get("Label column", ""))
    if len(labels) != 1:
        raise BadParameter("parameter 'Label column' must select one column")
    learner = values["Untrained model"]
    if not isinstance(learner, Learner):
        raise BadParameter("port 'Untrained model' needs a learner")
    return {"Trained model": train(learner, dataset(values, "Dataset"), labels[0])}


def _score_model(parameters: Parameters, values: Values) -> Values:
    model = values["Trained model"]
    if not isinstance(model, TrainedModel):
        raise BadParameter("port 'Trained model' needs a trained model")
    return {"Scored dataset": model.score(dataset(values, "Dataset"))}


def _evaluate_model(parameters: Parameters, values: Values) -> Values:
    return {"Evaluation results": evaluate(dataset(values, "Scored dataset"))}


def _learner(name: str) -> Module:
    def untrained(parameters: Parameters, values: Values) -> Values:
        return {"Untrained model": Learner(name, dict(parameters))}

    family = name.encode().hex()[:32].ljust(32, "0")
    return Module(family, {}, {"Untrained model": LEARNER}, untrained)


MODULES: Mapping[str, Module] = {
    "Split Data": Module(
        "70530644c97a4ab685f788bf30a8be5f",
        {"Dataset": DATASET},
        {"Results dataset1": DATASET, "Results dataset2": DATASET},
        _split,
    ),
    "Train Model": Module(
        "5cc7053eaa30450d96c0dae4be720977",
        {"Untrained model": LEARNER, "Dataset": DATASET},
        {"Trained model": TRAINED_MODEL},
        _train_model,
    ),
    "Score Model": Module(
        "401b4f92e7244d5abe81d5b0ff9bdb33",
        {"Trained model": TRAINED_MODEL, "Dataset": DATASET},
        {"Scored dataset": DATASET},
        _score_model,
    ),
    "Evaluate Model": Module(
        "927d65ac3b50488aaae26bb8a4b63a06",
        {"Scored dataset": DATASET},
        {"Evaluation results": DATASET},
        _evaluate_model,
    ),
    **{name: _learner(name) for name in LEARNERS},
}

_BY_FAMILY: Mapping[str, str] = {module.family: name for name, module in MODULES.items()}
assert len(_BY_FAMILY) == len(MODULES), "two modules have the same family"
