"""New web services as Resource Manager shows them."""

from __future__ import annotations

from typing import Any

from devstack.studio.arm_checks import as_version
from devstack.studio.arm_paths import PROVIDER, resource_id
from devstack.studio.context import Context
from devstack.studio.names import iso
from devstack.studio.records import NewService

# What is set on creation and not returned. Source: the specification of WebServiceProperties.
_HIDDEN = ("commitmentPlan", "keys")

# What a list leaves out of a service.
_HEAVY = ("package", "assets", "input", "output", "parameters", "exampleRequest")


def service_document(context: Context, service: NewService, version: str) -> dict[str, Any]:
    """A service with its definition, without its plan, its storage key and its own keys."""
    subscription = context.identity.subscription_id
    path = f"/subscriptions/{subscription.replace('-', '')}/services/{service.deployment_id}"
    document = as_version(service.document, version)
    shown = {name: value for name, value in document["properties"].items() if name not in _HIDDEN}
    return {
        "id": resource_id(subscription, service.resource_group, "webServices", service.name),
        "name": service.name,
        "type": f"{PROVIDER}/webServices",
        "location": document["location"],
        "tags": document.get("tags") or {},
        "properties": {
            **shown,
            "createdOn": iso(service.created),
            "modifiedOn": iso(service.modified),
            "provisioningState": service.state,
            "swaggerLocation": f"{context.base_url}{path}/swagger.json",
        },
    }


def sparse_document(context: Context, service: NewService, version: str) -> dict[str, Any]:
    """A service as lists have it, without its graph."""
    document = service_document(context, service, version)
    for name in _HEAVY:
        document["properties"].pop(name, None)
    return document
