"""Definitions of the two services that retraining needs: one that trains, one that scores.

Training: dataset `input1` -> split -> train, score, evaluate -> `output1` trained model, `output2`
evaluation, `output3` scored holdout. Scoring: `input1` -> score with the model -> `output1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devstack.studio.definitions import module_uri
from devstack.studio.learning.learners import LEARNERS, REGRESSION
from devstack.studio.modules import MODULES
from devstack.studio.records import AssetSource

MODEL_SUFFIX = " [trained model]"
Columns = Mapping[str, str]


def training_properties(title: str, learner: str, label: str, columns: Columns) -> dict[str, Any]:
    """The definition of a service that trains a learner on the rows of its input.

    Global parameters: Label column, Random seed, Test fraction. `columns` maps names to Number,
    Integer or String.
    """
    modules = {
        "split": "Split Data",
        "learner": learner,
        "train": "Train Model",
        "score": "Score Model",
        "evaluate": "Evaluate Model",
    }
    return {
        **_head(title, _ports({"input1": columns}), _ports({name: {} for name in _OUTPUTS})),
        "assets": {asset: _module_asset(name) for asset, name in modules.items()},
        "parameters": _values({"Label column": label, "Random seed": "0", "Test fraction": "0.3"}),
        "package": {
            "nodes": _training_nodes(label),
            "edges": _training_edges(),
            "graphParameters": _training_parameters(learner),
        },
    }


def scoring_properties(
    title: str, model: str, source: AssetSource, columns: Columns
) -> dict[str, Any]:
    """The definition of a service that scores the rows of its input with a trained model.

    The model's asset is called `model` with MODEL_SUFFIX, as Studio does.
    """
    nodes = {
        "input": {"inputId": "input1"},
        "model": {"assetId": "model"},
        "score": _module("score"),
        "output": {"outputId": "output1"},
    }
    edges = [
        _edge("input", "", "score", "Dataset"),
        _edge("model", "Results dataset", "score", "Trained model"),
        _edge("score", "Scored dataset", "output", ""),
    ]
    location = {"uri": source.uri, "credentials": source.credentials}
    asset = {"name": model + MODEL_SUFFIX, "type": "Resource", "locationInfo": location}
    return {
        **_head(title, _ports({"input1": columns}), _ports({"output1": {}})),
        "assets": {"score": _module_asset("Score Model"), "model": asset},
        "parameters": {},
        "package": {"nodes": nodes, "edges": edges, "graphParameters": {}},
    }


_OUTPUTS = ("output1", "output2", "output3")


def _training_nodes(label: str) -> dict[str, Any]:
    return {
        "input": {"inputId": "input1"},
        "split": _module("split"),
        "learner": _module("learner"),
        "train": _module("train", {"Label column": label}),
        "score": _module("score"),
        "evaluate": _module("evaluate"),
        "model": {"outputId": "output1"},
        "evaluation": {"outputId": "output2"},
        "scored": {"outputId": "output3"},
    }


def _training_edges() -> list[dict[str, str]]:
    return [
        _edge("input", "", "split", "Dataset"),
        _edge("learner", "Untrained model", "train", "Untrained model"),
        _edge("split", "Results dataset1", "train", "Dataset"),
        _edge("train", "Trained model", "score", "Trained model"),
        _edge("split", "Results dataset2", "score", "Dataset"),
        _edge("score", "Scored dataset", "evaluate", "Scored dataset"),
        _edge("train", "Trained model", "model", ""),
        _edge("evaluate", "Evaluation results", "evaluation", ""),
        _edge("score", "Scored dataset", "scored", ""),
    ]


def _training_parameters(learner: str) -> dict[str, Any]:
    label_links = [("train", "Label column")]
    if LEARNERS[learner].task != REGRESSION:
        label_links.append(("split", "Stratification key column"))
    seeds = [("split", "Random seed"), ("learner", "Random number seed")]
    return {
        "Label column": _parameter("String", "The column to predict.", label_links),
        "Random seed": _parameter("Int", "Seed of split and learner.", seeds),
        "Test fraction": _parameter(
            "Double", "Share of the rows set aside to evaluate.", [("split", "Test fraction")]
        ),
    }


def _parameter(kind: str, description: str, links: list[tuple[str, str]]) -> dict[str, Any]:
    linked = [{"nodeId": node, "parameterKey": key} for node, key in links]
    return {"description": description, "type": kind, "links": linked}


def _head(title: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "packageType": "Graph",
        "title": title,
        "description": "",
        "input": {"type": "object", "properties": inputs},
        "output": {"type": "object", "properties": outputs},
    }


def _ports(tables: Mapping[str, Columns]) -> dict[str, Any]:
    return {
        name: {
            "type": "object",
            "properties": {column: _column(kind) for column, kind in columns.items()},
        }
        for name, columns in tables.items()
    }


def _column(kind: str) -> dict[str, Any]:
    formats = {"Number": "Double", "Integer": "Int32"}
    shape: dict[str, Any] = {"type": kind, "x-ms-isnullable": True}
    return {**shape, "format": formats[kind]} if kind in formats else shape


def _module(asset: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"assetId": asset, "parameters": _values(parameters or {})}


def _module_asset(name: str) -> dict[str, Any]:
    uri = module_uri(MODULES[name].family)
    return {"name": name, "type": "Module", "locationInfo": {"uri": uri}}


def _values(parameters: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in parameters.items()}


def _edge(source: str, source_port: str, target: str, target_port: str) -> dict[str, str]:
    edge = {"sourceNodeId": source, "targetNodeId": target}
    if source_port:
        edge["sourcePortId"] = source_port
    if target_port:
        edge["targetPortId"] = target_port
    return edge
