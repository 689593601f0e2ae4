"""Classic web services in memory, with their endpoints, as they are managed.

Deterministic and without threads: time is the clock given, ids are counted. Faults are put on
operations by name (`put_endpoint`, `delete_endpoint`, …), before or after the effect.

    classic = DoubleClassicServices(clock)
    service = classic.publish("churn", BASE + "models/v0.ilearner")
    classic.endpoints_max = 3  # as in a free workspace
"""

from __future__ import annotations

from pydantic import SecretStr

from alm.domain.deployments import name_fault
from alm.domain.errors import Misconfigured, NotFound
from alm.domain.web_services import ClassicWebService, Endpoint, EndpointSettings, Resource
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


def _checked(name: str) -> None:
    if not name or "/" in name or ".." in name or "?" in name:
        raise Misconfigured(f"{name!r} cannot be the name of an endpoint")
