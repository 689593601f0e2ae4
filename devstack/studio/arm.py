"""New web services: the Resource Manager interface.

PUT, PATCH and DELETE are asynchronous: the answer names an operation, which is done by a thread. A
service keeps its old definition and goes on answering with its old models until an update
succeeded; one that fails changes nothing but `provisioningState`. Models are fetched when a
service is deployed.
"""

from __future__ import annotations

import re
import threading
from typing import Any

from devstack.studio.arm_checks import check_web_service, refuse
from devstack.studio.arm_documents import service_document, sparse_document
from devstack.studio.arm_operations import Operations
from devstack.studio.arm_paths import (
    API_VERSIONS,
    GROUP_NAME,
    PAGE_ITEMS,
    REGIONS,
    check_name,
    page,
    region_key,
    skip_token,
    version_of,
)
from devstack.studio.arm_rules import ServiceRules, merged
from devstack.studio.context import Context
from devstack.studio.errors import StudioError
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.names import new_id, new_key
from devstack.studio.records import AssetSource, Deployment, Job, NewService, Update
from devstack.studio.serving import changed
from devstack.studio.web import Request, Response

SERVICE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,118}[A-Za-z0-9_-])?")
CALLS_DEFAULT = 4


class NewServices:
    """Serves `.../providers/Microsoft.MachineLearning/webServices`."""

    def __init__(self, context: Context, operations: Operations) -> None:
        self._context = context
        self._store = context.store
        self._operations = operations
        self._rules = ServiceRules(context)
        self._lock = threading.Lock()

    def put(self, request: Request) -> Response:
        """Create a service or replace its definition."""
        version = version_of(request, API_VERSIONS)
        check_name(request.parts["group"], GROUP_NAME, "resource group")
        check_name(request.parts["name"], SERVICE_NAME, "web service")
        document = check_web_service(request.json_object(), version, patch=False)
        with self._lock:
            service = self._existing(request)
            document = self._rules.completed(service, document)
            return self._begin(request, version, service, document)

    def patch(self, request: Request) -> Response:
        """Change parts of a definition: assets and parameters one by one, the rest as a whole."""
        version = version_of(request, API_VERSIONS)
        document = check_web_service(request.json_object(), version, patch=True)
        with self._lock:
            service = self._service(request)
            changed_document = self._rules.completed(service, merged(service.document, document))
            return self._begin(request, version, service, changed_document)

    def get(self, request: Request) -> Response:
        """One service, with its definition."""
        version = version_of(request, API_VERSIONS)
        return Response(200, service_document(self._context, self._service(request), version))

    def list_group(self, request: Request) -> Response:
        """The services of a resource group, without their graphs."""
        return self._list(request, request.parts["group"].lower() + "/")

    def list_all(self, request: Request) -> Response:
        """The services of the subscription, without their graphs."""
        return self._list(request, "")

    def list_keys(self, request: Request) -> Response:
        """The two keys that RRS and BES take."""
        version_of(request, API_VERSIONS)
        deployment = self._deployment(self._service(request))
        return Response(
            200, {"primary": deployment.primary_key, "secondary": deployment.secondary_key}
        )

    def delete(self, request: Request) -> Response:
        """Delete a service with its jobs; 202, or 204 when there is none."""
        version_of(request, API_VERSIONS)
        service = self._existing(request)
        if service is None:
            return Response(204)
        operation = self._operations.begin(service.document["location"])
        if CHANGE_NOTHING not in request.effects:
            with self._store.transaction():
                self._delete(request, service)
        self._operations.succeed(operation)
        return Response(202, headers=self._operations.headers(operation, request))

    def create_regional(self, request: Request) -> Response:
        """Prepare a region for a service; here every region can use every definition."""
        version_of(request, API_VERSIONS[:1])
        service, region = self._service(request), request.query.get("region", "")
        if region_key(region) not in REGIONS:
            refuse([f"region must be one of {', '.join(REGIONS.values())}"], "InvalidRegion")
        operation = self._operations.begin(service.document["location"])
        self._operations.succeed(operation)
        headers = self._operations.headers(operation, request)
        result = {"Location": headers["Azure-AsyncOperation"]}  # the result is the operation
        return Response(202, headers={**headers, **result})

    def resume(self) -> None:
        """Carry out the updates that an earlier Studio had begun, and fetch all models again."""
        threading.Thread(target=self._resume, name="studio-resume", daemon=True).start()

    def publish(self, group: str, name: str, document: dict[str, Any]) -> NewService:
        """Create a service at once from a document in canonical form; for the samples."""
        key = f"{group}/{name}".lower()
        service = self._stored(group, name, self._rules.completed(None, document))
        operation = self._operations.begin(document["location"])
        service.pending = Update(operation=operation.id, document=document)
        self._store.put(key, service)
        self._apply(key)
        created = self._store.get(NewService, key)
        assert created is not None, "the service was just written"
        return created

    def _begin(
        self, request: Request, version: str, service: NewService | None, document: dict[str, Any]
    ) -> Response:
        existed = service is not None
        group, name = request.parts["group"], request.parts["name"]
        operation = self._operations.begin(document["location"])
        headers = self._operations.headers(operation, request)
        if CHANGE_NOTHING in request.effects:
            self._operations.succeed(operation)
            shown = service or self._stored(group, name, document, keep=False)
            return Response(200, service_document(self._context, shown, version), headers=headers)
        with self._store.transaction():
            service = service or self._stored(group, name, document)
            service.pending = Update(operation=operation.id, document=document)
            service.state = "Provisioning"
            self._store.put(_key(request), service)
        threading.Thread(target=self._apply, args=(_key(request),), daemon=True).start()
        status = 200 if existed else 201
        return Response(status, service_document(self._context, service, version), headers=headers)

    def _apply(self, key: str) -> None:
        """Carry out the pending update of a service."""
        service = self._store.get(NewService, key)
        if service is None or service.pending is None:
            return
        update = service.pending
        try:
            sources = self._context.sources(update.document["properties"])
            digests = {
                asset: self._context.execution.fetch(source) for asset, source in sources.items()
            }
            self._succeed(key, update, sources, digests)
        except StudioError as error:
            self._fail(key, update, error)

    def _succeed(
        self, key: str, update: Update, sources: dict[str, AssetSource], digests: dict[str, str]
    ) -> None:
        now = self._context.clock()
        with self._store.transaction():
            service = self._store.get(NewService, key)
            if service is None or service.pending != update:
                return
            document = update.document
            keys = document["properties"].pop("keys", {})
            document["properties"].get("storageAccount", {}).pop("key", None)
            service.document, service.pending = document, None
            service.state, service.modified = "Succeeded", now
            deployment = self._deployment(service)
            self._deploy(deployment, document, sources, digests)
            deployment.primary_key = keys.get("primary") or deployment.primary_key
            deployment.secondary_key = keys.get("secondary") or deployment.secondary_key
            self._store.put(deployment.id, deployment)
            self._store.put(key, service)
            self._operations.succeed_id(update.operation)
        self._context.execution.is_fetched(deployment.id)
        self._context.calls.note("deploy", key)

    def _deploy(
        self,
        deployment: Deployment,
        document: dict[str, Any],
        sources: dict[str, AssetSource],
        digests: dict[str, str],
    ) -> None:
        now, delay = self._context.clock(), self._context.propagation(deployment.title)
        properties = document["properties"]
        calls = (properties.get("realtimeConfiguration") or {}).get("maxConcurrentCalls")
        deployment.definition = self._context.execution.definitions.add(properties)
        deployment.max_concurrent_calls = calls or CALLS_DEFAULT
        deployment.sources = sources
        deployment.models = {
            asset: changed(deployment.models.get(asset, []), digest, now, delay)
            for asset, digest in digests.items()
        }

    def _fail(self, key: str, update: Update, error: StudioError) -> None:
        with self._store.transaction():
            service = self._store.get(NewService, key)
            if service is None or service.pending != update:
                return
            service.pending, service.state = None, "Failed"
            self._store.put(key, service)
            self._operations.fail_id(update.operation, error)

    def _resume(self) -> None:
        for service in self._store.list(NewService):
            self._apply(f"{service.resource_group}/{service.name}".lower())
            deployment = self._store.get(Deployment, service.deployment_id)
            if deployment is None or not deployment.definition:
                continue
            try:
                self._context.execution.fetch_again(deployment)
            except StudioError as error:
                self._context.calls.note("fetch_failed", f"{service.name}: {error.message}")

    def _delete(self, request: Request, service: NewService) -> None:
        for job in self._store.list(Job):
            if job.deployment_id == service.deployment_id:
                self._store.delete(Job, job.id)
        self._store.delete(Deployment, service.deployment_id)
        self._store.delete(NewService, _key(request))

    def _existing(self, request: Request) -> NewService | None:
        return self._store.get(NewService, _key(request))

    def _service(self, request: Request) -> NewService:
        service = self._existing(request)
        if service is None:
            message = f"There is no web service {request.parts['name'][:64]!r} in this group."
            raise StudioError(404, "ResourceNotFound", message)
        return service

    def _deployment(self, service: NewService) -> Deployment:
        deployment = self._store.get(Deployment, service.deployment_id)
        assert deployment is not None, f"service {service.name} has no deployment"
        return deployment

    def _stored(
        self, group: str, name: str, document: dict[str, Any], *, keep: bool = True
    ) -> NewService:
        """A new service with nothing deployed yet."""
        now, deployment_id = self._context.clock(), new_id()
        subscription = self._context.identity.subscription_id.replace("-", "")
        deployment = Deployment(
            id=deployment_id,
            kind="new",
            title=name,
            path=f"/subscriptions/{subscription}/services/{deployment_id}",
            primary_key=new_key(),
            secondary_key=new_key(),
            max_concurrent_calls=CALLS_DEFAULT,
            definition="",
        )
        if keep:
            self._store.put(deployment_id, deployment)
        shown = {**document, "properties": dict(document["properties"])}
        shown["properties"].pop("keys", None)
        storage = shown["properties"].get("storageAccount") or {}
        shown["properties"]["storageAccount"] = {"name": storage.get("name")}
        return NewService(
            name=name,
            resource_group=group,
            deployment_id=deployment_id,
            created=now,
            modified=now,
            state="Provisioning",
            document=shown,
        )

    def _list(self, request: Request, prefix: str) -> Response:
        version = version_of(request, API_VERSIONS)
        after = skip_token(request)
        found = self._store.list(NewService, prefix, after, PAGE_ITEMS + 1)
        documents = [
            (_key_of(item), sparse_document(self._context, item, version)) for item in found
        ]
        return Response(200, page(documents, self._context.base_url, request))


def _key(request: Request) -> str:
    return f"{request.parts['group']}/{request.parts['name']}".lower()


def _key_of(service: NewService) -> str:
    return f"{service.resource_group}/{service.name}".lower()
