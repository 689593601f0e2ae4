"""azure-mgmt-resource, which others wrote, manages web services, plans and workspaces unmodified.

What goes over the wire is held against the specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.resource.resources import ResourceManagementClient

from devstack.studio.studio import Studio
from tests.devstack.studio.client import Client
from tests.devstack.studio.recording import Recording
from tests.devstack.studio.test_arm import OLD, definition, plan_id, slope

NEW, PLANS, WORKSPACES = "2017-01-01", "2016-05-01-preview", "2019-10-01"


class _Token(SansIOHTTPPolicy[Any, Any]):
    """Sets the token; the client's own policy refuses to send one without TLS."""

    def __init__(self, token: str) -> None:
        self._token = token

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = f"Bearer {self._token}"


class _NoCredential:
    def get_token(self, *scopes: str, **options: Any) -> Any:
        raise AssertionError("the token comes from the policy")


@contextmanager
def manager_of(client: Client, token: str | None = None) -> Iterator[Any]:
    description = client.description
    with ResourceManagementClient(
        _NoCredential(),
        description["subscription_id"],
        base_url=description["base_url"],
        authentication_policy=_Token(token or description["arm_token"]),
        polling_interval=0,
        retry_total=0,
    ) as manager:
        yield manager.resources


@pytest.fixture
def resources(client: Client, studio: Studio) -> Iterator[Any]:
    """The client's resources; in the end everything on the wire was as specified."""
    with Recording(studio) as recording, manager_of(client) as found:
        yield found
    assert recording.mistakes == []
    assert recording.seen != []


def resource_id(client: Client, path: str) -> str:
    subscription, group = (
        client.description["subscription_id"],
        client.description["resource_group"],
    )
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.MachineLearning/{path}"
    )


def test_a_web_service_is_created_read_changed_and_deleted(client: Client, resources: Any) -> None:
    resource = resource_id(client, "webServices/generic")

    created = resources.begin_create_or_update_by_id(
        resource, definition(client), api_version=NEW
    ).result()
    assert (created.name, created.properties["provisioningState"]) == ("generic", "Succeeded")
    assert slope(client, "generic") == 1

    resources.begin_create_or_update_by_id(
        resource, definition(client, 2), api_version=NEW
    ).result()
    assert slope(client, "generic") == 2
    assert resources.get_by_id(resource, api_version=NEW).location == "West Europe"

    change = {"properties": {"packageType": "Graph", "title": "Changed"}}
    patched = resources.begin_update_by_id(resource, change, api_version=NEW).result()
    assert patched.properties["title"] == "Changed"

    resources.begin_delete_by_id(resource, api_version=NEW).result()
    assert client.arm("GET", "webServices/generic").status_code == 404


def test_a_web_service_has_the_form_of_2016_too(client: Client, resources: Any) -> None:
    resource = resource_id(client, "webServices/older")
    resources.begin_create_or_update_by_id(resource, definition(client), api_version=OLD).result()

    read = resources.get_by_id(resource_id(client, "webServices/cancer-training"), api_version=OLD)

    nodes = read.properties["package"]["nodes"]
    values = [value for node in nodes.values() for value in node.get("parameters", {}).values()]
    assert values != []
    assert all(isinstance(value, str) for value in values)
    assert slope(client, "older") == 1
    resources.begin_delete_by_id(resource, api_version=OLD).result()


def test_a_failed_update_is_told_with_its_reason(client: Client, resources: Any) -> None:
    resource = resource_id(client, "webServices/generic")
    lost = definition(client)
    for asset in lost["properties"]["assets"].values():
        asset["locationInfo"]["uri"] = asset["locationInfo"]["uri"].replace("arm1", "lost")

    with pytest.raises(HttpResponseError, match="The model was not fetched"):
        resources.begin_create_or_update_by_id(resource, lost, api_version=NEW).result()
    resources.begin_delete_by_id(resource, api_version=NEW).result()


def test_a_refusal_is_told_with_its_reason(client: Client, resources: Any) -> None:
    resource = resource_id(client, "webServices/generic")
    unplanned = definition(client)
    unplanned["properties"]["commitmentPlan"] = {"id": plan_id(client, "nowhere")}

    with pytest.raises(HttpResponseError, match="must name a commitment plan"):
        resources.begin_create_or_update_by_id(resource, unplanned, api_version=NEW)
    with pytest.raises(ResourceNotFoundError, match="There is no web service"):
        resources.get_by_id(resource, api_version=NEW)


def test_a_plan_is_created_changed_and_deleted(client: Client, resources: Any) -> None:
    plan = resource_id(client, "commitmentPlans/generic")
    wanted = {"location": "West Europe", "tags": {"team": "lines"}}

    created = resources.begin_create_or_update_by_id(plan, wanted, api_version=PLANS).result()
    assert (created.name, created.tags) == ("generic", {"team": "lines"})
    patched = resources.begin_update_by_id(
        plan, {"tags": {"team": "curves"}}, api_version=PLANS
    ).result()
    assert patched.tags == {"team": "curves"}
    resources.begin_delete_by_id(plan, api_version=PLANS).result()
    with pytest.raises(ResourceNotFoundError):
        resources.get_by_id(plan, api_version=PLANS)


def test_a_workspace_is_created_changed_and_deleted(client: Client, resources: Any) -> None:
    workspace = resource_id(client, "workspaces/generic")
    storage = resource_id(client, "").replace(
        "Microsoft.MachineLearning/", "Microsoft.Storage/storageAccounts/own"
    )
    properties = {"ownerEmail": "owner@example.com", "userStorageAccountId": storage}
    wanted = {"location": "West Europe", "properties": properties}

    created = resources.begin_create_or_update_by_id(
        workspace, wanted, api_version=WORKSPACES
    ).result()
    assert created.properties["ownerEmail"] == "owner@example.com"
    change = {"properties": {"workspaceState": "Disabled"}}
    patched = resources.begin_update_by_id(workspace, change, api_version=WORKSPACES).result()
    assert patched.properties["workspaceState"] == "Disabled"
    resources.begin_delete_by_id(workspace, api_version=WORKSPACES).result()
    with pytest.raises(ResourceNotFoundError, match="There is no workspace"):
        resources.get_by_id(workspace, api_version=WORKSPACES)


@pytest.mark.parametrize("path", ["webServices/w", "commitmentPlans/p", "workspaces/w"])
def test_a_wrong_token_is_refused(client: Client, studio: Studio, path: str) -> None:
    version = {"webServices/w": NEW, "commitmentPlans/p": PLANS, "workspaces/w": WORKSPACES}[path]
    told = pytest.raises(HttpResponseError, match="Authentication failed")
    with Recording(studio) as recording, manager_of(client, "wrong") as resources, told as refused:
        resources.get_by_id(resource_id(client, path), api_version=version)
    assert refused.value.status_code == 401
    assert recording.mistakes == []
