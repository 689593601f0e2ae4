"""Workspaces in Resource Manager: make, change, list and delete them, and read their tokens.

Source: Microsoft.MachineLearning workspaces, api-versions 2016-04-01 and 2019-10-01. Errors have
`code` and `message` at the top, as that specification says, and in the usual envelope too. How a
workspace becomes a free one is not in the specification: here by the SKU `Free` (inferred).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from devstack.studio.arm_checks import refuse
from devstack.studio.arm_paths import (
    GROUP_NAME,
    PROVIDER,
    check_name,
    page,
    region_key,
    resource_id,
    skip_token,
    version_of,
)
from devstack.studio.arm_schema import MapOf, Record, Scalar, Shape, canonical
from devstack.studio.context import Context
from devstack.studio.errors import StudioError
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.names import iso
from devstack.studio.web import Handler, Request, Response, Route
from devstack.studio.workspace.about import EMAIL
from devstack.studio.workspace.records import WorkspaceRecord

VERSIONS = ("2019-10-01", "2016-04-01")

WORKSPACE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,258}[A-Za-z0-9_])?")

# Where workspaces could be.
REGIONS = {
    region_key(name): name
    for name in (
        "South Central US",
        "West Europe",
        "Southeast Asia",
        "Japan East",
        "Germany Central",
        "West Central US",
    )
}

STATES = (
    "Deleted", "Enabled", "Disabled", "Migrated", "Updated", "Registered", "Unregistered",
)  # fmt: skip

_STORAGE_ACCOUNT = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/"
    r"Microsoft\.(?:Classic)?Storage/storageAccounts/[a-z0-9]{3,24}",
    re.IGNORECASE,
)

_SKU = Record({"name": Scalar(), "tier": Scalar()})
_PROPERTIES = Record(
    {
        "userStorageAccountId": Scalar(),
        "ownerEmail": Scalar(),
        "keyVaultIdentifierId": Scalar(),
    },
    ("userStorageAccountId", "ownerEmail"),
)
_CHANGES: Mapping[str, Shape] = {
    "workspaceState": Scalar(values=STATES),
    "keyVaultIdentifierId": Scalar(),
}


class ArmWorkspaces:
    """Serves `.../providers/Microsoft.MachineLearning/workspaces`.

    `delete_workspace` deletes a workspace by its id, with all that is in it.
    """

    def __init__(self, context: Context, delete_workspace: Callable[[str], None]) -> None:
        self._context = context
        self._workspaces = context.workspaces
        self._delete_workspace = delete_workspace

    def routes(self, guarded: Callable[[Handler], Handler]) -> list[Route]:
        """The routes; `guarded` checks the token, its refusals look like the others here."""
        whole = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/workspaces"
        group = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}"
        one = group + "/workspaces/{name}"
        calls: list[tuple[str, str, Handler]] = [
            ("GET", whole, self.list_all),
            ("GET", group + "/workspaces", self.list_group),
            ("GET", one, self.get),
            ("PUT", one, self.put),
            ("PATCH", one, self.patch),
            ("DELETE", one, self.delete),
            ("POST", one + "/listWorkspaceKeys", self.list_keys),
            ("POST", one + "/resyncStorageKeys", self.resync_keys),
        ]
        return [
            Route(method, path, _answering(guarded(handler))) for method, path, handler in calls
        ]

    def put(self, request: Request) -> Response:
        """Create a workspace, or change its owner, tags and SKU; 200 both times."""
        version = version_of(request, VERSIONS)
        check_name(request.parts["group"], GROUP_NAME, "resource group")
        check_name(request.parts["name"], WORKSPACE_NAME, "workspace")
        document, mistakes = request.json_object(), list[str]()
        document = canonical(_shape(version), document, "workspace", mistakes)
        refuse(mistakes)
        with self._context.store.transaction():
            existing = self._existing(request)
            refuse(_mistakes(document, existing))
            workspace = self._written(request, document, existing)
        return Response(200, self._document(workspace, version))

    def patch(self, request: Request) -> Response:
        """Change tags, state, key vault or (2019) SKU. A state is kept and shown, no more."""
        version = version_of(request, VERSIONS)
        workspace, mistakes = self._workspace(request), list[str]()
        shape = _patch_shape(version)
        document = canonical(shape, request.json_object(), "workspace", mistakes)
        refuse(mistakes)
        properties = document.get("properties") or {}
        sku = properties.get("sku", workspace.sku)
        changes = {
            "tags": document.get("tags", workspace.tags),
            "state": properties.get("workspaceState", workspace.state),
            "key_vault_id": properties.get("keyVaultIdentifierId", workspace.key_vault_id),
            "sku": sku,
            "type": _type_of(sku) if "sku" in properties else workspace.type,
        }
        if CHANGE_NOTHING not in request.effects:
            workspace = self._workspaces.change(workspace.id, changes)
        return Response(200, self._document(workspace, version))

    def get(self, request: Request) -> Response:
        """One workspace."""
        version = version_of(request, VERSIONS)
        return Response(200, self._document(self._workspace(request), version))

    def delete(self, request: Request) -> Response:
        """Delete a workspace with what is in it; 204 when there is none.

        New web services, which are resources of their own, go on scoring. The first workspace of
        local Studio stays: its samples live there.
        """
        version_of(request, VERSIONS)
        workspace = self._existing(request)
        if workspace is None:
            return Response(204)
        if workspace.id == self._workspaces.first_id:
            message = f"{workspace.name} is the first workspace of local Studio and stays."
            raise StudioError(409, "Conflict", message)
        if CHANGE_NOTHING not in request.effects:
            self._delete_workspace(workspace.id)
        return Response(200)

    def list_all(self, request: Request) -> Response:
        """The workspaces of the subscription."""
        return self._list(request, "")

    def list_group(self, request: Request) -> Response:
        """The workspaces of a resource group."""
        return self._list(request, request.parts["group"].lower() + "/")

    def list_keys(self, request: Request) -> Response:
        """The two tokens of a workspace."""
        version_of(request, VERSIONS)
        primary, secondary = self._workspace(request).tokens
        return Response(200, {"primaryToken": primary, "secondaryToken": secondary})

    def resync_keys(self, request: Request) -> Response:
        """Read the keys of the storage account again; here they do not change."""
        version_of(request, VERSIONS)
        self._workspace(request)
        return Response(200)

    def _written(
        self, request: Request, document: Mapping[str, Any], existing: WorkspaceRecord | None
    ) -> WorkspaceRecord:
        properties, sku = document["properties"], document.get("sku") or {}
        changes = {
            "owner_email": properties["ownerEmail"],
            "storage_account_id": properties["userStorageAccountId"],
            "key_vault_id": properties.get("keyVaultIdentifierId"),
            "tags": document.get("tags") or {},
            "sku": sku,
            "type": _type_of(sku),
        }
        group, name = request.parts["group"], request.parts["name"]
        region = REGIONS[region_key(document["location"])]
        if CHANGE_NOTHING in request.effects:
            return existing or self._workspaces.made(group, name, region=region, **changes)
        if existing is not None:
            return self._workspaces.change(existing.id, changes)
        return self._workspaces.create(group, name, region=region, **changes)

    def _list(self, request: Request, prefix: str) -> Response:
        version = version_of(request, VERSIONS)
        after = skip_token(request)
        found = [
            (workspace.resource.lower(), self._document(workspace, version))
            for workspace in self._workspaces.list()
            if workspace.resource.lower().startswith(prefix) and workspace.resource.lower() > after
        ]
        return Response(200, page(found, self._context.base_url, request))

    def _existing(self, request: Request) -> WorkspaceRecord | None:
        return self._workspaces.named(request.parts["group"], request.parts["name"])

    def _workspace(self, request: Request) -> WorkspaceRecord:
        workspace = self._existing(request)
        if workspace is None:
            message = f"There is no workspace {request.parts['name'][:64]!r} in this group."
            raise StudioError(404, "ResourceNotFound", message)
        return workspace

    def _document(self, workspace: WorkspaceRecord, version: str) -> dict[str, Any]:
        group, name = workspace.resource.split("/")
        properties = {
            "userStorageAccountId": workspace.storage_account_id,
            "ownerEmail": workspace.owner_email,
            "workspaceType": workspace.type,
            "workspaceState": workspace.state,
            "workspaceId": workspace.id,
            "creationTime": iso(workspace.created),
            "studioEndpoint": self._context.base_url,
        }
        if workspace.key_vault_id is not None:
            properties["keyVaultIdentifierId"] = workspace.key_vault_id
        document = {
            "id": resource_id(self._context.identity.subscription_id, group, "workspaces", name),
            "name": workspace.name,
            "type": f"{PROVIDER}/workspaces",
            "location": workspace.region,
            "tags": workspace.tags,
            "properties": properties,
        }
        return {**document, "sku": workspace.sku} if version == VERSIONS[0] else document


class _Refusal(StudioError):
    """An error as the specification of workspaces has it."""

    def document(self) -> Mapping[str, Any]:
        return {"code": self.code, "message": self.message, **super().document()}


def _answering(handler: Handler) -> Handler:
    def answered(request: Request) -> Response:
        try:
            return handler(request)
        except StudioError as error:
            raise _Refusal(error.status, error.code, error.message, error.details) from error

    return answered


def _shape(version: str) -> Record:
    fields: dict[str, Shape] = {
        "location": Scalar(),
        "tags": MapOf(Scalar()),
        "properties": _PROPERTIES,
    }
    return Record({**fields, **_newer(version)}, ("location", "properties"))


def _patch_shape(version: str) -> Record:
    properties = Record({**_CHANGES, **_newer(version)})
    return Record({"tags": MapOf(Scalar()), "properties": properties})


def _newer(version: str) -> dict[str, Shape]:
    return {"sku": _SKU} if version == VERSIONS[0] else {}


def _mistakes(document: Mapping[str, Any], existing: WorkspaceRecord | None) -> list[str]:
    properties, region = document["properties"], region_key(document["location"])
    mistakes = []
    if region not in REGIONS:
        mistakes.append(f"location must be one of {', '.join(REGIONS.values())}")
    elif existing is not None and region_key(existing.region) != region:
        mistakes.append(f"location is {existing.region} and cannot be changed")
    if not EMAIL.fullmatch(properties["ownerEmail"]):
        mistakes.append(f"properties.ownerEmail {properties['ownerEmail'][:100]!r} is no address")
    if not _STORAGE_ACCOUNT.fullmatch(properties["userStorageAccountId"]):
        mistakes.append("properties.userStorageAccountId must be the id of a storage account")
    return mistakes


def _type_of(sku: Mapping[str, str]) -> str:
    is_free = "free" in (sku.get("name", "").lower(), sku.get("tier", "").lower())
    return "Free" if is_free else "PaidStandard"
