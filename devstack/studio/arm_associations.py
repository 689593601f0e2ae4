"""What is on a commitment plan: its web services, their moves to another plan, its usage.

An association has the name of its web service. Local Studio bills nobody, so the usage history is
empty. Source: Microsoft.MachineLearning commitmentPlans, api-version 2016-05-01-preview; that a
plan in another region is refused is inferred from where services and plans may be.
"""

from __future__ import annotations

from typing import Any

from devstack.studio.arm_checks import refuse
from devstack.studio.arm_paths import (
    PAGE_ITEMS,
    PLAN_API_VERSIONS,
    PROVIDER,
    page,
    plan_key,
    region_key,
    resource_id,
    skip_token,
    version_of,
)
from devstack.studio.arm_schema import Record, Scalar, canonical
from devstack.studio.context import Context
from devstack.studio.errors import StudioError
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.names import iso
from devstack.studio.records import NewService, Plan
from devstack.studio.web import Request, Response, Route

_MOVE = Record({"destinationPlanId": Scalar()}, ("destinationPlanId",))


class Associations:
    """Serves `.../commitmentPlans/{name}/commitmentAssociations` and `.../usageHistory`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def routes(self) -> list[Route]:
        """The routes, without the check of the token."""
        plan = (
            f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}"
            "/commitmentPlans/{name}"
        )
        one = plan + "/commitmentAssociations/{association}"
        return [
            Route("GET", plan + "/commitmentAssociations", self.list),
            Route("GET", one, self.get),
            Route("POST", one + "/move", self.move),
            Route("GET", plan + "/usageHistory", self.usage_history),
        ]

    def list(self, request: Request) -> Response:
        """The web services on a plan, a page of them."""
        version_of(request, PLAN_API_VERSIONS)
        plan, after = self._plan(request), skip_token(request)
        found = [
            (service.name.lower(), self._document(plan, service))
            for service in services_on(self._context, plan)
        ]
        left = sorted((item for item in found if item[0] > after), key=lambda item: item[0])
        return Response(200, page(left[: PAGE_ITEMS + 1], self._context.base_url, request))

    def get(self, request: Request) -> Response:
        """One web service on a plan."""
        version_of(request, PLAN_API_VERSIONS)
        plan = self._plan(request)
        return Response(200, self._document(plan, self._service(plan, request)))

    def move(self, request: Request) -> Response:
        """Put a web service on another plan of the same region."""
        version_of(request, PLAN_API_VERSIONS)
        mistakes: list[str] = []
        body = canonical(_MOVE, request.json_object(), "moveCommitmentAssociation", mistakes)
        refuse(mistakes)
        with self._store.transaction():
            plan = self._plan(request)
            service = self._service(plan, request)
            destination = self._destination(body["destinationPlanId"], plan)
            if CHANGE_NOTHING in request.effects:
                return Response(200, self._document(plan, service))
            properties = service.document["properties"]
            properties["commitmentPlan"] = {"id": plan_id(self._context, destination)}
            self._store.put(f"{service.resource_group}/{service.name}".lower(), service)
        return Response(200, self._document(destination, service))

    def usage_history(self, request: Request) -> Response:
        """What a plan was used for per day: nothing, nobody is billed."""
        version_of(request, PLAN_API_VERSIONS)
        self._plan(request)
        return Response(200, {"value": []})

    def _destination(self, destination_id: str, source: Plan) -> Plan:
        subscription = self._context.identity.subscription_id
        plan = self._store.get(Plan, plan_key(destination_id, subscription))
        if plan is None:
            refuse([f"destinationPlanId must name a commitment plan, {destination_id!r} does not"])
        elif region_key(plan.location) != region_key(source.location):
            refuse([f"the plan is in {source.location}, the destination in {plan.location}"])
        assert plan is not None, "what is missing was refused"
        return plan

    def _plan(self, request: Request) -> Plan:
        return plan_of(self._context, request)

    def _service(self, plan: Plan, request: Request) -> NewService:
        wanted = request.parts["association"].lower()
        for service in services_on(self._context, plan):
            if service.name.lower() == wanted:
                return service
        message = f"There is no association {wanted[:64]!r} on the plan {plan.name!r}."
        raise StudioError(404, "ResourceNotFound", message)

    def _document(self, plan: Plan, service: NewService) -> dict[str, Any]:
        subscription, owner_id = (
            self._context.identity.subscription_id,
            plan_id(self._context, plan),
        )
        return {
            "id": f"{owner_id}/commitmentAssociations/{service.name}",
            "name": service.name,
            "type": f"{PROVIDER}/commitmentPlans/commitmentAssociations",
            "location": plan.location,
            "properties": {
                "associatedResourceId": resource_id(
                    subscription, service.resource_group, "webServices", service.name
                ),
                "commitmentPlanId": owner_id,
                "creationDate": iso(service.created),
            },
        }


def plan_of(context: Context, request: Request) -> Plan:
    """The plan that an address names; raises 404."""
    key = f"{request.parts['group']}/{request.parts['name']}".lower()
    plan = context.store.get(Plan, key)
    if plan is None:
        message = f"There is no commitment plan {request.parts['name'][:64]!r} in this group."
        raise StudioError(404, "ResourceNotFound", message)
    return plan


def plan_id(context: Context, plan: Plan) -> str:
    """The resource id of a plan."""
    subscription = context.identity.subscription_id
    return resource_id(subscription, plan.resource_group, "commitmentPlans", plan.name)


def services_on(context: Context, plan: Plan) -> list[NewService]:
    """The web services on a plan."""
    subscription = context.identity.subscription_id
    key = f"{plan.resource_group}/{plan.name}".lower()
    return [
        service
        for service in context.store.list(NewService)
        if plan_key(_named_plan(service), subscription) == key
    ]


def _named_plan(service: NewService) -> str:
    return str((service.document["properties"].get("commitmentPlan") or {}).get("id", ""))
