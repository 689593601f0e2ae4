"""Resource Manager ("new") web services: their definition, their model, their execution API.

A model is changed with PATCH, not PUT: a definition that is read back lacks the storage key and
the service's own keys, so a PUT of it would have to invent them. The PATCH carries all assets as
read, one of them changed, so that it means the same whether the service merges or replaces.
It is accepted, not finished: `read` says when it has settled.

Source: api-versions 2016-05-01-preview and 2017-01-01. Field names are read in any case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs

from alm.adapters.answers import error_of, expect, field_of, object_of
from alm.adapters.http import Http
from alm.adapters.identity import sendable
from alm.adapters.studio.access import Access, Caller, FoundAccess
from alm.adapters.studio.batch import BatchService
from alm.adapters.studio.classic import stamp
from alm.adapters.studio.references import LOCATION_LENGTH_MAX
from alm.adapters.studio.resource_manager import ResourceManager
from alm.adapters.studio.scoring import score
from alm.domain.errors import Misconfigured, NotFound, Unavailable
from alm.ports import Grant, Reading, Row, Scores

_SUFFIX = " [trained model]"
_DECLARED = "check `resource` in the declaration"
_PATCH_REMEDY = "compare the service's definition with its documentation, and redeploy it"


@dataclass(frozen=True)
class Asset:
    """An asset of a definition that is a file. `id` is its key in the definition."""

    id: str
    name: str
    location: str
    sas: str


@dataclass(frozen=True)
class WebService:
    """What Resource Manager says about a web service; `assets` and `place` as they were read."""

    name: str
    place: str
    state: str
    modified: str
    read_only: bool
    api_location: str
    assets: Mapping[str, object]

    @property
    def resources(self) -> tuple[Asset, ...]:
        """The assets that are files (trained models), not modules."""
        return tuple(
            _asset(key, item)
            for key, item in self.assets.items()
            if isinstance(item, dict) and str(field_of(item, "type")).lower() == "resource"
        )

    def resource(self, name: str) -> Asset:
        """The file of that name, with or without ` [trained model]` behind it."""
        wanted = name.removesuffix(_SUFFIX)
        for exact in (name, wanted, wanted + _SUFFIX):
            for asset in self.resources:
                if asset.name == exact:
                    return asset
        names = ", ".join(repr(asset.name) for asset in self.resources) or "none"
        raise Misconfigured(
            f"web service {self.name!r} has no resource named {name!r} (it has {names}); "
            "correct `trained_model` of the target"
        )


class ArmService:
    """One web service; any number of threads may use it."""

    def __init__(
        self, http: Http, arm: ResourceManager, *, resource: str, api_version: str
    ) -> None:
        self._arm = arm
        self._resource = resource
        self._version = f"?api-version={api_version}"
        self.execution = Caller(http, FoundAccess(self._access))

    def get(self) -> WebService:
        """Read the definition. Raises NotFound, Denied, Misconfigured (not one we can read)."""
        doing = "read a web service"
        answer = self._arm.send("GET", self._resource + self._version)
        if answer.status == 204:
            raise NotFound(f"{doing}: {answer.request.url} answered 204; {_DECLARED}")
        if answer.status != 200:
            raise error_of(answer, doing=doing, remedy=_DECLARED)
        return web_service_of(object_of(answer, doing=doing), answer.request.url)

    def patch(self, trained_model: str, model: Grant) -> None:
        """Point an asset at another model file; returns when the service accepted it.

        Raises Misconfigured if the service is read-only or refuses, Unavailable while another
        deployment of it is under way.
        """
        with self.deadline():
            self._patch(trained_model, model)

    def _patch(self, trained_model: str, model: Grant) -> None:
        service = self.get()
        asset = service.resource(trained_model)
        doing = f"put {model.relative} into {asset.name!r} of {service.name!r}"
        if service.read_only:
            raise Misconfigured(
                f"{doing}: the web service is read-only and can only be deleted; "
                "deploy it again without readOnly, or take it off the targets"
            )
        body = _patched(service, asset, model)
        answer = self._arm.send("PATCH", self._resource + self._version, json_body=body)
        if answer.status == 409:
            error = error_of(answer, doing=doing)
            raise Unavailable(f"{error} (another deployment of it may be under way)") from error
        expect(answer, 200, 201, 202, doing=doing, remedy=_PATCH_REMEDY)
        self._arm.began(self._resource, answer)

    def why_failed(self) -> str:
        """What Resource Manager says about the last deployment that was asked for here."""
        return self._arm.why_failed(self._resource)

    def batch(self) -> BatchService:
        return BatchService(self.execution)

    def deadline(self) -> AbstractContextManager[None]:
        """One deadline for all calls inside."""
        return self._arm.http.within()

    def _access(self) -> Access:
        service = self.get()
        doing = f"read the keys of {service.name!r}"
        answer = self._arm.send("GET", f"{self._resource}/listKeys{self._version}")
        keys = object_of(expect(answer, 200, doing=doing, remedy=_DECLARED), doing=doing)
        key = str(field_of(keys, "primary") or "")
        return Access(service.api_location, sendable(key, f"the key of {service.name!r}"))


class ArmTarget:
    """A web service whose model is the asset `trained_model`. A `ports.ScoringTarget`."""

    def __init__(self, service: ArmService, trained_model: str) -> None:
        self._service = service
        self._trained_model = trained_model

    def read(self) -> Reading:
        """Read back which file the model asset names, and whether a deployment is under way.

        Raises NotFound, Misconfigured (no such asset, or the last deployment failed).
        """
        with self._service.deadline():
            return self._read()

    def _read(self) -> Reading:
        service = self._service.get()
        asset = service.resource(self._trained_model)
        if service.state == "failed":
            raise Misconfigured(
                f"the last deployment of web service {service.name!r} failed "
                f"({self._service.why_failed()}); deploy a model file that it can read"
            )
        if len(asset.location) > LOCATION_LENGTH_MAX:
            raise Misconfigured(
                f"web service {service.name!r} names a file of {len(asset.location)} characters "
                f"({asset.location[:120]}…); let it name one of at most {LOCATION_LENGTH_MAX}"
            )
        return Reading(
            location=asset.location,
            stamp=stamp(service.modified, asset.location),
            settled=service.state in ("succeeded", ""),
            sas=asset.sas,
            leave_ends=end_of(asset.sas),
        )

    def patch(self, model: Grant) -> None:
        self._service.patch(self._trained_model, model)

    def score(self, rows: Sequence[Row], *, input: str, output: str) -> Scores:
        return score(self._service.execution, rows, input=input, output=output)

    def batch(self) -> BatchService:
        return self._service.batch()


def web_service_of(document: Mapping[str, object], url: str) -> WebService:
    """A web service as its document says. Raises Misconfigured if it does not come whole."""
    properties = field_of(document, "properties")
    assets = field_of(properties, "assets") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(assets, dict):
        raise Misconfigured(
            f"read a web service: {url} answered a definition without assets (one of more than "
            "3 MB keeps them in a blob); only definitions that come whole can be patched"
        )
    swagger = str(field_of(properties, "swaggerLocation") or "").partition("?")[0]
    return WebService(
        name=str(field_of(document, "name") or url.rpartition("/")[2]),
        place=str(field_of(document, "location") or ""),
        state=str(field_of(properties, "provisioningState") or "").lower(),
        modified=str(field_of(properties, "modifiedOn") or ""),
        read_only=field_of(properties, "readOnly") is True,
        api_location=swagger.removesuffix("/swagger.json"),
        assets=assets,
    )


def _asset(key: str, item: Mapping[str, object]) -> Asset:
    found = field_of(item, "locationInfo")
    place = found if isinstance(found, dict) else {}
    location, mark, query = str(field_of(place, "uri") or "").partition("?")
    sas = str(field_of(place, "credentials") or "") or mark + query
    return Asset(key, str(field_of(item, "name") or ""), location, sas)


def _patched(service: WebService, asset: Asset, model: Grant) -> dict[str, object]:
    """The change as a document: every asset as it was read, and the model's with a new place."""
    item = service.assets[asset.id]
    assert isinstance(item, dict)
    rest = {key: value for key, value in item.items() if key.lower() != "locationinfo"}
    place = {"uri": model.location, "credentials": model.sas}
    assets = {**service.assets, asset.id: {**rest, "locationInfo": place}}
    return {
        "location": service.place,
        "properties": {"packageType": "Graph", "assets": assets},
    }


def end_of(sas: str) -> datetime | None:
    """When a shared access signature ends (its `se`); None if it does not say."""
    ends = parse_qs(sas.removeprefix("?")).get("se", [""])[0]
    try:
        return datetime.fromisoformat(ends).astimezone(UTC)
    except ValueError:
        return None
