"""Drafts: what is sent to save or run an experiment, made from an experiment that was read."""

from __future__ import annotations

from alm.domain.errors import Refused
from alm.domain.experiment import Draft, Experiment, Graph, Node, ServiceBlock

MARK = "IsPartOfPartialRun"
DEPLOYED = ("WebServiceGroupId", "ModelPackageId", "RunId", "ArmWebServiceId")
"""Where the web service of an experiment runs: of this experiment only, never of a copy."""


def graph_of(experiment: Experiment) -> Graph:
    """The graph of an experiment. Raises Refused for an entry of a list, which has none."""
    if experiment.graph is None:
        raise Refused(
            f"experiment {experiment.name!r} ({experiment.id}) came without its graph; "
            "read it by its id"
        )
    return experiment.graph


def unbound(service: ServiceBlock | None) -> ServiceBlock | None:
    """The web-service ports of an experiment, without the service it was deployed as."""
    if service is None:
        return None
    bound = ("WebServiceGroupId", "ModelPackageId", "RunId", "ArmWebServiceId")
    document = {**service.document, **dict.fromkeys(bound & service.document.keys())}
    return ServiceBlock.model_validate(document)


def draft_from(
    experiment: Experiment,
    *,
    name: str = "",
    graph: Graph | None = None,
    service: ServiceBlock | None = None,
) -> Draft:
    """A draft that saves the experiment: as it is, or with another name, graph or service.

    Marks that a partial run left in the graph are taken away: what runs is the whole experiment.
    """
    return Draft(
        name=name or experiment.name,
        graph=_unmarked(graph or graph_of(experiment)),
        service=service or experiment.service,
        summary=experiment.summary,
        previous=experiment.previous,
        category=experiment.category or "user",
    )


def _unmarked(graph: Graph) -> Graph:
    """The graph without marks of nodes that a partial run is to run."""
    if not any(_is_marked(node) for node in graph.nodes):
        return graph
    nodes = (node.changed(**{MARK: False}) if _is_marked(node) else node for node in graph.nodes)
    return graph.changed(nodes=tuple(nodes))


def _is_marked(node: Node) -> bool:
    return node.document.get(MARK) is True


def copy_of(experiment: Experiment, name: str, graph: Graph | None = None) -> Draft:
    """A draft of a new experiment like this one, or like this snapshot of a run.

    It is nobody's next version, and the web service deployed from the old one is not its own.
    """
    service = None if experiment.service is None else not_deployed(experiment.service)
    draft = draft_from(experiment, name=name, graph=graph, service=service)
    return draft.model_copy(update={"previous": ""})


def not_deployed(service: ServiceBlock) -> ServiceBlock:
    """What an experiment says about its web service, but for where that runs."""
    document = service.document
    nowhere = {key: None for key in DEPLOYED if document.get(key)}
    return ServiceBlock.model_validate({**document, **nowhere}) if nowhere else service
