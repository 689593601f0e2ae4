"""Experiments that real Studio modules make up: one that trains, one that scores."""

from __future__ import annotations

from typing import Any

from alm.domain.experiment import Draft, Graph, ServiceBlock
from devstack.studio.modules import MODULES

LEARNER, TRAIN, SCORE = "learner", "train", "score"
TRAINED = (TRAIN, "Trained model")
ROWS = b"a,b,target\n" + b"".join(b"%d,%d,%d\n" % (n, n % 3, n > 9) for n in range(20))


def training(dataset: str, *, name: str, label: str = "target") -> Draft:
    """Trains a model on a dataset of `ROWS`."""
    nodes = [
        node(LEARNER, "Two-Class Logistic Regression"),
        node(TRAIN, "Train Model", {"Label column": label}, Dataset=("DataSourceId", dataset)),
    ]
    edge = {
        "SourceOutputPortId": f"{LEARNER}:Untrained model",
        "DestinationInputPortId": f"{TRAIN}:Untrained model",
        "DestinationInputPortIndex": None,
    }
    return Draft(name=name, graph=graph(nodes, [edge]))


def scoring(dataset: str, model: str, *, name: str) -> Draft:
    """Scores a dataset, and rows that come through a web service."""
    ports = {"Dataset": ("DataSourceId", dataset), "Trained model": ("TrainedModelId", model)}
    block = {
        "IsWebServiceExperiment": True,
        "Inputs": [{"Id": "in", "PortId": f"{SCORE}:Dataset", "Name": "input1"}],
        "Outputs": [{"Id": "out", "PortId": f"{SCORE}:Scored dataset", "Name": "output1"}],
        "Parameters": [],
        "SerializedClientData": None,
    }
    service = ServiceBlock.model_validate(block)
    return Draft(name=name, graph=graph([node(SCORE, "Score Model", **ports)]), service=service)


def graph(nodes: list[dict[str, Any]], edges: list[dict[str, Any]] | None = None) -> Graph:
    return Graph.model_validate(
        {
            "ModuleNodes": nodes,
            "EdgesInternal": edges or [],
            "SerializedClientData": "<?xml version='1.0' encoding='utf-16'?><DataV1/>",
            "PublishInfo": None,
            "Parameters": None,
        }
    )


def node(
    node_id: str,
    module: str,
    parameters: dict[str, str] | None = None,
    **assets: tuple[str, str],
) -> dict[str, Any]:
    """A module; `assets` by port: the key that names one, and its id."""
    kind = MODULES[module]
    return {
        "Id": node_id,
        "ModuleId": kind.id,
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
        "Comment": f"{node_id} – größer",
        "IsPartOfPartialRun": False,
    }
