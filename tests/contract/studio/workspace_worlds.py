"""The worlds that the contract of workspaces is played in: the double, and local Studio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import requests

from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.adapters.studio.directory import StudioDirectory
from alm.domain.errors import AlmError, Denied, Unavailable, Unknown
from alm.domain.experiment import Draft, StudioWorkspace
from alm.studio_ports import Workspace
from devstack.studio.modules import MODULES
from tests.contract.studio.drafts import training
from tests.contract.studio.local_studio import LocalStudio
from tests.contract.studio.waiting import HandClock
from tests.doubles.workspace import DoubleStudio

Kind = str  # "unavailable", "denied", "lost answer"

_ERRORS: Mapping[Kind, tuple[AlmError, bool]] = {
    "unavailable": (Unavailable("no room"), False),
    "denied": (Denied("wrong token"), False),
    "lost answer": (Unknown("lost"), True),
}
_EFFECTS: Mapping[Kind, str] = {"unavailable": "503", "denied": "401", "lost answer": "lost_answer"}
_CALLS: Mapping[str, tuple[str, str]] = {
    "facts": ("GET", "/api/workspaces/[^/]+$"),
    "assets": ("GET", "/(datasources|trainedmodels|transformmodules)$"),
    "asset": ("GET", "/(datasources|trainedmodels|transformmodules)/[^/]+$"),
    "modules": ("GET", "/modules$"),
    "upload": ("POST", "/datasources$"),
    "download": ("GET", "/sharedaccess$"),
    "delete_datasets": ("DELETE", "/datasources/family/[^/]+$"),
    "promote": ("POST", "/(datasources|trainedmodels|transformmodules)$"),
    "experiments": ("GET", "/experiments$"),
    "experiment": ("GET", "/experiments/[^/]+$"),
    "create": ("POST", "/experiments/?$"),
    "save": ("POST", "/experiments/[^/]+$"),
    "run": ("POST", "/experiments/[^/]+$"),
    "delete": ("DELETE", "/experiments/[^/]+$"),
    "output": ("GET", "/outputdata/.+$"),
    "pack": ("POST", "/packages$"),
    "packing": ("GET", "/packages$"),
    "unpack": ("PUT", "/packages$"),
    "unpacking": ("GET", "/packages$"),
    "deploy": ("POST", "/webservice$"),
    "deploying": ("GET", "/webservice$"),
    "definition": ("GET", "/webservicedefinition$"),
}


class WorkspaceWorld(Protocol):
    """other: a workspace that experiments are copied into."""

    workspace: Workspace
    other: Workspace

    def name(self, text: str) -> str:
        """A name that nobody else uses in this workspace."""
        ...

    def failing(self, dataset: str) -> Draft:
        """An experiment whose run fails, telling of a `label`."""
        ...

    def fault(self, operation: str, kind: Kind) -> None: ...


class DoubleWorkspaceWorld:
    def __init__(self) -> None:
        studio = DoubleStudio(HandClock())
        self._double = studio.workspace(StudioWorkspace(workspace="a" * 32))
        self._double.module_ids = [module.id for module in MODULES.values()]
        self.workspace: Workspace = self._double
        self.other: Workspace = studio.workspace(StudioWorkspace(workspace="b" * 32))

    def name(self, text: str) -> str:
        return text

    def failing(self, dataset: str) -> Draft:
        self._double.fails_runs = "Train Model: there is no such label column"
        return training(dataset, name="Fails")

    def fault(self, operation: str, kind: Kind) -> None:
        error, after = _ERRORS[kind]
        self._double.fail(operation, error, after=after, times=None if kind == "denied" else 1)


class StudioWorkspaceWorld:
    """Local Studio's first workspace, and a second one that was made for these tests."""

    worlds = 0

    def __init__(self, local: LocalStudio) -> None:
        type(self).worlds += 1
        self._number = self.worlds
        self._local = local
        described = local.description
        first = (described["workspace_id"], described["workspace_token"])
        self.workspace = _client(local, *map(str, first))
        self.other = _client(local, *second_workspace(local))

    def name(self, text: str) -> str:
        return f"{text} ({self._number})"

    def failing(self, dataset: str) -> Draft:
        return training(dataset, name=self.name("Fails"), label="no such label")

    def fault(self, operation: str, kind: Kind) -> None:
        method, path = _CALLS[operation]
        document: dict[str, Any] = {
            "effect": _EFFECTS[kind],
            "match": {"method": method, "path": path},
            "times": None if kind == "denied" else 1,
        }
        url = f"{self._local.url}/admin/faults"
        requests.post(url, json=document, timeout=10).raise_for_status()


def _client(local: LocalStudio, workspace: str, token: str) -> Workspace:
    http = Http(["127.0.0.1"], deadline_seconds=30)
    local.clients.append(http)
    identity = Identity({"ALM_STUDIO_WORKSPACE_TOKEN": token}, local.clock)
    declared = StudioWorkspace(workspace=workspace, studio=local.url)
    return StudioDirectory(http, identity).workspace(declared)


def second_workspace(local: LocalStudio) -> tuple[str, str]:
    """The id and token of a workspace made through Resource Manager; the same one each time."""
    described = local.description
    base = f"/subscriptions/{described['subscription_id']}/resourceGroups"
    path = (
        f"{base}/{described['resource_group']}/providers/Microsoft.MachineLearning/workspaces/two"
    )
    version = {"api-version": "2019-10-01"}
    call: Callable[..., requests.Response] = requests.request
    headers = {"Authorization": f"Bearer {described['arm_token']}"}
    account = "providers/Microsoft.Storage/storageAccounts/storage"
    properties = {
        "ownerEmail": "two@example.com",
        "userStorageAccountId": f"{base}/{described['resource_group']}/{account}",
    }
    body = {"location": "South Central US", "properties": properties}
    url = local.url + path
    made = call("PUT", url, params=version, headers=headers, json=body, timeout=10)
    made.raise_for_status()
    keys = call("POST", f"{url}/listWorkspaceKeys", params=version, headers=headers, timeout=10)
    keys.raise_for_status()
    return str(made.json()["properties"]["workspaceId"]), str(keys.json()["primaryToken"])
