"""Web service definitions (WSD): kept under version control, and deployed again elsewhere.

`versioned` is what is kept: spelled one way, without secrets and without what the service writes
itself, so the same service is the same bytes. To deploy it again, `with_model` and `with_hosting`
put in what was left out; the result holds secrets and is for Resource Manager only.
Source: Microsoft.MachineLearning webServices; Studio's documentation on retraining new services.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import SecretStr

from alm.domain.definition_shape import spelled
from alm.domain.documents import read_object
from alm.domain.errors import Refused
from alm.domain.nearest import shown, suggestion
from alm.domain.secret_free import without_secrets
from alm.domain.secret_texts import WITHHELD
from alm.domain.web_services import Document, Resource

ApiVersion = Literal["2016-05-01-preview", "2017-01-01"]
SUFFIX = " [trained model]"  # what Studio puts behind the name of a model's asset
BYTES_MAX = 16 * 1024 * 1024  # beyond 3 MB a service keeps its definition in a blob

_OF_SERVICE = ("id", "name", "type")
_WRITTEN_BY_SERVICE = ("createdOn", "modifiedOn", "provisioningState", "swaggerLocation", "keys")
_IN_BLOB = ("payloadsInBlobStorage", "payloadsLocation")
_LOCATION = re.compile(r"https?://[A-Za-z0-9.:-]+/[^?#\s]+")
# Resource Manager allows more (1-260 characters, not <>*%&:?+/\); these need no escaping anywhere.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,118}[A-Za-z0-9_-])?")


def read_definition(content: bytes) -> dict[str, Any]:
    """Read a definition from a file. Raises Refused, saying why, if it is none."""
    document = read_object(content, "web service definition", bytes_max=BYTES_MAX)
    copy = spelled(document)
    if isinstance(copy.get("properties"), dict):
        return copy
    if "Graph" in document:
        raise Refused("web service definition: this is an exported experiment; import it as one")
    keys = ", ".join(map(shown, list(document)[:6])) or "none"
    raise Refused(
        f"web service definition: it has no properties (its keys: {keys}); "
        "export the definition of a web service"
    )


def versioned(definition: Document) -> dict[str, Any]:
    """The definition as it is kept; `canonical_json` makes its bytes."""
    copy = _without(spelled(definition), _OF_SERVICE)
    properties = _without(properties_of(copy), _WRITTEN_BY_SERVICE)
    if isinstance(properties.get("storageAccount"), Mapping):
        properties["storageAccount"] = _without(properties["storageAccount"], ("key",))
    cleaned = without_secrets({**copy, "properties": properties})
    assert isinstance(cleaned, dict)
    for _, asset in assets_of(cleaned):
        place = asset.get("locationInfo")
        if isinstance(place, dict):
            asset["locationInfo"] = _split_location(place)
    return cleaned


def resources(definition: Document) -> tuple[Resource, ...]:
    """The assets that are files, not modules: trained models; locations without signatures."""
    return tuple(
        Resource(name=str(asset.get("name") or key), location=_location(asset))
        for key, asset in assets_of(spelled(definition))
        if is_file(asset)
    )


def with_model(
    definition: Document, name: str, location: str, credentials: SecretStr | str = ""
) -> dict[str, Any]:
    """Point the asset of that name, with or without ` [trained model]`, at another model file.

    Raises Refused if there is no such asset, or if the location is not the address of a blob.
    """
    if not _LOCATION.fullmatch(location):
        raise Refused(
            f"{shown(location.partition('?')[0])} is not the address of a model file; give the "
            "blob's URL, and its signature apart from it"
        )
    copy = spelled(definition)
    key = _model_key(copy, name)
    sas = credentials if isinstance(credentials, str) else credentials.get_secret_value()
    sas = sas if not sas or sas.startswith("?") else "?" + sas
    properties = properties_of(copy)
    asset = {**properties["assets"][key], "locationInfo": {"uri": location, "credentials": sas}}
    assets = {**properties["assets"], key: asset}
    return {**copy, "properties": {**properties, "assets": assets}}


def with_hosting(
    definition: Document, *, storage_account: str, storage_key: SecretStr, plan: str, location: str
) -> dict[str, Any]:
    """The definition as it is put to Resource Manager for a new web service, in another place.

    plan: the resource id of the web service plan. What only the old service can say is left out.
    """
    copy = _without(spelled(definition), _OF_SERVICE)
    properties = {
        **_without(properties_of(copy), _WRITTEN_BY_SERVICE),
        "storageAccount": {"name": storage_account, "key": storage_key.get_secret_value()},
        "commitmentPlan": {"id": plan},
    }
    return {**copy, "location": location, "properties": properties}


def as_version(definition: Document, api_version: ApiVersion) -> dict[str, Any]:
    """The definition as an api-version wants it: 2016 has parameters as texts, 2017 as objects."""
    copy = spelled(definition)
    properties = properties_of(copy)
    shape = _text if api_version == "2016-05-01-preview" else _object
    if api_version == "2016-05-01-preview":
        properties = _without(properties, _IN_BLOB)
    if isinstance(properties.get("parameters"), Mapping):
        properties = {**properties, "parameters": _each(properties["parameters"], shape)}
    package = properties.get("package")
    if isinstance(package, Mapping) and isinstance(package.get("nodes"), Mapping):
        nodes = {
            id: {**node, "parameters": _each(node["parameters"], shape)}
            if isinstance(node, Mapping) and isinstance(node.get("parameters"), Mapping)
            else node
            for id, node in package["nodes"].items()
        }
        properties = {**properties, "package": {**package, "nodes": nodes}}
    return {**copy, "properties": properties}


def new_name(name: str) -> str:
    """A name for a new web service. Raises Refused for one that it cannot have."""
    if not _NAME.fullmatch(name):
        raise Refused(
            f"a web service cannot be named {shown(name)}; use up to 120 letters, digits, '.', "
            "'-' and '_', a letter or digit first, and no '.' last"
        )
    return name


def properties_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a definition that is spelled. Raises Refused if it has none."""
    properties = definition.get("properties")
    if not isinstance(properties, Mapping):
        raise Refused("the definition has no properties; export the definition of a web service")
    return dict(properties)


