"""Exported experiments: a graph as it is kept under version control and read again.

An export is what Studio's own import takes (name, graph, web-service ports), without what changes
at every run (statuses, times, tags of versions, ids of runs) and without secrets, in one order of
nodes, edges and parameters: the same experiment is the same bytes, so a version differs from
another only where somebody changed something. `Provenance` says where it comes from.

Reading accepts our exports and the answer of Studio's API as the PowerShell module saves it.
Source: Studio API, experiments; Export-AmlExperimentGraph. That imports need no more is inferred
from what that module sends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, ValidationError

from alm.domain.documents import read_object
from alm.domain.drafts import DEPLOYED, graph_of
from alm.domain.errors import Refused
from alm.domain.experiment import (
    Draft,
    Experiment,
    Graph,
    Node,
    Parameter,
    ServiceBlock,
    Text,
    Wire,
)
from alm.domain.graph.modules import named
from alm.domain.nearest import shown
from alm.domain.secret_free import without_secrets
from alm.domain.secret_texts import WITHHELD


class Provenance(Wire):
    """Where an export comes from; names: what its assets were called there, by id."""

    experiment: Text = Field(default="", alias="ExperimentId")
    run: Text = Field(default="", alias="RunId")
    names: dict[str, str] = Field(default={}, alias="Assets")


class ExportedExperiment(Wire):
    """An experiment as it was exported. Values that were withheld hold a mark."""

    name: Text = Field(default="", alias="Description")
    summary: Text = Field(default="", alias="Summary")
    category: Text = Field(default="", alias="Category")
    graph: Graph = Field(alias="Graph")
    service: ServiceBlock | None = Field(default=None, alias="WebService")
    provenance: Provenance = Field(default=Provenance(), alias="Provenance")


def export(
    experiment: Experiment | ExportedExperiment, names: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The experiment as a document to keep; `canonical_json` makes its bytes.

    names: what its assets are called, by id: a workspace that lacks one can then say which of its
    own is called the same.
    """
    service = experiment.service.document if experiment.service else None
    document = {
        "Description": experiment.name,
        "Summary": experiment.summary,
        "Category": experiment.category or "user",
        "Graph": _graph(experiment),
        "WebService": None if service is None else _service(service),
        "Provenance": _provenance(experiment, names or {}),
    }
    cleaned = without_secrets(document)
    assert isinstance(cleaned, dict)
    return cleaned


def read_export(content: bytes) -> ExportedExperiment:
    """Read an export, or an experiment as Studio's API answers it.

    Raises Refused, saying why: too large, cut off, not JSON, or not an experiment with a graph.
    """
    document = read_object(content, "exported experiment")
    graph = document.get("Graph")
    if not isinstance(graph, dict) or not isinstance(graph.get("ModuleNodes"), list):
        raise Refused(f"exported experiment: {_not_one(document)}")
    provenance = document.get("Provenance")
    if provenance is None:
        provenance = {key: document.get(key) for key in ("ExperimentId", "RunId")}
    kept = ("Description", "Summary", "Category", "Graph", "WebService")
    parts = {key: document[key] for key in kept if key in document}
    try:
        return ExportedExperiment.model_validate({**parts, "Provenance": provenance})
    except ValidationError as error:
        raise Refused(f"exported experiment: {_first(error)}") from error


def draft_of(export: ExportedExperiment, name: str = "", onto: Experiment | None = None) -> Draft:
    """A draft that makes the experiment again.

    onto: the experiment that it replaces: its web service stays its own, and values that were
    withheld are those that it has now. Where there is none they are empty, as in Studio's copies.
    """
    present = _present(onto)
    nodes = tuple(_filled(node, present) for node in export.graph.nodes)
    return Draft(
        name=name or export.name,
        graph=export.graph.changed(nodes=nodes),
        service=_service_onto(export.service, onto),
        summary=export.summary,
        previous=onto.previous if onto else "",
        category=export.category or "user",
    )


def withheld_in(export: ExportedExperiment) -> list[str]:
    """Which parameters hold a mark instead of a secret, in words for people."""
    return [
        f"node {named(node)}: parameter {item.name!r}"
        for node in export.graph.nodes
        for item in node.parameters
        if WITHHELD in item.value
    ]


