"""Classic web services of a workspace and their endpoints, through the management API.

Codes of success are not published: any 2xx counts. Names are checked before they become part of an
address. Nothing is asked twice: what an answer leaves open is read back by whoever must know.

Source: management API, /workspaces/{ws}/webservices; bodies as Microsoft's PowerShell module sends
them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager

from pydantic import SecretStr

from alm.adapters.answers import error_of, json_of, object_of, refusal, told
from alm.adapters.connections import Answer
from alm.adapters.studio.access import Caller
from alm.adapters.studio.references import grant_of
from alm.domain.deployments import name_fault
from alm.domain.errors import AlmError, Denied, Misconfigured, NotFound, Unknown
from alm.domain.nearest import shown
from alm.domain.web_services import ClassicWebService, Endpoint, EndpointSettings, Resource

DEFAULT = "default"  # the name of the endpoint that follows its service
_SERVICE = re.compile(r"[A-Za-z0-9_-]{1,64}")  # 32 hex digits, as far as is known
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # what may be read, made by whomever
_REFUSED = (
    "an endpoint of a free workspace is throttled Low (4 calls), of a paid one it takes at most "
    "200; a service of a free workspace has at most 3 endpoints, the default one included, of a "
    "paid one 10,000: change the settings, or delete an endpoint"
)
_REFUSED_DEFAULT = (
    "the default endpoint can only be deleted when it is the last: delete the others, or the "
    "whole service"
)
_UNFOUND = "check the service's id and the endpoint's name"


class StudioClassicServices:
    """The classic services of one workspace. A `studio_ports.ClassicServices`.

    management: calls the management API below `…/workspaces/{ws}`; address: that URL.
    """

    def __init__(self, management: Caller, address: str) -> None:
        self._management = management
        self._address = address.rstrip("/")

    def services(self) -> list[ClassicWebService]:
        """All of them; none is answered with 204."""
        doing = "list the web services"
        return [_service(entry) for entry in self._list("/webservices", doing)]

    def service(self, service: str) -> ClassicWebService:
        """One of them. Raises NotFound."""
        doing = f"read web service {shown(service)}"
        return _service(object_of(self._read(_path(service), doing), doing=doing))

    def delete_service(self, service: str) -> None:
        """Delete a service with its endpoints; harmless if it is not there."""
        doing = f"delete web service {shown(service)}"
        self._delete(_path(service), doing)

    def endpoints(self, service: str) -> list[Endpoint]:
        """All endpoints of a service; none is answered with 204. Raises NotFound."""
        doing = f"list the endpoints of web service {shown(service)}"
        entries = self._list(f"{_path(service)}/endpoints", doing)
        return [self._endpoint(service, entry) for entry in entries]

    def endpoint(self, service: str, name: str) -> Endpoint:
        """One of them, with its keys. Raises NotFound."""
        doing = f"read endpoint {shown(name)}"
        return self._endpoint(
            service, object_of(self._read(_path(service, name), doing), doing=doing)
        )

    def put_endpoint(self, service: str, name: str, settings: EndpointSettings) -> Endpoint:
        """Create an endpoint that serves what the service serves now, or change its settings.

        Harmless to repeat. Raises Misconfigured for a bad name, or where the workspace allows no
        more; Unknown if it was accepted and is not there.
        """
        doing = f"put endpoint {shown(name)}"
        if wrong := name_fault("new-endpoint", name):
            raise Misconfigured(f"{doing}: {wrong}; correct the name")
        path, body = _path(service, name), _body(service, name, settings)
        with self._management.http.within():
            answer = self._management.send("PUT", path, json_body=body)
            if not _accepted(answer):
                raise _put_error(answer, doing)
            if answer.body:
                return self._endpoint(service, object_of(answer, doing=doing))
            return self._put(service, name, doing)

    def refresh_endpoint(self, service: str, name: str, *, overwrite: bool) -> bool:
        """Make an endpoint follow the service once; False: it was current.

        overwrite: its own trained models are replaced as well.
        """
        doing = f"refresh endpoint {shown(name)}"
        path = f"{_path(service, name)}/refresh"
        answer = self._management.send(
            "POST", path, json_body={"OverwriteResources": str(overwrite)}
        )
        if answer.status == 304:
            return False
        if not _accepted(answer):
            raise error_of(answer, doing=doing, remedy=_UNFOUND)
        return True

    def delete_endpoint(self, service: str, name: str) -> None:
        """Delete an endpoint; harmless if it is not there.

        Raises Misconfigured for the default among others.
        """
        remedy = _REFUSED_DEFAULT if name == DEFAULT else ""
        self._delete(_path(service, name), f"delete endpoint {shown(name)}", remedy)

    def address_of(self, service: str, name: str) -> str:
        """The management URL of an endpoint, as a declaration names it."""
        return self._address + _path(service, name)

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """One deadline for all calls inside."""
        return self._management.http.within(seconds)

    def _list(self, path: str, doing: str) -> list[Mapping[str, object]]:
        answer = self._management.send("GET", path)
        if answer.status == 204:
            return []
        if answer.status != 200:
            raise error_of(answer, doing=doing, remedy=_UNFOUND)
        found = json_of(answer, doing=doing)
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise Misconfigured(
                f"{doing}: {answer.request.url} answered something that is no list of objects; "
                "check that `management` is the management API's address"
            )
        return found

    def _read(self, path: str, doing: str) -> Answer:
        answer = self._management.send("GET", path)
        if answer.status == 204:
            raise NotFound(f"{doing}: {answer.request.url} answered 204, there is none; {_UNFOUND}")
        if answer.status != 200:
            raise error_of(answer, doing=doing, remedy=_UNFOUND)
        return answer

    def _put(self, service: str, name: str, doing: str) -> Endpoint:
        """Read back what was put and accepted without a word."""
        try:
            return self.endpoint(service, name)
        except NotFound as error:
            raise Unknown(f"{doing}: it was accepted, and is not there: {error}") from error

    def _delete(self, path: str, doing: str, remedy: str = "") -> None:
        answer = self._management.send("DELETE", path)
        if _accepted(answer) or _is_gone(answer):
            return
        raise _delete_error(answer, doing, remedy)

    def _endpoint(self, service: str, record: Mapping[str, object]) -> Endpoint:
        name = _text(record, "Name")
        calls = record.get("MaxConcurrentCalls")
        return Endpoint(
            name=name,
            service=_text(record, "WebServiceId") or service,
            description=_text(record, "Description"),
            address=self.address_of(service, name),
            api_location=_text(record, "ApiLocation").rstrip("/"),
            help=_text(record, "HelpLocation"),
            key=SecretStr(_text(record, "PrimaryKey")),
            secondary_key=SecretStr(_text(record, "SecondaryKey")),
            created=_text(record, "CreationTime"),
            version=_text(record, "Version"),
            throttle=_text(record, "ThrottleLevel") or "Low",
            concurrent_calls=calls if isinstance(calls, int) else 4,
            diagnostics=_text(record, "DiagnosticsTraceLevel") or "None",
            prevent_update=record.get("PreventUpdate") is True,
            sample_data=record.get("SampleDataEnabled") is True,
            resources=_resources(record.get("Resources")),
            experiment=_text(record, "ExperimentLocation"),
        )


def _path(service: str, name: str | None = None) -> str:
    """The path of a service, or of one of its endpoints. Raises Misconfigured for a bad name."""
    if not _SERVICE.fullmatch(service):
        raise Misconfigured(f"{shown(service)} is not the id of a web service; correct it")
    if name is None:
        return f"/webservices/{service}"
    if not _NAME.fullmatch(name):
        raise Misconfigured(f"{shown(name)} cannot be the name of an endpoint; correct it")
    return f"/webservices/{service}/endpoints/{name}"


def _body(service: str, name: str, settings: EndpointSettings) -> dict[str, object]:
    """A setting that counts only with High is null with Low, as Microsoft's client sends it."""
    return {
        "WebServiceId": service,
        "EndpointName": name,
        "Description": settings.description,
        "ThrottleLevel": settings.throttle,
        "MaxConcurrentCalls": settings.concurrent_calls if settings.throttle == "High" else None,
        "PreventUpdate": False,
    }


