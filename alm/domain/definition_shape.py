"""The keys of a web service definition as Resource Manager spells them.

Published definitions mix their case (`InputId`, `sourceNodeId`), so keys are read in any case and
written in this one. Keys that people chose (assets, nodes, columns, parameters) stay as they are.
Source: Microsoft.MachineLearning webServices, api-versions 2016-05-01-preview and 2017-01-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alm.domain.errors import Refused
from alm.domain.nearest import shown


@dataclass(frozen=True)
class Each:
    """A map with keys of people's choice, or a list; what each of its values looks like."""

    shape: Shape


Shape = Mapping[str, Any] | Each | None
"""Keys and what is below them; None: nothing that we spell."""

_LEAF = None
_BLOB: Shape = {"uri": _LEAF, "credentials": _LEAF}
_VALUE: Shape = {"value": _LEAF, "certificateThumbprint": _LEAF}
_TITLED = {"title": _LEAF, "description": _LEAF, "type": _LEAF, "format": _LEAF}
_COLUMN: Shape = {
    "type": _LEAF, "format": _LEAF, "enum": _LEAF,
    "x-ms-isnullable": _LEAF, "x-ms-isordered": _LEAF,
}  # fmt: skip
_TABLES: Shape = {**_TITLED, "properties": Each({**_TITLED, "properties": Each(_COLUMN)})}
_PORTS = Each({"type": _LEAF})
_MODE: Shape = {"interfaceString": _LEAF, "parameters": _LEAF}
_ASSET: Shape = {
    "name": _LEAF, "id": _LEAF, "type": _LEAF, "locationInfo": _BLOB, "inputPorts": _PORTS,
    "outputPorts": _PORTS, "metadata": _LEAF,
    "parameters": Each({"name": _LEAF, "parameterType": _LEAF, "modeValuesInfo": Each(_MODE)}),
}  # fmt: skip
_NODE: Shape = {
    "assetId": _LEAF, "inputId": _LEAF, "outputId": _LEAF, "parameters": Each(_VALUE),
}  # fmt: skip
_EDGE: Shape = {
    "sourceNodeId": _LEAF, "sourcePortId": _LEAF, "targetNodeId": _LEAF, "targetPortId": _LEAF,
}  # fmt: skip
_GRAPH_PARAMETER: Shape = {
    "description": _LEAF, "type": _LEAF, "links": Each({"nodeId": _LEAF, "parameterKey": _LEAF}),
}  # fmt: skip
_PROPERTIES: Shape = {
    "packageType": _LEAF, "title": _LEAF, "description": _LEAF, "createdOn": _LEAF,
    "modifiedOn": _LEAF, "provisioningState": _LEAF, "keys": {"primary": _LEAF, "secondary": _LEAF},
    "readOnly": _LEAF, "swaggerLocation": _LEAF, "exposeSampleData": _LEAF,
    "realtimeConfiguration": {"maxConcurrentCalls": _LEAF},
    "diagnostics": {"level": _LEAF, "expiry": _LEAF},
    "storageAccount": {"name": _LEAF, "key": _LEAF},
    "machineLearningWorkspace": {"id": _LEAF}, "commitmentPlan": {"id": _LEAF},
    "input": _TABLES, "output": _TABLES,
    "exampleRequest": {"inputs": _LEAF, "globalParameters": _LEAF},
    "assets": Each(_ASSET), "parameters": Each(_VALUE),
    "package": {
        "nodes": Each(_NODE), "edges": Each(_EDGE), "graphParameters": Each(_GRAPH_PARAMETER),
    },
    "payloadsInBlobStorage": _LEAF, "payloadsLocation": _BLOB,
}  # fmt: skip
_WEB_SERVICE: Shape = {
    "id": _LEAF, "name": _LEAF, "type": _LEAF, "location": _LEAF, "tags": _LEAF,
    "properties": _PROPERTIES,
}  # fmt: skip


def spelled(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Copy a definition with its keys as Resource Manager spells them.

    Raises Refused where two keys differ in nothing but their case.
    """
    copy = _spelled(definition, _WEB_SERVICE)
    assert isinstance(copy, dict)
    return copy


def _spelled(value: Any, shape: Shape) -> Any:
    if isinstance(value, Mapping):
        if isinstance(shape, Each):
            return {key: _spelled(item, shape.shape) for key, item in value.items()}
        return _object(value, shape or {})
    if isinstance(value, list | tuple):
        return [_spelled(item, shape.shape if isinstance(shape, Each) else None) for item in value]
    return value


def _object(value: Mapping[str, Any], shape: Mapping[str, Any]) -> dict[str, Any]:
    spelling = {key.lower(): key for key in shape}
    copy: dict[str, Any] = {}
    for key, item in value.items():
        proper = spelling.get(key.lower(), key)
        if proper in copy:
            raise Refused(f"the definition has {shown(key)} twice, in different case; leave one")
        copy[proper] = _spelled(item, shape.get(proper))
    return copy