def _graph(experiment: Experiment | ExportedExperiment) -> dict[str, Any]:
    graph = experiment.graph if isinstance(experiment, ExportedExperiment) else graph_of(experiment)
    document = graph.document
    document["ModuleNodes"] = _ordered(map(_node, document.get("ModuleNodes", ())), "Id")
    edges = document.get("EdgesInternal", ())
    document["EdgesInternal"] = _ordered(edges, "SourceOutputPortId", "DestinationInputPortId")
    return document


def _node(node: dict[str, Any]) -> dict[str, Any]:
    if "ModuleParameters" in node:
        node["ModuleParameters"] = _ordered(node["ModuleParameters"], "Name")
    if "IsPartOfPartialRun" in node:
        node["IsPartOfPartialRun"] = False
    return node


def _service(service: dict[str, Any]) -> dict[str, Any]:
    for key in DEPLOYED:
        if key in service:
            service[key] = None
    for key in ("Inputs", "Outputs", "Parameters"):
        if isinstance(service.get(key), list):
            service[key] = _ordered(service[key], "Name", "Id")
    return service


def _provenance(
    experiment: Experiment | ExportedExperiment, names: Mapping[str, str]
) -> dict[str, Any]:
    if isinstance(experiment, ExportedExperiment):
        source = experiment.provenance
        all_names = {**source.names, **names}
        return {"ExperimentId": source.experiment, "RunId": source.run, "Assets": all_names}
    run = experiment.id if experiment.is_snapshot else experiment.run
    return {"ExperimentId": experiment.id, "RunId": run, "Assets": dict(names)}


def _ordered(items: Any, *keys: str) -> list[Any]:
    """By these keys; what is alike in them, by all else."""

    def rank(item: Any) -> tuple[str, ...]:
        named = item if isinstance(item, dict) else {}
        return (*(str(named.get(key) or "") for key in keys), json.dumps(item, sort_keys=True))

    return sorted(items, key=rank)


def _not_one(document: Mapping[str, Any]) -> str:
    """Why a document is no experiment, and what it may be instead."""
    lowered = {key.lower() for key in document}
    if "properties" in lowered:
        return "this is the definition of a web service (WSD); import it as one"
    if {"Description", "ExperimentId"} & document.keys():
        return "it has no graph, like an entry of a list; export the experiment by its id"
    seen = ", ".join(map(shown, list(document)[:6])) or "none"
    return f"it has no Graph with ModuleNodes (its keys: {seen}); give an exported experiment"


def _first(error: ValidationError) -> str:
    mistakes = error.errors(include_url=False, include_input=False)
    place = ".".join(map(str, mistakes[0]["loc"]))
    more = f", and {len(mistakes) - 1} more mistakes" if len(mistakes) > 1 else ""
    return f"{place[:200]}: {mistakes[0]['msg'][:200]}{more}; export it again"


def _present(onto: Experiment | None) -> dict[tuple[str, str], Parameter]:
    nodes: Sequence[Node] = onto.graph.nodes if onto and onto.graph else ()
    return {(node.id, item.name): item for node in nodes for item in node.parameters}


def _filled(node: Node, present: Mapping[tuple[str, str], Parameter]) -> Node:
    if not any(WITHHELD in item.value for item in node.parameters):
        return node
    return node.changed(
        parameters=tuple(
            item.changed(value=_value(item, present.get((node.id, item.name))))
            for item in node.parameters
        )
    )


def _value(item: Parameter, now: Parameter | None) -> str:
    """The value that the experiment has now, if it is the same but for what was withheld."""
    if WITHHELD not in item.value:
        return item.value
    if now is not None and without_secrets(now.document).get("Value") == item.value:
        return now.value
    return "" if item.value == WITHHELD else item.value


def _service_onto(service: ServiceBlock | None, onto: Experiment | None) -> ServiceBlock | None:
    if service is None or onto is None or onto.service is None:
        return service
    own = onto.service.document
    deployed = {key: own[key] for key in DEPLOYED if key in own}
    return ServiceBlock.model_validate({**service.document, **deployed})
