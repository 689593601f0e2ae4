"""Managed models to show and to test with: their targets in Studio, and their declarations.

`prepare` makes the demo's two. `small` makes one with the least that a run needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from devstack.demo import tables
from devstack.demo.operator import Operator
from devstack.demo.studio import Scoring, Studio
from devstack.demo.tables import Dataset

GATE_CONTAINER = "gate-rows"
KNOWN_ROWS = (0, 7, 21)
CLEAR_CUT_ROW = 129  # malignant beyond doubt: sound models give it a chance of 0.01 % at most


@dataclass(frozen=True)
class Demonstrated:
    """One managed model with everything the demo needs to look at it."""

    name: str
    table: Dataset
    training_rows: Dataset
    gate_rows: Dataset
    targets: tuple[Scoring, ...]
    declaration: Mapping[str, Any]
    staging: Scoring | None = None
    training_path: str = ""  # of a training service of its own: `/services/{id}/`

    @property
    def known_rows(self) -> list[dict[str, str]]:
        return [self.gate_rows.features(at) for at in KNOWN_ROWS]


@dataclass(frozen=True)
class Wishes:
    """What a small managed model is to be like.

    targets: the kind of each, in a wave of its own. propagation_seconds: as declared. changes:
    sections of the declaration, laid over the usual ones field by field.
    """

    targets: tuple[Literal["classic", "new"], ...] = ("classic",)
    staging: bool = False
    propagation_seconds: float = 1
    changes: Mapping[str, Any] = field(default_factory=dict)


def prepare(studio: Studio, operator: Operator, folder: Path) -> dict[str, Demonstrated]:
    """Make the targets over Studio's wire, upload the gate's rows, write the declarations."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {
        "cancer": _cancer(studio, operator),
        "diabetes": _diabetes(studio, operator),
    }
    for model in made.values():
        write(folder, model.declaration)
    return made


def small(studio: Studio, operator: Operator, name: str, wishes: Wishes) -> Demonstrated:
    """Make one with endpoints of its own, so that nothing done to it is seen by another.

    It trains on the cancer table. Its gate reads the evaluation table; with `staging` it compares
    both models on rows that only the gate sees.
    """
    training = studio.sample("cancer", "training", "classic")
    trainer = studio.add_endpoint(training["web_service_id"], name)
    training_rows, gate_rows = tables.halves(tables.cancer())
    made = [
        _small_target(studio, kind, f"{name}-{number}")
        for number, kind in enumerate(wishes.targets, start=1)
    ]
    declaration = _small_declaration(name, trainer, gate_rows) | {
        "targets": [
            _declared(one, resource, number, wishes)
            for number, (one, resource) in enumerate(made, start=1)
        ]
    }
    staging: Scoring | None = None
    if wishes.staging:
        operator.upload(GATE_CONTAINER, f"{name}.csv", gate_rows.csv)
        staging, resource = _small_target(studio, "classic", f"{name}-staging")
        declaration["staging"] = {**_declared(staging, resource, 1, wishes), "name": "staging"}
        metrics = [{"name": "auc", "min": 0.8, "max_regression": 0.1}]
        declaration["gate"] |= {**_same_rows(name), "metrics": metrics}
    declaration = _laid_over(declaration, wishes.changes)
    targets, path = tuple(one for one, _ in made), studio.execution_path(trainer)
    table = tables.cancer()
    return Demonstrated(name, table, training_rows, gate_rows, targets, declaration, staging, path)


def clear_cut(row: int = CLEAR_CUT_ROW, most: float = 0.002, **more: Any) -> dict[str, Any]:
    """A smoke test that a soundly trained model passes, and one trained on worn data does not."""
    rows = [tables.halves(tables.cancer())[1].features(row)]
    expected = {"column": "Scored Probabilities", "max": most}
    return {"name": "clear-cut-patient", "rows": rows, "expect": [expected], **more}


def write(folder: Path, declaration: Mapping[str, Any]) -> None:
    text = yaml.safe_dump(dict(declaration), sort_keys=False, allow_unicode=True)
    (folder / f"{declaration['model']}.yaml").write_text(text)


def _cancer(studio: Studio, operator: Operator) -> Demonstrated:
    table = tables.cancer()
    gate = {
        "task": "two-class",
        "metrics": [
            {"name": "auc", "min": 0.9, "max_regression": 0.05},
            {"name": "accuracy", "min": 0.85},
        ],
    }
    tests = [clear_cut(targets=["cancer-eu"])]
    return _model(studio, operator, "cancer", table, gate, tests)


