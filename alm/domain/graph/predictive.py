"""Prepares a predictive experiment: rows come in, scored rows go out, by a saved trained model.

Source: Studio's documentation on predictive experiments. Inferred: rows enter at the one port that
a saved dataset goes into on its way to the scoring module, so that what is done to them before is
done to a caller's rows as well.
"""

from __future__ import annotations

from alm.domain.drafts import draft_from, graph_of
from alm.domain.errors import Refused
from alm.domain.experiment import Draft, Experiment, Node, ServicePort
from alm.domain.frozen import Frozen
from alm.domain.graph.entry import with_entry
from alm.domain.graph.finding import find_node, listed, place, split_place
from alm.domain.graph.flow import Flow
from alm.domain.graph.modules import data_inputs, named, scored_output
from alm.domain.graph.service_ports import block_of, port_at, with_service_output
from alm.domain.graph.training import check_structure, trainers


class ModelPort(Frozen):
    """An input that holds a trained model: `node:port`, and the model's id."""

    port: str
    model: str
    node: str


class Predictive(Frozen):
    """A predictive experiment ready to be run and deployed; changed: it was not so before."""

    draft: Draft
    models: tuple[ModelPort, ...]
    input: str
    output: str
    notes: tuple[str, ...] = ()
    changed: bool = True


def model_ports(experiment: Experiment) -> tuple[ModelPort, ...]:
    """The inputs that hold a trained model, in the order of the graph."""
    return tuple(
        ModelPort(port=place(node.id, port.name), model=port.trained_model, node=named(node))
        for node in graph_of(experiment).nodes
        for port in node.inputs
        if port.trained_model
    )


def prepare_predictive(experiment: Experiment, *, score: str = "", port: str = "") -> Predictive:
    """Give a predictive experiment its web-service input and output, where it has none.

    score: the scoring node, where several hold a model. port: `node:port` where rows shall enter.
    Raises Refused if the graph does not hang together, holds no trained model, or leaves a choice.
    """
    graph = graph_of(experiment)
    check_structure(graph, experiment.name)
    models = model_ports(experiment)
    if not models:
        raise Refused(_no_model(experiment))
    scorer = _scorer(experiment, models, score)
    entry = with_entry(experiment, scorer, data_inputs(scorer), port)
    prepared, output, notes = _put_out(entry.experiment, scorer)
    return Predictive(
        draft=draft_from(prepared),
        models=models,
        input=entry.name,
        output=output,
        notes=(*entry.notes, *notes),
        changed=prepared != experiment,
    )


def _no_model(experiment: Experiment) -> str:
    name = f"experiment {experiment.name[:80]!r}"
    found = trainers(graph_of(experiment))
    if found:
        return (
            f"{name} holds no trained model, it trains one in {listed(found)}: this is a training "
            "experiment; promote the model, and use a predictive experiment that holds it"
        )
    return f"{name} holds no trained model; put one into the scoring module"


def _scorer(experiment: Experiment, models: tuple[ModelPort, ...], wanted: str) -> Node:
    graph = graph_of(experiment)
    holders = {split_place(model.port)[0] for model in models}
    found = [node for node in graph.nodes if node.id in holders]
    if wanted:
        node = find_node(graph, wanted)
        if node.id not in holders:
            raise Refused(f"{named(node)} holds no trained model; name one of {listed(found)}")
        return node
    outputs = block_of(experiment).outputs
    chosen = [node for node in found if port_at(outputs, node.id, scored_output(node))] or found
    if len(chosen) > 1:
        raise Refused(f"{len(chosen)} nodes hold a trained model: {listed(chosen)}; name one")
    return chosen[0]


def _put_out(experiment: Experiment, scorer: Node) -> tuple[Experiment, str, tuple[str, ...]]:
    """Make sure of an output at the scored rows or after them; its name, and what to know."""
    flow = Flow(graph_of(experiment))
    later = {node.id for node in (scorer, *flow.after([scorer]))}
    there = [item for item in block_of(experiment).outputs if split_place(item.port)[0] in later]
    changed = experiment
    if not there:
        changed = with_service_output(experiment, scorer.id, scored_output(scorer))
        there = [block_of(changed).outputs[-1]]
    first = _nearest(there, scorer)
    others = ", ".join(repr(item.name) for item in there if item is not first)
    notes = (f"{first.name!r} is taken for the scored rows; also put out: {others}",)
    return changed, first.name, notes if others else ()


def _nearest(outputs: list[ServicePort], scorer: Node) -> ServicePort:
    return port_at(outputs, scorer.id, scored_output(scorer)) or outputs[0]
