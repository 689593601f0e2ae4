"""Classic services and endpoints as the management interface shows them."""

from __future__ import annotations

from typing import Any

from devstack.studio.classic_models import DEFAULT_ENDPOINT, EndpointModels
from devstack.studio.context import Context
from devstack.studio.modules import TRAINED_MODEL
from devstack.studio.names import iso
from devstack.studio.records import Deployment, Endpoint, WebService


def service_document(service: WebService, endpoint_count: int) -> dict[str, Any]:
    """A service."""
    return {
        "Id": service.id,
        "Name": service.name,
        "Description": service.description,
        "CreationTime": iso(service.created),
        "WorkspaceId": service.workspace,
        "DefaultEndpointName": DEFAULT_ENDPOINT,
        "EndpointCount": endpoint_count,
    }


def endpoint_document(
    context: Context, endpoint: Endpoint, deployment: Deployment
) -> dict[str, Any]:
    """An endpoint with its keys, address and models."""
    workspace = deployment.path.split("/")[2]
    help_path = f"/apihelp/workspaces/{workspace}/webservices/{endpoint.service_id}"
    return {
        "Name": endpoint.name,
        "Description": endpoint.description,
        "CreationTime": iso(endpoint.created),
        "WorkspaceId": workspace,
        "WebServiceId": endpoint.service_id,
        "HelpLocation": f"{context.base_url}{help_path}/endpoints/{deployment.id}",
        "PrimaryKey": deployment.primary_key,
        "SecondaryKey": deployment.secondary_key,
        "ApiLocation": context.base_url + deployment.path,
        "Version": iso(endpoint.version),
        "PreventUpdate": endpoint.prevent_update,
        "SampleDataEnabled": False,
        "ExperimentLocation": _experiment_location(context, workspace, endpoint),
        "MaxConcurrentCalls": endpoint.max_concurrent_calls,
        "DiagnosticsTraceLevel": endpoint.diagnostics,
        "ThrottleLevel": endpoint.throttle_level,
        "Resources": [
            {
                "Name": resource.name,
                "Kind": TRAINED_MODEL,
                "Location": EndpointModels(context).location(resource),
            }
            for resource in endpoint.resources.values()
            if resource.kind == TRAINED_MODEL
        ],
    }


def _experiment_location(context: Context, workspace: str, endpoint: Endpoint) -> str | None:
    """The address of the run that an endpoint serves; None when no experiment stands behind it."""
    if not endpoint.snapshot:
        return None
    place = f"{context.base_url}/Home/ViewWorkspace/{workspace}"
    return f"{place}#Workspaces/Experiments/Experiment/{endpoint.snapshot}/ViewExperiment"
