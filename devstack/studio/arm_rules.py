"""What a new web service may be: the rules that PUT and PATCH are held to beyond the shape.

Location, plan and storage account must fit each other; plan and location cannot be changed; a
read-only service can only be deleted.
"""

from __future__ import annotations

from typing import Any

from devstack.studio.arm_checks import graph_mistakes, refuse
from devstack.studio.arm_paths import REGIONS, plan_key, region_key
from devstack.studio.context import Context
from devstack.studio.errors import StudioError
from devstack.studio.records import NewService, Plan


class ServiceRules:
    """Completes and checks the document of a service before anything is changed."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def completed(self, service: NewService | None, document: dict[str, Any]) -> dict[str, Any]:
        """The document with what stays from before; raises 400 naming all mistakes, or 409."""
        properties = document["properties"]
        if service is not None:
            if service.pending is not None:
                message = "Another operation on this web service is in progress; wait for its end."
                raise StudioError(409, "Conflict", message)
            if service.document["properties"].get("readOnly"):
                refuse(["the web service is read-only: it can only be deleted"], "ReadOnly")
            _keep(service.document, document)
        mistakes = self._place_mistakes(service, document) + graph_mistakes(properties)
        refuse(mistakes, "InvalidWebService")
        self._context.sources(properties)
        return document

    def _place_mistakes(self, service: NewService | None, document: dict[str, Any]) -> list[str]:
        region = region_key(document["location"])
        if region not in REGIONS:
            return [f"location must be one of {', '.join(REGIONS.values())}"]
        document["location"] = REGIONS[region]
        if service is not None and region_key(service.document["location"]) != region:
            return [f"location is {service.document['location']} and cannot be changed"]
        return self._storage_mistakes(service, document) + self._plan_mistakes(service, document)

    def _storage_mistakes(self, service: NewService | None, document: dict[str, Any]) -> list[str]:
        storage, account = document["properties"].get("storageAccount") or {}, self._context.account
        if storage.get("name") != account.name:
            return [f"storageAccount.name must be {account.name!r}, it is {storage.get('name')!r}"]
        if service is None and not storage.get("key"):
            return ["storageAccount.key is missing"]
        if storage.get("key") and storage["key"] != account.key:
            return [f"storageAccount.key does not open the storage account {account.name!r}"]
        return []

    def _plan_mistakes(self, service: NewService | None, document: dict[str, Any]) -> list[str]:
        if service is not None:
            return []
        plan_id = (document["properties"].get("commitmentPlan") or {}).get("id", "")
        plan = self._context.store.get(
            Plan, plan_key(plan_id, self._context.identity.subscription_id)
        )
        if plan is None:
            return [f"commitmentPlan.id must name a commitment plan, {plan_id!r} does not"]
        if region_key(plan.location) != region_key(document["location"]):
            return [f"the commitment plan is in {plan.location}, the web service is to be in "
                    f"{document['location']}: they must be in the same region"]  # fmt: skip
        return []


def merged(old: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A definition with the parts that a PATCH names."""
    properties = {**old["properties"]}
    for name, value in (patch.get("properties") or {}).items():
        by_item = name in ("assets", "parameters")
        properties[name] = {**properties.get(name, {}), **value} if by_item else value
    return {
        "location": patch.get("location") or old["location"],
        "tags": patch.get("tags", old.get("tags") or {}),
        "properties": properties,
    }


def _keep(old: dict[str, Any], new: dict[str, Any]) -> None:
    """What an update cannot change, or need not repeat: plan, storage, credentials of an asset."""
    before, after = old["properties"], new["properties"]
    if "commitmentPlan" in before:
        after["commitmentPlan"] = before["commitmentPlan"]
    after.setdefault("storageAccount", before.get("storageAccount") or {})
    for asset_id, asset in (after.get("assets") or {}).items():
        known = (before.get("assets") or {}).get(asset_id, {}).get("locationInfo") or {}
        location = asset["locationInfo"]
        is_same = location["uri"] == known.get("uri")
        if is_same and known.get("credentials") and not location.get("credentials"):
            location["credentials"] = known["credentials"]
