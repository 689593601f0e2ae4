"""What a caller may send as an experiment: the request read, its graph checked for shape.

Unknown fields are kept. What the service itself writes into a web-service block (its ids) is taken
from what was there, never from the caller: a copy of an experiment begins without a web service
(inferred; the clients send the whole block of the original).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from devstack.studio.errors import Detail, StudioError
from devstack.studio.workspace.experiment_records import Content

# More than any experiment that people draw; a larger one is a mistake or an attack.
NODES_MAX = 2000
TEXT_CHARACTERS_MAX = 4096
NAME_CHARACTERS_MAX = 256

EMPTY_WEB_SERVICE: Mapping[str, Any] = {
    "IsWebServiceExperiment": False,
    "Inputs": [],
    "Outputs": [],
    "Parameters": [],
    "WebServiceGroupId": None,
    "ModelPackageId": None,
    "RunId": None,
    "SerializedClientData": None,
    "ArmWebServiceId": None,
}
SERVICE_OWNED = ("WebServiceGroupId", "ModelPackageId", "RunId")


def read_content(document: Mapping[str, Any], old: Content | None = None) -> Content:
    """The content that a request asks for; raises 400 that names every mistake of shape.

    `old` is what the experiment had: it keeps what is not given, except the graph.
    """
    mistakes = [
        f"{name} must be text of at most {TEXT_CHARACTERS_MAX} characters"
        for name in ("Description", "Summary", "Category")
        if not _is_text(document.get(name), TEXT_CHARACTERS_MAX)
    ]
    graph, block = document.get("ExperimentGraph"), document.get("WebService")
    mistakes += graph_mistakes(graph) + _block_mistakes(block) + _json_mistakes(document)
    refuse(mistakes)
    assert isinstance(graph, dict), "it was checked"
    return Content(
        description=_kept(document.get("Description"), old.description if old else ""),
        summary=_kept(document.get("Summary"), old.summary if old else ""),
        category=_kept(document.get("Category"), old.category if old else "user"),
        disable_node_update=document.get("DisableNodeUpdate") is True,
        graph=graph,
        web_service=_merged_block(block, old),
    )


def refuse(mistakes: list[str]) -> None:
    """Raise 400 that names every mistake, when there is one."""
    if mistakes:
        details = [Detail("BadParameterValue", text, "ExperimentGraph") for text in mistakes]
        text = "; ".join(mistakes[:20]) + ("; ..." if len(mistakes) > 20 else "")
        raise StudioError(400, "BadArgument", f"Invalid argument provided. {text}.", details[:20])


def graph_mistakes(graph: Any) -> list[str]:
    """What is wrong with the shape of a graph; a graph of the right shape can be kept."""
    if not isinstance(graph, dict):
        return ["ExperimentGraph must be an object"]
    nodes, edges = graph.get("ModuleNodes", []), graph.get("EdgesInternal", [])
    if not _are_objects(nodes) or not _are_objects(edges):
        return ["ExperimentGraph.ModuleNodes and .EdgesInternal must be lists of objects"]
    if len(nodes or ()) > NODES_MAX:
        return [f"ExperimentGraph has {len(nodes)} nodes, at most {NODES_MAX} are taken"]
    found = [text for at, node in enumerate(nodes or ()) for text in _node_mistakes(at, node)]
    found += [text for at, edge in enumerate(edges or ()) for text in _edge_mistakes(at, edge)]
    ids = [node.get("Id") for node in nodes or ()]
    if not found and len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        found.append(f"ExperimentGraph has more than one node {twice!r}")
    return found


def _node_mistakes(at: int, node: Mapping[str, Any]) -> list[str]:
    name = node.get("Id")
    if not _is_name(name) or ":" in str(name) or "/" in str(name):
        return [f"ExperimentGraph.ModuleNodes[{at}].Id must be a name without ':' and '/'"]
    if not _is_name(node.get("ModuleId")):
        return [f"node {name!r}: ModuleId must be text"]
    lists = ("ModuleParameters", "InputPortsInternal", "OutputPortsInternal")
    wrong = [key for key in lists if not _are_objects(node.get(key))]
    found = [f"node {name!r}: {key} must be a list of objects" for key in wrong]
    found += [
        f"node {name!r}: each of {key} must have a Name"
        for key in lists
        if key not in wrong and not all(_is_name(item.get("Name")) for item in node.get(key) or ())
    ]
    if "InputPortsInternal" not in wrong:
        found += [
            f"node {name!r}: {key} of port {port.get('Name')!r} must be text"
            for port in node.get("InputPortsInternal") or ()
            for key in ("DataSourceId", "TrainedModelId", "TransformModuleId")
            if not _is_text(port.get(key), NAME_CHARACTERS_MAX)
        ]
    return found


def _edge_mistakes(at: int, edge: Mapping[str, Any]) -> list[str]:
    return [
        f"ExperimentGraph.EdgesInternal[{at}].{key} must be 'node:port', not {edge.get(key)!r}"
        for key in ("SourceOutputPortId", "DestinationInputPortId")
        if not isinstance(edge.get(key), str) or ":" not in edge[key]
    ]


def _block_mistakes(block: Any) -> list[str]:
    if block is None:
        return []
    if not isinstance(block, dict):
        return ["WebService must be an object"]
    found = [
        f"WebService.{key} must be a list of objects with a Name"
        for key in ("Inputs", "Outputs", "Parameters")
        if not _are_objects(block.get(key))
        or not all(_is_name(item.get("Name")) for item in block.get(key) or ())
    ]
    if not found:
        found += [
            f"WebService.{key}: PortId of {port['Name']!r} must be 'node:port' or null"
            for key in ("Inputs", "Outputs")
            for port in block.get(key) or ()
            if port.get("PortId") is not None
            and (not isinstance(port["PortId"], str) or ":" not in port["PortId"])
        ]
    parameters = () if found else block.get("Parameters") or ()
    return found + [
        f"WebService.Parameters: ParameterDefinition of {item['Name']!r} must be an object"
        for item in parameters
        if not isinstance(item.get("ParameterDefinition"), dict | None)
    ]


def _json_mistakes(document: Mapping[str, Any]) -> list[str]:
    """Numbers that JSON can write and not keep: too large ones are read as infinite."""
    try:
        json.dumps(document, allow_nan=False)
    except (ValueError, RecursionError):
        return ["the request holds a number that is too large, or is nested too deeply"]
    return []


def _merged_block(block: Mapping[str, Any] | None, old: Content | None) -> dict[str, Any]:
    before = old.web_service if old else EMPTY_WEB_SERVICE
    if block is None:
        return dict(before)
    owned = {name: before.get(name) for name in SERVICE_OWNED}
    if old is None:
        owned["ArmWebServiceId"] = None
    return {**block, **owned}


def _kept(given: str | None, before: str) -> str:
    return before if given is None else given


def _is_text(value: Any, characters_max: int) -> bool:
    return value is None or (
        isinstance(value, str) and len(value) <= characters_max and _is_unicode(value)
    )


def _is_name(value: Any) -> bool:
    return bool(value) and isinstance(value, str) and _is_text(value, NAME_CHARACTERS_MAX)


def _is_unicode(text: str) -> bool:
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in text)


def _are_objects(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and all(isinstance(item, dict) for item in value)
    )
