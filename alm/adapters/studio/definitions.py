"""Definitions of new web services (WSD) as documents: read in any case, changed, made to be sent.

All of it is pure; a definition that is given is never changed, only copied.
Source: api-versions 2016-05-01-preview and 2017-01-01, WebService.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from alm.adapters.answers import field_of
from alm.domain.errors import Misconfigured
from alm.domain.web_services import Document

ApiVersion = Literal["2016-05-01-preview", "2017-01-01"]
READ_ONLY = ("createdOn", "modifiedOn", "provisioningState", "swaggerLocation")
_READ_ONLY_OUTSIDE = ("id", "name", "type", "etag")
_ONLY_2017 = ("payloadsInBlobStorage", "payloadsLocation")


def part(document: Mapping[str, object], *names: str) -> dict[str, Any]:
    """The object at a path of a definition; an empty one where there is none."""
    found: object = document
    for name in names:
        found = field_of(found, name) if isinstance(found, dict) else None
    return dict(found) if isinstance(found, dict) else {}


def text_at(document: Mapping[str, object], *names: str) -> str:
    """The text at a path of a definition; "" where there is none."""
    found = field_of(part(document, *names[:-1]), names[-1])
    return found if isinstance(found, str) else ""


def without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A copy without some fields, however their names are spelt."""
    unwanted = {name.lower() for name in names}
    return {key: value for key, value in record.items() if key.lower() not in unwanted}


def changed(record: Mapping[str, Any], **fields: object) -> dict[str, Any]:
    """A copy with some fields replaced, however their names are spelt; None takes one away."""
    kept = without(record, *fields)
    return {**kept, **{name: value for name, value in fields.items() if value is not None}}


def without_keys(definition: Document) -> dict[str, Any]:
    """A copy without the keys of the service and of its storage account.

    Resource Manager returns neither; a definition is versioned, so none may slip in all the same.
    """
    properties = without(part(definition, "properties"), "keys")
    storage = part(properties, "storageAccount")
    if storage:
        properties = changed(properties, storageAccount=without(storage, "key"))
    return changed(definition, properties=properties)


def secrets_of(definition: Document) -> tuple[str, ...]:
    """What a definition holds that must not be repeated: keys, and leave to read files."""
    properties = part(definition, "properties")
    assets = part(properties, "assets").values()
    found = [
        text_at(properties, "storageAccount", "key"),
        text_at(properties, "keys", "primary"),
        text_at(properties, "keys", "secondary"),
        *(text_at(asset, "locationInfo", "credentials") for asset in assets if _is(asset)),
    ]
    return tuple(secret for secret in found if secret)


def to_send(definition: Document, version: ApiVersion) -> dict[str, Any]:
    """A definition as an api-version takes it: without what is read-only, parameters in its form.

    2016 writes a parameter as text, 2017 as an object with a value; either is accepted here.
    Raises Misconfigured, naming everything that is missing.
    """
    properties = without(part(definition, "properties"), *READ_ONLY)
    missing = [
        name
        for name, value in (
            ("location", text_at(definition, "location")),
            ("properties.packageType", text_at(properties, "packageType")),
        )
        if not value
    ]
    if missing:
        raise Misconfigured(
            f"the definition has no {' and no '.join(missing)}: it is not that of a web service; "
            "take one that Studio or Resource Manager wrote"
        )
    if version.startswith("2016"):
        properties = without(properties, *_ONLY_2017)
    document = without(definition, *_READ_ONLY_OUTSIDE)
    return changed(document, properties=_with_parameters(properties, _FORMS[version]))


def same_region(one: str, other: str) -> bool:
    """`West Europe` and `westeurope` are the same."""
    return _squeezed(one) == _squeezed(other)


def _is(value: object) -> bool:
    return isinstance(value, dict)


def _squeezed(region: str) -> str:
    return re.sub(r"[\s_-]", "", region).lower()


def _with_parameters(properties: dict[str, Any], form: Callable[[Any], Any]) -> dict[str, Any]:
    parameters = part(properties, "parameters")
    if parameters:
        properties = changed(properties, parameters=_in_form(parameters, form))
    package = part(properties, "package")
    nodes = part(package, "nodes")
    if nodes:
        nodes = {key: _node(node, form) if _is(node) else node for key, node in nodes.items()}
        properties = changed(properties, package=changed(package, nodes=nodes))
    return properties


def _node(node: dict[str, Any], form: Callable[[Any], Any]) -> dict[str, Any]:
    parameters = part(node, "parameters")
    return changed(node, parameters=_in_form(parameters, form)) if parameters else node


def _in_form(parameters: dict[str, Any], form: Callable[[Any], Any]) -> dict[str, Any]:
    return {name: form(value) for name, value in parameters.items()}


def _object(value: Any) -> Any:
    return value if isinstance(value, dict) or value is None else {"value": value}


def _plain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if field_of(value, "certificateThumbprint"):
        raise Misconfigured(
            "the definition has an encrypted parameter (certificateThumbprint), which api-version "
            "2016-05-01-preview cannot express; declare `api_version: 2017-01-01`"
        )
    inner = field_of(value, "value")
    return inner if isinstance(inner, str) or inner is None else json.dumps(inner)


_FORMS: Mapping[ApiVersion, Callable[[Any], Any]] = {
    "2016-05-01-preview": _plain,
    "2017-01-01": _object,
}
