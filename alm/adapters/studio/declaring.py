"""What `alm init` writes: from what services say of themselves to the text of a declaration. Pure.

The kind of model is told by what it answers: `Scored Probabilities` is a two-class model's,
`Scored Probabilities for Class …` a multi-class model's, anything else is taken for a regression.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from alm.adapters.studio.inspect import Description
from alm.adapters.studio.swagger import Port
from alm.domain.errors import Misconfigured
from alm.domain.nearest import printable
from alm.ports import Cell, Row

Task = Literal["two-class", "multi-class", "regression"]
Answers = Mapping[str, str | None]

HEADER = """\
# Written by `alm init` from {names}.
# Read it through; these are guesses: the pattern of the datasets, the gate's thresholds, which
# output of the training service is what, the rows of the smoke test, the order of the targets.
# `managed_models/churn.yaml` of the project shows everything that can be declared.
"""
METRICS: Mapping[Task, list[dict[str, Any]]] = {
    "two-class": [{"name": "auc", "min": 0.7}, {"name": "accuracy", "min": 0.7}],
    "multi-class": [{"name": "accuracy", "min": 0.7}],
    "regression": [{"name": "r2", "min": 0.2}],
}
NUMBERS = {"integer": "0", "number": "0.0", "boolean": "false"}
PROPAGATION_SECONDS = 30


@dataclass(frozen=True)
class Known:
    """What is known of the services: `answers` is what the first target says to its example row."""

    targets: tuple[Description, ...]
    training: Description | None
    answers: Answers


def declaration(
    model: str, known: Known, named: Sequence[str], more: Mapping[str, Any] | None = None
) -> str:
    """The YAML text of a managed model. named: its services, as a person named them; more:
    sections that a person gave.
    """
    names = ", ".join(map(printable, named))
    return text_of({**document_of(model, known), **(more or {})}, names)


def text_of(document: Mapping[str, Any], names: str) -> str:
    """A declaration as YAML. names: what it was written from."""
    body = yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=100)
    return HEADER.format(names=names) + body


def document_of(model: str, known: Known) -> dict[str, Any]:
    """A managed model as a document."""
    task = task_of(known.answers)
    document: dict[str, Any] = {"model": model}
    if known.training is not None:
        document["dataset"] = f"{model}/*.csv"
        document["training"] = _training(known.training)
        if not label_of(known):
            document["training"]["outputs"]["scored"] = ""  # without it nothing can be measured
    document["gate"] = gate_of(task, label_of(known))
    document["targets"] = [
        _target(target, f"{model}-{place}", place)
        for place, target in enumerate(known.targets, start=1)
    ]
    document["smoke_tests"] = [smoke_test(task, known)]
    return document


def task_of(answers: Answers) -> Task:
    """The kind of model that answers like this."""
    if any(name.startswith("Scored Probabilities for Class") for name in answers):
        return "multi-class"
    return "two-class" if "Scored Probabilities" in answers else "regression"


def answers_of(target: Description, score: Callable[[Row], Answers]) -> Answers:
    """What a target answers to the row of its own example."""
    if not (target.api.inputs and target.api.outputs):
        raise Misconfigured(f"{target.name} has no web service input and output that can be scored")
    return score(example(target))


def example(target: Description) -> dict[str, Cell]:
    """One row for the target: the service's own example, else a zero of each column's type."""
    port = target.api.inputs[0]
    given = target.api.examples.get(port.name, {})
    names = [column.name for column in port.columns] or list(given)
    return {name: _cell(given.get(name), _type(port, name)) for name in names}


def _type(port: Port, name: str) -> str:
    return next((column.type for column in port.columns if column.name == name), "string")


def _cell(value: object, kind: str) -> Cell:
    text = NUMBERS.get(kind, "") if value is None else str(value)
    try:
        match kind:
            case "integer":
                return int(float(text))
            case "number":
                return float(text)
            case "boolean":
                return text.lower() in ("true", "1")
            case _:
                return text
    except ValueError:
        return text  # the example is not what the column says; people will see


def _training(description: Description) -> dict[str, Any]:
    api = description.api
    tables = [port.name for port in api.batch_outputs if port.name not in api.files]
    outputs = {"model": api.files[0], "evaluation": "", "scored": ""}
    outputs |= dict(zip(("evaluation", "scored"), tables, strict=False))
    parameters = {name: value for name, value in api.parameters.items() if value is not None}
    return {
        "service": description.service.model_dump(exclude_defaults=True),
        "input": api.inputs[0].name if api.inputs else "",
        "outputs": outputs,
        "parameters": parameters,
    }


def gate_of(task: Task, label: str) -> dict[str, Any]:
    """A gate for this kind of model; the thresholds are guesses."""
    gate: dict[str, Any] = {"task": task, "metrics": METRICS[task]}
    return {**gate, "label": label} if label else gate


def label_of(known: Known) -> str:
    """The column that the training service reads and the scoring service does not."""
    if known.training is None or not known.training.api.inputs:
        return ""
    features = {column.name for column in known.targets[0].api.inputs[0].columns}
    given = [column.name for column in known.training.api.inputs[0].columns]
    left = [name for name in given if name not in features]
    return left[-1] if left else ""


def _target(description: Description, name: str, wave: int) -> dict[str, Any]:
    return {
        "name": name,
        "service": description.service.model_dump(exclude_defaults=True),
        "trained_model": description.resources[0].name,
        "wave": wave,
        "propagation_seconds": PROPAGATION_SECONDS,
    }


def smoke_test(task: Task, known: Known) -> dict[str, Any]:
    """The first target's own example, and what every model of this kind answers to it."""
    target = known.targets[0]
    test: dict[str, Any] = {"name": "example", "rows": [example(target)]}
    test["input"] = target.api.inputs[0].name
    test["output"] = target.api.outputs[0].name
    expect = _expectation(task, known.answers)
    return {**test, "expect": [expect]} if expect else test


def _expectation(task: Task, answers: Answers) -> dict[str, Any]:
    """What every model of this kind answers: a probability, or a number around the present one."""
    if task == "two-class":
        return {"column": "Scored Probabilities", "min": 0, "max": 1}
    column = next((name for name in answers if name.startswith("Scored")), "")
    if task == "multi-class" or not column:
        return {}
    try:
        value = float(answers[column] or "")
    except ValueError:
        return {}
    room = max(abs(value) * 10, 1000)
    return {"column": column, "min": round(value - room), "max": round(value + room)}
