"""Definitions: what a web service consists of, read from the properties of a WSD.

Classic and new services share this form: inputs, outputs, assets, a graph of nodes and edges, and
global parameters that are linked to parameters of nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from devstack.studio.errors import bad_user_argument
from devstack.studio.graph import ONLY_PORT, Edge, Graph, Node
from devstack.studio.modules import (
    DATASET,
    GLOBAL_WORKSPACE,
    MODULES,
    TRAINED_MODEL,
    module_named_by,
)

MODULE_URI = "aml://module/"
BOOLEANS = frozenset({"true", "false"})


@dataclass(frozen=True)
class GlobalParameter:
    """A parameter that a caller may set; without a default it must be set."""

    name: str
    kind: str
    default: str | None
    links: tuple[tuple[str, str], ...]
    description: str = ""


@dataclass(frozen=True)
class Package:
    """A definition, ready to be run."""

    title: str
    description: str
    inputs: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]
    resources: Mapping[str, str]
    graph: Graph
    parameters: Mapping[str, GlobalParameter]
    example: Mapping[str, Any] = field(default_factory=dict)

    @property
    def output_kinds(self) -> Mapping[str, str]:
        """For each output "Dataset" or "TrainedModel"."""
        return self.graph.output_kinds()

    @property
    def trains(self) -> bool:
        """Whether this is a training service: it puts out a trained model."""
        return TRAINED_MODEL in self.output_kinds.values()

    @property
    def resource_kinds(self) -> Mapping[str, str]:
        """For each resource what the modules that it feeds take; "" where that is not known."""
        assets = {source_of_asset(asset_id): asset_id for asset_id in self.resources}
        kinds = dict.fromkeys(self.resources, "")
        for edge in self.graph.edges:
            asset_id = assets.get(self.graph.nodes[edge.source].source or "")
            module = MODULES.get(self.graph.nodes[edge.target].module or "")
            if asset_id is not None and module is not None:
                kinds[asset_id] = module.inputs.get(edge.target_port, "")
        return kinds

    def with_parameters(self, given: Mapping[str, Any]) -> Graph:
        """The graph with the caller's global parameters in place; raises BadUserArgument."""
        values = self._parameter_values(given)
        nodes = dict(self.graph.nodes)
        for name, value in values.items():
            for node_id, key in self.parameters[name].links:
                node = nodes[node_id]
                nodes[node_id] = replace(node, parameters={**node.parameters, key: value})
        return Graph(nodes, self.graph.edges)

    def _parameter_values(self, given: Mapping[str, Any]) -> dict[str, str]:
        unknown = sorted(set(given) - set(self.parameters))
        if unknown:
            message = f"The web service has no global parameter {unknown[0]!r}."
            raise bad_user_argument("UnexpectedParameter", message, unknown[0])
        values = {}
        for parameter in self.parameters.values():
            value = given.get(parameter.name)
            if value is None and parameter.default is None:
                message = f"The global parameter {parameter.name!r} has no value."
                raise bad_user_argument("MissingRequiredGlobalParameters", message, parameter.name)
            values[parameter.name] = _checked(
                parameter, parameter.default if value is None else value
            )
        return values


def package_of(properties: Mapping[str, Any]) -> Package:
    """Read the properties of a definition; what they say must have been validated before."""
    body = properties.get("package") or {}
    defaults = properties.get("parameters") or {}
    assets = properties.get("assets") or {}
    return Package(
        title=properties.get("title") or "",
        description=properties.get("description") or "",
        inputs=_ports(properties, "input"),
        outputs=_ports(properties, "output"),
        resources={
            asset_id: asset["name"]
            for asset_id, asset in assets.items()
            if asset["type"] == "Resource"
        },
        graph=_graph(body, assets),
        parameters={
            name: _global_parameter(name, parameter, defaults.get(name))
            for name, parameter in (body.get("graphParameters") or {}).items()
        },
        example=properties.get("exampleRequest") or {},
    )


def module_uri(family: str) -> str:
    """The location of a module of Studio's in a definition."""
    return f"{MODULE_URI}{GLOBAL_WORKSPACE}.{family}.v1-default-1"


def source_of_asset(asset_id: str) -> str:
    """The name under which a graph asks for a resource."""
    return f"asset:{asset_id}"


def source_of_input(name: str) -> str:
    """The name under which a graph asks for an input."""
    return f"input:{name}"


def parameter_text(value: Any) -> str | None:
    """A parameter's value as text: plain (2016) or in an object (2017)."""
    inner = value.get("value") if isinstance(value, Mapping) else value
    if inner is None:
        return None
    return str(inner).lower() if isinstance(inner, bool) else str(inner)


def _ports(properties: Mapping[str, Any], side: str) -> Mapping[str, Mapping[str, Any]]:
    return (properties.get(side) or {}).get("properties") or {}


def _graph(body: Mapping[str, Any], assets: Mapping[str, Any]) -> Graph:
    nodes = {
        node_id: _node(node_id, node, assets) for node_id, node in (body.get("nodes") or {}).items()
    }
    edges = tuple(
        Edge(
            edge.get("sourceNodeId") or "",
            _port(nodes, edge.get("sourceNodeId"), edge.get("sourcePortId")),
            edge.get("targetNodeId") or "",
            _port(nodes, edge.get("targetNodeId"), edge.get("targetPortId")),
        )
        for edge in body.get("edges") or ()
    )
    return Graph(nodes, edges)


def _port(nodes: Mapping[str, Node], node_id: str | None, port: str | None) -> str:
    node = nodes.get(node_id or "")
    return port or "" if node is not None and node.module is not None else ONLY_PORT


def _node(node_id: str, node: Mapping[str, Any], assets: Mapping[str, Any]) -> Node:
    if node.get("inputId"):
        return Node(node_id, source=source_of_input(node["inputId"]), kind=DATASET)
    if node.get("outputId"):
        return Node(node_id, output=node["outputId"])
    asset_id = node.get("assetId") or ""
    asset = assets.get(asset_id) or {}
    if asset.get("type") == "Resource":
        return Node(node_id, source=source_of_asset(asset_id))
    uri = (asset.get("locationInfo") or {}).get("uri", "")
    module = module_named_by(uri.removeprefix(MODULE_URI)) or asset.get("name") or asset_id
    given = {name: parameter_text(value) for name, value in (node.get("parameters") or {}).items()}
    parameters = {name: value for name, value in given.items() if value is not None}
    return Node(node_id, module=module, parameters=parameters)


def _global_parameter(name: str, parameter: Mapping[str, Any], default: Any) -> GlobalParameter:
    links = tuple((link["nodeId"], link["parameterKey"]) for link in parameter["links"])
    description = parameter.get("description") or ""
    return GlobalParameter(name, parameter["type"], parameter_text(default), links, description)


def _checked(parameter: GlobalParameter, value: Any) -> str:
    text = parameter_text(value)
    if not isinstance(value, str | int | float | bool) or text is None:
        fits = False
    elif parameter.kind == "Int":
        fits = text.lstrip("+-").isdecimal()
    elif parameter.kind in ("Double", "Float"):
        fits = _is_number(text)
    elif parameter.kind == "Boolean":
        fits = text.lower() in BOOLEANS
    else:
        fits = True
    if not fits or text is None:
        message = (
            f"The global parameter {parameter.name!r} must be {parameter.kind}, not {value!r}."
        )
        raise bad_user_argument("UserParameterInvalid", message, parameter.name)
    return text


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False