def assets_of(definition: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The assets of a definition that is spelled, with their keys."""
    assets = properties_of(definition).get("assets")
    for key, asset in assets.items() if isinstance(assets, Mapping) else ():
        if isinstance(asset, dict):
            yield str(key), asset


def is_file(asset: Mapping[str, Any]) -> bool:
    return str(asset.get("type")).lower() == "resource"


def parameter_text(value: Any) -> str | None:
    """A parameter's value in either shape, as text; None: it has none."""
    inner = value.get("value") if isinstance(value, Mapping) else value
    return None if inner is None else str(inner)


def _model_key(definition: Mapping[str, Any], name: str) -> str:
    files = {str(a.get("name") or key): key for key, a in assets_of(definition) if is_file(a)}
    bare = name.removesuffix(SUFFIX)
    for exact in (name, bare, bare + SUFFIX):
        if exact in files:
            return files[exact]
    words = sorted(file.removesuffix(SUFFIX) for file in files)
    raise Refused(f"the definition has no trained model {shown(name)}: {suggestion(bare, words)}")


def _location(asset: Mapping[str, Any]) -> str:
    place = asset.get("locationInfo")
    uri = str(place.get("uri") or "") if isinstance(place, Mapping) else ""
    return uri.partition("?")[0]


def _split_location(place: Mapping[str, Any]) -> dict[str, Any]:
    """A location with its signature apart: it may be written in the address as well."""
    uri, mark, query = str(place.get("uri") or "").partition("?")
    signed = mark + query == "?" + WITHHELD
    return {**place, "uri": uri, "credentials": WITHHELD} if signed else dict(place)


def _without(mapping: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}


def _each(values: Mapping[str, Any], change: Any) -> dict[str, Any]:
    return {name: change(value) for name, value in values.items()}


def _text(value: Any) -> Any:
    return parameter_text(value)


def _object(value: Any) -> Any:
    return value if isinstance(value, Mapping) else {"value": value}