def _accepted(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def _is_gone(answer: Answer) -> bool:
    """There is no such service or endpoint; a workspace that is not there is another matter."""
    return answer.status == 404 and not refusal(answer).names("WorkspaceNotFound")


def _put_error(answer: Answer, doing: str) -> AlmError:
    """How a free workspace says that it allows no more is not published: a 403 may mean it too."""
    error = error_of(answer, doing=doing, remedy=_REFUSED)
    return Denied(f"{error}; or: {_REFUSED}") if answer.status == 403 else error


def _delete_error(answer: Answer, doing: str, remedy: str) -> AlmError:
    """That the default endpoint is refused as a conflict (409) too is inferred."""
    if remedy and answer.status == 409:
        seen = told(answer, refusal(answer))
        return Misconfigured(f"{doing}: {answer.request.url} answered {seen}; {remedy}")
    return error_of(answer, doing=doing, remedy=remedy)


def _service(record: Mapping[str, object]) -> ClassicWebService:
    count = record.get("EndpointCount")
    return ClassicWebService(
        id=_text(record, "Id"),
        name=_text(record, "Name"),
        description=_text(record, "Description"),
        created=_text(record, "CreationTime"),
        default_endpoint=_text(record, "DefaultEndpointName") or DEFAULT,
        endpoints=count if isinstance(count, int) else 0,
    )


def _resources(listed: object) -> tuple[Resource, ...]:
    entries = listed if isinstance(listed, list) else []
    return tuple(
        Resource(name=_text(entry, "Name"), location=_location(entry.get("Location")))
        for entry in entries
        if isinstance(entry, dict)
    )


def _location(reference: object) -> str:
    """Where a model's file is, without leave to read it; "" if the service does not say."""
    try:
        return grant_of(reference, "a resource").location
    except Misconfigured:
        return ""


def _text(record: Mapping[str, object], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""
