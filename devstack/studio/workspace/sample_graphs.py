"""Graphs of the sample experiments, in the shape that the workspace API has them.

The ids of nodes are a fixed guid and a number, as Studio's are; they are the same in all samples.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from devstack.studio.learning.learners import REGRESSION
from devstack.studio.modules import MODULES, TRAINED_MODEL
from devstack.studio.samples import Sample
from devstack.studio.workspace.experiment_graph import GRAPH_PARAMETER
from devstack.studio.workspace.experiment_requests import EMPTY_WEB_SERVICE

_GUID = "5a3b1c52-7d64-4e0f-9a86-0c1d2e3f4a5b"

TRAINING: Mapping[str, str] = {
    name: f"{_GUID}-{number}"
    for number, name in enumerate(
        ("select", "split", "learner", "train", "score", "evaluate"), start=10
    )
}
PREDICTIVE: Mapping[str, str] = {
    name: f"{_GUID}-{number}" for number, name in enumerate(("select", "score"), start=20)
}

SEED = "Random seed"

Node = dict[str, Any]
GraphAndService = tuple[dict[str, Any], dict[str, Any]]


def training(sample: Sample, dataset: str, columns: Sequence[str]) -> GraphAndService:
    """The training experiment on a dataset: its graph and its web service."""
    stratified = {"Stratified split": "True", "Stratification key column": _columns([sample.label])}
    split = {"Fraction of rows in the first output dataset": "0.7", SEED: None}
    ids = TRAINING
    nodes = [
        _node(ids["select"], "Select Columns in Dataset", {"Select Columns": _columns(columns)},
              {"Dataset": dataset}),
        _node(ids["split"], "Split Data",
              split if sample.task == REGRESSION else {**split, **stratified}),
        _node(ids["learner"], sample.learner, {"Random number seed": None}),
        _node(ids["train"], "Train Model", {"Label column": _columns([sample.label])}),
        _node(ids["score"], "Score Model", {}),
        _node(ids["evaluate"], "Evaluate Model", {}),
    ]  # fmt: skip
    edges = [
        _edge(ids["select"], "Results dataset", ids["split"], "Dataset"),
        _edge(ids["learner"], "Untrained model", ids["train"], "Untrained model"),
        _edge(ids["split"], "Results dataset1", ids["train"], "Dataset"),
        _edge(ids["train"], "Trained model", ids["score"], "Trained model"),
        _edge(ids["split"], "Results dataset2", ids["score"], "Dataset"),
        _edge(ids["score"], "Scored dataset", ids["evaluate"], "Scored dataset"),
    ]
    outputs = [
        (ids["train"], "Trained model"),
        (ids["evaluate"], "Evaluation results"),
        (ids["score"], "Scored dataset"),
    ]
    service = _service([(ids["select"], "Dataset")], outputs, [_seed_parameter()])
    return _graph(nodes, edges, [dataset]), service


def predictive(
    sample: Sample, dataset: str, model: str, features: Sequence[str]
) -> GraphAndService:
    """The predictive experiment with a trained model: its graph and its web service."""
    ids = PREDICTIVE
    nodes = [
        _node(ids["select"], "Select Columns in Dataset", {"Select Columns": _columns(features)},
              {"Dataset": dataset}),
        _node(ids["score"], "Score Model", {}, {"Trained model": model}),
    ]  # fmt: skip
    edges = [_edge(ids["select"], "Results dataset", ids["score"], "Dataset")]
    service = _service([(ids["score"], "Dataset")], [(ids["score"], "Scored dataset")], [])
    return _graph(nodes, edges, [dataset, model]), service


def _node(
    node_id: str,
    name: str,
    parameters: Mapping[str, str | None],
    assets: Mapping[str, str] | None = None,
) -> Node:
    """A module node; a parameter without value takes the web service's seed."""
    module, given = MODULES[name], assets or {}
    return {
        "Id": node_id,
        "ModuleId": module.id,
        "ModuleParameters": [_parameter(key, value) for key, value in parameters.items()],
        "InputPortsInternal": [
            _input(node_id, port, kind, given.get(port)) for port, kind in module.inputs.items()
        ],
        "OutputPortsInternal": [
            {
                "Name": port,
                "NodeId": node_id,
                "OutputType": kind if kind == TRAINED_MODEL else None,
            }
            for port, kind in module.outputs.items()
        ],
        "UsePreviousResults": True,
        "Comment": name,
        "CommentCollapsed": True,
        "IsPartOfPartialRun": False,
        "Language": "DotNet",
        "Version": "4.5.0",
    }


