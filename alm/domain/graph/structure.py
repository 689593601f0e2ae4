"""Whether a graph hangs together: what is wrong with it, in words for people.

Source: graphs as captured; that one input takes one thing, and that edges make no circle, is
inferred from what a graph means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import chain, islice

from alm.domain.experiment import Graph, InputPort, Node, OutputPort, ServiceBlock, ServicePort
from alm.domain.graph.finding import split_place
from alm.domain.graph.modules import named
from alm.domain.graph.references import WORDS, assets_at
from alm.domain.nearest import shown, suggestion

MISTAKES_MAX = 50  # more than a person corrects at once
Nodes = Mapping[str, Node]


def structure(graph: Graph, service: ServiceBlock | None = None) -> list[str]:
    """Say what keeps a graph from being run, and its web-service ports from being served.

    At most 50 mistakes: a graph with more is told again when these are corrected.
    """
    nodes = {node.id: node for node in graph.nodes}
    within = chain(_doubles(graph), _edges(graph, nodes), _crowded(graph, nodes))
    ports = _service(service, nodes) if service else ()
    return list(islice(chain(within, _circle(graph, nodes), ports), MISTAKES_MAX))


def _doubles(graph: Graph) -> Iterator[str]:
    for id in _repeated(node.id for node in graph.nodes):
        yield f"two nodes have the id {shown(id)}; give one of them another"
    for node in graph.nodes:
        for side, ports in (("input", node.inputs), ("output", node.outputs)):
            for name in _repeated(_names(ports)):
                yield f"node {named(node)} has two {side} ports named {shown(name)}"
        for name in _repeated(parameter.name for parameter in node.parameters):
            yield f"node {named(node)} has two parameters named {shown(name)}"


def _edges(graph: Graph, nodes: Nodes) -> Iterator[str]:
    for edge in graph.edges:
        doing = f"the edge from {shown(edge.source)} to {shown(edge.target)}"
        yield from _port_mistakes(doing, "begins", edge.source, nodes, outputs=True)
        yield from _port_mistakes(doing, "ends", edge.target, nodes, outputs=False)


def _port_mistakes(
    doing: str, verb: str, place: str, nodes: Nodes, *, outputs: bool
) -> Iterator[str]:
    id, port = split_place(place)
    node = nodes.get(id)
    if node is None:
        yield f"{doing} {verb} at a node that is not there; add the node, or take the edge away"
        return
    names = list(_names(node.outputs if outputs else node.inputs))
    if port not in names:
        side = "output" if outputs else "input"
        yield (
            f"{doing} {verb} at {named(node)}, which has no {side} port {shown(port)}: "
            f"{suggestion(port, names)}"
        )


def _crowded(graph: Graph, nodes: Nodes) -> Iterator[str]:
    """Inputs that more than one thing comes in by."""
    edges: dict[str, list[str]] = {}
    for edge in graph.edges:
        edges.setdefault(edge.target, []).append(f"an edge from {shown(edge.source)}")
    for node in graph.nodes:
        for port in node.inputs:
            things = edges.get(f"{node.id}:{port.name}", [])
            things = things + [f"{WORDS[kind]} {id}" for kind, id in assets_at(port)]
            if len(things) > 1:
                yield (
                    f"port {shown(port.name)} of {named(node)} takes one thing and gets "
                    f"{len(things)}: {', '.join(things[:5])}; leave one"
                )


def _circle(graph: Graph, nodes: Nodes) -> list[str]:
    follows: dict[str, set[str]] = {id: set() for id in nodes}
    for edge in graph.edges:
        source, target = split_place(edge.source)[0], split_place(edge.target)[0]
        if source in nodes and target in nodes:
            follows[target].add(source)
    try:
        TopologicalSorter(follows).prepare()
    except CycleError as error:
        circle = [named(nodes[id]) for id in error.args[1]]
        shortened = [*circle[:6], "…", circle[-1]] if len(circle) > 8 else circle
        return [f"nodes follow each other in a circle: {' -> '.join(shortened)}; cut one edge"]
    return []


def _service(service: ServiceBlock, nodes: Nodes) -> Iterator[str]:
    for side, ports in (("input", service.inputs), ("output", service.outputs)):
        for name in _repeated(port.name for port in ports):
            yield f"two web-service {side}s are named {shown(name)}; give one another name"
        for port in ports:
            yield from _service_port(side, port, nodes)
    for place in _repeated(port.port for port in service.inputs if port.port):
        yield f"two web-service inputs stand at {shown(place)}; leave one"


def _service_port(side: str, port: ServicePort, nodes: Nodes) -> Iterator[str]:
    doing = f"web-service {side} {shown(port.name)}"
    if not port.port:
        yield f"{doing} is not connected; connect it to a port, or take it away"
    else:
        yield from _port_mistakes(doing, "stands", port.port, nodes, outputs=side == "output")


def _names(ports: Iterable[InputPort | OutputPort]) -> Iterator[str]:
    return (port.name for port in ports)


def _repeated(words: Iterable[str]) -> list[str]:
    return [word for word, count in Counter(words).items() if count > 1]
