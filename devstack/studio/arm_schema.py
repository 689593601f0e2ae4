"""The shape of a web service in Resource Manager, and reading JSON against it.

Keys are read without regard to case and come out as the specification spells them; unknown keys and
read-only values are dropped, null is the same as absent; everything that is wrong is named at once.
Source: Microsoft.MachineLearning webServices, api-versions 2016-05-01-preview and 2017-01-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Scalar:
    """Text, a whole number, true or false, or anything at all; with the values allowed."""

    kind: str = "string"
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True)
class MapOf:
    """An object with any names, and values of one shape."""

    item: Shape


@dataclass(frozen=True)
class ListOf:
    """A list of values of one shape."""

    item: Shape


@dataclass(frozen=True)
class Record:
    """An object with known names."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    read_only: tuple[str, ...] = field(default=())


Shape = Scalar | MapOf | ListOf | Record

TEXT, BOOLEAN, ANYTHING, TIME = (
    Scalar(), Scalar("boolean"), Scalar("anything"), Scalar("date-time"),
)  # fmt: skip

COLUMN = Record(
    {
        "type": Scalar(values=("Boolean", "Integer", "Number", "String")),
        "format": Scalar(
            values=(
                "Byte",
                "Char",
                "Complex64",
                "Complex128",
                "Date-time",
                "Date-timeOffset",
                "Double",
                "Duration",
                "Float",
                "Int8",
                "Int16",
                "Int32",
                "Int64",
                "Uint8",
                "Uint16",
                "Uint32",
                "Uint64",
            )
        ),
        "enum": ListOf(ANYTHING),
        "x-ms-isnullable": BOOLEAN,
        "x-ms-isordered": BOOLEAN,
    },
    required=("type",),
)
TABLE = Record(
    {
        "title": TEXT,
        "description": TEXT,
        "type": TEXT,
        "format": TEXT,
        "properties": MapOf(COLUMN),
    },
    required=("type",),
)
PORTS = Record(
    {"title": TEXT, "description": TEXT, "type": TEXT, "properties": MapOf(TABLE)},
    required=("type", "properties"),
)
LOCATION = Record({"uri": TEXT, "credentials": TEXT}, required=("uri",))
MODULE_PARAMETER = Record(
    {"name": TEXT, "parameterType": TEXT, "modeValuesInfo": MapOf(ANYTHING)},
)
ASSET_PORT = Record({"type": Scalar(values=("Dataset",))})
ASSET = Record(
    {
        "name": TEXT,
        "id": TEXT,
        "type": Scalar(values=("Module", "Resource")),
        "locationInfo": LOCATION,
        "inputPorts": MapOf(ASSET_PORT),
        "outputPorts": MapOf(ASSET_PORT),
        "metadata": MapOf(TEXT),
        "parameters": ListOf(MODULE_PARAMETER),
    },
    required=("name", "type", "locationInfo"),
)
PARAMETER_2017 = Record({"value": ANYTHING, "certificateThumbprint": TEXT})
EDGE = Record(
    {"sourceNodeId": TEXT, "sourcePortId": TEXT, "targetNodeId": TEXT, "targetPortId": TEXT}
)
GRAPH_PARAMETER_TYPES = (
    "String", "Int", "Float", "Enumerated", "Script", "Mode", "Credential", "Boolean", "Double",
    "ColumnPicker", "ParameterRange", "DataGatewayName",
)  # fmt: skip
GRAPH_PARAMETER = Record(
    {
        "description": TEXT,
        "type": Scalar(values=GRAPH_PARAMETER_TYPES),
        "links": ListOf(Record({"nodeId": TEXT, "parameterKey": TEXT}, ("nodeId", "parameterKey"))),
    },
    required=("type", "links"),
)


def _graph_shape(parameter: Shape) -> Record:
    node = Record(
        {"assetId": TEXT, "inputId": TEXT, "outputId": TEXT, "parameters": MapOf(parameter)}
    )
    return Record(
        {
            "nodes": MapOf(node),
            "edges": ListOf(EDGE),
            "graphParameters": MapOf(GRAPH_PARAMETER),
        }
    )


