"""What tests do with experiments: calls of the workspace API, graphs, and waiting for runs."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

from devstack.studio.modules import MODULES
from tests.devstack.studio.client import Client

ASSET_KEYS = ("DataSourceId", "TrainedModelId", "TransformModuleId")


class Lab:
    """A workspace as experiments see it; without arguments the first one."""

    def __init__(self, client: Client, workspace_id: str = "", token: str = "") -> None:
        self.client = client
        self.workspace_id = workspace_id or client.description["workspace_id"]
        self.token = token or client.description["workspace_token"]

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        """A call below `/api/workspaces/{ws}/`."""
        headers = {"x-ms-metaanalytics-authorizationtoken": self.token, **more.pop("headers", {})}
        url = f"{self.client.base_url}/api/workspaces/{self.workspace_id}/{path}"
        return self.client.http.request(method, url, json=body, headers=headers, **more)

    def dataset(
        self, name: str, content: bytes, data_type: str = "GenericCSV", family: str = ""
    ) -> str:
        """Upload a dataset, or with `family` its next version; its id."""
        url = f"{self.client.base_url}/api/resourceuploads/workspaces/{self.workspace_id}/"
        headers = {"x-ms-metaanalytics-authorizationtoken": self.token}
        query = {"userStorage": "true", "dataTypeId": data_type}
        upload = self.client.http.post(url, data=content, params=query, headers=headers)
        assert upload.ok, upload.text
        body = {
            "DataSource": {
                "Name": name,
                "DataTypeId": data_type,
                "Description": "",
                "FamilyId": family,
                "Owner": "test",
                "SourceOrigin": "FromResourceUpload",
            },
            "UploadId": upload.json()["Id"],
            "UploadedFromFileName": f"{name}.csv",
            "ClientPoll": True,
        }
        created = self.call("POST", "datasources", body)
        assert created.ok, created.text
        return str(created.json())

    def promote(self, experiment_id: str, node_id: str, port: str, name: str, **more: Any) -> str:
        """Make an output of an experiment a trained model of the workspace; its id."""
        body = {
            "ExperimentId": experiment_id,
            "ModuleNodeId": node_id,
            "OutputName": port,
            "TrainedModel": {
                "Name": name,
                "DataTypeId": "iLearnerDotNet",
                "Description": "",
                "SourceOrigin": "FromOutputPromotion",
                "FamilyId": None,
                **more,
            },
        }
        created = self.call("POST", "trainedmodels", body)
        assert created.ok, created.text
        return str(created.json())

    def create(self, graph: Any, name: str = "Test", *, draft: bool = True, **more: Any) -> str:
        """Create an experiment; its id."""
        response = self.call("POST", "experiments/", request(graph, name, draft=draft, **more))
        assert response.ok, response.text
        return str(response.json()["ExperimentId"])

    def get(self, experiment_id: str) -> dict[str, Any]:
        response = self.call("GET", f"experiments/{experiment_id}")
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document

    def submit(self, experiment_id: str, **changes: Any) -> requests.Response:
        """Post an experiment as it is, with changes of the request's fields."""
        document = self.get(experiment_id)
        body = request(document["Graph"], document["Description"], draft=True)
        body["ParentExperimentId"] = document["ParentExperimentId"]
        body["WebService"] = document["WebService"]
        body |= changes
        return self.call("POST", f"experiments/{experiment_id}", body)

    def start(self, experiment_id: str) -> None:
        """As Start-AmlExperiment does: save, then run with the same parent."""
        document = self.get(experiment_id)
        parent = document["ParentExperimentId"]
        for draft in (True, False):
            response = self.submit(experiment_id, IsDraft=draft, ParentExperimentId=parent)
            assert response.ok, response.text

    def ended(self, experiment_id: str, seconds: float = 40) -> dict[str, Any]:
        """The experiment once its run has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            document = self.get(experiment_id)
            if document["Status"]["StatusCode"] in ("Finished", "Failed"):
                return document
            time.sleep(0.02)
        raise AssertionError(f"experiment {experiment_id} did not end: {document['Status']}")

    def run(self, experiment_id: str) -> dict[str, Any]:
        """Start an experiment and wait for its end."""
        self.start(experiment_id)
        return self.ended(experiment_id)

    def output(self, experiment_id: str, node_id: str, port: str) -> requests.Response:
        path = f"experiments/{experiment_id}/outputdata/{node_id}/{quote(port)}"
        return self.call("GET", path)

    def deploy(
        self, experiment_id: str, *, update: bool = False, names: bool = False
    ) -> dict[str, Any]:
        """Deploy as New-AmlWebService does; the last answer about the activity."""
        query = {"generateNewPortNames": str(names).lower()}
        if update:
            query["updateExistingWebService"] = "true"
        path = f"experiments/{experiment_id}/webservice"
        response = self.call("POST", path, params=query)
        assert response.ok, response.text
        activity: dict[str, Any] = response.json()
        deadline = time.monotonic() + 40
        while activity["Status"] == "Pending" and time.monotonic() < deadline:
            found = self.call("GET", f"experiments/{activity['ActivityId']}/webservice")
            assert found.ok, found.text
            activity = found.json()
            time.sleep(0.01)
        return activity


def request(graph: Any, name: str = "Test", *, draft: bool = True, **more: Any) -> dict[str, Any]:
    """An ExperimentRequest."""
    return {
        "Description": name,
        "Summary": "",
        "IsDraft": draft,
        "ParentExperimentId": "",
        "DisableNodeUpdate": False,
        "Category": "user",
        "ExperimentGraph": graph,
        "WebService": None,
        **more,
    }


def module(
    node_id: str, name: str, parameters: Mapping[str, str] | None = None, **assets: str
) -> dict[str, Any]:
    """A module node; `assets` are given by port, spaces as underscores: `Dataset="..."`."""
    kind = MODULES[name]
    given = {port.replace("_", " "): asset for port, asset in assets.items()}
    return {
        "Id": node_id,
        "ModuleId": kind.id,
        "ModuleParameters": [
            {"Name": key, "Value": value, "ValueType": "Literal", "LinkedGlobalParameter": None}
            for key, value in (parameters or {}).items()
        ],
        "InputPortsInternal": [
            {
                **dict.fromkeys(ASSET_KEYS),
                **({_asset_key(type_): given[port]} if port in given else {}),
                "Name": port,
                "NodeId": node_id,
                "Language": "DotNet",
                "Version": "4.5.0",
                "PortIndex": None,
            }
            for port, type_ in kind.inputs.items()
        ],
        "OutputPortsInternal": [
            {"Name": port, "NodeId": node_id, "OutputType": None} for port in kind.outputs
        ],
        "UsePreviousResults": True,
        "Comment": node_id,
        "CommentCollapsed": True,
        "IsPartOfPartialRun": False,
        "Language": "DotNet",
        "Version": "4.5.0",
    }


def _asset_key(type_: str) -> str:
    keys = {"TrainedModel": "TrainedModelId", "ITransform": "TransformModuleId"}
    return keys.get(type_, "DataSourceId")


def edge(source: str, target: str) -> dict[str, Any]:
    """An edge between `node:port` and `node:port`."""
    return {
        "SourceOutputPortId": source,
        "DestinationInputPortId": target,
        "DestinationInputPortIndex": None,
    }


def graph(nodes: list[dict[str, Any]], *edges: tuple[str, str]) -> dict[str, Any]:
    return {
        "ModuleNodes": nodes,
        "SerializedClientData": "<?xml version='1.0' encoding='utf-16'?><DataV1 />",
        "PublishInfo": None,
        "Parameters": None,
        "EdgesInternal": [edge(*ends) for ends in edges],
    }


def line(slope: float, rows: int = 20) -> bytes:
    """A dataset of x and y = slope times x."""
    return ("x,y\n" + "".join(f"{x},{slope * x}\n" for x in range(rows))).encode()


def training_graph(dataset: str, seed: str = "0") -> dict[str, Any]:
    """split -> train -> score -> evaluate on column y of a dataset."""
    return graph(
        [
            module("split-1", "Split Data", {"Random seed": seed}, Dataset=dataset),
            module("learner-2", "Linear Regression"),
            module("train-3", "Train Model", {"Label column": "y"}),
            module("score-4", "Score Model"),
            module("evaluate-5", "Evaluate Model"),
        ],
        ("learner-2:Untrained model", "train-3:Untrained model"),
        ("split-1:Results dataset1", "train-3:Dataset"),
        ("train-3:Trained model", "score-4:Trained model"),
        ("split-1:Results dataset2", "score-4:Dataset"),
        ("score-4:Scored dataset", "evaluate-5:Scored dataset"),
    )


def training_service() -> dict[str, Any]:
    """The web-service block of `training_graph`: trains on its input."""
    return block(
        inputs={"input1": "split-1:Dataset"},
        outputs={"output1": "train-3:Trained model", "output2": "evaluate-5:Evaluation results"},
    )


def scoring_graph(dataset: str, model: str) -> dict[str, Any]:
    """Score a dataset with a trained model of the workspace."""
    return graph([module("score-1", "Score Model", Dataset=dataset, Trained_model=model)])


def scoring_service() -> dict[str, Any]:
    """The web-service block of `scoring_graph`."""
    return block(
        inputs={"input1": "score-1:Dataset"}, outputs={"output1": "score-1:Scored dataset"}
    )


def block(inputs: Mapping[str, str], outputs: Mapping[str, str]) -> dict[str, Any]:
    """A web-service block with pseudo-modules at these ports."""

    def ports(given: Mapping[str, str], start: int) -> list[dict[str, str]]:
        return [
            {"Id": f"web-{at}", "PortId": port, "Name": name}
            for at, (name, port) in enumerate(given.items(), start)
        ]

    return {
        "IsWebServiceExperiment": True,
        "Inputs": ports(inputs, 100),
        "Outputs": ports(outputs, 200),
        "Parameters": [],
        "WebServiceGroupId": None,
        "ModelPackageId": None,
        "RunId": None,
        "SerializedClientData": None,
        "ArmWebServiceId": None,
    }


def replaced(document: Any, old: str, new: str) -> Any:
    """The document with another asset, as Replace-AmlExperimentUserAsset does it."""
    return json.loads(json.dumps(copy.deepcopy(document)).replace(old, new))


def statuses(document: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """State and detail of each node."""
    return {
        node["NodeId"]: (node["Status"]["StatusCode"], node["Status"]["StatusDetail"])
        for node in document["NodeStatuses"]
    }
