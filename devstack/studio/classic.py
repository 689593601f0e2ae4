"""Classic web services: the management interface of services and their endpoints.

A service is a template. Each endpoint is a copy of it that keeps its own model: patching an
endpoint copies the model's file while the call is handled, so its grant may expire afterwards. The
default endpoint follows the service and refuses a model; the others are pinned until they are
refreshed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from devstack.studio.classic_documents import endpoint_document, service_document
from devstack.studio.classic_endpoints import EndpointRecords
from devstack.studio.classic_models import DEFAULT_ENDPOINT, EndpointModels, kept
from devstack.studio.classic_settings import (
    EndpointLimits,
    flag,
    limits_of,
    read_settings,
)
from devstack.studio.context import Context
from devstack.studio.errors import (
    Detail,
    StudioError,
    bad_argument,
    invalid_operation,
    not_found,
)
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.records import Endpoint, WebService
from devstack.studio.swagger import swagger_document
from devstack.studio.web import Request, Response

ENDPOINT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?")


@dataclass(frozen=True)
class Publication:
    """What a service is made of: checked properties of a WSD, and where they come from.

    snapshot: the run of an experiment that it is deployed from; then the default endpoint follows
    at once. endpoint: the id that its default endpoint gets if it is a new one.
    """

    name: str
    description: str
    properties: dict[str, Any]
    snapshot: str = ""
    endpoint: str = ""


class ClassicServices:
    """Serves `/workspaces/{ws}/webservices`; who may call was checked before."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._models = EndpointModels(context)
        self._records = EndpointRecords(context)

    def list_services(self, request: Request) -> Response:
        """All services of the workspace; 204 when there is none."""
        found = self.of_workspace(request.parts["ws"])
        services = [self._shown_service(service) for service in found]
        return Response(200, services) if services else Response(204)

    def get_service(self, request: Request) -> Response:
        """One service."""
        return Response(200, self._shown_service(self._service(request)))

    def put_service(self, request: Request) -> Response:
        """Publish a graph as a service, or publish it again: the default endpoint follows.

        Body: Name, Description, Type "Graph" and Definition, the properties of a WSD. Type "Code"
        is refused: no code of callers is run.
        """
        document = request.json_object()
        if document.get("Type") != "Graph" or not isinstance(document.get("Definition"), dict):
            message = "Only Type 'Graph' with a Definition can be published; code is not run."
            raise bad_argument("WebServiceTypeInvalid", message, "Type")
        name, description = document.get("Name"), document.get("Description") or ""
        if not isinstance(name, str) or not name.strip() or not isinstance(description, str):
            raise bad_argument("BadParameterValue", "Name must be text.", "Name")
        workspace, service_id = request.parts["ws"], request.parts["service"].lower()
        old = self._store.get(WebService, service_id)
        if old is not None and old.workspace != workspace:
            message = f"Another workspace has the web service {service_id}; use another id."
            raise StudioError(409, "Conflict", message, [Detail("WebServiceIdInvalid", message)])
        properties = self._context.checked_properties(document["Definition"])
        service = self.publish(workspace, service_id, Publication(name, description, properties))
        return Response(200 if old else 201, self._shown_service(service))

    def publish(self, workspace: str, service_id: str, given: Publication) -> WebService:
        """Create or update a service, with its default endpoint."""
        resources = self._models.published(given.properties)
        now = self._context.clock()
        with self._store.transaction():
            old = self._store.get(WebService, service_id)
            service = WebService(
                id=service_id,
                workspace=workspace,
                name=given.name,
                description=given.description,
                created=old.created if old else now,
                version=now,
                definition=self._context.execution.definitions.add(given.properties),
                resources=resources,
                snapshot=given.snapshot,
            )
            self._store.put(service_id, service)
            endpoint = self._store.get(Endpoint, f"{service_id}/{DEFAULT_ENDPOINT}")
            if endpoint is None:
                usual = self._limits(service).usual()
                self._records.create(service, DEFAULT_ENDPOINT, usual, given.endpoint)
            else:
                at_once = bool(given.snapshot)
                self._records.follow(endpoint, service, resources, at_once=at_once)
        return service

    def add_endpoint(self, service_id: str, name: str) -> Endpoint:
        """Create an endpoint with settings for many calls; for the samples."""
        with self._store.transaction():
            service = self._store.get(WebService, service_id)
            assert service is not None, f"service {service_id} was just published"
            return self._records.create(service, name, self._limits(service).usual())

    def of_workspace(self, workspace: str) -> list[WebService]:
        """The services of a workspace."""
        return [found for found in self._store.list(WebService) if found.workspace == workspace]

    def delete_service(self, request: Request) -> Response:
        """Delete a service with its endpoints and their jobs."""
        service = self._service(request)
        if CHANGE_NOTHING not in request.effects:
            self.remove(service)
        return Response(200)

    def remove(self, service: WebService) -> None:
        """Delete a service with its endpoints and their jobs."""
        with self._store.transaction():
            for endpoint in self._records.of_service(service.id):
                self._records.delete(endpoint)
            self._store.delete(WebService, service.id)

    def delete_workspace(self, workspace: str) -> None:
        """Delete the services of a workspace."""
        for service in self.of_workspace(workspace):
            self.remove(service)

    def list_endpoints(self, request: Request) -> Response:
        """All endpoints of a service; 204 when there is none."""
        service = self._service(request)
        endpoints = [self._shown(endpoint) for endpoint in self._records.of_service(service.id)]
        return Response(200, endpoints) if endpoints else Response(204)

    def get_endpoint(self, request: Request) -> Response:
        """One endpoint."""
        return Response(200, self._shown(self._endpoint(request)))

    def put_endpoint(self, request: Request) -> Response:
        """Create an endpoint that serves what the service serves now, or change its settings."""
        name = request.parts["endpoint"]
        if not ENDPOINT_NAME.fullmatch(name):
            message = "A name has 1 to 24 lower-case letters, digits or, not at its ends, hyphens."
            raise bad_argument("BadParameterValue", message, "EndpointName")
        service = self._service(request)
        existing = self._store.get(Endpoint, f"{service.id}/{name}")
        settings = read_settings(request.json_object() if request.length else {}, existing)
        limits = self._limits(service)
        limits.check(settings)
        if CHANGE_NOTHING in request.effects:
            return Response(200, self._shown(existing) if existing else None)
        with self._store.transaction():
            if existing is not None:
                endpoint = self._records.apply(existing, settings)
            else:
                limits.check_room(len(self._records.of_service(service.id)))
                endpoint = self._records.create(service, name, settings)
        return Response(200 if existing else 201, self._shown(endpoint))

    def patch_endpoint(self, request: Request) -> Response:
        """Give an endpoint other models or settings; all of it, or on any mistake nothing."""
        endpoint = self._endpoint(request)
        document = request.json_object()
        settings = read_settings(document, endpoint)
        self._limits(self._service(request)).check(settings)
        resources = self._models.patched(endpoint, document.get("Resources"))
        if CHANGE_NOTHING in request.effects:
            return Response(200, self._shown(endpoint))
        with self._store.transaction():
            endpoint = self._records.apply(self._endpoint(request), settings)
            resources_now = {**endpoint.resources, **resources}
            self._records.serve(endpoint, resources_now, is_new=bool(resources))
        if resources:
            self._context.calls.note("patch", f"{endpoint.service_id}/{endpoint.name}")
        return Response(200, self._shown(endpoint))

    def refresh_endpoint(self, request: Request) -> Response:
        """Take over the service's graph, and its models where asked for; 304 when current."""
        endpoint, service = self._endpoint(request), self._service(request)
        document = request.json_object() if request.length else {}
        overwrite = flag(document.get("OverwriteResources", False), "OverwriteResources")
        deployment = self._records.deployment(endpoint)
        resources = {
            asset_id: resource if overwrite else kept(endpoint, resource) or resource
            for asset_id, resource in service.resources.items()
        }
        if deployment.definition == service.definition and resources == endpoint.resources:
            return Response(304)
        if CHANGE_NOTHING not in request.effects:
            with self._store.transaction():
                self._records.follow(endpoint, service, resources)
        return Response(200, self._shown(endpoint))

    def delete_endpoint(self, request: Request) -> Response:
        """Delete an endpoint; the default one only when it is the last."""
        endpoint = self._endpoint(request)
        others = len(self._records.of_service(endpoint.service_id)) - 1
        if endpoint.name == DEFAULT_ENDPOINT and others:
            message = "The default endpoint cannot be deleted while there are others."
            raise invalid_operation("BadParameterValue", message)
        if CHANGE_NOTHING not in request.effects:
            with self._store.transaction():
                self._records.delete(endpoint)
        return Response(200)

    def api_document(self, request: Request) -> Response:
        """The swagger document of an endpoint."""
        endpoint = self._endpoint(request)
        return Response(200, self.swagger(endpoint))

    def swagger(self, endpoint: Endpoint) -> dict[str, Any]:
        """The swagger document of an endpoint."""
        deployment = self._records.deployment(endpoint)
        return swagger_document(
            self._context.execution.package(deployment),
            self._context.base_url + deployment.path,
            name=endpoint.name,
            description=endpoint.description,
        )

    def _service(self, request: Request) -> WebService:
        service = self._store.get(WebService, request.parts["service"].lower())
        if service is None or service.workspace != request.parts["ws"]:
            message = "There is no such web service in this workspace."
            raise not_found("WebServiceIdNotFoundInWorkspace", message)
        return service

    def _endpoint(self, request: Request) -> Endpoint:
        service = self._service(request)
        name = request.parts["endpoint"]
        endpoint = self._store.get(Endpoint, f"{service.id}/{name}")
        if endpoint is None:
            raise not_found("WebServiceNotFound", f"The service has no endpoint {name[:64]!r}.")
        return endpoint

    def _limits(self, service: WebService) -> EndpointLimits:
        workspace = self._context.workspaces.get(service.workspace)
        return limits_of(workspace.type if workspace else "")

    def _shown_service(self, service: WebService) -> dict[str, Any]:
        return service_document(service, len(self._records.of_service(service.id)))

    def _shown(self, endpoint: Endpoint) -> dict[str, Any]:
        return endpoint_document(self._context, endpoint, self._records.deployment(endpoint))
