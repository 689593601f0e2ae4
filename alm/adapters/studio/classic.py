"""Endpoints of classic web services: their record, their model, their execution API.

The record names the execution URL and the key, so a declaration needs only the endpoint's
management URL and a workspace token.
Source: management API, GET and PATCH …/webservices/{id}/endpoints/{name}.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from alm.adapters.answers import error_of, object_of, refusal, told
from alm.adapters.connections import Answer
from alm.adapters.http import MODEL_DEADLINE_SECONDS, Http
from alm.adapters.identity import sendable
from alm.adapters.studio.access import Access, AccessSource, Caller, FoundAccess
from alm.adapters.studio.batch import BatchService
from alm.adapters.studio.references import grant_of, reference_to
from alm.adapters.studio.scoring import score
from alm.domain.errors import AlmError, Misconfigured, NotFound
from alm.ports import Grant, Reading, Row, Scores

STAMP_TIME_MAX = 60  # a time has some thirty characters; a service may write anything
_PATCH_REMEDY = (
    "the default endpoint and training services take no model: add an endpoint of your own to the "
    "web service and name that; `trained_model` must be one of its resources"
)
_MODEL_REMEDY = "the model does not fit the web service: train it for the same task and columns"
_BLOB_REMEDY = "the service could not read the model file: check that it exists, and its grant"
_REMEDIES = {
    "IncompatibleModel": _MODEL_REMEDY,
    "ModelOutputMetadataMismatch": _MODEL_REMEDY,
    "BlobNotFound": _BLOB_REMEDY,
    "InvalidBlob": _BLOB_REMEDY,
}


@dataclass(frozen=True)
class EndpointRecord:
    """What the management API says about an endpoint. version: when its model was defined."""

    name: str
    api_location: str
    key: SecretStr
    version: str
    resources: Mapping[str, object]


class ClassicService:
    """One endpoint; any number of threads may use it."""

    def __init__(self, http: Http, management: AccessSource) -> None:
        self._management = Caller(http, management)
        self._execution = FoundAccess(lambda: self._access(self._read()))
        self.execution = Caller(http, self._execution)

    def record(self) -> EndpointRecord:
        """Read the endpoint. Raises NotFound, Denied (the workspace token is refused)."""
        record = self._read()
        self._execution.found(self._access(record))
        return record

    def patch(self, resource: str, model: Grant) -> None:
        """Make a resource of the endpoint another model file; the service copies it meanwhile."""
        body = {"Resources": [{"Name": resource, "Location": reference_to(model)}]}
        with self._management.http.within(MODEL_DEADLINE_SECONDS):
            answer = self._management.send("PATCH", "", json_body=body)
        doing = f"put {model.relative} into {resource!r}"
        if answer.status not in (200, 201, 202, 204):
            raise _patch_error(answer, doing)

    def batch(self) -> BatchService:
        return BatchService(self.execution)

    def _read(self) -> EndpointRecord:
        doing = "read an endpoint"
        answer = self._management.send("GET", "")
        if answer.status == 204:
            raise NotFound(
                f"{doing}: {answer.request.url} answered 204, there is none of that name; "
                "check `endpoint` in the declaration"
            )
        if answer.status != 200:
            raise error_of(answer, doing=doing, remedy="check `endpoint` in the declaration")
        document = object_of(answer, doing=doing)
        resources = document.get("Resources") or []
        return EndpointRecord(
            name=str(document.get("Name") or ""),
            api_location=str(document.get("ApiLocation") or ""),
            key=sendable(str(document.get("PrimaryKey") or ""), f"the key of {answer.request.url}"),
            version=str(document.get("Version") or ""),
            resources={
                str(entry.get("Name")): entry.get("Location")
                for entry in (resources if isinstance(resources, list) else [])
                if isinstance(entry, dict)
            },
        )

    def _access(self, record: EndpointRecord) -> Access:
        return Access(record.api_location.rstrip("/"), record.key)


class ClassicTarget:
    """A classic endpoint whose model is the resource `trained_model`. A `ports.ScoringTarget`."""

    def __init__(self, service: ClassicService, trained_model: str) -> None:
        self._service = service
        self._trained_model = trained_model

    def read(self) -> Reading:
        """Read back which file the endpoint's model came from.

        Raises NotFound, Misconfigured (no such resource; the message lists what there is).
        """
        record = self._service.record()
        if self._trained_model not in record.resources:
            raise Misconfigured(
                f"endpoint {record.name!r} has no resource named {self._trained_model!r} "
                f"(it has {', '.join(map(repr, record.resources)) or 'none'}); "
                "correct `trained_model` of the target"
            )
        location = record.resources[self._trained_model]
        grant = grant_of(location, f"resource {self._trained_model!r} of {record.name!r}")
        return Reading(
            location=grant.location, stamp=stamp(record.version, grant.location), sas=grant.sas
        )

    def patch(self, model: Grant) -> None:
        """Put a model file in. The endpoint answers with it after about 30 s.

        Raises Misconfigured if the service refuses: the default endpoint, an unknown resource.
        """
        self._service.patch(self._trained_model, model)

    def score(self, rows: Sequence[Row], *, input: str, output: str) -> Scores:
        return score(self._service.execution, rows, input=input, output=output)

    def batch(self) -> BatchService:
        return self._service.batch()


def _patch_error(answer: Answer, doing: str) -> AlmError:
    """What a refused patch means. A model that does not fit is no write conflict, though 409."""
    refused = refusal(answer)
    remedy = next((text for code, text in _REMEDIES.items() if refused.names(code)), _PATCH_REMEDY)
    if answer.status == 409 and remedy is _MODEL_REMEDY:
        seen = told(answer, refused)
        return Misconfigured(f"{doing}: {answer.request.url} answered {seen}; {remedy}")
    return error_of(answer, doing=doing, remedy=remedy)


def stamp(changed: str, location: str) -> str:
    """What changes with a definition: when it was changed, and to what. It travels in messages."""
    content = f"{changed[STAMP_TIME_MAX:]}\n{location}" if changed[STAMP_TIME_MAX:] else location
    return f"{changed[:STAMP_TIME_MAX]}#{hashlib.sha256(content.encode()).hexdigest()[:12]}"
