"""Experiments as people draw them: one that trains, judges and evaluates; one that scores."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from alm.domain.experiment import Draft, Graph, ServiceBlock
from tests.contract.studio.drafts import graph, node

LABEL = "target"


def training(dataset: str, name: str, learner: str = "Two-Class Logistic Regression") -> Draft:
    """Split, train, score the holdout, evaluate it."""
    nodes = [
        node("split", "Split Data", {"Random seed": "7"}, Dataset=("DataSourceId", dataset)),
        node("learner", learner),
        node("train", "Train Model", {"Label column": LABEL}),
        node("score", "Score Model"),
        node("evaluate", "Evaluate Model"),
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
        node("select", "Select Columns in Dataset", {"Select Columns": picker},
              Dataset=("DataSourceId", dataset)),
        node("score", "Score Model", **{"Trained model": ports["Trained model"]}),
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
    rules = [
        {"ruleType": "AllColumns", "exclude": False},
        {"ruleType": "ColumnNames", "columns": [label], "exclude": True},
    ]
    return quote(json.dumps({"isFilter": True, "rules": rules}))


def _graph(nodes: list[dict[str, Any]], edges: list[tuple[str, str]]) -> Graph:
    joined = [
        {
            "SourceOutputPortId": source,
            "DestinationInputPortId": target,
            "DestinationInputPortIndex": None,
        }
        for source, target in edges
    ]
    return graph(nodes, joined)
