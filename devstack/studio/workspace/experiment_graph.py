"""Experiment graphs: read from what the workspace API keeps, checked, made ready for the engine.

In an experiment a dataset, trained model or transform is not a node: the input port that takes it
names it. Nothing here changes the document it reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from devstack.studio.graph import ONLY_PORT, Edge, Graph, Node
from devstack.studio.modules import DATASET, MODULES, TRAINED_MODEL, TRANSFORM, module_named_by
from devstack.studio.workspace.records import AssetKind

Document = Mapping[str, Any]

# Which key of an input port names an asset of which kind, and what the engine calls its type.
PORT_ASSETS: Mapping[str, tuple[AssetKind, str]] = {
    "DataSourceId": ("dataset", DATASET),
    "TrainedModelId": ("trained_model", TRAINED_MODEL),
    "TransformModuleId": ("transform", TRANSFORM),
}

# The value of a module parameter that stands for a parameter of the web service.
GRAPH_PARAMETER = "GraphParameterName"


@dataclass(frozen=True)
class AssetUse:
    """An input port that takes an asset."""

    node: str
    port: str
    kind: AssetKind
    type: str
    asset: str

    @property
    def source(self) -> str:
        """The id of the asset's node in the engine's graph; ids of modules have no colon."""
        return f"asset:{self.asset}"


@dataclass(frozen=True)
class ExperimentGraph:
    """A graph of the right shape (`graph_checks`), with the web service's parameters."""

    document: Document
    web_service: Document

    @property
    def nodes(self) -> Mapping[str, Document]:
        """The module nodes by id."""
        return {node["Id"]: node for node in self.document.get("ModuleNodes") or ()}

    def assets(self) -> list[AssetUse]:
        """Every port that takes an asset."""
        return [
            AssetUse(node["Id"], port["Name"], kind, type_, port[key])
            for node in self.document.get("ModuleNodes") or ()
            for port in node.get("InputPortsInternal") or ()
            for key, (kind, type_) in PORT_ASSETS.items()
            if port.get(key)
        ]

    def connections(self) -> list[Edge]:
        """The edges between modules."""
        return [
            Edge(
                *split_port(edge["SourceOutputPortId"]), *split_port(edge["DestinationInputPortId"])
            )
            for edge in self.document.get("EdgesInternal") or ()
        ]

    def marked(self) -> frozenset[str]:
        """The nodes that are marked for a partial run."""
        nodes = self.nodes.items()
        return frozenset(name for name, node in nodes if node.get("IsPartOfPartialRun") is True)

    def needed(self, wanted: Iterable[str]) -> frozenset[str]:
        """These nodes and all that they depend on; the edges must have been checked."""
        found: set[str] = set()
        waiting, edges = list(wanted), self.connections()
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += [edge.source for edge in edges if edge.target == node]
        return frozenset(found)

    def engine_graph(self, only: Collection[str] | None = None) -> Graph:
        """The graph that the engine runs: all of it, or the nodes `only` and their assets."""
        documents = {
            name: node for name, node in self.nodes.items() if only is None or name in only
        }
        uses = [use for use in self.assets() if use.node in documents]
        nodes = {name: self._node(node) for name, node in documents.items()}
        nodes |= {use.source: Node(use.source, source=use.asset, kind=use.type) for use in uses}
        edges = [edge for edge in self.connections() if only is None or edge.target in only]
        edges += [Edge(use.source, ONLY_PORT, use.node, use.port) for use in uses]
        return Graph(nodes, tuple(edges))

    def mistakes(self, only: Collection[str] | None = None) -> list[str]:
        """What keeps the graph, or a part of it, from running; modules may be unknown."""
        graph = self.engine_graph(only)
        taken = Counter((edge.target, edge.target_port) for edge in graph.edges)
        found = [
            f"node {node!r}: port {port!r} has more than one connection"
            for (node, port), count in taken.items()
            if count > 1
        ]
        found += graph.mistakes(unknown_modules=True)
        found += [text for node in graph.nodes for text in self._parameter_mistakes(node)]
        return found + [text for edge in graph.edges for text in self._port_mistakes(edge)]

    def parameter_value(self, parameter: Document) -> str | None:
        """What a module parameter is set to, directly or by the web service's parameter."""
        if parameter.get("ValueType") != GRAPH_PARAMETER:
            value = parameter.get("Value")
            return None if value is None else str(value)
        return default_of(self.web_parameters().get(linked_name(parameter), {}))

    def web_parameters(self) -> Mapping[str, Document]:
        """The web service's parameters by name."""
        return {str(item["Name"]): item for item in self.web_service.get("Parameters") or ()}

    def _node(self, node: Document) -> Node:
        module = module_named_by(node["ModuleId"]) or node["ModuleId"]
        values = {
            parameter["Name"]: self.parameter_value(parameter)
            for parameter in node.get("ModuleParameters") or ()
        }
        given = {name: value for name, value in values.items() if value is not None}
        return Node(node["Id"], module=module, parameters=given)

    def _parameter_mistakes(self, node_id: str) -> list[str]:
        node = self.nodes.get(node_id) or {}
        linked = [
            parameter
            for parameter in node.get("ModuleParameters") or ()
            if parameter.get("ValueType") == GRAPH_PARAMETER
        ]
        return [
            f"node {node_id!r}: parameter {parameter['Name']!r} takes its value from the "
            f"web-service parameter {linked_name(parameter)!r}, which has none"
            for parameter in linked
            if self.parameter_value(parameter) is None
        ]

    def _port_mistakes(self, edge: Edge) -> list[str]:
        """Ports of modules that do not run here must be among those that the node lists."""
        found = []
        ends = (
            (edge.source, edge.source_port, "OutputPortsInternal", "output"),
            (edge.target, edge.target_port, "InputPortsInternal", "input"),
        )
        for node_id, port, key, word in ends:
            node = self.nodes.get(node_id)
            if node is None or _is_executable(node):
                continue
            if port not in {item["Name"] for item in node.get(key) or ()}:
                found.append(f"node {node_id!r} has no {word} {port!r}")
        return found


def _is_executable(node: Document) -> bool:
    module = MODULES.get(module_named_by(node["ModuleId"]) or "")
    return module is not None and module.executable


def split_port(reference: str) -> tuple[str, str]:
    """The node and the port that `node:port` names."""
    node, _, port = reference.partition(":")
    return node, port


def linked_name(parameter: Document) -> str:
    """The web-service parameter that a module parameter is linked to.

    LinkedGlobalParameter names it, and where that is empty Value does (inferred: which of the two
    Studio reads is not known).
    """
    return str(parameter.get("LinkedGlobalParameter") or parameter.get("Value") or "")


def default_of(parameter: Document) -> str | None:
    """The value of a web-service parameter, else its default, else None."""
    definition = parameter.get("ParameterDefinition") or {}
    for value in (parameter.get("Value"), definition.get("DefaultValue")):
        if value is not None and value != "":
            return str(value)
    return None
