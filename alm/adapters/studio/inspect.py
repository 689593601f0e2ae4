"""Describes a web service that exists, so that a managed model can be written for it.

It only reads. Model files show in `resources`; what the service takes and gives, in `api`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from alm.adapters.answers import expect, field_of, object_of
from alm.adapters.studio.access import Caller
from alm.adapters.studio.arm import ArmService
from alm.adapters.studio.classic import ClassicService
from alm.adapters.studio.references import grant_of
from alm.adapters.studio.services import StudioServices
from alm.adapters.studio.swagger import Api, api_of
from alm.domain.errors import Refused
from alm.domain.managed_model import ArmWebService, ClassicEndpoint

_ENDPOINT = re.compile(r"https?://[^/]+/workspaces/[^/]+/webservices/[^/]+/endpoints/[^/?#]+")
_Declared = TypeAdapter[ClassicEndpoint | ArmWebService](ClassicEndpoint | ArmWebService)


@dataclass(frozen=True)
class Resource:
    """A model file of a service: its name, and its URL without leave to read it."""

    name: str
    location: str


@dataclass(frozen=True)
class Description:
    """What a managed model needs to know of a web service.

    patchable: whether a model can be put in; if not, `why_not` says why.
    """

    service: ClassicEndpoint | ArmWebService
    name: str
    api_location: str
    resources: tuple[Resource, ...]
    api: Api
    patchable: bool = True
    why_not: str = ""

    @property
    def trains(self) -> bool:
        """Whether it puts out a file, as training services do."""
        return bool(self.api.files)


def declared(text: str) -> ClassicEndpoint | ArmWebService:
    """The service that an operator names by an endpoint's management URL or a resource id.

    Raises Refused if it is neither.
    """
    kind = {"kind": "classic", "endpoint": text.rstrip("/")}
    if text.lower().startswith("/subscriptions/"):
        kind = {"kind": "new", "resource": text.rstrip("/")}
    elif not _ENDPOINT.fullmatch(text.rstrip("/")):
        kind = {}
    try:
        return _Declared.validate_python(kind)
    except ValidationError as error:
        raise Refused(
            f"{text[:200]!r} is neither the management URL of an endpoint "
            "(https://…/workspaces/{ws}/webservices/{id}/endpoints/{name}) nor the resource id of "
            "a web service (/subscriptions/…/Microsoft.MachineLearning/webServices/{name})"
        ) from error


def describe(services: StudioServices, service: ClassicEndpoint | ArmWebService) -> Description:
    """Read a service's record and its description of itself.

    Raises NotFound, Denied, Misconfigured as the service answers.
    """
    if isinstance(service, ClassicEndpoint):
        return _classic(services.classic(service), service)
    return _new(services.arm(service), service)


def _classic(client: ClassicService, service: ClassicEndpoint) -> Description:
    record = client.record()
    is_default = record.name == "default"
    return Description(
        service=service,
        name=record.name,
        api_location=record.api_location,
        resources=tuple(
            Resource(name, grant_of(place, f"resource {name!r}").location)
            for name, place in record.resources.items()
        ),
        api=_api(client.execution),
        patchable=bool(record.resources) and not is_default,
        why_not="the default endpoint follows its web service; add another endpoint"
        if is_default
        else ("" if record.resources else "it has no trained model"),
    )


def _new(client: ArmService, service: ArmWebService) -> Description:
    record = client.get()
    return Description(
        service=service,
        name=record.name,
        api_location=record.api_location,
        resources=tuple(Resource(asset.name, asset.location) for asset in record.resources),
        api=_api(client.execution),
        patchable=bool(record.resources) and not record.read_only,
        why_not="it is read-only"
        if record.read_only
        else ("" if record.resources else "it has no trained model"),
    )


def _api(execution: Caller) -> Api:
    doing = "read the service's description"
    return api_of(
        object_of(expect(execution.send("GET", "/swagger.json"), 200, doing=doing), doing=doing)
    )


def list_new_services(services: StudioServices, scope: str) -> Iterator[ArmWebService]:
    """Name the web services of a subscription or resource group (`/subscriptions/…`).

    Pages are followed on the Resource Manager's own host only.
    Raises Refused if `scope` is none, Misconfigured if a page leads elsewhere.
    """
    if not re.fullmatch(r"/subscriptions/[\w-]+(/resourceGroups/[\w.()-]+)?", scope, re.IGNORECASE):
        raise Refused(f"{scope[:200]!r} is not a subscription or resource group id")
    path = f"{scope}/providers/Microsoft.MachineLearning/webServices?api-version=2017-01-01"
    doing = f"list the web services of {scope}"
    for entry in services.resource_manager.entries(path, doing=doing):
        yield ArmWebService(kind="new", resource=str(field_of(entry, "id") or ""))
