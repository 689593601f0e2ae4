"""Commitment plans ("web service plans"): what new web services are billed to, one region each.

A plan that a web service uses cannot be deleted.
"""

from __future__ import annotations

from typing import Any

from devstack.studio.arm_checks import refuse
from devstack.studio.arm_paths import (
    GROUP_NAME,
    PAGE_ITEMS,
    PLAN_API_VERSIONS,
    PROVIDER,
    REGIONS,
    check_name,
    page,
    plan_key,
    region_key,
    resource_id,
    version_of,
)
from devstack.studio.arm_schema import MapOf, Record, Scalar, canonical
from devstack.studio.context import Context
from devstack.studio.errors import StudioError
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.names import iso, new_id
from devstack.studio.records import NewService, Plan
from devstack.studio.web import Request, Response

_CAPACITY = Scalar("integer", minimum=1, maximum=100)
_SKU = Record({"name": Scalar(), "tier": Scalar(), "capacity": _CAPACITY})
_PLAN = Record({"location": Scalar(), "tags": MapOf(Scalar()), "sku": _SKU}, ("location",))
_PATCH = Record({"tags": MapOf(Scalar()), "sku": _SKU})
_DEFAULT_SKU = {"name": "S1", "tier": "Standard", "capacity": 1}


class Plans:
    """Serves `.../providers/Microsoft.MachineLearning/commitmentPlans`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def put(self, request: Request) -> Response:
        """Create a plan, or change its tags and SKU."""
        version_of(request, PLAN_API_VERSIONS)
        group, name = request.parts["group"], request.parts["name"]
        check_name(group, GROUP_NAME, "resource group")
        check_name(name, GROUP_NAME, "commitment plan")
        mistakes: list[str] = []
        document = canonical(_PLAN, request.json_object(), "commitmentPlan", mistakes)
        refuse(mistakes)
        region = region_key(document["location"])
        if region not in REGIONS:
            refuse([f"location must be one of {', '.join(REGIONS.values())}"])
        old = self._store.get(Plan, f"{group}/{name}".lower())
        if old is not None and region_key(old.location) != region:
            refuse([f"location is {old.location} and cannot be changed"])
        plan = self.create(group, name, REGIONS[region], document)
        return Response(200 if old else 201, self._document(plan))

    def create(self, group: str, name: str, location: str, document: dict[str, Any]) -> Plan:
        """Write a plan, new or over the one that was there."""
        key = f"{group}/{name}".lower()
        old = self._store.get(Plan, key)
        plan = Plan(
            name=name,
            resource_group=group,
            location=location,
            created=old.created if old else self._context.clock(),
            tags=document.get("tags") or {},
            sku={**_DEFAULT_SKU, **(document.get("sku") or {})},
            etag=new_id(),
        )
        self._store.put(key, plan)
        return plan

    def patch(self, request: Request) -> Response:
        """Change tags or SKU."""
        version_of(request, PLAN_API_VERSIONS)
        plan, mistakes = self._plan(request), list[str]()
        document = canonical(_PATCH, request.json_object(), "commitmentPlan", mistakes)
        refuse(mistakes)
        plan.tags = document.get("tags", plan.tags)
        plan.sku, plan.etag = {**plan.sku, **document.get("sku", {})}, new_id()
        self._store.put(_key_of(plan), plan)
        return Response(200, self._document(plan))

    def get(self, request: Request) -> Response:
        """One plan."""
        version_of(request, PLAN_API_VERSIONS)
        return Response(200, self._document(self._plan(request)))

    def delete(self, request: Request) -> Response:
        """Delete a plan that no web service uses; 204 when there is none."""
        version_of(request, PLAN_API_VERSIONS)
        plan = self._store.get(Plan, _key(request))
        if plan is None:
            return Response(204)
        used_by = [service.name for service in self._services(plan)]
        if used_by:
            message = f"The plan is in use by {', '.join(used_by[:10])}; delete them first."
            raise StudioError(409, "Conflict", message)
        if CHANGE_NOTHING not in request.effects:
            self._store.delete(Plan, _key_of(plan))
        return Response(200)

    def list_group(self, request: Request) -> Response:
        """The plans of a resource group."""
        return self._list(request, request.parts["group"].lower() + "/")

    def list_all(self, request: Request) -> Response:
        """The plans of the subscription."""
        return self._list(request, "")

    def associations(self, request: Request) -> Response:
        """The web services on a plan."""
        version_of(request, PLAN_API_VERSIONS)
        plan = self._plan(request)
        return Response(
            200, {"value": [self._association(plan, service) for service in self._services(plan)]}
        )

    def _plan(self, request: Request) -> Plan:
        plan = self._store.get(Plan, _key(request))
        if plan is None:
            message = f"There is no commitment plan {request.parts['name'][:64]!r} in this group."
            raise StudioError(404, "ResourceNotFound", message)
        return plan

    def _services(self, plan: Plan) -> list[NewService]:
        subscription, key = self._context.identity.subscription_id, _key_of(plan)
        return [
            service
            for service in self._store.list(NewService)
            if plan_key(_plan_id(service), subscription) == key
        ]

    def _list(self, request: Request, prefix: str) -> Response:
        version_of(request, PLAN_API_VERSIONS)
        after = request.query.get("$skipToken", request.query.get("$skiptoken", ""))
        found = self._store.list(Plan, prefix, after, PAGE_ITEMS + 1)
        documents = [(_key_of(plan), self._document(plan)) for plan in found]
        return Response(200, page(documents, self._context.base_url, request))

    def _association(self, plan: Plan, service: NewService) -> dict[str, Any]:
        subscription = self._context.identity.subscription_id
        plan_id = self._document(plan)["id"]
        return {
            "id": f"{plan_id}/commitmentAssociations/{service.name}",
            "name": service.name,
            "type": f"{PROVIDER}/commitmentPlans/commitmentAssociations",
            "location": plan.location,
            "properties": {
                "associatedResourceId": resource_id(
                    subscription, service.resource_group, "webServices", service.name
                ),
                "commitmentPlanId": plan_id,
                "creationDate": iso(service.created),
            },
        }

    def _document(self, plan: Plan) -> dict[str, Any]:
        subscription = self._context.identity.subscription_id
        return {
            "id": resource_id(subscription, plan.resource_group, "commitmentPlans", plan.name),
            "name": plan.name,
            "type": f"{PROVIDER}/commitmentPlans",
            "location": plan.location,
            "tags": plan.tags,
            "etag": plan.etag,
            "sku": plan.sku,
            "properties": {
                "chargeForOverage": False,
                "chargeForPlan": False,
                "creationDate": iso(plan.created),
                "includedQuantities": {},
                "maxAssociationLimit": 10_000,
                "maxCapacityLimit": 100,
                "minCapacityLimit": 1,
                "planMeter": "local",
                "refillFrequencyInDays": 30,
                "suspendPlanOnOverage": False,
            },
        }


def _plan_id(service: NewService) -> str:
    return str((service.document["properties"].get("commitmentPlan") or {}).get("id", ""))


def _key(request: Request) -> str:
    return f"{request.parts['group']}/{request.parts['name']}".lower()


def _key_of(plan: Plan) -> str:
    return f"{plan.resource_group}/{plan.name}".lower()
