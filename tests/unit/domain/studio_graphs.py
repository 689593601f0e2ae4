"""Experiments to test with, built node by node in the shape that Studio answers."""

from __future__ import annotations

from typing import Any

from alm.domain.experiment import Asset, AssetKind, Experiment

WORKSPACE = "a" * 32
GLOBAL = "506153734175476c4f62416c57734963"
GROUP = "11111111-2222-3333-4444-555555555555"
ADULT, ADULT_13 = (f"{WORKSPACE}.{'b' * 32}.v1-default-{number}" for number in (12, 13))
CENSUS_MODEL = f"{WORKSPACE}.{'c' * 32}.v1-default-48"
TRAIN = f"{GLOBAL}.5cc7053eaa30450d96c0dae4be720977.v1-default-1562"
SCORE = f"{GLOBAL}.401b4f92e7244d5abe81d5b0ff9bdb33.v1-default-1730"
EVALUATE = f"{GLOBAL}.927d65ac3b50488aaae26bb8a4b63a06.v1-default-1"
SPLIT = f"{GLOBAL}.70530644c97a4ab685f788bf30a8be5f.v1-default-1"
LEARNER = f"{GLOBAL}.{'d' * 32}.v1-default-1"
TUNE = f"{GLOBAL}.{'e' * 32}.v1-default-1"
CREATE_R = f"{GLOBAL}.314e34a8b24c4870afe62649b6fc7476.v1-default-1"
IMPORT = f"{GLOBAL}.4e1b0fe6aded4b3fa36f39b8862b9004.v1-default-1"
SCRIPT = f"{GLOBAL}.30806023392b42e094d66b775a6e0fd5.v1-default-1"
INCOME = (
    "%7B%22isFilter%22%3Atrue%2C%22rules%22%3A%5B%7B%22ruleType%22%3A%22ColumnNames%22%2C"
    "%22columns%22%3A%5B%22income%22%5D%2C%22exclude%22%3Afalse%7D%5D%7D"
)


def node_id(number: int) -> str:
    return f"{GROUP}-{number}"


def node(
    number: int,
    module: str,
    label: str = "",
    *,
    takes: dict[str, str | None] | None = None,
    gives: dict[str, str | None] | None = None,
    parameters: dict[str, str] | None = None,
) -> dict[str, Any]:
    """takes: input ports with the dataset (or `model:id`) at them; gives: outputs, their types."""
    id = node_id(number)
    inputs = []
    for name, asset in (takes or {}).items():
        kind = "TrainedModelId" if (asset or "").startswith("model:") else "DataSourceId"
        port: dict[str, Any] = {"DataSourceId": None, "TrainedModelId": None}
        port |= {"TransformModuleId": None, "Name": name, "NodeId": id, "PortIndex": None}
        inputs.append({**port, kind: asset.removeprefix("model:") if asset else None})
    return {
        "Id": id,
        "ModuleId": module,
        "ModuleParameters": [
            {"Name": name, "Value": value, "ValueType": "Literal", "LinkedGlobalParameter": None}
            for name, value in (parameters or {}).items()
        ],
        "InputPortsInternal": inputs,
        "OutputPortsInternal": [
            {"Name": name, "NodeId": id, "OutputType": kind} for name, kind in (gives or {}).items()
        ],
        "UsePreviousResults": False,
        "Comment": label,
        "IsPartOfPartialRun": True,
    }


def edge(source: int, out: str, target: int, entry: str) -> dict[str, Any]:
    ends = f"{node_id(source)}:{out}", f"{node_id(target)}:{entry}"
    return {
        "SourceOutputPortId": ends[0],
        "DestinationInputPortId": ends[1],
        "DestinationInputPortIndex": None,
    }


