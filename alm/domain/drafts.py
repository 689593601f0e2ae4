"""Drafts: what is sent to save or run an experiment, made from an experiment that was read."""

from __future__ import annotations

from alm.domain.errors import Refused
from alm.domain.experiment import Draft, Experiment, Graph, ServiceBlock


def graph_of(experiment: Experiment) -> Graph:
    """The graph of an experiment. Raises Refused for an entry of a list, which has none."""
    if experiment.graph is None:
        raise Refused(
            f"experiment {experiment.name!r} ({experiment.id}) came without its graph; "
            "read it by its id"
        )
    return experiment.graph


def draft_from(
    experiment: Experiment,
    *,
    name: str = "",
    graph: Graph | None = None,
    service: ServiceBlock | None = None,
) -> Draft:
    """A draft that saves the experiment: as it is, or with another name, graph or service."""
    return Draft(
        name=name or experiment.name,
        graph=graph or graph_of(experiment),
        service=service or experiment.service,
        summary=experiment.summary,
        previous=experiment.previous,
        category=experiment.category or "user",
    )
