"""Prepares a training experiment: its model, evaluation and scored holdout become outputs.

What a gate needs to judge a retrained model must come out of the service that trains it. Outputs
and inputs that stand already are used, so preparing twice changes nothing.
Source: Studio's documentation on retraining: an output at the module that produces the trained
model, such as Train Model, Tune Model Hyperparameters or Create R Model. That an evaluation and a
holdout belong to the model if they follow it along the edges is inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alm.domain.drafts import draft_from, graph_of
from alm.domain.errors import Refused
from alm.domain.experiment import Draft, Experiment, Graph, Node
from alm.domain.frozen import Frozen
from alm.domain.graph.entry import with_entry
from alm.domain.graph.finding import find_node, listed, place, place_in
from alm.domain.graph.flow import Flow
from alm.domain.graph.modules import (
    data_inputs,
    evaluates,
    evaluation_output,
    model_output,
    named,
    scored_output,
    scores,
)
from alm.domain.graph.service_ports import (
    block_of,
    port_at,
    with_service_output,
    with_service_parameter,
)
from alm.domain.graph.structure import structure


class TrainingWishes(Frozen):
    """What somebody decides where a graph leaves a choice: nodes by label, module or id.

    input: `node:port`. parameters: names of web-service parameters, and the `node:parameter` each
    sets. model, evaluated, scored_as: names of the outputs; empty: output1, output2 …
    """

    train: str = ""
    evaluation: str = ""
    scored: str = ""
    input: str = ""
    parameters: dict[str, str] = {}
    model_as: str = ""
    evaluation_as: str = ""
    scored_as: str = ""


class ServiceOutputs(Frozen):
    """Names of the web-service outputs; an empty name means: there is none."""

    model: str
    evaluation: str = ""
    scored: str = ""


class Prepared(Frozen):
    """A training experiment ready to be run and deployed; changed: it was not so before."""

    draft: Draft
    outputs: ServiceOutputs
    input: str = ""
    notes: tuple[str, ...] = ()
    changed: bool = True


def prepare_training(
    experiment: Experiment,
    wishes: TrainingWishes = TrainingWishes(),  # noqa: B008 - an immutable value
) -> Prepared:
    """Give a training experiment the web-service ports that retraining needs.

    Raises Refused if the graph does not hang together, trains nothing, or leaves a choice that
    `wishes` does not decide.
    """
    graph = graph_of(experiment)
    check_structure(graph, experiment.name)
    train = _trainer(experiment, graph, wishes.train)
    flow = Flow(graph)
    notes: list[str] = []
    scorer = _scorer(experiment, flow, train, wishes.scored, notes)
    evaluator = _evaluator(experiment, flow, train, scorer, wishes.evaluation, notes)
    entry = with_entry(experiment, train, data_inputs(train), wishes.input)
    prepared, model = _put_out(entry.experiment, train, model_output(train), wishes.model_as)
    evaluation = scored = ""
    if evaluator is not None:
        port = evaluation_output(evaluator)
        prepared, evaluation = _put_out(prepared, evaluator, port, wishes.evaluation_as)
    if scorer is not None:
        prepared, scored = _put_out(prepared, scorer, scored_output(scorer), wishes.scored_as)
        notes += _same_rows(graph, train, scorer)
    for name, at in wishes.parameters.items():
        node, parameter = place_in(graph, at)
        prepared = with_service_parameter(prepared, node.id, parameter, name)
    return Prepared(
        draft=draft_from(prepared),
        outputs=ServiceOutputs(model=model, evaluation=evaluation, scored=scored),
        input=entry.name,
        notes=(*entry.notes, *notes),
        changed=prepared != experiment,
    )


def check_structure(graph: Graph, name: str) -> None:
    """Raises Refused with everything that is wrong with a graph."""
    mistakes = structure(graph)
    if mistakes:
        more = f" (and {len(mistakes) - 10} more)" if len(mistakes) > 10 else ""
        raise Refused(f"experiment {name[:80]!r} cannot run: {'; '.join(mistakes[:10])}{more}")


def trainers(graph: Graph) -> tuple[Node, ...]:
    """The nodes that put out a trained model."""
    return tuple(node for node in graph.nodes if model_output(node))


def _trainer(experiment: Experiment, graph: Graph, wanted: str) -> Node:
    found = trainers(graph)
    if not found:
        raise Refused(
            f"experiment {experiment.name[:80]!r} trains nothing: it has {listed(graph.nodes)}; "
            "add a Train Model, Tune Model Hyperparameters or Create R Model"
        )
    if wanted:
        node = find_node(graph, wanted)
        if node not in found:
            raise Refused(f"{named(node)} puts out no trained model; name one of {listed(found)}")
        return node
    found = _with_output(experiment, found, model_output) if len(found) > 1 else found
    if len(found) > 1:
        raise Refused(f"{len(found)} nodes put out a trained model: {listed(found)}; name one")
    return found[0]


def _scorer(
    experiment: Experiment, flow: Flow, train: Node, wanted: str, notes: list[str]
) -> Node | None:
    """The node that scores with the new model: the one that is evaluated, if there are several."""
    found = tuple(n for n in flow.takers(train.id, model_output(train)) if scores(n))
    if wanted:
        return _chosen(experiment, found, wanted, "scores with the new model")
    found = _with_output(experiment, found, scored_output)
    if len(found) > 1:
        found = tuple(n for n in found if any(map(evaluates, flow.after([n])))) or found
    if len(found) > 1:
        notes.append(f"no scored rows are put out: {listed(found)} score the model; name one")
    if not found:
        notes.append(f"no scored rows are put out: nothing scores the model of {named(train)}")
    return found[0] if len(found) == 1 else None


def _evaluator(
    experiment: Experiment,
    flow: Flow,
    train: Node,
    scorer: Node | None,
    wanted: str,
    notes: list[str],
) -> Node | None:
    """The node that measures the new model's scores."""
    found = tuple(n for n in flow.after([scorer or train]) if evaluates(n))
    if wanted:
        return _chosen(experiment, found, wanted, "evaluates the new model")
    found = _with_output(experiment, found, evaluation_output)
    if len(found) > 1:
        notes.append(f"no evaluation is put out: {listed(found)} evaluate the model; name one")
    if not found:
        notes.append(f"no evaluation is put out: nothing evaluates the model of {named(train)}")
    chosen = found[0] if len(found) == 1 else None
    if chosen and sum(flow.is_fed(chosen.id, port.name) for port in chosen.inputs) > 1:
        notes.append(f"{named(chosen)} compares two models: its results have a row for each")
    return chosen


