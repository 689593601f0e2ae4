"""azure-mgmt-resource, which others wrote, deploys and deletes a web service unmodified."""

from __future__ import annotations

from typing import Any

from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.devstack.studio.client import Client
from tests.devstack.studio.test_arm import definition, slope


class _Token(SansIOHTTPPolicy[Any, Any]):
    """Sets the token; the client's own policy refuses to send one without TLS."""

    def __init__(self, token: str) -> None:
        self._token = token

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = f"Bearer {self._token}"


class _NoCredential:
    def get_token(self, *scopes: str, **options: Any) -> Any:
        raise AssertionError("the token comes from the policy")


def test_generic_resources_are_created_read_changed_and_deleted(client: Client) -> None:
    description = client.description
    subscription, group = description["subscription_id"], description["resource_group"]
    resource = (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        "/providers/Microsoft.MachineLearning/webServices/generic"
    )
    with ResourceManagementClient(
        _NoCredential(),
        subscription,
        base_url=description["base_url"],
        authentication_policy=_Token(description["arm_token"]),
        polling_interval=0,
    ) as manager:
        resources = manager.resources

        created = resources.begin_create_or_update_by_id(
            resource, definition(client), api_version="2017-01-01"
        ).result()
        assert (
            created.name,
            created.properties["provisioningState"],
        ) == ("generic", "Succeeded")
        assert slope(client, "generic") == 1

        resources.begin_create_or_update_by_id(
            resource, definition(client, 2), api_version="2017-01-01"
        ).result()
        assert slope(client, "generic") == 2
        assert resources.get_by_id(resource, api_version="2017-01-01").location == "West Europe"

        resources.begin_delete_by_id(resource, api_version="2017-01-01").result()
        assert client.arm("GET", "webServices/generic").status_code == 404
