"""The records of classic endpoints: an endpoint with its settings and models, and its deployment.

Call what writes in a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devstack.studio.classic_settings import EndpointSettings
from devstack.studio.context import Context
from devstack.studio.names import new_id, new_key
from devstack.studio.records import Deployment, Endpoint, Job, Resource, WebService
from devstack.studio.serving import changed


class EndpointRecords:
    """Keeps endpoints."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def of_service(self, service_id: str) -> Sequence[Endpoint]:
        """The endpoints of a service."""
        return self._store.list(Endpoint, f"{service_id}/")

    def deployment(self, endpoint: Endpoint) -> Deployment:
        """What is called when an endpoint is called."""
        deployment = self._store.get(Deployment, endpoint.deployment_id)
        assert deployment is not None, f"endpoint {endpoint.name} has no deployment"
        return deployment

    def create(
        self, service: WebService, name: str, settings: EndpointSettings, deployment_id: str = ""
    ) -> Endpoint:
        """A new endpoint that serves what the service serves now."""
        now, deployment_id = self._context.clock(), deployment_id or new_id()
        endpoint = Endpoint(
            name=name,
            service_id=service.id,
            deployment_id=deployment_id,
            created=now,
            version=service.version,
            snapshot=service.snapshot,
        )
        deployment = Deployment(
            id=deployment_id,
            kind="classic",
            title=name,
            path=f"/workspaces/{service.workspace}/services/{deployment_id}",
            primary_key=new_key(),
            secondary_key=new_key(),
            max_concurrent_calls=settings.max_concurrent_calls,
            definition=service.definition,
        )
        self._store.put(deployment_id, deployment)
        self.apply(endpoint, settings)
        self.serve(endpoint, service.resources)
        return endpoint

    def apply(self, endpoint: Endpoint, settings: EndpointSettings) -> Endpoint:
        """Give an endpoint other settings."""
        for name, value in settings.changes().items():
            setattr(endpoint, name, value)
        deployment = self.deployment(endpoint)
        deployment.max_concurrent_calls = endpoint.max_concurrent_calls
        self._store.put(deployment.id, deployment)
        self._store.put(f"{endpoint.service_id}/{endpoint.name}", endpoint)
        return endpoint

    def follow(
        self,
        endpoint: Endpoint,
        service: WebService,
        resources: Mapping[str, Resource],
        *,
        at_once: bool = False,
    ) -> None:
        """Let an endpoint take over the service's graph, with these models."""
        deployment = self.deployment(endpoint)
        deployment.definition = service.definition
        self._store.put(deployment.id, deployment)
        endpoint.version, endpoint.snapshot = service.version, service.snapshot
        self.serve(endpoint, resources, at_once=at_once)

    def serve(
        self,
        endpoint: Endpoint,
        resources: Mapping[str, Resource],
        *,
        is_new: bool = False,
        at_once: bool = False,
    ) -> None:
        """Let an endpoint serve these models, each from when the propagation delay is over."""
        now, deployment = self._context.clock(), self.deployment(endpoint)
        deployment.models = {
            asset_id: changed(
                deployment.models.get(asset_id, []),
                resource.digest,
                now,
                0 if at_once else self._context.propagation(endpoint.name),
            )
            for asset_id, resource in resources.items()
        }
        endpoint.resources = dict(resources)
        if is_new:
            endpoint.version = now
        self._store.put(deployment.id, deployment)
        self._store.put(f"{endpoint.service_id}/{endpoint.name}", endpoint)

    def delete(self, endpoint: Endpoint) -> None:
        """Delete an endpoint with its jobs."""
        for job in self._store.list(Job):
            if job.deployment_id == endpoint.deployment_id:
                self._store.delete(Job, job.id)
        self._store.delete(Deployment, endpoint.deployment_id)
        self._store.delete(Endpoint, f"{endpoint.service_id}/{endpoint.name}")
