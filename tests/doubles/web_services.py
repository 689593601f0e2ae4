"""Web services in memory, as they are managed: classic ones with endpoints, new ones with plans.

Deterministic and without threads: time is the clock given, ids are counted. Faults are put on
operations by name (`put_endpoint`, `put`, `delete`, …), before or after the effect.

    classic = DoubleClassicServices(clock)
    service = classic.publish("churn", BASE + "models/v0.ilearner")
    classic.endpoints_max = 3  # as in a free workspace
    new = DoubleNewServices(clock, settle_seconds=60)
    new.fails = "the model cannot be read"
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from alm.domain.deployments import name_fault
from alm.domain.errors import Misconfigured, NotFound, Unavailable
from alm.domain.web_services import (
    ClassicWebService,
    Document,
    Endpoint,
    EndpointSettings,
    NewWebService,
    Plan,
    Resource,
)
from alm.ports import Clock
from tests.doubles.faulty import Faulty

DEFAULT = "default"
ADDRESS = "https://double/workspaces/" + "d" * 32


class DoubleClassicServices(Faulty):
    """The classic services of a workspace. See `studio_ports.ClassicServices`.

    endpoints_max: how many a service may have, the default one included.
    """

    def __init__(self, clock: Clock, *, resource: str = "m [trained model]") -> None:
        super().__init__()
        self.clock = clock
        self.endpoints_max = 10_000
        self._resource = resource
        self._services: dict[str, ClassicWebService] = {}
        self._locations: dict[str, str] = {}
        self._endpoints: dict[tuple[str, str], Endpoint] = {}
        self._patched: set[tuple[str, str]] = set()
        self._keys = 0

    def publish(self, name: str, location: str, service: str = "") -> str:
        """Deploy a service, or deploy it again: its default endpoint follows. Returns its id."""
        service = service or f"{len(self._services) + 1:032x}"
        made = ClassicWebService(id=service, name=name, created=self.clock.now().isoformat())
        self._services.setdefault(service, made)
        self._locations[service] = location
        if (service, DEFAULT) not in self._endpoints:
            self._make(service, DEFAULT)
        self._follow(service, DEFAULT, overwrite=True)
        return service

    def patch(self, service: str, name: str, location: str) -> None:
        """Put a model file into an endpoint, as its own."""
        self._patched.add((service, name))
        self._serve(service, name, location)

    def services(self) -> list[ClassicWebService]:
        return self._do("services", lambda: [self._shown(one) for one in self._services])

    def service(self, service: str) -> ClassicWebService:
        return self._do("service", lambda: self._shown(service))

    def delete_service(self, service: str) -> None:
        self._do("delete_service", lambda: self._delete_service(service))

    def endpoints(self, service: str) -> list[Endpoint]:
        return self._do("endpoints", lambda: self._of(service))

    def endpoint(self, service: str, name: str) -> Endpoint:
        return self._do("endpoint", lambda: self._endpoint(service, name))

    def put_endpoint(self, service: str, name: str, settings: EndpointSettings) -> Endpoint:
        return self._do("put_endpoint", lambda: self._put(service, name, settings))

    def refresh_endpoint(self, service: str, name: str, *, overwrite: bool) -> bool:
        return self._do("refresh_endpoint", lambda: self._refresh(service, name, overwrite))

    def delete_endpoint(self, service: str, name: str) -> None:
        self._do("delete_endpoint", lambda: self._delete(service, name))

    def _shown(self, service: str) -> ClassicWebService:
        if service not in self._services:
            raise NotFound(f"there is no web service {service}")
        return self._services[service].model_copy(update={"endpoints": len(self._of(service))})

    def _of(self, service: str) -> list[Endpoint]:
        if service not in self._services:
            raise NotFound(f"there is no web service {service}")
        return [endpoint for (owner, _), endpoint in self._endpoints.items() if owner == service]

    def _endpoint(self, service: str, name: str) -> Endpoint:
        _checked(name)
        if (service, name) not in self._endpoints:
            raise NotFound(f"there is no endpoint {name}")
        return self._endpoints[service, name]

    def _put(self, service: str, name: str, settings: EndpointSettings) -> Endpoint:
        if wrong := name_fault("new-endpoint", name):
            raise Misconfigured(f"put endpoint: {wrong}")
        if (service, name) not in self._endpoints:
            if len(self._of(service)) >= self.endpoints_max:
                raise Misconfigured(f"put endpoint: at most {self.endpoints_max} are allowed")
            self._make(service, name)
            self._follow(service, name, overwrite=True)
        is_high = settings.throttle == "High"
        calls = (settings.concurrent_calls or 20) if is_high else 4
        changes = {"description": settings.description, "throttle": settings.throttle}
        self._change(service, name, **changes, concurrent_calls=calls)
        return self._endpoints[service, name]

    def _make(self, service: str, name: str) -> None:
        self._keys += 1
        self._endpoints[service, name] = Endpoint(
            name=name,
            service=service,
            address=f"{ADDRESS}/webservices/{service}/endpoints/{name}",
            api_location=f"https://double/services/{service}-{name}",
            key=SecretStr(f"key-{self._keys}"),
            secondary_key=SecretStr(f"secondary-key-{self._keys}"),
            created=self.clock.now().isoformat(),
        )

    def _follow(self, service: str, name: str, *, overwrite: bool) -> bool:
        location = self._locations[service]
        held = self._endpoints[service, name].resources
        own = (service, name) in self._patched and not overwrite
        if own or (held and held[0].location == location):
            return False
        self._patched.discard((service, name))
        self._serve(service, name, location)
        return True

    def _serve(self, service: str, name: str, location: str) -> None:
        resources = (Resource(name=self._resource, location=location),)
        version = f"{self.clock.now().isoformat()}/{location}"
        self._change(service, name, resources=resources, version=version)

    def _change(self, service: str, name: str, **changes: object) -> None:
        endpoint = self._endpoints[service, name]
        self._endpoints[service, name] = endpoint.model_copy(update=changes)

    def _refresh(self, service: str, name: str, overwrite: bool) -> bool:
        self._endpoint(service, name)
        return self._follow(service, name, overwrite=overwrite)

    def _delete(self, service: str, name: str) -> None:
        _checked(name)
        if name == DEFAULT and service in self._services and len(self._of(service)) > 1:
            raise Misconfigured("the default endpoint can only be deleted when it is the last")
        self._endpoints.pop((service, name), None)

    def _delete_service(self, service: str) -> None:
        for endpoint in self._of(service) if service in self._services else ():
            del self._endpoints[service, endpoint.name]
        self._services.pop(service, None)


@dataclass
class _Deployed:
    """A new web service: what is in force, and what will be at a time."""

    document: dict[str, Any]
    created: datetime
    state: str = "Provisioning"
    coming: dict[str, Any] | None = None
    at: datetime | None = None


class DoubleNewServices(Faulty):
    """Resource Manager web services. See `studio_ports.NewServices`.

    settle_seconds: how long a deployment takes. fails: why deployments that end now fail.
    storage_key: the only one that is taken.
    """

    def __init__(
        self, clock: Clock, *, settle_seconds: float = 0, storage_key: str = "storage-key"
    ) -> None:
        super().__init__()
        self.clock = clock
        self.settle_seconds = settle_seconds
        self.storage_key = storage_key
        self.fails = ""
        self.plans: dict[str, Plan] = {}
        self._deployed: dict[str, _Deployed] = {}
        self._why: dict[str, str] = {}

    def put_plan(self, plan: Plan) -> None:
        self.plans[plan.id.lower()] = plan

    def get(self, resource: str) -> Document:
        return self._do("get", lambda: self._get(resource))

    def put(self, resource: str, definition: Document) -> None:
        self._do("put", lambda: self._put(resource, definition))

    def delete(self, resource: str) -> None:
        self._do("delete", lambda: self._delete(resource))

    def list(self, subscription: str, group: str = "") -> list[NewWebService]:
        return self._do("list", lambda: self._list(subscription, group))

    def plan(self, resource: str) -> Plan:
        return self._do("plan", lambda: self._plan(resource))

    def why_failed(self, resource: str) -> str:
        return self._why.get(resource.lower(), "the activity log of its resource group tells why")

    def _get(self, resource: str) -> dict[str, Any]:
        deployed = self._settled(resource)
        document = copy.deepcopy(deployed.document)
        properties = document["properties"]
        for hidden in ("keys", "commitmentPlan"):
            properties.pop(hidden, None)
        properties.get("storageAccount", {}).pop("key", None)
        properties |= {"provisioningState": deployed.state}
        properties["createdOn"] = deployed.created.isoformat()
        return {"id": resource, "name": resource.rpartition("/")[2], **document}

    def _put(self, resource: str, definition: Document) -> None:
        _checked_resource(resource)
        document = _sound(definition)
        known = self._deployed.get(resource.lower())
        if known is not None and self._settled(resource).coming is not None:
            raise Unavailable(f"put {resource}: another deployment is under way")
        properties = document["properties"]
        if (properties.get("storageAccount") or {}).get("key", "") != self.storage_key:
            raise Misconfigured(f"put {resource}: the storage key opens no account")
        plan = self.plans.get(str((properties.get("commitmentPlan") or {}).get("id", "")).lower())
        if known is None and (plan is None or plan.region != document["location"]):
            raise Misconfigured(f"put {resource}: plan and location do not belong together")
        deployed = known or _Deployed(copy.deepcopy(document), self.clock.now())
        deployed.coming, deployed.state = document, "Provisioning"
        deployed.at = self.clock.now() + timedelta(seconds=self.settle_seconds)
        self._deployed[resource.lower()] = deployed

    def _settled(self, resource: str) -> _Deployed:
        """The web service as it is by now."""
        _checked_resource(resource)
        deployed = self._deployed.get(resource.lower())
        if deployed is None:
            raise NotFound(f"read {resource}: there is none")
        if deployed.coming is not None and deployed.at and self.clock.now() >= deployed.at:
            deployed.state = "Failed" if self.fails else "Succeeded"
            if self.fails:
                self._why[resource.lower()] = self.fails
            else:
                deployed.document = deployed.coming
            deployed.coming = None
        return deployed

    def _delete(self, resource: str) -> None:
        _checked_resource(resource)
        self._deployed.pop(resource.lower(), None)

    def _list(self, subscription: str, group: str) -> list[NewWebService]:
        if "/" in subscription + group or ".." in (subscription, group):
            raise Misconfigured(f"{subscription!r} or {group!r} cannot be a name")
        scope = f"/subscriptions/{subscription}/".lower()
        scope += f"resourcegroups/{group}/".lower() if group else ""
        found = [name for name in self._deployed if name.startswith(scope)]
        return [self._listed(name) for name in sorted(found)]

    def _listed(self, resource: str) -> NewWebService:
        document = self._get(resource)
        properties = document["properties"]
        return NewWebService(
            id=resource,
            name=document["name"],
            region=document["location"],
            state=properties["provisioningState"],
            title=properties.get("title", ""),
            created=properties["createdOn"],
            tags=document.get("tags") or {},
        )

    def _plan(self, resource: str) -> Plan:
        if "/commitmentplans/" not in resource.lower() or "/.." in resource:
            raise Misconfigured(f"{resource} is not the id of a plan")
        if resource.lower() not in self.plans:
            raise NotFound(f"read plan {resource}: there is none")
        return self.plans[resource.lower()]


def _sound(definition: Mapping[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(dict(definition))
    for field in ("id", "name", "type"):
        document.pop(field, None)
    properties = document.get("properties") or {}
    if not document.get("location") or not properties.get("packageType"):
        raise Misconfigured("the definition is not that of a web service")
    return document


def _checked_resource(resource: str) -> None:
    if "/webservices/" not in resource.lower() or "/.." in resource or " " in resource:
        raise Misconfigured(f"{resource} is not the id of a web service")


def _checked(name: str) -> None:
    if not name or "/" in name or ".." in name or "?" in name:
        raise Misconfigured(f"{name!r} cannot be the name of an endpoint")
