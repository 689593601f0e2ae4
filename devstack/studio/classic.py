"""Classic web services: the management interface of services and their endpoints.

A service is a template. Each endpoint is a copy of it that keeps its own model: patching an
endpoint copies the model's file while the call is handled, so its grant may expire afterwards. The
default endpoint follows the service and refuses a model; the others are pinned until they are
refreshed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from devstack.studio.classic_documents import endpoint_document, service_document
from devstack.studio.classic_models import DEFAULT_ENDPOINT, EndpointModels, kept
from devstack.studio.classic_settings import EndpointSettings, flag, read_settings
from devstack.studio.context import Context
from devstack.studio.errors import (
    bad_argument,
    invalid_operation,
    not_found,
)
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.names import new_id, new_key
from devstack.studio.records import Deployment, Endpoint, Job, Resource, WebService
from devstack.studio.serving import changed
from devstack.studio.swagger import swagger_document
from devstack.studio.web import Request, Response

ENDPOINT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?")
ENDPOINTS_MAX = 10_000


class ClassicServices:
    """Serves `/workspaces/{ws}/webservices`; who may call was checked before."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._models = EndpointModels(context)

    def list_services(self, request: Request) -> Response:
        """All services; 204 when there is none."""
        services = [self._shown_service(service) for service in self._store.list(WebService)]
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
        service_id = request.parts["service"].lower()
        existed = self._store.get(WebService, service_id) is not None
        properties = self._context.checked_properties(document["Definition"])
        service = self.publish(service_id, name, description, properties)
        return Response(200 if existed else 201, self._shown_service(service))

    def publish(
        self, service_id: str, name: str, description: str, properties: dict[str, Any]
    ) -> WebService:
        """Create or update a service from checked properties, with its default endpoint."""
        resources = self._models.published(properties)
        now = self._context.clock()
        with self._store.transaction():
            old = self._store.get(WebService, service_id)
            service = WebService(
                id=service_id,
                name=name,
                description=description,
                created=old.created if old else now,
                version=now,
                definition=self._context.execution.definitions.add(properties),
                resources=resources,
            )
            self._store.put(service_id, service)
            endpoint = self._store.get(Endpoint, f"{service_id}/{DEFAULT_ENDPOINT}")
            if endpoint is None:
                self._new_endpoint(service, DEFAULT_ENDPOINT, EndpointSettings())
            else:
                self._follow(endpoint, service, resources)
        return service

    def add_endpoint(self, service_id: str, name: str) -> Endpoint:
        """Create an endpoint with settings for many calls; for the samples."""
        with self._store.transaction():
            service = self._store.get(WebService, service_id)
            assert service is not None, f"service {service_id} was just published"
            return self._new_endpoint(service, name, EndpointSettings())

    def delete_service(self, request: Request) -> Response:
        """Delete a service with its endpoints and their jobs."""
        service = self._service(request)
        if CHANGE_NOTHING not in request.effects:
            with self._store.transaction():
                for endpoint in self._endpoints(service.id):
                    self._delete(endpoint)
                self._store.delete(WebService, service.id)
        return Response(200)

    def list_endpoints(self, request: Request) -> Response:
        """All endpoints of a service; 204 when there is none."""
        service = self._service(request)
        endpoints = [self._shown(endpoint) for endpoint in self._endpoints(service.id)]
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
        if CHANGE_NOTHING in request.effects:
            return Response(200, self._shown(existing) if existing else None)
        with self._store.transaction():
            if existing is not None:
                endpoint = self._apply(existing, settings)
            elif len(self._endpoints(service.id)) >= ENDPOINTS_MAX:
                raise invalid_operation("BadParameterValue", "The service has 10,000 endpoints.")
            else:
                endpoint = self._new_endpoint(service, name, settings)
        return Response(200 if existing else 201, self._shown(endpoint))

    def patch_endpoint(self, request: Request) -> Response:
        """Give an endpoint other models or settings; all of it, or on any mistake nothing."""
        endpoint = self._endpoint(request)
        document = request.json_object()
        settings = read_settings(document, endpoint)
        resources = self._models.patched(endpoint, document.get("Resources"))
        if CHANGE_NOTHING in request.effects:
            return Response(200, self._shown(endpoint))
        with self._store.transaction():
            endpoint = self._apply(self._endpoint(request), settings)
            self._serve(endpoint, {**endpoint.resources, **resources}, is_new=bool(resources))
        if resources:
            self._context.calls.note("patch", f"{endpoint.service_id}/{endpoint.name}")
        return Response(200, self._shown(endpoint))

    def refresh_endpoint(self, request: Request) -> Response:
        """Take over the service's graph, and its models where asked for; 304 when current."""
        endpoint, service = self._endpoint(request), self._service(request)
        document = request.json_object() if request.length else {}
        overwrite = flag(document.get("OverwriteResources", False), "OverwriteResources")
        deployment = self._deployment(endpoint)
        resources = {
            asset_id: resource if overwrite else kept(endpoint, resource) or resource
            for asset_id, resource in service.resources.items()
        }
        if deployment.definition == service.definition and resources == endpoint.resources:
            return Response(304)
        if CHANGE_NOTHING not in request.effects:
            with self._store.transaction():
                self._follow(endpoint, service, resources)
        return Response(200, self._shown(endpoint))

    def delete_endpoint(self, request: Request) -> Response:
        """Delete an endpoint; the default one only when it is the last."""
        endpoint = self._endpoint(request)
        if endpoint.name == DEFAULT_ENDPOINT and len(self._endpoints(endpoint.service_id)) > 1:
            message = "The default endpoint cannot be deleted while there are others."
            raise invalid_operation("BadParameterValue", message)
        if CHANGE_NOTHING not in request.effects:
            with self._store.transaction():
                self._delete(endpoint)
        return Response(200)

    def api_document(self, request: Request) -> Response:
        """The swagger document of an endpoint."""
        endpoint = self._endpoint(request)
        return Response(200, self.swagger(endpoint))

    def swagger(self, endpoint: Endpoint) -> dict[str, Any]:
        """The swagger document of an endpoint."""
        deployment = self._deployment(endpoint)
        return swagger_document(
            self._context.execution.package(deployment),
            self._context.base_url + deployment.path,
            name=endpoint.name,
            description=endpoint.description,
        )

    def _service(self, request: Request) -> WebService:
        service = self._store.get(WebService, request.parts["service"].lower())
        if service is None:
            message = "There is no such web service in this workspace."
            raise not_found("WebServiceIdNotFoundInWorkspace", message)
        return service

    def _endpoints(self, service_id: str) -> list[Endpoint]:
        return self._store.list(Endpoint, f"{service_id}/")

    def _endpoint(self, request: Request) -> Endpoint:
        service = self._service(request)
        name = request.parts["endpoint"]
        endpoint = self._store.get(Endpoint, f"{service.id}/{name}")
        if endpoint is None:
            raise not_found("WebServiceNotFound", f"The service has no endpoint {name[:64]!r}.")
        return endpoint

    def _deployment(self, endpoint: Endpoint) -> Deployment:
        deployment = self._store.get(Deployment, endpoint.deployment_id)
        assert deployment is not None, f"endpoint {endpoint.name} has no deployment"
        return deployment

    def _new_endpoint(self, service: WebService, name: str, settings: EndpointSettings) -> Endpoint:
        now, deployment_id = self._context.clock(), new_id()
        workspace = self._context.identity.workspace_id
        endpoint = Endpoint(
            name=name,
            service_id=service.id,
            deployment_id=deployment_id,
            created=now,
            version=service.version,
        )
        deployment = Deployment(
            id=deployment_id,
            kind="classic",
            title=name,
            path=f"/workspaces/{workspace}/services/{deployment_id}",
            primary_key=new_key(),
            secondary_key=new_key(),
            max_concurrent_calls=settings.max_concurrent_calls,
            definition=service.definition,
        )
        self._store.put(deployment_id, deployment)
        self._apply(endpoint, settings)
        self._serve(endpoint, service.resources)
        return endpoint

    def _apply(self, endpoint: Endpoint, settings: EndpointSettings) -> Endpoint:
        for name, value in settings.changes().items():
            setattr(endpoint, name, value)
        deployment = self._deployment(endpoint)
        deployment.max_concurrent_calls = endpoint.max_concurrent_calls
        self._store.put(deployment.id, deployment)
        self._store.put(f"{endpoint.service_id}/{endpoint.name}", endpoint)
        return endpoint

    def _follow(
        self, endpoint: Endpoint, service: WebService, resources: Mapping[str, Resource]
    ) -> None:
        deployment = self._deployment(endpoint)
        deployment.definition = service.definition
        self._store.put(deployment.id, deployment)
        endpoint.version = service.version
        self._serve(endpoint, resources)

    def _serve(
        self, endpoint: Endpoint, resources: Mapping[str, Resource], *, is_new: bool = False
    ) -> None:
        """Let an endpoint serve these models, each from when the propagation delay is over."""
        now, deployment = self._context.clock(), self._deployment(endpoint)
        deployment.models = {
            asset_id: changed(
                deployment.models.get(asset_id, []),
                resource.digest,
                now,
                self._context.propagation(endpoint.name),
            )
            for asset_id, resource in resources.items()
        }
        endpoint.resources = dict(resources)
        if is_new:
            endpoint.version = now
        self._store.put(deployment.id, deployment)
        self._store.put(f"{endpoint.service_id}/{endpoint.name}", endpoint)

    def _delete(self, endpoint: Endpoint) -> None:
        for job in self._store.list(Job):
            if job.deployment_id == endpoint.deployment_id:
                self._store.delete(Job, job.id)
        self._store.delete(Deployment, endpoint.deployment_id)
        self._store.delete(Endpoint, f"{endpoint.service_id}/{endpoint.name}")

    def _shown_service(self, service: WebService) -> dict[str, Any]:
        return service_document(self._context, service, len(self._endpoints(service.id)))

    def _shown(self, endpoint: Endpoint) -> dict[str, Any]:
        return endpoint_document(self._context, endpoint, self._deployment(endpoint))
