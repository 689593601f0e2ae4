"""Outputs of a graph that a run takes: the trained model, and the evidence of how good it is."""

from __future__ import annotations

from collections.abc import Callable

from alm.domain.errors import Refused
from alm.domain.experiment import Graph, Node
from alm.domain.experiment_steps import OutputAt
from alm.domain.frozen import Frozen
from alm.domain.graph import modules
from alm.domain.graph.finding import find_node, listed, output_port, split_place


class Output(Frozen):
    """An output port of a node."""

    node: str
    port: str


def trained_model(graph: Graph, wanted: OutputAt) -> Output:
    """The output with the trained model: the one that is named, or the only one.

    Raises Refused if there is none, or if there are several and none is named.
    """
    found = _output(graph, wanted, modules.model_output)
    if found is None:
        raise Refused(
            "the graph trains no model: no Train Model, Tune Model Hyperparameters or Create R "
            "Model is in it; correct `experiment.training.source`"
        )
    return found


def evaluation(graph: Graph, wanted: OutputAt) -> Output | None:
    """The output with the evaluation table; None where nothing is evaluated or named."""
    return _output(graph, wanted, lambda node: _if(modules.evaluates, node, "evaluation"))


def scored_rows(graph: Graph, wanted: OutputAt) -> Output | None:
    """The output with the scored holdout; None where nothing is scored or named."""
    return _output(graph, wanted, lambda node: _if(modules.scores, node, "scored"))


def model_in_use(graph: Graph, replaces: str = "") -> str:
    """The trained-model asset that a predictive graph scores with; "" where it has none.

    Raises Refused if there are several and none is named.
    """
    used = sorted({port.trained_model for node in graph.nodes for port in node.inputs} - {""})
    if replaces and replaces in used:
        return replaces
    if len(used) > 1:
        raise Refused(
            f"the graph scores with {len(used)} trained models ({', '.join(used)}); name the one "
            "that is replaced in `experiment.predictive.replaces`"
        )
    return used[0] if used else ""


def with_trained_model(graph: Graph, asset: str, replaces: str = "") -> Graph:
    """Score with another trained model: in place of the one in use, or at the one open port.

    Raises Refused if it is not clear where it belongs.
    """
    used = model_in_use(graph, replaces)
    fed = {edge.target for edge in graph.edges}
    places = [
        (node, port.name)
        for node in graph.nodes
        for port in node.inputs
        if (port.trained_model == used if used else _takes_model(node, port.name, fed))
    ]
    if not places or (not used and len(places) > 1):
        raise Refused(
            f"the graph has {len(places)} places for a trained model, one is expected: "
            f"{listed(node for node, _ in places) or 'no Score Model with an open model port'}"
        )
    wanted = {(node.id, name) for node, name in places}
    nodes = tuple(_with_model(node, wanted, asset) for node in graph.nodes)
    layout = graph.layout.replace(used, asset) if used else graph.layout
    return graph.changed(nodes=nodes, layout=layout)


def _with_model(node: Node, places: set[tuple[str, str]], asset: str) -> Node:
    inputs = tuple(
        port.changed(trained_model=asset) if (node.id, port.name) in places else port
        for port in node.inputs
    )
    return node if inputs == node.inputs else node.changed(inputs=inputs)


def _takes_model(node: Node, name: str, fed: set[str]) -> bool:
    taken = modules.model_input(node) if modules.scores(node) else None
    return taken is not None and taken.name == name and f"{node.id}:{name}" not in fed


def _if(is_one: Callable[[Node], bool], node: Node, what: str) -> str:
    if not is_one(node):
        return ""
    found = modules.evaluation_output if what == "evaluation" else modules.scored_output
    return found(node)


def _output(graph: Graph, wanted: OutputAt, port_of: Callable[[Node], str]) -> Output | None:
    if wanted.node:
        node = find_node(graph, wanted.node)
        port = output_port(node, wanted.port or port_of(node))
        return Output(node=node.id, port=port.name)
    found = [(node, wanted.port or port_of(node)) for node in graph.nodes if port_of(node)]
    if len(found) > 1:
        found = _last(graph, found)
    if len(found) > 1:
        raise Refused(
            f"the graph has {len(found)} such outputs: {listed(node for node, _ in found)}; "
            "name the node that is meant"
        )
    return Output(node=found[0][0].id, port=found[0][1]) if found else None


def _last(graph: Graph, found: list[tuple[Node, str]]) -> list[tuple[Node, str]]:
    """Of several, those whose output feeds none of the others."""
    ids = {node.id for node, _ in found}
    feeding = {
        split_place(edge.source)[0] for edge in graph.edges if split_place(edge.target)[0] in ids
    }
    return [(node, port) for node, port in found if node.id not in feeding] or found
