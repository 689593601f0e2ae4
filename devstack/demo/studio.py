"""Studio as the demo sees it: its public wire protocol, to make targets and to look at them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

SECONDS_MAX = 30
API_VERSION = "2017-01-01"


@dataclass(frozen=True)
class Scoring:
    """How to see what a target serves, and to score with it."""

    name: str
    kind: str
    management: str
    token: str
    service: Mapping[str, str]  # what a declaration says of it


class Studio:
    """A client with the workspace's token and a Resource Manager token."""

    def __init__(self, addresses: Mapping[str, Any]) -> None:
        self._addresses = addresses
        self._base = addresses["base_url"].rstrip("/")
        self.session = requests.Session()
        self.session.trust_env = False

    def sample(self, name: str, role: str, kind: str, endpoint: str = "") -> dict[str, Any]:
        """One of the services that Studio was started with."""
        for entry in self._addresses["samples"]:
            same = (entry["name"], entry["role"], entry["kind"]) == (name, role, kind)
            if same and endpoint in ("", entry.get("endpoint")):
                return dict(entry)
        raise LookupError(f"Studio has no sample {name} {role} {kind}; start it --with-samples")

    def experiments(self, name: str) -> list[dict[str, Any]]:
        """The sample experiments over a table: the one that trains, the one that predicts."""
        return [dict(entry) for entry in self._addresses["experiments"] if entry["name"] == name]

    def workspace_declared(self) -> dict[str, str]:
        """The workspace as a declaration names it."""
        workspace = self._addresses["workspace_id"]
        return {"workspace": workspace, "studio": f"{self._base}/api", "management": self._base}

    def studio_api(self, path: str) -> list[dict[str, Any]]:
        """A list of the workspace API."""
        workspace, token = self._addresses["workspace_id"], self._addresses["workspace_token"]
        answer = self.session.get(
            f"{self._base}/api/workspaces/{workspace}/{path}",
            headers={"x-ms-metaanalytics-authorizationtoken": token},
            timeout=SECONDS_MAX,
        )
        answer.raise_for_status()
        return list(answer.json())

    def endpoint_at(self, url: str) -> Scoring:
        """A classic endpoint by its management address."""
        token = self._addresses["workspace_token"]
        service = {"kind": "classic", "endpoint": url}
        return Scoring(url.rpartition("/")[2], "classic", url, token, service)

    def endpoint_url(self, service_id: str, endpoint: str) -> str:
        workspace = self._addresses["workspace_id"]
        return f"{self._base}/workspaces/{workspace}/webservices/{service_id}/endpoints/{endpoint}"

    def add_endpoint(self, service_id: str, endpoint: str) -> Scoring:
        """Add a classic endpoint to a scoring service; it serves what the service serves."""
        url = self.endpoint_url(service_id, endpoint)
        token = self._addresses["workspace_token"]
        body = {"Description": endpoint, "ThrottleLevel": "High", "MaxConcurrentCalls": 20}
        self._call("PUT", url, token, json=body)
        return Scoring(endpoint, "classic", url, token, {"kind": "classic", "endpoint": url})

    def add_new_service(self, source: str, name: str, location: str, plan: str) -> Scoring:
        """Deploy the definition of one web service as another, in another region."""
        token = self._addresses["arm_token"]
        definition = self._call("GET", self._arm(source), token).json()
        properties = {
            key: value
            for key, value in definition["properties"].items()
            if key not in ("createdOn", "modifiedOn", "provisioningState", "swaggerLocation")
        }
        group = source.rsplit("/providers/", 1)[0]
        plan_id = f"{group}/providers/Microsoft.MachineLearning/commitmentPlans/{plan}"
        properties["commitmentPlan"] = {"id": plan_id}
        properties["storageAccount"] = self._storage()
        resource = f"{source.rsplit('/', 1)[0]}/{name}"
        body = {"location": location, "tags": {}, "properties": properties}
        self._call("PUT", self._arm(resource), token, json=body)
        self._settled(resource)
        service = {"kind": "new", "resource": resource}
        return Scoring(name, "new", self._arm(resource), token, service)

    def location(self, scoring: Scoring) -> str:
        """Which model file a target's definition names."""
        document = self._call("GET", scoring.management, scoring.token).json()
        if scoring.kind == "classic":
            place = document["Resources"][0]["Location"]
            return str(place["BaseLocation"] + place["RelativeLocation"])
        assets = document["properties"]["assets"].values()
        model = next(asset for asset in assets if asset["type"] == "Resource")
        return str(model["locationInfo"]["uri"]).split("?", 1)[0]

    def model_place(self, scoring: Scoring) -> dict[str, str]:
        """Where a classic endpoint's model came from, as a later patch can name it."""
        document = self._call("GET", scoring.management, scoring.token).json()
        return dict(document["Resources"][0]["Location"])

    def score(self, scoring: Scoring, rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """Score rows with a target, as any of its callers would."""
        url, key = self._execution(scoring)
        columns = list(rows[0])
        values = [[row[name] for name in columns] for row in rows]
        body = {"Inputs": {"input1": {"ColumnNames": columns, "Values": values}}}
        query = "?api-version=2.0&details=true"
        answer = self._call("POST", f"{url}/execute{query}", key, json=body).json()
        value = answer["Results"]["output1"]["value"]
        return [dict(zip(value["ColumnNames"], row, strict=True)) for row in value["Values"]]

    def execution_path(self, scoring: Scoring) -> str:
        """The part of its execution URLs that no other endpoint has: `/services/{id}/`."""
        url, _ = self._execution(scoring)
        return f"/services/{url.rstrip('/').rpartition('/')[2]}/"

    def execution_key(self, scoring: Scoring) -> str:
        """The key that callers of a target score with."""
        return self._execution(scoring)[1]

    def train(self, sample: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        """Run a training job by hand, as somebody without this app would."""
        url, key = sample["api_location"], sample["api_key"]
        job = self._call("POST", f"{url}/jobs?api-version=2.0", key, json=body).json()
        self._call("POST", f"{url}/jobs/{job}/start?api-version=2.0", key)
        for _ in range(300):
            status = self._call("GET", f"{url}/jobs/{job}?api-version=2.0", key).json()
            if status["StatusCode"] not in ("NotStarted", "Running"):
                break
            time.sleep(0.2)
        if status["StatusCode"] != "Finished":
            raise RuntimeError(f"job {job} is {status['StatusCode']}: {status['Details']}")

    def admin(self, method: str, path: str, document: object = None) -> Any:
        """The fault switchboard of local Studio (`--admin`), for tests."""
        answer = self.session.request(
            method, f"{self._base}/admin/{path}", json=document, timeout=SECONDS_MAX
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def patch_by_hand(self, scoring: Scoring, place: Mapping[str, str], resource: str) -> None:
        """Put another model into a classic endpoint behind the app's back."""
        body = {"Resources": [{"Name": resource, "Location": dict(place)}]}
        self._call("PATCH", scoring.management, scoring.token, json=body)

    def _execution(self, scoring: Scoring) -> tuple[str, str]:
        document = self._call("GET", scoring.management, scoring.token).json()
        if scoring.kind == "classic":
            return document["ApiLocation"], document["PrimaryKey"]
        path, query = scoring.management.split("?", 1)
        keys = self._call("GET", f"{path}/listKeys?{query}", scoring.token).json()
        swagger = str(document["properties"]["swaggerLocation"])
        return swagger.split("/swagger.json", 1)[0], keys["primary"]

    def _settled(self, resource: str) -> None:
        for _ in range(200):
            document = self._call("GET", self._arm(resource), self._addresses["arm_token"]).json()
            if document["properties"]["provisioningState"] == "Succeeded":
                return
            time.sleep(0.1)
        raise RuntimeError(f"{resource} was not deployed in time")

    def _storage(self) -> dict[str, str]:
        parts = dict(
            part.split("=", 1)
            for part in self._addresses["storage_connection_string"].split(";")
            if "=" in part
        )
        return {"name": parts["AccountName"], "key": parts["AccountKey"]}

    def _arm(self, resource: str) -> str:
        return f"{self._base}{resource}?api-version={API_VERSION}"

    def _call(self, method: str, url: str, token: str, *, json: object = None) -> requests.Response:
        answer = self.session.request(
            method,
            url,
            json=json,
            headers={"Authorization": f"Bearer {token}"},
            timeout=SECONDS_MAX,
            allow_redirects=False,
        )
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {url.split('?')[0]}: {answer.status_code} {answer.text}")
        return answer
