"""A client of the workspace API whose answers are scripted."""

from __future__ import annotations

from typing import Any

from alm.adapters.connections import Transport
from alm.adapters.http import Http
from alm.adapters.studio.directory import StudioDirectory
from alm.domain.experiment import Draft, Graph, ServiceBlock, StudioWorkspace
from alm.studio_ports import Workspace
from tests.unit.studio.scripted import Scripted, http, identity

WORKSPACE = "a" * 32
TOKEN = "token-0123456789"
DECLARED = StudioWorkspace(workspace=WORKSPACE, studio="https://studio.test")
BASE = f"/api/workspaces/{WORKSPACE}"
EXPERIMENT = f"{WORKSPACE}.f-id.{'e' * 32}"
SNAPSHOT = f"{WORKSPACE}.s-id.{'e' * 32}.7953-01-01t00.00.00"
MODEL = f"{WORKSPACE}.{'f' * 32}.v1-default-48"
HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"
GRAPH: dict[str, Any] = {
    "ModuleNodes": [
        {"Id": "n-1", "ModuleId": "w.m.v1-default-1", "Comment": "Größe", "InputPortsInternal": []}
    ],
    "EdgesInternal": [],
    "SerializedClientData": None,
    "PublishInfo": None,
}
DRAFT = Draft(
    name='Kündigung "2026" 客户',
    graph=Graph.model_validate(GRAPH),
    service=ServiceBlock.model_validate({"Inputs": [], "ArmWebServiceId": None}),
    previous=SNAPSHOT,
)


def workspace(*answers: object, downloads: Http | None = None) -> tuple[Workspace, Scripted]:
    transport = Scripted(*answers)
    return client(transport, downloads), transport


def client(transport: Transport, downloads: Http | None = None) -> Workspace:
    return StudioDirectory(http(transport), identity(), downloads=downloads).workspace(DECLARED)


def experiment(**changes: object) -> dict[str, Any]:
    return {
        "ExperimentId": EXPERIMENT,
        "Description": "Churn",
        "Category": "user",
        "Status": {"StatusCode": "Finished", "StatusDetail": None},
        **changes,
    }


def model(**changes: object) -> dict[str, Any]:
    return {
        "Id": MODEL,
        "DataTypeId": "ILearnerDotNet",
        "Name": "Churn model",
        "Description": None,
        "FamilyId": "f" * 32,
        "Size": 12,
        "CreatedDate": "/Date(1464199879696)/",
        "ExperimentId": EXPERIMENT,
        "PromotedFrom": f"{EXPERIMENT}.n-1.Trained model",
        "ServiceVersion": 48,
        "IsLatest": True,
        "DownloadLocation": None,
        **changes,
    }