def document(
    nodes: list[dict[str, Any]],
    edges: list[dict[str, Any]] | None = None,
    *,
    outputs: list[dict[str, Any]] | None = None,
    inputs: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """An experiment as Studio's API answers it."""
    positions = "".join(
        f"<NodePosition Node='{id}' Position='{100 * at},50,200,200'/>"
        for at, id in enumerate(_placed(nodes))
    )
    return {
        "ExperimentId": f"{WORKSPACE}.f-id.{'0' * 32}",
        "RunId": f"{WORKSPACE}.s-id.{'0' * 32}.9953-08-08t05.48.40",
        "ParentExperimentId": f"{WORKSPACE}.s-id.{'0' * 32}.9953-08-08t06.08.13",
        "Description": "Größe \"census\" 'train'",
        "Summary": "",
        "Graph": {
            "ModuleNodes": nodes,
            "SerializedClientData": "<?xml version='1.0' encoding='utf-16'?><DataV1><Meta />"
            f"<NodePositions>{positions}</NodePositions><NodeGroups /></DataV1>",
            "PublishInfo": None,
            "Parameters": None,
            "EdgesInternal": edges or [],
        },
        "Status": {"StatusCode": "Finished", "StatusDetail": "None", "CreationTime": None},
        "Etag": "W/\"datetime'2016-05-25T20%3A22%3A48.9673538Z'\"",
        "NodeStatuses": [{"NodeId": nodes[0]["Id"], "Status": {"StatusCode": "Finished"}}],
        "Creator": "user",
        "WebService": {
            "IsWebServiceExperiment": False,
            "Inputs": inputs or [],
            "Outputs": outputs or [],
            "Parameters": [],
            "WebServiceGroupId": None,
            "ModelPackageId": None,
            "RunId": None,
            "SerializedClientData": None,
            "ArmWebServiceId": None,
        },
        "Category": "user",
        "Tags": [],
        "IsPartialRun": False,
        **fields,
    }


def _placed(nodes: list[dict[str, Any]]) -> list[str]:
    ids = [item["Id"] for item in nodes]
    ports = [port for item in nodes for port in item["InputPortsInternal"]]
    assets = [port["DataSourceId"] or port["TrainedModelId"] for port in ports]
    return list(dict.fromkeys([*ids, *(asset for asset in assets if asset)]))


def training(**fields: Any) -> dict[str, Any]:
    """Adult -> Split; a learner and one half -> Train; the other half -> Score -> Evaluate."""
    return document(
        [
            node(10, LEARNER, "learner", gives={"Untrained model": None}),
            node(
                12,
                SPLIT,
                "split",
                takes={"Dataset": ADULT},
                gives={"Results dataset1": None, "Results dataset2": None},
                parameters={"Test fraction": "0.3", "Stratification key column": INCOME},
            ),
            trainer(14, "train"),
            scorer(20, "score"),
            evaluator(25, "evaluate"),
        ],
        [
            edge(10, "Untrained model", 14, "Untrained model"),
            edge(12, "Results dataset1", 14, "Dataset"),
            edge(14, "Trained model", 20, "Trained model"),
            edge(12, "Results dataset2", 20, "Dataset"),
            edge(20, "Scored dataset", 25, "Scored dataset"),
        ],
        **fields,
    )


def predictive(**fields: Any) -> dict[str, Any]:
    """Adult and a saved model -> Score."""
    scoring = node(
        20,
        SCORE,
        "score",
        takes={"Trained model": f"model:{CENSUS_MODEL}", "Dataset": ADULT},
        gives={"Scored dataset": None},
    )
    return document([scoring], **fields)


def trainer(number: int, label: str, module: str = TRAIN) -> dict[str, Any]:
    takes: dict[str, str | None] = {"Untrained model": None, "Dataset": None}
    gives = {"Trained model": "TrainedModel"}
    parameters = {"Label column": INCOME, "Random seed": "0"}
    return node(number, module, label, takes=takes, gives=gives, parameters=parameters)


def scorer(number: int, label: str) -> dict[str, Any]:
    takes: dict[str, str | None] = {"Trained model": None, "Dataset": None}
    return node(number, SCORE, label, takes=takes, gives={"Scored dataset": None})


def evaluator(number: int, label: str) -> dict[str, Any]:
    takes: dict[str, str | None] = {"Scored dataset": None, "Scored dataset to compare": None}
    return node(number, EVALUATE, label, takes=takes, gives={"Evaluation results": None})


def experiment(value: dict[str, Any] | None = None) -> Experiment:
    return Experiment.model_validate(value or training())


def asset(id: str, name: str, kind: AssetKind = "dataset", *, latest: bool = True) -> Asset:
    family, _, number = id.split(".")[1], *id.rsplit("-", 1)
    return Asset(kind=kind, id=id, family=family, number=int(number), name=name, is_latest=latest)