def properties_shape(version: str) -> Record:
    """The shape of `properties` in an api-version."""
    parameter: Shape = TEXT if version.startswith("2016") else PARAMETER_2017
    fields: dict[str, Shape] = {
        "title": TEXT,
        "description": TEXT,
        "createdOn": TIME,
        "modifiedOn": TIME,
        "provisioningState": TEXT,
        "keys": Record({"primary": TEXT, "secondary": TEXT}),
        "readOnly": BOOLEAN,
        "swaggerLocation": TEXT,
        "exposeSampleData": BOOLEAN,
        "realtimeConfiguration": Record(
            {"maxConcurrentCalls": Scalar("integer", minimum=4, maximum=200)}
        ),
        "diagnostics": Record(
            {"level": Scalar(values=("None", "Error", "All")), "expiry": TIME}, ("level",)
        ),
        "storageAccount": Record({"name": TEXT, "key": TEXT}),
        "machineLearningWorkspace": Record({"id": TEXT}, ("id",)),
        "commitmentPlan": Record({"id": TEXT}, ("id",)),
        "input": PORTS,
        "output": PORTS,
        "exampleRequest": Record(
            {"inputs": MapOf(ListOf(ListOf(ANYTHING))), "globalParameters": MapOf(ANYTHING)}
        ),
        "assets": MapOf(ASSET),
        "parameters": MapOf(parameter),
        "packageType": Scalar(values=("Graph",)),
        "package": _graph_shape(parameter),
    }
    if not version.startswith("2016"):
        fields |= {"payloadsInBlobStorage": BOOLEAN, "payloadsLocation": LOCATION}
    read_only = ("createdOn", "modifiedOn", "provisioningState", "swaggerLocation")
    return Record(fields, required=("packageType",), read_only=read_only)


def web_service_shape(version: str, *, patch: bool) -> Record:
    """The shape of a web service as PUT or PATCH take it. 2016's PATCH takes a part of one too."""
    fields: dict[str, Shape] = {
        "id": TEXT,
        "name": TEXT,
        "location": TEXT,
        "type": TEXT,
        "tags": MapOf(TEXT),
        "properties": properties_shape(version),
    }
    required = () if patch else ("location", "properties")
    return Record(fields, required=required, read_only=("id", "name", "type"))


def canonical(shape: Shape, value: Any, path: str, mistakes: list[str]) -> Any:
    """A value with its keys as the specification spells them; adds to `mistakes`."""
    match shape:
        case Record():
            return _canonical_record(shape, value, path, mistakes)
        case MapOf():
            if not isinstance(value, dict):
                mistakes.append(f"{path} must be an object")
                return {}
            return {
                name: canonical(shape.item, item, f"{path}.{name}", mistakes)
                for name, item in value.items()
                if item is not None
            }
        case ListOf():
            if not isinstance(value, list):
                mistakes.append(f"{path} must be a list")
                return []
            return [
                canonical(shape.item, item, f"{path}[{at}]", mistakes)
                for at, item in enumerate(value)
            ]
        case Scalar():
            return _canonical_scalar(shape, value, path, mistakes)


def _canonical_record(shape: Record, value: Any, path: str, mistakes: list[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        mistakes.append(f"{path} must be an object")
        return {}
    spelled = {name.lower(): name for name in shape.fields}
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = spelled.get(key.lower())
        if name is None or item is None or name in shape.read_only:
            continue
        if name in found:
            mistakes.append(f"{path}.{name} is given more than once")
        found[name] = canonical(shape.fields[name], item, f"{path}.{name}", mistakes)
    mistakes += [f"{path}.{name} is missing" for name in shape.required if name not in found]
    return found


def _canonical_scalar(shape: Scalar, value: Any, path: str, mistakes: list[str]) -> Any:
    if shape.kind == "anything":
        return value
    if shape.kind == "boolean":
        if not isinstance(value, bool):
            mistakes.append(f"{path} must be true or false")
        return value
    if shape.kind == "integer":
        return _canonical_integer(shape, value, path, mistakes)
    if not isinstance(value, str):
        mistakes.append(f"{path} must be text")
        return ""
    if shape.kind == "date-time" and not _is_time(value):
        mistakes.append(f"{path} must be a time in ISO 8601")
    return _canonical_text(shape, value, path, mistakes)


def _canonical_integer(shape: Scalar, value: Any, path: str, mistakes: list[str]) -> Any:
    minimum, maximum = shape.minimum, shape.maximum
    assert minimum is not None and maximum is not None, "every integer of the shape is bounded"
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not minimum <= value <= maximum:
        mistakes.append(f"{path} must be a whole number from {minimum} to {maximum}")
    return value


def _canonical_text(shape: Scalar, value: str, path: str, mistakes: list[str]) -> str:
    if not shape.values:
        return value
    spelled = {allowed.lower(): allowed for allowed in shape.values}
    if value.lower() not in spelled:
        mistakes.append(f"{path} must be one of {', '.join(shape.values)}, not {value!r}")
    return spelled.get(value.lower(), value)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
