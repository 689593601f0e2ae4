"""What tests do with a workspace's assets: plain calls of `/api`, uploads, and waiting."""

from __future__ import annotations

import time
from typing import Any

import requests

from tests.devstack.studio.client import Client

TOKEN = "x-ms-metaanalytics-authorizationtoken"


class WorkspaceClient:
    """Speaks to one workspace; without arguments to the first."""

    def __init__(self, client: Client, workspace_id: str = "", token: str = "") -> None:
        self.client = client
        self.id = workspace_id or client.description["workspace_id"]
        self.token = token or client.description["workspace_token"]

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        """A call below `/api/workspaces/{ws}`."""
        return self.send(method, f"/workspaces/{self.id}{path}", json=body, **more)

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        """A call below `/api`."""
        url = f"{self.client.base_url}/api{path}"
        return self.client.http.request(method, url, headers={TOKEN: self.token}, **more)

    def begin(self, data_type: str = "GenericCSV", content: bytes = b"") -> requests.Response:
        """Send a whole file or, without content, begin one in blocks."""
        query = {"userStorage": "true", "dataTypeId": data_type}
        path = f"/resourceuploads/workspaces/{self.id}/"
        return self.send("POST", path, params=query, data=content)

    def block(
        self, upload_id: str, number: Any, blocks: Any, content: bytes, **query: str
    ) -> requests.Response:
        wanted = {"numberOfBlocks": blocks, "blockId": number, "uploadId": upload_id, **query}
        path = f"/blobuploads/workspaces/{self.id}/"
        return self.send("POST", path, params=wanted, data=content)

    def register(self, upload_id: str, name: str, **more: Any) -> requests.Response:
        body = {
            "DataSource": {
                "Name": name,
                "DataTypeId": "GenericCSV",
                "Description": "",
                "FamilyId": "",
                "Owner": "PowerShell",
                "SourceOrigin": "FromResourceUpload",
                **more,
            },
            "UploadId": upload_id,
            "UploadedFromFileName": f"{name}.csv",
            "ClientPoll": True,
        }
        return self.call("POST", "/datasources", body)

    def upload(self, name: str, content: bytes, **more: Any) -> dict[str, Any]:
        """Upload and register a dataset; its record as it is then."""
        upload = self.begin(more.get("DataTypeId", "GenericCSV"), content)
        assert upload.ok, upload.text
        created = self.register(upload.json()["Id"], name, **more)
        assert created.ok, created.text
        return self.dataset(created.json())

    def dataset(self, dataset_id: str) -> dict[str, Any]:
        response = self.call("GET", f"/datasources/{dataset_id}")
        assert response.ok, response.text
        document: dict[str, Any] = response.json()
        return document

    def inspected(self, dataset_id: str, seconds: float = 10) -> dict[str, Any]:
        """The record of a dataset once its schema is known."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            document = self.dataset(dataset_id)
            if document["SchemaStatus"] not in ("NotStarted", "Pending"):
                return document
            time.sleep(0.01)
        raise AssertionError(f"dataset {dataset_id} was not inspected")

    def listed(self, kind: str = "datasources") -> list[dict[str, Any]]:
        """The workspace's own assets in a list."""
        response = self.call("GET", f"/{kind}")
        assert response.ok, response.text
        return [asset for asset in response.json() if asset["Id"].startswith(self.id)]


def download(endpoint: dict[str, Any]) -> requests.Response:
    """Get what a record names, without a token."""
    address = endpoint["BaseUri"] + endpoint["Location"] + endpoint["AccessCredential"]
    return requests.get(address, timeout=10)
