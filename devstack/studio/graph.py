"""Graphs of modules: what a web service or an experiment consists of, and the one way to run them.

A graph is nodes and edges. A node is a module with parameters, an input, an output, or a resource
(a trained model, a dataset). `run_graph` runs the modules in order and hands back what each port
gave; an observer is told of each node, may supply remembered outputs, and may stop the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from devstack.studio.learning.failures import BadGraph, LearningFailure, NotExecutable
from devstack.studio.modules import DATASET, MODULES, Module, Value

PortName = tuple[str, str]

# An input and a resource have one output without a name of its own; an output node one input.
ONLY_PORT = ""


@dataclass(frozen=True)
class Node:
    """One node: exactly one of module, source and output says what it is.

    `kind` is the type of what a source gives, where that is known before it runs.
    """

    id: str
    module: str | None = None
    source: str | None = None
    output: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None


@dataclass(frozen=True)
class Edge:
    """A connection from a port that puts out to a port that takes in."""

    source: str
    source_port: str
    target: str
    target_port: str


@dataclass(frozen=True)
class Graph:
    """Nodes by id, and the edges between them."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]

    def mistakes(self, *, unknown_modules: bool = False) -> list[str]:
        """Everything that keeps this graph from running, in words; empty when it is sound.

        With `unknown_modules` it is no mistake that a module is not in the catalogue or not
        executable locally: a graph with one can be kept, and fails only when that node runs.
        """
        found = [text for edge in self.edges for text in self._edge_mistakes(edge)]
        found += [text for node in self.nodes.values() for text in self._node_mistakes(node)]
        if not unknown_modules:
            found += [text for node in self.nodes.values() for text in _not_runnable(node)]
        if not found:
            try:
                self.order()
            except BadGraph as error:
                found.append(str(error))
        return found

    def order(self) -> list[str]:
        """The ids of the nodes so that each comes after those it depends on; raises BadGraph."""
        before: dict[str, set[str]] = {node: set() for node in sorted(self.nodes)}
        for edge in self.edges:
            before[edge.target].add(edge.source)
        try:
            return list(TopologicalSorter(before).static_order())
        except CycleError as error:
            raise BadGraph(f"the graph has a cycle: {' -> '.join(error.args[1])}") from error

    def into(self, node_id: str) -> list[Edge]:
        """The edges that end at a node."""
        return [edge for edge in self.edges if edge.target == node_id]

    def output_kinds(self) -> dict[str, str]:
        """For each output of the service, what comes out: a dataset or a trained model."""
        outputs = {node.id: node.output for node in self.nodes.values() if node.output is not None}
        return {
            str(outputs[edge.target]): self.kind_of(edge)
            for edge in self.edges
            if edge.target in outputs
        }

    def kind_of(self, edge: Edge) -> str:
        """What passes along an edge: the type of its source, where it is not known a dataset."""
        return self._given(edge) or DATASET

    def _given(self, edge: Edge) -> str | None:
        """The type of what an edge starts from; None where that shows only when it runs."""
        node = self.nodes[edge.source]
        module = MODULES.get(node.module or "")
        return module.outputs.get(edge.source_port) if module else node.kind

    def _node_mistakes(self, node: Node) -> list[str]:
        ports = [edge.target_port for edge in self.into(node.id)]
        named = f"node {node.id!r} ({node.module or node.output})"
        found = [
            f"{named}: port {port!r} has {ports.count(port)} connections, it takes one"
            for port in sorted(set(ports))
            if ports.count(port) > 1
        ]
        module = MODULES.get(node.module or "")
        if module is None:
            return found
        missing = sorted(set(module.inputs) - module.optional - set(ports))
        return found + [f"{named}: port {port!r} is open" for port in missing]

    def _edge_mistakes(self, edge: Edge) -> list[str]:
        ends = {"source": edge.source, "target": edge.target}
        unknown = [f"an edge names {end} {node!r}, which is no node" for end, node in ends.items()
                   if node not in self.nodes]  # fmt: skip
        return unknown or self._port_mistakes(edge)

    def _port_mistakes(self, edge: Edge) -> list[str]:
        source, target = self.nodes[edge.source], self.nodes[edge.target]
        puts_out, takes_in = _known(source), _known(target)
        found = []
        if puts_out is not None and edge.source_port not in puts_out.outputs:
            found.append(f"node {source.id!r} ({source.module}) has no output {edge.source_port!r}")
        if takes_in is not None and edge.target_port not in takes_in.inputs:
            found.append(f"node {target.id!r} ({target.module}) has no input {edge.target_port!r}")
        wanted = takes_in.inputs.get(edge.target_port) if takes_in is not None else None
        given = self._given(edge)
        if not found and wanted is not None and given is not None and wanted != given:
            found.append(
                f"node {target.id!r} ({target.module}): port {edge.target_port!r} takes "
                f"{wanted}, node {source.id!r} gives {given}"
            )
        return found


