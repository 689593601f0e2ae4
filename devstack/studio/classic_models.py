"""Models of classic services and endpoints: fetched, checked, and where they are said to be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from devstack.studio.accounts import parse_reference
from devstack.studio.context import Context
from devstack.studio.errors import Detail, StudioError, bad_argument, invalid_operation
from devstack.studio.learning.failures import BadModel
from devstack.studio.learning.tables import Table
from devstack.studio.learning.training import TrainedModel
from devstack.studio.modules import TRAINED_MODEL
from devstack.studio.names import moment
from devstack.studio.records import Endpoint, Resource
from devstack.studio.transfer import TransferFailure

DEFAULT_ENDPOINT = "default"

# How long a grant for reading an endpoint's model, as GET returns it, is good for.
LOCATION_GRANT = timedelta(hours=24)


class EndpointModels:
    """Reads the models that callers name; changes nothing."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def published(self, properties: Mapping[str, Any]) -> dict[str, Resource]:
        found = {}
        for asset_id, source in self._context.sources(properties).items():
            digest = self._context.execution.fetch(source)
            base, relative = self._context.split_location(source)
            name = properties["assets"][asset_id]["name"]
            found[asset_id] = Resource(
                kind=self._kind(digest), name=name, digest=digest, base=base, relative=relative
            )
        return found

    def patched(self, endpoint: Endpoint, given: Any) -> dict[str, Resource]:
        if given is None:
            return {}
        if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
            raise bad_argument("RequestBodyInvalid", "Resources must be a list of objects.")
        if given and endpoint.name == DEFAULT_ENDPOINT:
            message = "The default endpoint follows its web service; patch another endpoint."
            raise invalid_operation("BadParameterValue", message)
        ids = {
            resource.name: asset_id
            for asset_id, resource in endpoint.resources.items()
            if resource.kind == TRAINED_MODEL
        }
        patched: dict[str, Resource] = {}
        for item in given:
            asset_id = ids.get(str(item.get("Name")))
            if asset_id is None or asset_id in patched:
                message = (
                    f"Resource {item.get('Name')!r} is not there or given twice; "
                    f"the endpoint has {sorted(ids)}."
                )
                raise bad_argument("BadParameterValue", message, "Resources")
            patched[asset_id] = self._patched(endpoint, asset_id, item)
        return patched

    def _patched(self, endpoint: Endpoint, asset_id: str, item: Mapping[str, Any]) -> Resource:
        old, location = endpoint.resources[asset_id], item.get("Location")
        if not isinstance(location, dict) or not location.get("BaseLocation"):
            message = "Location needs BaseLocation, RelativeLocation and SasBlobToken."
            raise bad_argument("MissingInputBlobInformation", message, old.name)
        reference = parse_reference({**location, "ConnectionString": None}, old.name)
        self._context.transfer.check(reference, old.name)
        try:
            digest = self._context.model_library.add(self._context.transfer.fetch(reference))
        except TransferFailure as error:
            code = "BlobNotFound" if error.status == 404 else "InvalidBlob"
            raise bad_argument(code, f"The model was not fetched: {error}", old.name) from error
        except BadModel as error:
            message = f"The model cannot be used: {error}"
            raise invalid_operation("IncompatibleModel", message) from error
        self._check_fits(old, digest)
        base, relative = str(location["BaseLocation"]), str(location["RelativeLocation"])
        return Resource(name=old.name, digest=digest, base=base, relative=relative, patched=True)

    def _check_fits(self, old: Resource, digest: str) -> None:
        before, after = self._task(old.digest), self._task(digest)
        if before != after:
            message = f"The model is {after}, the web service scores with {before}."
            detail = Detail("ModelOutputMetadataMismatch", message, old.name)
            raise StudioError(409, "Conflict", message, [detail])

    def _task(self, digest: str) -> str:
        found = self._context.model_library.get(digest)
        return "a dataset" if isinstance(found, Table) else found.task

    def _kind(self, digest: str) -> str:
        found = self._context.model_library.get(digest)
        return TRAINED_MODEL if isinstance(found, TrainedModel) else type(found).__name__

    def location(self, resource: Resource) -> dict[str, str]:
        """Where a model came from, with a fresh read grant; the caller's own grant is not shown."""
        account, now = self._context.account, moment(self._context.clock())
        base = resource.base or account.base_location
        grant = ""
        if base.rstrip("/") == account.endpoint:
            relative = resource.relative.lstrip("/")
            grant = account.read_grant(
                relative, start=now - timedelta(minutes=5), expiry=now + LOCATION_GRANT
            )
        return {
            "BaseLocation": base,
            "RelativeLocation": resource.relative,
            "SasBlobToken": grant,
        }


def kept(endpoint: Endpoint, resource: Resource) -> Resource | None:
    """The model that was patched into an endpoint for the resource of this name."""
    held = [own for own in endpoint.resources.values() if own.name == resource.name]
    return held[0] if held and held[0].patched else None
