"""Front: every address that Studio answers, who may call it, and the faults asked for.

Read the `_routes` methods for the map. Execution, management, Resource Manager, blobs, admin and
the workspace API have addresses that do not collide, so they share one port.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace

from devstack.studio import faults
from devstack.studio.accounts import EMULATOR_ACCOUNT
from devstack.studio.admin import Admin
from devstack.studio.arm import NewServices
from devstack.studio.arm_operations import Operations
from devstack.studio.arm_paths import PROVIDER
from devstack.studio.arm_plans import Plans
from devstack.studio.bes import BatchExecution
from devstack.studio.blob_endpoint import BlobEndpoint
from devstack.studio.classic import ClassicServices
from devstack.studio.context import Context
from devstack.studio.errors import StudioError, not_found, unauthorized, unavailable
from devstack.studio.names import HEX_ID
from devstack.studio.records import Deployment, Endpoint
from devstack.studio.rrs import RequestResponse
from devstack.studio.swagger import swagger_document
from devstack.studio.web import DropConnection, Handler, Request, Response, Route, Router
from devstack.studio.workspace.api import WorkspaceApi, workspace_of
from devstack.studio.workspace.arm_workspaces import ArmWorkspaces

Executed = Callable[[Deployment, Request], Response]


@dataclass(frozen=True)
class Interfaces:
    """What answers; without `blobs` and `admin` there are no such addresses."""

    classic: ClassicServices
    new_services: NewServices
    plans: Plans
    operations: Operations
    batch: BatchExecution
    scoring: RequestResponse
    workspace_api: WorkspaceApi
    workspaces: ArmWorkspaces
    blobs: BlobEndpoint | None = None
    admin: Admin | None = None


class Front:
    """Answers every request."""

    def __init__(self, context: Context, parts: Interfaces) -> None:
        self._context = context
        self._blobs = parts.blobs
        routes = (
            self._execution_routes(parts.batch, parts.scoring)
            + self._management_routes(parts.classic)
            + self._service_routes(parts.new_services, parts.operations)
            + [
                replace(route, handler=self._with_arm_token(route.handler))
                for route in parts.plans.routes()
            ]
            + parts.workspaces.routes(self._with_arm_token)
            + parts.workspace_api.routes()
            + (_admin_routes(parts.admin) if parts.admin else [])
        )
        self._router = Router(routes)

    def answer(self, request: Request) -> Response:
        """Answer a request, or fail as a fault asks; raises StudioError, DropConnection."""
        is_admin = request.path.lower().startswith("/admin/")
        found = [] if is_admin else self._context.faults.for_call(request.method, request.path)
        request.effects = frozenset(fault.effect for fault in found)
        request.notes = {fault.effect: fault.details for fault in found}
        for fault in found:
            _fail_before(fault)
        response = self._respond(request)
        if faults.LOST_ANSWER in request.effects:
            raise DropConnection
        return response

    def _respond(self, request: Request) -> Response:
        if self._blobs is not None and request.path.startswith(f"/{EMULATOR_ACCOUNT}"):
            self._context.calls.count(f"{request.method} blob")
            return self._blobs.answer(request)
        route = self._router.find(request)
        self._context.calls.count(f"{route.method} {route.pattern}")
        return route.handler(request)

    def _execution_routes(self, batch: BatchExecution, scoring: RequestResponse) -> list[Route]:
        calls: list[tuple[str, str, Executed]] = [
            ("POST", "/execute", scoring.execute),
            ("POST", "/jobs", batch.submit),
            ("POST", "/jobs/{job}/start", batch.start),
            ("GET", "/jobs/{job}", batch.status),
            ("DELETE", "/jobs/{job}", batch.cancel),
        ]
        routes = []
        for base in ("/workspaces/{ws}/services/{id}", "/subscriptions/{ws}/services/{id}"):
            routes += [
                Route(method, base + path, self._with_key(call)) for method, path, call in calls
            ]
            routes.append(Route("GET", base + "/swagger.json", self._swagger))
        return routes

    def _with_key(self, call: Executed) -> Handler:
        def checked(request: Request) -> Response:
            deployment = self._deployment(request)
            if not _is_one_of(request.bearer(), deployment.primary_key, deployment.secondary_key):
                raise unauthorized("ScoreRequestUnauthorized")
            return call(deployment, request)

        def noted(request: Request) -> Response:
            response = checked(request)
            if request.path.lower().rstrip("/").endswith("/start"):
                self._context.calls.note("start", request.parts["job"].lower())
            return response

        return noted

    def _deployment(self, request: Request) -> Deployment:
        """The deployment whose path the address begins with; raises 404."""
        deployment_id = request.parts["id"].lower()
        found = None
        if HEX_ID.fullmatch(deployment_id):
            found = self._context.store.get(Deployment, deployment_id)
        is_below = f"{request.path.lower()}/".startswith(f"{found.path}/" if found else "?")
        if found is None or not is_below or not found.definition:
            raise not_found("WebServiceNotFound", "There is no such web service.")
        return found

    def _swagger(self, request: Request) -> Response:
        deployment = self._deployment(request)
        document = swagger_document(
            self._context.execution.package(deployment),
            self._context.base_url + deployment.path,
            name=deployment.title,
            description="",
        )
        return Response(200, document)

    def _management_routes(self, classic: ClassicServices) -> list[Route]:
        services = "/workspaces/{ws}/webservices"
        endpoints = services + "/{service}/endpoints"
        one = endpoints + "/{endpoint}"
        workspace, either = self._with_workspace_token, self._with_endpoint_key
        return [
            Route("GET", services, workspace(classic.list_services)),
            Route("GET", services + "/{service}", workspace(classic.get_service)),
            Route("PUT", services + "/{service}", workspace(classic.put_service)),
            Route("DELETE", services + "/{service}", workspace(classic.delete_service)),
            Route("GET", endpoints, workspace(classic.list_endpoints)),
            Route("GET", one, either(classic.get_endpoint)),
            Route("PUT", one, workspace(classic.put_endpoint)),
            Route("PATCH", one, either(classic.patch_endpoint)),
            Route("DELETE", one, workspace(classic.delete_endpoint)),
            Route("POST", one + "/refresh", either(classic.refresh_endpoint)),
            Route("GET", one + "/apidocument", either(classic.api_document)),
        ]

    def _with_workspace_token(self, handler: Handler) -> Handler:
        def checked(request: Request) -> Response:
            name, tokens = request.parts["ws"], (request.bearer(),)
            workspace = workspace_of(self._context.workspaces, name, tokens)
            request.parts = {**request.parts, "ws": workspace.id}
            return handler(request)

        return checked

    def _with_endpoint_key(self, handler: Handler) -> Handler:
        """The workspace token, or the key of the endpoint that the address names."""

        with_token = self._with_workspace_token(handler)

        def checked(request: Request) -> Response:
            store, parts = self._context.store, request.parts
            key = f"{parts['service'].lower()}/{parts['endpoint']}"
            endpoint = store.get(Endpoint, key)
            deployment = store.get(Deployment, endpoint.deployment_id) if endpoint else None
            keys = (deployment.primary_key, deployment.secondary_key) if deployment else ()
            if not _is_one_of(request.bearer(), *keys):
                return with_token(request)
            request.parts = {**parts, "ws": parts["ws"].lower()}
            return handler(request)

        return checked

    def _service_routes(self, services: NewServices, operations: Operations) -> list[Route]:
        whole = f"/subscriptions/{{subscription}}/providers/{PROVIDER}"
        group = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}"
        one = group + "/webServices/{name}"
        arm = self._with_arm_token
        status = whole + "/locations/{region}/operationsStatus/{operation}"
        return [
            Route("GET", status, arm(operations.get)),
            Route("GET", whole + "/webServices", arm(services.list_all)),
            Route("GET", group + "/webServices", arm(services.list_group)),
            Route("GET", one, arm(services.get)),
            Route("PUT", one, arm(services.put)),
            Route("PATCH", one, arm(services.patch)),
            Route("DELETE", one, arm(services.delete)),
            Route("GET", one + "/listKeys", arm(services.list_keys)),
            Route("POST", one + "/listKeys", arm(services.list_keys)),
            Route("POST", one + "/CreateRegionalBlob", arm(services.create_regional)),
            Route("GET", f"/providers/{PROVIDER}/operations", arm(_operation_list)),
        ]

    def _with_arm_token(self, handler: Handler) -> Handler:
        def checked(request: Request) -> Response:
            identity = self._context.identity
            if not _is_one_of(request.bearer(), identity.arm_token):
                message = "Authentication failed. The Authorization header has no valid token."
                raise StudioError(401, "AuthenticationFailed", message)
            subscription = request.parts.get("subscription", identity.subscription_id)
            if subscription.lower() != identity.subscription_id:
                message = f"The subscription {subscription[:64]!r} could not be found."
                raise StudioError(404, "SubscriptionNotFound", message)
            return handler(request)

        return checked


def _admin_routes(admin: Admin) -> list[Route]:
    return [
        Route("GET", "/admin/faults", admin.list_faults),
        Route("POST", "/admin/faults", admin.add_fault),
        Route("DELETE", "/admin/faults", admin.clear_faults),
        Route("DELETE", "/admin/faults/{fault}", admin.remove_fault),
        Route("POST", "/admin/propagation", admin.set_propagation),
        Route("GET", "/admin/calls", admin.calls),
        Route("DELETE", "/admin/calls", admin.reset_calls),
        Route("GET", "/admin/jobs", admin.jobs),
    ]


def _operation_list(request: Request) -> Response:
    verbs = {"read": "Read", "write": "Create or update", "delete": "Delete"}
    kinds = {
        "webServices": "web service",
        "commitmentPlans": "commitment plan",
        "workspaces": "workspace",
    }
    found = [
        {
            "name": f"{PROVIDER}/{kind}/{verb}",
            "display": {
                "provider": "Microsoft Azure Machine Learning",
                "resource": kind,
                "operation": f"{text} {name}",
                "description": f"{text} a {name}",
            },
        }
        for kind, name in kinds.items()
        for verb, text in verbs.items()
    ]
    return Response(200, {"value": found})


def _fail_before(fault: faults.Fault) -> None:
    if fault.effect == faults.SLOW:
        fault.removed.wait(fault.seconds)
    if fault.effect == faults.UNAVAILABLE:
        raise unavailable("NoMoreResources", "Unavailable because a fault was asked for.")
    if fault.effect == faults.UNAUTHORIZED:
        raise unauthorized("ScoreRequestUnauthorized")


def _is_one_of(given: str, *wanted: str) -> bool:
    matches = [hmac.compare_digest(given.encode(), token.encode()) for token in wanted]
    return bool(given) and any(matches)
