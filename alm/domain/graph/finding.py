"""Finds nodes and ports in a graph as people name them; what is not found is explained."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from alm.domain.errors import Refused
from alm.domain.experiment import Graph, InputPort, Node, OutputPort
from alm.domain.graph.modules import kind, named, titles
from alm.domain.nearest import nearest, shown, suggestion
from alm.domain.studio_ids import family_of

LISTED_MAX = 12
P = TypeVar("P", InputPort, OutputPort)


def find_nodes(graph: Graph, wanted: str) -> tuple[Node, ...]:
    """The nodes with this id; else those with this label; else those of this module.

    Labels are compared without regard to case and outer spaces, as Studio's own tools do. A module
    is named by its id, its family or its name (`Train Model`).
    """
    word = wanted.strip().lower()
    if not word:
        return ()
    rules = (
        lambda node: node.id == wanted.strip(),
        lambda node: node.label.strip().lower() == word,
        lambda node: word in (node.module.lower(), family_of(node.module).lower()),
        lambda node: kind(node).lower() == word,
    )
    for rule in rules:
        found = tuple(node for node in graph.nodes if rule(node))
        if found:
            return found
    return ()


def find_node(graph: Graph, wanted: str) -> Node:
    """The one node that `wanted` names. Raises Refused if there is none, or more than one."""
    found = find_nodes(graph, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise Refused(f"{shown(wanted)} names {len(found)} nodes: {listed(found)}; name one by id")
    words = [node.label.strip() for node in graph.nodes if node.label.strip()]
    near = nearest(wanted, dict.fromkeys([*words, *(kind(node) for node in graph.nodes)]))
    raise Refused(
        f"the graph has no node {shown(wanted)}: {f'did you mean {near!r}? ' if near else ''}"
        f"it has {_joined(list(titles(graph.nodes).values()))}; "
        "name a node by label, module or id"
    )


def input_port(node: Node, name: str) -> InputPort:
    """An input of a node by its name, in any case. Raises Refused."""
    return _port(node.inputs, node, name, "input")


def output_port(node: Node, name: str) -> OutputPort:
    """An output of a node by its name, in any case. Raises Refused."""
    return _port(node.outputs, node, name, "output")


def place(node: str, port: str) -> str:
    """A port as edges name it."""
    return f"{node}:{port}"


def split_place(port: str) -> tuple[str, str]:
    """Node and port of `node:port`; the port is "" where there is no colon."""
    node, _, name = port.partition(":")
    return node, name


def place_in(graph: Graph, wanted: str) -> tuple[Node, str]:
    """Node and port that a person names as `node:port`; the node by label, module or id.

    Raises Refused if there is no such node; the port is not looked at.
    """
    text, colon, port = wanted.rpartition(":")
    if not colon or not port.strip():
        raise Refused(f"{shown(wanted)} is no port; write node:port, such as 'train:Dataset'")
    return find_node(graph, text), port.strip()


def listed(nodes: Iterable[Node]) -> str:
    """Some nodes, for a message: at most a dozen."""
    return _joined([named(node) for node in nodes])


def _joined(words: list[str]) -> str:
    more = f", and {len(words) - LISTED_MAX} more" if len(words) > LISTED_MAX else ""
    return (", ".join(words[:LISTED_MAX]) + more) or "no nodes"


def _port(ports: Iterable[P], node: Node, name: str, side: str) -> P:
    found = list(ports)
    for port in found:
        if port.name == name:
            return port
    for port in found:
        if port.name.lower() == name.strip().lower():
            return port
    words = [port.name for port in found]
    raise Refused(f"node {named(node)} has no {side} port {shown(name)}: {suggestion(name, words)}")
