"""Experiments as people draw them: one that trains, judges and evaluates; one that scores."""

from __future__ import annotations

from typing import Any

from alm.domain.experiment import Draft, Graph, ServiceBlock
from devstack.studio.modules import MODULES

LABEL = "target"
LAYOUT = (
    "<?xml version='1.0' encoding='utf-16'?><DataV1 xmlns:xsd='http://www.w3.org/2001/XMLSchema' "
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><Meta /><NodePositions></NodePositions>"
    "<NodeGroups /></DataV1>"
)


def training(dataset: str, name: str, learner: str = "Two-Class Logistic Regression") -> Draft:
    """Split, train, score the holdout, evaluate it."""
    nodes = [
        _node("split", "Split Data", {"Random seed": "7"}, Dataset=("DataSourceId", dataset)),
        _node("learner", learner),
        _node("train", "Train Model", {"Label column": LABEL}),
        _node("score", "Score Model"),
        _node("evaluate", "Evaluate Model"),
    ]
    edges = [
        ("split:Results dataset1", "train:Dataset"),
        ("learner:Untrained model", "train:Untrained model"),
        ("train:Trained model", "score:Trained model"),
        ("split:Results dataset2", "score:Dataset"),
        ("score:Scored dataset", "evaluate:Scored dataset"),
    ]
    return Draft(name=name, graph=_graph(nodes, edges))


def predictive(dataset: str, model: str, name: str) -> Draft:
    """Score rows that come through a web service; the dataset only gives their schema."""
    ports = {"Dataset": ("DataSourceId", dataset), "Trained model": ("TrainedModelId", model)}
    picker = _columns_but(LABEL)
    nodes = [
        _node("select", "Select Columns in Dataset", {"Select Columns": picker},
              Dataset=("DataSourceId", dataset)),
        _node("score", "Score Model", **{"Trained model": ports["Trained model"]}),
    ]  # fmt: skip
    edges = [("select:Results dataset", "score:Dataset")]
    block = {
        "IsWebServiceExperiment": True,
        "Inputs": [{"Id": "in", "PortId": "score:Dataset", "Name": "input1"}],
        "Outputs": [{"Id": "out", "PortId": "score:Scored dataset", "Name": "output1"}],
        "Parameters": [],
        "SerializedClientData": None,
    }
    return Draft(name=name, graph=_graph(nodes, edges), service=ServiceBlock.model_validate(block))


def _columns_but(label: str) -> str:
    import json
    from urllib.parse import quote

    rules = [
        {"ruleType": "AllColumns", "exclude": False},
        {"ruleType": "ColumnNames", "columns": [label], "exclude": True},
    ]
    return quote(json.dumps({"isFilter": True, "rules": rules}))


def _graph(nodes: list[dict[str, Any]], edges: list[tuple[str, str]]) -> Graph:
    return Graph.model_validate(
        {
            "ModuleNodes": nodes,
            "EdgesInternal": [
                {
                    "SourceOutputPortId": source,
                    "DestinationInputPortId": target,
                    "DestinationInputPortIndex": None,
                }
                for source, target in edges
            ],
            "SerializedClientData": LAYOUT,
            "PublishInfo": None,
            "Parameters": None,
        }
    )


def _node(
    node_id: str, module: str, parameters: dict[str, str] | None = None, **assets: tuple[str, str]
) -> dict[str, Any]:
    kind = MODULES[module]
    return {
        "Id": node_id,
        "ModuleId": kind.id,
        "Comment": node_id,
        "CommentCollapsed": True,
        "ModuleParameters": [
            {"Name": key, "Value": value, "ValueType": "Literal", "LinkedGlobalParameter": None}
            for key, value in (parameters or {}).items()
        ],
        "InputPortsInternal": [
            {
                **dict.fromkeys(("DataSourceId", "TrainedModelId", "TransformModuleId")),
                **dict([assets[port]] if port in assets else []),
                "Name": port,
                "NodeId": node_id,
                "PortIndex": None,
            }
            for port in kind.inputs
        ],
        "OutputPortsInternal": [
            {"Name": port, "NodeId": node_id, "OutputType": None} for port in kind.outputs
        ],
        "UsePreviousResults": True,
        "IsPartOfPartialRun": False,
    }
