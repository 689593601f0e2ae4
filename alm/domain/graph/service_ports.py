"""Web-service inputs, outputs and parameters of an experiment: where callers reach into its graph.

An input or output is a pseudo-module: it has an id like a node's and a name, and says at which port
of which module it stands. Adding one that is there already changes nothing.
Source: the WebService block of captured experiments. Inferred: that ids may be chosen freely as
long as they are new, where the layout puts what was added, and that the name of a web-service
parameter stands in both Value and LinkedGlobalParameter.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from alm.domain.column_picker import read_rules
from alm.domain.drafts import graph_of
from alm.domain.errors import Refused
from alm.domain.experiment import Experiment, Node, Parameter, ServiceBlock, ServicePort
from alm.domain.graph.finding import find_node, input_port, output_port, place
from alm.domain.graph.modules import named
from alm.domain.nearest import shown, suggestion
from alm.domain.studio_ids import NODE_ID

Side = Literal["input", "output"]
NAME = re.compile(r"[^\W\d_][\w .-]{0,62}")  # a key of requests and answers: starts with a letter

_EMPTY_LAYOUT = (
    "<?xml version='1.0' encoding='utf-16'?><DataV1 xmlns:xsd='http://www.w3.org/2001/XMLSchema' "
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><Meta /><NodePositions></NodePositions>"
    "<NodeGroups /></DataV1>"
)
_STEP = 150  # between a module and what stands at it; modules are 200 wide


def with_service_input(experiment: Experiment, node: str, port: str, name: str = "") -> Experiment:
    """Let callers send rows to an input port; without a name it is called input1, input2 …

    A port that has an input keeps it; with another name it is renamed.
    Raises Refused if there is no such port, or another input has the name.
    """
    return _with_port(experiment, "input", (node, port), name)


def with_service_output(experiment: Experiment, node: str, port: str, name: str = "") -> Experiment:
    """Let callers have what an output port puts out; otherwise like `with_service_input`."""
    return _with_port(experiment, "output", (node, port), name)


def with_service_parameter(
    experiment: Experiment, node: str, parameter: str, name: str = ""
) -> Experiment:
    """Let callers set a parameter of a node; what it is now becomes the default.

    Raises Refused if there is no such parameter, or another one has the name.
    """
    graph = graph_of(experiment)
    found = find_node(graph, node)
    item = next((one for one in found.parameters if one.name == parameter), None)
    if item is None:
        words = [one.name for one in found.parameters]
        raise Refused(
            f"node {named(found)} has no parameter {shown(parameter)}: "
            f"{suggestion(parameter, words)}"
        )
    if item.kind.lower() == "graphparametername":
        return experiment
    block = block_of(experiment)
    title = _checked_name(name or parameter)
    if any(one.get("Name") == title for one in _parameters(block)):
        raise Refused(f"a web-service parameter {title!r} is there already; choose another name")
    linked = item.changed(value=title, kind="GraphParameterName", linked=title)
    node_changed = found.changed(
        parameters=tuple(linked if one is item else one for one in found.parameters)
    )
    nodes = tuple(node_changed if one.id == found.id else one for one in graph.nodes)
    service = block.changed(Parameters=[*_parameters(block), _definition(title, item)])
    return experiment.changed(graph=graph.changed(nodes=nodes), service=service)


def block_of(experiment: Experiment) -> ServiceBlock:
    """What an experiment says about its web service; an empty block if it says nothing."""
    return experiment.service or ServiceBlock(is_service=False, inputs=(), outputs=())


def port_at(ports: Iterable[ServicePort], node: str, port: str) -> ServicePort | None:
    """The input or output that stands at a port; None: there is none."""
    here = place(node, port)
    return next((item for item in ports if item.port == here), None)


def _with_port(experiment: Experiment, side: Side, at: tuple[str, str], name: str) -> Experiment:
    node = find_node(graph_of(experiment), at[0])
    entry = input_port(node, at[1]) if side == "input" else output_port(node, at[1])
    block = block_of(experiment)
    ports = block.inputs if side == "input" else block.outputs
    if name:
        _checked_name(name)
    present = port_at(ports, node.id, entry.name)
    if present is not None and name in ("", present.name):
        return experiment
    if present is not None:
        _refuse_taken(ports, name, side)
        return _replaced(experiment, side, present, present.changed(name=name))
    loose = next((item for item in ports if not item.port and item.name == name), None)
    if loose is not None:
        here = loose.changed(port=place(node.id, entry.name))
        return _replaced(experiment, side, loose, here)
    title = name or _free_name(ports, side)
    _refuse_taken(ports, title, side)
    added = ServicePort(id=_new_id(experiment), port=place(node.id, entry.name), name=title)
    return _added(experiment, side, node, added)


def _added(experiment: Experiment, side: Side, node: Node, added: ServicePort) -> Experiment:
    block = block_of(experiment)
    layout = _with_position(experiment, side, node.id, added.id)
    if side == "input":
        changed = block.changed(inputs=(*block.inputs, added), SerializedClientData=layout)
    else:
        changed = block.changed(outputs=(*block.outputs, added), SerializedClientData=layout)
    return experiment.changed(service=changed)


def _replaced(experiment: Experiment, side: Side, old: ServicePort, new: ServicePort) -> Experiment:
    block = block_of(experiment)
    ports = block.inputs if side == "input" else block.outputs
    changed = tuple(new if item is old else item for item in ports)
    fields = {"inputs": changed} if side == "input" else {"outputs": changed}
    return experiment.changed(service=block.changed(**fields))


def _checked_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise Refused(
            f"{shown(name)} cannot name a part of a web service; use up to 63 letters, digits, "
            "spaces, dots, dashes, and a letter first"
        )
    return name


def _refuse_taken(ports: Iterable[ServicePort], name: str, side: Side) -> None:
    taken = next((item for item in ports if item.name.lower() == name.lower()), None)
    if taken is not None:
        raise Refused(
            f"web-service {side} {taken.name!r} stands at {shown(taken.port) or 'no port'}; "
            "choose another name, or take it away there"
        )


def _free_name(ports: Iterable[ServicePort], side: Side) -> str:
    taken = {item.name.lower() for item in ports}
    return next(name for n in range(1, len(taken) + 2) if (name := f"{side}{n}") not in taken)


def _new_id(experiment: Experiment) -> str:
    """An id after those of the graph; its group is the one that most of them have."""
    block = block_of(experiment)
    ids = [node.id for node in graph_of(experiment).nodes]
    ids += [port.id for port in (*block.inputs, *block.outputs)]
    matches = [match for id in ids if (match := NODE_ID.fullmatch(id))]
    number = max((int(match[2]) for match in matches), default=0) + 1
    groups = Counter(match["group"] for match in matches).most_common(1)
    group = groups[0][0] if groups else str(uuid5(NAMESPACE_URL, experiment.id))
    return f"{group}-{number}"


def _parameters(block: ServiceBlock) -> list[dict[str, Any]]:
    items = block.document.get("Parameters")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _definition(name: str, item: Parameter) -> dict[str, Any]:
    """What the block says about a parameter; its type is guessed from what it holds."""
    return {
        "Name": name,
        "Value": item.value,
        "ParameterDefinition": {
            "Name": name,
            "FriendlyName": name,
            "ParameterType": _kind_of(item.value),
            "HasDefaultValue": bool(item.value),
            "DefaultValue": item.value,
            "IsOptional": not item.value,
            "HasRules": False,
            "ParameterRules": [],
        },
    }


def _kind_of(value: str) -> str:
    if read_rules(value) is not None:
        return "ColumnPicker"
    if value.lower() in ("true", "false"):
        return "Boolean"
    if re.fullmatch(r"[+-]?\d{1,9}", value):
        return "Int"
    return "Double" if re.fullmatch(r"[+-]?\d+\.\d*(?:[eE][+-]?\d+)?", value) else "String"


def _with_position(experiment: Experiment, side: Side, node: str, id: str) -> str:
    """The block's layout with the new one above (input) or below (output) its module."""
    layout = block_of(experiment).document.get("SerializedClientData") or _EMPTY_LAYOUT
    pattern = rf"Node='{re.escape(node)}' Position='(-?\d{{1,9}})(?:\.\d{{1,9}})?,(-?\d{{1,9}})"
    found = re.search(pattern, graph_of(experiment).layout)
    x, y = (int(found[1]), int(found[2])) if found else (0, 0)
    y += _STEP if side == "output" else -_STEP
    entry = f"<NodePosition Node='{id}' Position='{x},{y},200,200'/>"
    layout = str(layout).replace("<NodePositions />", "<NodePositions></NodePositions>", 1)
    return layout.replace("</NodePositions>", entry + "</NodePositions>", 1)
