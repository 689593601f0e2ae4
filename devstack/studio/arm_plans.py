"""Commitment plans ("web service plans"): what new web services are billed to, one region each.

A plan that a web service uses cannot be deleted.
"""

from __future__ import annotations

from typing import Any

from devstack.studio.arm_associations import Associations, plan_id, plan_of, services_on
from devstack.studio.arm_checks import refuse
from devstack.studio.arm_paths import (
    GROUP_NAME,
    PAGE_ITEMS,
    PLAN_API_VERSIONS,
    PROVIDER,
    REGIONS,
    check_name,
    page,
    region_key,
    skip_token,
    version_of,
)
from devstack.studio.arm_schema import MapOf, Record, Scalar, canonical
from devstack.studio.context import Context
from devstack.studio.errors import StudioError
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.names import iso, new_id
from devstack.studio.records import Plan
from devstack.studio.web import Request, Response, Route

CAPACITY_MIN, CAPACITY_MAX = 1, 100

_CAPACITY = Scalar("integer", minimum=CAPACITY_MIN, maximum=CAPACITY_MAX)
_SKU = Record({"name": Scalar(), "tier": Scalar(), "capacity": _CAPACITY})
_PLAN = Record({"location": Scalar(), "tags": MapOf(Scalar()), "sku": _SKU}, ("location",))
_PATCH = Record({"tags": MapOf(Scalar()), "sku": _SKU})
_DEFAULT_SKU = {"name": "S1", "tier": "Standard", "capacity": 1}

_CATALOG_SKU = {
    "resourceType": f"{PROVIDER}/commitmentPlans",
    "name": _DEFAULT_SKU["name"],
    "tier": _DEFAULT_SKU["tier"],
    "locations": list(REGIONS.values()),
    "capacity": {
        "minimum": CAPACITY_MIN,
        "maximum": CAPACITY_MAX,
        "default": _DEFAULT_SKU["capacity"],
        "scaleType": "Manual",
    },
    "capabilities": [],
    "costs": [],
    "restrictions": [],
}


class Plans:
    """Serves `.../providers/Microsoft.MachineLearning/commitmentPlans` and `skus`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def routes(self) -> list[Route]:
        """The routes, without the check of the token."""
        whole = f"/subscriptions/{{subscription}}/providers/{PROVIDER}"
        group = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}"
        one = group + "/commitmentPlans/{name}"
        return [
            Route("GET", whole + "/skus", self.skus),
            Route("GET", whole + "/commitmentPlans", self.list_all),
            Route("GET", group + "/commitmentPlans", self.list_group),
            Route("GET", one, self.get),
            Route("PUT", one, self.put),
            Route("PATCH", one, self.patch),
            Route("DELETE", one, self.delete),
            *Associations(self._context).routes(),
        ]

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
        plan, mistakes = plan_of(self._context, request), list[str]()
        document = canonical(_PATCH, request.json_object(), "commitmentPlan", mistakes)
        refuse(mistakes)
        plan.tags = document.get("tags", plan.tags)
        plan.sku, plan.etag = {**plan.sku, **document.get("sku", {})}, new_id()
        self._store.put(_key_of(plan), plan)
        return Response(200, self._document(plan))

    def get(self, request: Request) -> Response:
        """One plan."""
        version_of(request, PLAN_API_VERSIONS)
        return Response(200, self._document(plan_of(self._context, request)))

    def delete(self, request: Request) -> Response:
        """Delete a plan that no web service uses; 200 too when there is none.

        Source: the specification has no other status, and its clients fail on one.
        """
        version_of(request, PLAN_API_VERSIONS)
        plan = self._store.get(Plan, _key(request))
        if plan is None:
            return Response(200)
        used_by = [service.name for service in services_on(self._context, plan)]
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

    def skus(self, request: Request) -> Response:
        """What plans can be bought: here the one SKU that plans have when none is named."""
        version_of(request, PLAN_API_VERSIONS)
        return Response(200, {"value": [_CATALOG_SKU]})

    def _list(self, request: Request, prefix: str) -> Response:
        version_of(request, PLAN_API_VERSIONS)
        found = self._store.list(Plan, prefix, skip_token(request), PAGE_ITEMS + 1)
        documents = [(_key_of(plan), self._document(plan)) for plan in found]
        return Response(200, page(documents, self._context.base_url, request))

    def _document(self, plan: Plan) -> dict[str, Any]:
        return {
            "id": plan_id(self._context, plan),
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
                "maxCapacityLimit": CAPACITY_MAX,
                "minCapacityLimit": CAPACITY_MIN,
                "planMeter": "local",
                "refillFrequencyInDays": 30,
                "suspendPlanOnOverage": False,
            },
        }


def _key(request: Request) -> str:
    return f"{request.parts['group']}/{request.parts['name']}".lower()


def _key_of(plan: Plan) -> str:
    return f"{plan.resource_group}/{plan.name}".lower()