def _parameter(name: str, value: str | None) -> dict[str, Any]:
    is_linked = value is None
    return {
        "Name": name,
        "Value": SEED if is_linked else value,
        "ValueType": GRAPH_PARAMETER if is_linked else "Literal",
        "LinkedGlobalParameter": SEED if is_linked else None,
    }


def _input(node_id: str, port: str, kind: str, asset: str | None) -> dict[str, Any]:
    is_model = kind == TRAINED_MODEL
    return {
        "DataSourceId": None if is_model else asset,
        "TrainedModelId": asset if is_model else None,
        "TransformModuleId": None,
        "Name": port,
        "NodeId": node_id,
        "Language": "DotNet",
        "Version": "4.5.0",
        "PortIndex": None,
    }


def _edge(source: str, source_port: str, target: str, target_port: str) -> dict[str, Any]:
    return {
        "SourceOutputPortId": f"{source}:{source_port}",
        "DestinationInputPortId": f"{target}:{target_port}",
        "DestinationInputPortIndex": None,
    }


def _graph(nodes: list[Node], edges: list[dict[str, Any]], assets: list[str]) -> dict[str, Any]:
    drawn = [*assets, *(node["Id"] for node in nodes)]
    return {
        "ModuleNodes": nodes,
        "SerializedClientData": _drawing(drawn, left=100),
        "PublishInfo": None,
        "Parameters": None,
        "EdgesInternal": edges,
    }


def _service(
    inputs: list[tuple[str, str]],
    outputs: list[tuple[str, str]],
    parameters: list[dict[str, Any]],
) -> dict[str, Any]:
    def ports(found: list[tuple[str, str]], word: str, start: int) -> list[dict[str, str]]:
        return [
            {"Id": f"{_GUID}-{start + at}", "PortId": f"{node}:{port}", "Name": f"{word}{at}"}
            for at, (node, port) in enumerate(found, start=1)
        ]

    block = {
        **EMPTY_WEB_SERVICE,
        "IsWebServiceExperiment": True,
        "Inputs": ports(inputs, "input", 100),
        "Outputs": ports(outputs, "output", 200),
        "Parameters": parameters,
    }
    drawn = [port["Id"] for port in (*block["Inputs"], *block["Outputs"])]
    return {**block, "SerializedClientData": _drawing(drawn, left=400)}


def _seed_parameter() -> dict[str, Any]:
    return {
        "Name": SEED,
        "Value": "0",
        "ParameterDefinition": {
            "HasRules": False,
            "Name": SEED,
            "IsOptional": True,
            "ParameterType": "Int",
            "ParameterRules": [],
            "MarkupType": 0,
            "HasDefaultValue": True,
            "DefaultValue": "0",
            "ScriptName": None,
            "ModeValuesInfo": None,
            "CredentialDescriptor": None,
            "Description": "Seed of split and learner.",
            "FriendlyName": SEED,
        },
    }


def _columns(names: Sequence[str]) -> str:
    """A column picker's value."""
    rule = {"ruleType": "ColumnNames", "columns": list(names), "exclude": False}
    return quote(json.dumps({"isFilter": True, "rules": [rule]}, separators=(",", ":")), safe="")


def _drawing(names: Sequence[str], *, left: int) -> str:
    positions = "".join(
        f"<NodePosition Node={quoteattr(name)} Position='{left},{50 + 150 * at},200,200'/>"
        for at, name in enumerate(names)
    ).replace('"', "'")
    return (
        "<?xml version='1.0' encoding='utf-16'?>"
        "<DataV1 xmlns:xsd='http://www.w3.org/2001/XMLSchema' "
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"
        f"<Meta /><NodePositions>{positions}</NodePositions><NodeGroups /></DataV1>"
    )
