"""A client of Studio for tests: plain calls over one connection, and the steps that recur."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from azure.storage.blob import BlobSasPermissions, BlobServiceClient, generate_blob_sas

ARM = "2017-01-01"
PLANS = "2016-05-01-preview"


class Client:
    """Speaks to a Studio that its description names."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description
        self.base_url: str = description["base_url"]
        self.samples: list[dict[str, Any]] = description.get("samples", [])
        self.http = requests.Session()
        self.blobs = BlobServiceClient.from_connection_string(
            description["storage_connection_string"], retry_total=0
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.blobs.close()

    def call(
        self, method: str, url: str, token: str, body: Any = None, **query: str
    ) -> requests.Response:
        address = url if url.startswith("http") else self.base_url + url
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.request(method, address, json=body, params=query, headers=headers)

    def manage(self, method: str, path: str, body: Any = None) -> requests.Response:
        """A call of the management interface, below `/workspaces/{ws}/webservices`."""
        workspace = self.description["workspace_id"]
        url = f"/workspaces/{workspace}/webservices{path}"
        return self.call(method, url, self.description["workspace_token"], body)

    def arm(
        self, method: str, path: str, body: Any = None, version: str = ARM, **query: str
    ) -> requests.Response:
        """A call of Resource Manager, below the resource group's provider."""
        subscription, group = (
            self.description["subscription_id"],
            self.description["resource_group"],
        )
        url = f"/subscriptions/{subscription}/resourceGroups/{group}"
        return self.call(
            method,
            f"{url}/providers/Microsoft.MachineLearning/{path}",
            self.description["arm_token"],
            body,
            **{"api-version": version, **query},
        )

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        response = self.http.request(method, f"{self.base_url}/admin/{path}", json=body)
        assert response.ok, response.text
        return response.json() if response.content else None

    def fault(self, method: str, path: str, effect: str, **more: Any) -> None:
        self.admin(
            "POST",
            "faults",
            {"match": {"method": method, "path": path}, "effect": effect, "times": 1, **more},
        )

    def sample(
        self, name: str, role: str, kind: str, endpoint: str | None = None
    ) -> dict[str, Any]:
        for sample in self.samples:
            wanted = (name, role, kind)
            is_wanted = (sample["name"], sample["role"], sample["kind"]) == wanted
            if is_wanted and endpoint in (None, sample.get("endpoint")):
                return sample
        raise AssertionError(f"no sample {name} {role} {kind} {endpoint}")

    def dataset(self, name: str) -> bytes:
        """The CSV file of a sample."""
        return self.blob(f"samples/{name}.csv")

    def rows(self, name: str, count: int = 5) -> dict[str, Any]:
        """The first rows of a sample as an RRS input."""
        lines = self.dataset(name).decode().splitlines()
        values = [line.split(",") for line in lines[1 : count + 1]]
        return {"ColumnNames": lines[0].split(","), "Values": values}

    def blob(self, path: str) -> bytes:
        container, _, name = path.partition("/")
        return self.blobs.get_blob_client(container, name).download_blob().readall()

    def upload(self, path: str, content: bytes) -> str:
        container, _, name = path.partition("/")
        if not self.blobs.get_container_client(container).exists():
            self.blobs.create_container(container)
        self.blobs.get_blob_client(container, name).upload_blob(content, overwrite=True)
        return path

    def by_key(self, path: str) -> dict[str, str]:
        """A blob reference with a connection string."""
        connection = self.description["storage_connection_string"]
        return {"ConnectionString": connection, "RelativeLocation": "/" + path}

    def by_grant(self, path: str, permissions: str = "r", minutes: float = 10) -> dict[str, str]:
        """A blob reference with a shared access signature."""
        container, _, name = path.partition("/")
        credential = self.blobs.credential
        token = generate_blob_sas(
            credential.account_name,
            container,
            name,
            account_key=credential.account_key,
            permission=BlobSasPermissions.from_string(permissions),
            expiry=datetime.now(UTC) + timedelta(minutes=minutes),
        )
        base = self.blobs.url.rstrip("/") + "/"
        return {"BaseLocation": base, "RelativeLocation": path, "SasBlobToken": "?" + token}

    def score(self, sample: dict[str, Any], table: Any, **query: str) -> requests.Response:
        body = {"Inputs": {"input1": table}, "GlobalParameters": {}}
        return self.call(
            "POST",
            sample["api_location"] + "/execute",
            sample["api_key"],
            body,
            **{"api-version": "2.0", "details": "true", **query},
        )

    def scores(self, sample: dict[str, Any], count: int = 5) -> list[list[str]]:
        """The scored columns of the first rows of the sample's table."""
        response = self.score(sample, self.rows(sample["name"], count))
        assert response.status_code == 200, response.text
        value = response.json()["Results"]["output1"]["value"]
        at = [i for i, name in enumerate(value["ColumnNames"]) if name.startswith("Scored")]
        return [[row[i] for i in at] for row in value["Values"]]

    def jobs(self, sample: dict[str, Any], method: str, path: str, body: Any = None) -> Any:
        url = sample["api_location"] + "/jobs" + path
        return self.call(method, url, sample["api_key"], body, **{"api-version": "2.0"})

    def submit(self, sample: dict[str, Any], body: dict[str, Any]) -> str:
        response = self.jobs(sample, "POST", "", body)
        assert response.status_code == 200, response.text
        job_id: str = response.json()
        return job_id

    def start(self, sample: dict[str, Any], job_id: str) -> None:
        response = self.jobs(sample, "POST", f"/{job_id}/start")
        assert response.status_code == 204, response.text

    def status(self, sample: dict[str, Any], job_id: str) -> dict[str, Any]:
        response = self.jobs(sample, "GET", f"/{job_id}")
        assert response.status_code == 200, response.text
        status: dict[str, Any] = response.json()
        return status

    def ended(self, sample: dict[str, Any], job_id: str, seconds: float = 20) -> dict[str, Any]:
        """The status of a job once it has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.status(sample, job_id)
            if status["StatusCode"] not in ("NotStarted", "Running"):
                return status
            time.sleep(0.01)
        raise AssertionError(f"job {job_id} did not end")

    def run_job(self, sample: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        job_id = self.submit(sample, body)
        self.start(sample, job_id)
        return self.ended(sample, job_id)

    def train(self, sample: dict[str, Any], dataset: str = "", **parameters: str) -> dict[str, Any]:
        """Run a training service on its own table; returns its results."""
        source = dataset or sample["dataset"]
        body = {"Inputs": {"input1": self.by_key(source)}, "GlobalParameters": parameters}
        status = self.run_job(sample, body)
        assert status["StatusCode"] == "Finished", status
        results: dict[str, Any] = status["Results"]
        return results

    def deployed(self, response: requests.Response) -> dict[str, Any]:
        """Wait for an asynchronous operation; returns its last status."""
        assert response.ok, response.text
        url = response.headers["Azure-AsyncOperation"]
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            status: dict[str, Any] = self.call("GET", url, self.description["arm_token"]).json()
            if status["status"] != "Provisioning":
                return status
            time.sleep(0.01)
        raise AssertionError("the operation did not end")


def location(result: dict[str, str]) -> str:
    """The download address of a result."""
    return result["BaseLocation"] + result["RelativeLocation"] + result["SasBlobToken"]