def _known(node: Node) -> Module | None:
    """The module of a node when its ports are known for certain."""
    module = MODULES.get(node.module or "")
    return module if module is not None and module.executable else None


def _not_runnable(node: Node) -> list[str]:
    if node.module is None:
        return []
    module = MODULES.get(node.module)
    if module is None:
        return [f"node {node.id!r} is of module {node.module!r}, which is not known here"]
    if not module.executable:
        return [f"node {node.id!r} is of module {node.module!r}, which is not executable locally"]
    return []


class Observer:
    """Told what happens while a graph runs. This one does not care."""

    def remembered(self, node: Node) -> Mapping[str, Value] | None:
        """What the node put out in an earlier run with the same inputs, if that may be used."""
        return None

    def starting(self, node: Node) -> None:
        """A module is about to run; an exception raised here ends the run."""

    def finished(self, node: Node, outputs: Mapping[str, Value]) -> None:
        """A module has run."""


class NodeFailure(LearningFailure):
    """A module could not run; names the module and says why."""

    def __init__(self, node: Node, reason: str) -> None:
        super().__init__(f"module {node.module!r}: {reason}")
        self.node = node


def run_graph(
    graph: Graph, sources: Mapping[str, Value], observer: Observer | None = None
) -> dict[PortName, Value]:
    """Run every module of a graph; returns what each output port of each node gave.

    `sources` holds the values of inputs and resources by their names. Raises NodeFailure when a
    module cannot run, BadGraph when the graph has a cycle or a source has no value.
    """
    values: dict[PortName, Value] = {}
    for node_id in graph.order():
        node = graph.nodes[node_id]
        taken = {
            edge.target_port: values[(edge.source, edge.source_port)]
            for edge in graph.into(node_id)
        }
        for port, value in _node_outputs(node, taken, sources, observer or Observer()).items():
            values[(node_id, port)] = value
    return values


def _node_outputs(
    node: Node, taken: Mapping[str, Value], sources: Mapping[str, Value], observer: Observer
) -> Mapping[str, Value]:
    if node.output is not None:
        return {ONLY_PORT: next(iter(taken.values()))} if taken else {}
    if node.source is not None:
        if node.source not in sources:
            raise BadGraph(f"nothing was given for {node.source!r}")
        return {ONLY_PORT: sources[node.source]}
    outputs = observer.remembered(node)
    if outputs is None:
        observer.starting(node)
        outputs = _run_module(node, taken)
    observer.finished(node, outputs)
    return outputs


def _run_module(node: Node, taken: Mapping[str, Value]) -> Mapping[str, Value]:
    module = MODULES.get(node.module or "")
    try:
        if module is None:
            raise NotExecutable("this Studio does not know the module")
        return module.run(node.parameters, taken)
    except NodeFailure:
        raise
    except LearningFailure as error:
        raise NodeFailure(node, str(error)) from error