def _chosen(experiment: Experiment, found: Sequence[Node], wanted: str, what: str) -> Node:
    node = find_node(graph_of(experiment), wanted)
    if node not in found:
        raise Refused(f"{named(node)} is none that {what}; there is {listed(found)}")
    return node


def _with_output(
    experiment: Experiment, nodes: Sequence[Node], port_of: Callable[[Node], str]
) -> tuple[Node, ...]:
    """Those that have a web-service output already, if any: they were chosen before."""
    outputs = block_of(experiment).outputs
    chosen = tuple(node for node in nodes if port_at(outputs, node.id, port_of(node)))
    return chosen or tuple(nodes)


def _put_out(experiment: Experiment, node: Node, port: str, name: str) -> tuple[Experiment, str]:
    """Make sure of a web-service output; returns what it is called."""
    changed = with_service_output(experiment, node.id, port, name)
    found = port_at(block_of(changed).outputs, node.id, port)
    assert found is not None
    return changed, found.name


def _same_rows(graph: Graph, train: Node, scorer: Node) -> list[str]:
    """A warning if the model is scored on what it was trained on."""
    sources = {edge.target: edge.source for edge in graph.edges}
    for port in data_inputs(train):
        for other in data_inputs(scorer):
            trained_on = sources.get(place(train.id, port.name)) or port.dataset
            scored_on = sources.get(place(scorer.id, other.name)) or other.dataset
            if trained_on and trained_on == scored_on:
                return [
                    f"{named(scorer)} scores the rows that {named(train)} trains on: no holdout"
                ]
    return []