def _diabetes(studio: Studio, operator: Operator) -> Demonstrated:
    plausible = [{"column": "Scored Labels", "min": 0, "max": 400}]
    gate = {
        "task": "regression",
        "metrics": [{"name": "r2", "min": 0.25}, {"name": "rmse", "max_regression": 10}],
    }
    table = tables.diabetes()
    model = _model(studio, operator, "diabetes", table, gate, [])
    tests = [{**test, "expect": plausible} for test in model.declaration["smoke_tests"]]
    declaration = {**model.declaration, "smoke_tests": tests}
    return Demonstrated(**{**model.__dict__, "declaration": declaration})


def _model(
    studio: Studio,
    operator: Operator,
    name: str,
    table: Dataset,
    gate: Mapping[str, Any],
    more_tests: list[dict[str, Any]],
) -> Demonstrated:
    """A managed model with a classic endpoint, a web service in another region, and a staging."""
    scoring = studio.sample(name, "scoring", "classic", "ep2")
    source = studio.sample(name, "scoring", "new")
    live = studio.add_endpoint(scoring["web_service_id"], "live")
    staging = studio.add_endpoint(scoring["web_service_id"], "staging")
    abroad = studio.add_new_service(
        source["arm_resource_id"], f"{name}-eu", "West Europe", "plan-westeurope"
    )
    training_rows, gate_rows = tables.halves(table)
    operator.upload(GATE_CONTAINER, f"{name}.csv", gate_rows.csv)
    known = [gate_rows.features(at) for at in KNOWN_ROWS]
    training = studio.sample(name, "training", "classic")
    declaration = {
        "model": name,
        "dataset": f"{name}/*.csv",
        "training": _training(
            {
                "kind": "classic",
                "endpoint": studio.endpoint_url(training["web_service_id"], training["endpoint"]),
            },
            deadline_minutes=30,
        ),
        "gate": {**gate, "label": tables.LABEL, **_same_rows(name)},
        "staging": _target("staging", staging.service, scoring["resource_name"], 1),
        "targets": [
            _target(f"{name}-us", live.service, scoring["resource_name"], 1),
            _target(f"{name}-eu", abroad.service, source["resource_name"], 2),
        ],
        "smoke_tests": [{"name": "known-rows", "rows": known}, *more_tests],
    }
    return Demonstrated(name, table, training_rows, gate_rows, (live, abroad), declaration, staging)


def _training(service: Mapping[str, str], deadline_minutes: float) -> dict[str, Any]:
    return {
        "service": dict(service),
        "outputs": {"model": "output1", "evaluation": "output2", "scored": "output3"},
        "parameters": {"Random seed": "7"},
        "poll_seconds_min": 0.2,
        "poll_seconds_max": 2,
        "deadline_minutes": deadline_minutes,
    }


def _same_rows(name: str) -> dict[str, Any]:
    return {
        "compare": "same-rows",
        "rows_blob": f"{GATE_CONTAINER}/{name}.csv",
        "staging": "staging",
    }


def _small_declaration(name: str, trainer: Scoring, gate_rows: Dataset) -> dict[str, Any]:
    """All but the targets."""
    return {
        "model": name,
        "dataset": f"{name}/*.csv",
        "training": _training(trainer.service, deadline_minutes=5),
        "gate": {
            "task": "two-class",
            "label": tables.LABEL,
            "metrics": [{"name": "auc", "min": 0.8}],
        },
        "smoke_tests": [
            {"name": "known-rows", "rows": [gate_rows.features(at) for at in KNOWN_ROWS]}
        ],
    }


def _small_target(
    studio: Studio, kind: Literal["classic", "new"], name: str
) -> tuple[Scoring, str]:
    """A target of one kind, with the name of the resource that holds its model."""
    if kind == "classic":
        source = studio.sample("cancer", "scoring", "classic", "ep2")
        return studio.add_endpoint(source["web_service_id"], name), source["resource_name"]
    source = studio.sample("cancer", "scoring", "new")
    made = studio.add_new_service(
        source["arm_resource_id"], name, "South Central US", "plan-southcentralus"
    )
    return made, source["resource_name"]


def _declared(one: Scoring, resource: str, wave: int, wishes: Wishes) -> dict[str, Any]:
    seconds = {"propagation_seconds": wishes.propagation_seconds}
    return {**_target(one.name, one.service, resource, wave), **seconds}


def _laid_over(usual: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The usual sections with changes in some of their fields."""
    laid = dict(usual)
    for name, change in changes.items():
        both = isinstance(change, Mapping) and isinstance(usual.get(name), Mapping)
        laid[name] = _laid_over(usual[name], change) if both else change
    return laid


def _target(name: str, service: Mapping[str, str], resource: str, wave: int) -> dict[str, Any]:
    return {
        "name": name,
        "service": dict(service),
        "trained_model": resource,
        "wave": wave,
        "propagation_seconds": 3,
    }
