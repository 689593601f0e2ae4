"""The graph of a web service: what of an experiment a service needs, as the package of a WSD."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from devstack.studio.arm_schema import GRAPH_PARAMETER_TYPES
from devstack.studio.errors import invalid_operation
from devstack.studio.graph import Edge
from devstack.studio.workspace.experiment_graph import (
    GRAPH_PARAMETER,
    AssetUse,
    Document,
    ExperimentGraph,
    default_of,
    linked_name,
    split_port,
)
from devstack.studio.workspace.experiment_records import Content


@dataclass(frozen=True)
class WebPort:
    """A pseudo-module of the web service, connected to a port."""

    id: str
    name: str
    place: str

    @property
    def node(self) -> str:
        """The node of the port."""
        return split_port(self.place)[0]

    @property
    def port(self) -> str:
        """The port's name."""
        return split_port(self.place)[1]


@dataclass(frozen=True)
class ServiceGraph:
    """An experiment's graph with the inputs and outputs of its web service."""

    graph: ExperimentGraph
    inputs: tuple[WebPort, ...]
    outputs: tuple[WebPort, ...]
    needed: frozenset[str]

    @classmethod
    def of(cls, content: Content, *, new_port_names: bool = False) -> ServiceGraph:
        """Read an experiment; raises 400 when it is none that can be a web service.

        Pseudo-modules that are not connected are left out. With `new_port_names` they are called
        input1, input2, ..., output1, ... (inferred from the name of the query's parameter).
        """
        graph = ExperimentGraph(content.graph, content.web_service)
        inputs = _web_ports(content, "Inputs", "input" if new_port_names else "")
        outputs = _web_ports(content, "Outputs", "output" if new_port_names else "")
        _check(graph, inputs, outputs)
        fed = {(port.node, port.port) for port in inputs}
        wanted = [port.node for port in (*inputs, *outputs)]
        return cls(graph, inputs, outputs, _needed(graph.connections(), wanted, fed))

    def asset_at(self, port: WebPort) -> AssetUse | None:
        """The asset that fed a port in the experiment."""
        places = {(use.node, use.port): use for use in self.graph.assets()}
        return places.get((port.node, port.port))

    def edge_at(self, port: WebPort) -> Edge | None:
        """The edge that fed a port in the experiment."""
        places = {(edge.target, edge.target_port): edge for edge in self.graph.connections()}
        return places.get((port.node, port.port))

    def modules(self) -> dict[str, str]:
        """The modules that are needed: id of the definition's asset, id of the module."""
        found = dict.fromkeys(node["ModuleId"] for node in self._nodes().values())
        return {f"asset{at}": module_id for at, module_id in enumerate(found, start=1)}

    def resources(self) -> dict[str, str]:
        """The workspace's assets that are needed: id of the definition's asset, id of the asset."""
        found = dict.fromkeys(use.asset for use in self._uses())
        start = len(self.modules()) + 1
        return {f"asset{at}": asset_id for at, asset_id in enumerate(found, start=start)}

    def package(self) -> dict[str, Any]:
        """Nodes, edges and graph parameters in the form of a WSD."""
        resources = {asset_id: key for key, asset_id in self.resources().items()}
        modules = {module_id: key for key, module_id in self.modules().items()}
        nodes: dict[str, Any] = {port.id: {"inputId": port.name} for port in self.inputs}
        nodes |= {
            name: {"assetId": modules[node["ModuleId"]], "parameters": self._parameters(node)}
            for name, node in self._nodes().items()
        }
        nodes |= {_resource_node(key): {"assetId": key} for key in resources.values()}
        nodes |= {port.id: {"outputId": port.name} for port in self.outputs}
        edges = [_edge(port.id, "", port.node, port.port) for port in self.inputs]
        edges += [
            _edge(_resource_node(resources[use.asset]), "Results dataset", use.node, use.port)
            for use in self._uses()
        ]
        edges += [
            _edge(edge.source, edge.source_port, edge.target, edge.target_port)
            for edge in self._edges()
        ]
        edges += [_edge(port.node, port.port, port.id, "") for port in self.outputs]
        return {"nodes": nodes, "edges": edges, "graphParameters": self._graph_parameters()}

    def parameter_defaults(self) -> dict[str, str]:
        """The web service's parameters that have a value, with it."""
        declared = self.graph.web_parameters()
        found = {name: default_of(declared[name]) for name in self._graph_parameters()}
        return {name: value for name, value in found.items() if value is not None}

    def parameter_values(self) -> dict[str, Any]:
        """The same in the form of a WSD."""
        return {name: {"value": value} for name, value in self.parameter_defaults().items()}

    def _nodes(self) -> Mapping[str, Document]:
        return {name: node for name, node in self.graph.nodes.items() if name in self.needed}

    def _edges(self) -> list[Edge]:
        fed = {(port.node, port.port) for port in self.inputs}
        return [
            edge
            for edge in self.graph.connections()
            if edge.target in self.needed and (edge.target, edge.target_port) not in fed
        ]

    def _uses(self) -> list[AssetUse]:
        fed = {(port.node, port.port) for port in self.inputs}
        return [
            use
            for use in self.graph.assets()
            if use.node in self.needed and (use.node, use.port) not in fed
        ]

    def _parameters(self, node: Document) -> dict[str, Any]:
        values = {
            parameter["Name"]: self.graph.parameter_value(parameter)
            for parameter in node.get("ModuleParameters") or ()
        }
        return {name: {"value": value} for name, value in values.items() if value is not None}

    def _graph_parameters(self) -> dict[str, Any]:
        declared, found = self.graph.web_parameters(), {}
        for name, item in declared.items():
            definition = item.get("ParameterDefinition") or {}
            links = [
                {"nodeId": node_id, "parameterKey": parameter["Name"]}
                for node_id, node in self._nodes().items()
                for parameter in node.get("ModuleParameters") or ()
                if parameter.get("ValueType") == GRAPH_PARAMETER and linked_name(parameter) == name
            ]
            kind = definition.get("ParameterType")
            if links:
                found[name] = {
                    "description": str(definition.get("Description") or ""),
                    "type": kind if kind in GRAPH_PARAMETER_TYPES else "String",
                    "links": links,
                }
        return found


