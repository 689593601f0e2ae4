"""Checks of definitions beyond their shape: does the graph hang together, can it be run here?

Definitions are kept in the form of 2017-01-01, where a parameter is an object with a value; 2016's
plain text is turned into it on the way in, and back on the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from devstack.studio.arm_schema import canonical, properties_shape, web_service_shape
from devstack.studio.definitions import package_of
from devstack.studio.errors import Detail, StudioError
from devstack.studio.modules import LEARNER

NODE_KINDS = ("assetId", "inputId", "outputId")


def check_web_service(document: Any, version: str, *, patch: bool) -> dict[str, Any]:
    """A web service in canonical form; raises the error that names all mistakes."""
    mistakes: list[str] = []
    found = canonical(web_service_shape(version, patch=patch), document, "webService", mistakes)
    refuse(mistakes)
    if "properties" in found:
        found["properties"] = _with_objects(found["properties"], version)
    assert isinstance(found, dict), "a Record is read as an object"
    return found


def check_properties(document: Any, version: str) -> dict[str, Any]:
    """The properties of a definition in canonical form, checked throughout."""
    mistakes: list[str] = []
    found = canonical(properties_shape(version), document, "properties", mistakes)
    refuse(mistakes)
    found = _with_objects(found, version)
    refuse(graph_mistakes(found))
    assert isinstance(found, dict), "a Record is read as an object"
    return found


def refuse(mistakes: list[str], code: str = "InvalidRequestContent") -> None:
    """Raise 400 with every mistake, when there is one."""
    if mistakes:
        details = [Detail("BadArgument", text) for text in mistakes]
        raise StudioError(400, code, "; ".join(mistakes), details)


def graph_mistakes(properties: Mapping[str, Any]) -> list[str]:
    """What keeps a definition of the right shape from being run."""
    body = properties.get("package") or {}
    mistakes = _node_mistakes(properties) + _edge_mistakes(body) + _parameter_mistakes(properties)
    if mistakes:
        return mistakes
    package = package_of(properties)
    found = package.graph.mistakes()
    if not found:
        found += _output_mistakes(package.output_kinds, package.outputs)
    return found


def as_version(document: dict[str, Any], version: str) -> dict[str, Any]:
    """A definition as an api-version writes it."""
    if not version.startswith("2016"):
        return document
    properties = dict(document.get("properties") or {})
    for name in ("payloadsInBlobStorage", "payloadsLocation"):
        properties.pop(name, None)
    return {**document, "properties": _map_parameters(properties, _plain)}


def _with_objects(properties: dict[str, Any], version: str) -> dict[str, Any]:
    return _map_parameters(properties, _object) if version.startswith("2016") else properties


def _map_parameters(properties: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    changed = dict(properties)
    if "parameters" in changed:
        changed["parameters"] = {name: change(v) for name, v in changed["parameters"].items()}
    if "package" in changed:
        nodes = changed["package"].get("nodes") or {}
        changed["package"] = {
            **changed["package"],
            "nodes": {node_id: _map_node(node, change) for node_id, node in nodes.items()},
        }
    return changed


def _map_node(node: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    if "parameters" not in node:
        return node
    return {**node, "parameters": {name: change(v) for name, v in node["parameters"].items()}}


def _plain(value: Any) -> Any:
    inner = value.get("value") if isinstance(value, dict) else value
    return inner if isinstance(inner, str) or inner is None else str(inner)


def _object(value: Any) -> Any:
    return {"value": value}


def _node_mistakes(properties: Mapping[str, Any]) -> list[str]:
    body = properties.get("package") or {}
    known = {
        "assetId": properties.get("assets") or {},
        "inputId": (properties.get("input") or {}).get("properties") or {},
        "outputId": (properties.get("output") or {}).get("properties") or {},
    }
    found = []
    for node_id, node in (body.get("nodes") or {}).items():
        kinds = [kind for kind in NODE_KINDS if node.get(kind)]
        if len(kinds) != 1:
            found.append(f"node {node_id!r} must have one of {', '.join(NODE_KINDS)}")
        elif node[kinds[0]] not in known[kinds[0]]:
            found.append(
                f"node {node_id!r} has {kinds[0]} {node[kinds[0]]!r}, which is not defined"
            )
    if not body.get("nodes"):
        found.append("properties.package has no nodes")
    return found


def _edge_mistakes(body: Mapping[str, Any]) -> list[str]:
    nodes = body.get("nodes") or {}
    return [
        f"edge {at}: {key} {edge.get(key)!r} is no node"
        for at, edge in enumerate(body.get("edges") or ())
        for key in ("sourceNodeId", "targetNodeId")
        if edge.get(key) not in nodes
    ]


def _parameter_mistakes(properties: Mapping[str, Any]) -> list[str]:
    body = properties.get("package") or {}
    nodes, declared = body.get("nodes") or {}, body.get("graphParameters") or {}
    links = [
        f"global parameter {name!r} is linked to {link['nodeId']!r}, which is no node"
        for name, parameter in declared.items()
        for link in parameter["links"]
        if link["nodeId"] not in nodes
    ]
    values = properties.get("parameters") or {}
    return links + [
        f"properties.parameters has {name!r}, which package.graphParameters does not declare"
        for name in values
        if name not in declared
    ]


def _output_mistakes(kinds: Mapping[str, str], outputs: Mapping[str, Any]) -> list[str]:
    open_ports = [f"output {name!r} is not connected" for name in outputs if name not in kinds]
    return open_ports + [
        f"output {name!r} is an untrained model, which cannot be put out"
        for name, kind in kinds.items()
        if kind == LEARNER
    ]