def _web_ports(content: Content, key: str, new_name: str) -> tuple[WebPort, ...]:
    found = [item for item in content.web_service.get(key) or () if item.get("PortId")]
    return tuple(
        WebPort(
            str(item.get("Id") or f"{key.lower()}-{at}"),
            f"{new_name}{at}" if new_name else item["Name"],
            item["PortId"],
        )
        for at, item in enumerate(found, start=1)
    )


def _check(
    graph: ExperimentGraph, inputs: tuple[WebPort, ...], outputs: tuple[WebPort, ...]
) -> None:
    if not outputs:
        message = (
            "The experiment has no web-service output: add one to WebService.Outputs whose PortId "
            "is the port to be answered."
        )
        raise invalid_operation("WebServiceTypeInvalid", message)
    ports = (*inputs, *outputs)
    found = [
        f"{port.name!r} is at {port.place!r}, which is no node"
        for port in ports
        if port.node not in graph.nodes
    ]
    found += _repeated("name of an input", (port.name for port in inputs))
    found += _repeated("name of an output", (port.name for port in outputs))
    found += _repeated("port of an input", (port.place for port in inputs))
    found += _repeated("id", [*graph.nodes, *(port.id for port in ports)])
    if found:
        raise invalid_operation("BadParameterValue", f"WebService: {'; '.join(found)}.")


def _repeated(what: str, values: Iterable[str]) -> list[str]:
    return [
        f"{what} {value!r} is there more than once"
        for value, count in Counter(values).items()
        if count > 1
    ]


def _needed(
    edges: Iterable[Edge], wanted: Iterable[str], fed: set[tuple[str, str]]
) -> frozenset[str]:
    """The nodes that a service needs: what its ports need, but not what its inputs replace."""
    kept = [edge for edge in edges if (edge.target, edge.target_port) not in fed]
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [edge.source for edge in kept if edge.target == node]
    return frozenset(found)


def _resource_node(key: str) -> str:
    return f"resource:{key}"


def _edge(source: str, source_port: str, target: str, target_port: str) -> dict[str, str]:
    edge = {"sourceNodeId": source, "targetNodeId": target}
    if source_port:
        edge["sourcePortId"] = source_port
    if target_port:
        edge["targetPortId"] = target_port
    return edge
