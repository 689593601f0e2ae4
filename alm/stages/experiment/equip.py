"""Equip: put the uploaded dataset into the training experiment, the model into the predictive one.

The training experiment is ours alone. The predictive one is what the service is deployed from, so
what it and the service were is on record, and kept, before it is touched.
"""

from __future__ import annotations

from alm.domain.drafts import draft_from, graph_of
from alm.domain.experiment import AssetKind, Experiment, Graph, ServiceBlock
from alm.domain.graph import edits, outputs
from alm.domain.graph.references import references
from alm.domain.ledger import Ledger
from alm.domain.managed_model import DEPLOYED
from alm.domain.outcomes import Done, Outcome
from alm.domain.studio_ids import family_of
from alm.domain.transitions import record_intent
from alm.stages.context import Context, Declaration
from alm.stages.experiment import before, restore, workbench


def set_dataset(context: Context) -> Outcome:
    """Name the uploaded dataset where the training experiment reads its data."""
    studio, declared = context.state.studio, workbench.steps(context).training
    experiment = workbench.workspace(context).experiment(studio.training)
    graph = graph_of(experiment)
    old = _replaced(context, "dataset", declared.replaces, studio.dataset, graph)
    graph = edits.set_dataset(graph, studio.dataset, old=old)
    return _saved(context, experiment, graph, f"dataset {studio.dataset}")


def declare(context: Context) -> Declaration:
    """Keep the predictive experiment and what the service serves; record both."""
    served, baseline = before.keep(context)

    def change(document: Ledger) -> Ledger:
        found = document.model_copy(update={"serves": {**document.serves, DEPLOYED: served}})
        return record_intent(found, {}, [DEPLOYED], {DEPLOYED: baseline})

    seconds = workbench.steps(context).deadline_minutes * 60
    return Declaration(f"set_model:{context.state.studio.asset}", change, seconds)


def set_model(context: Context) -> Outcome:
    """Name the promoted model where the predictive experiment scores with one."""
    studio, declared = context.state.studio, workbench.steps(context).predictive
    experiment = workbench.workspace(context).experiment(studio.predictive)
    wanted = restore.wanted(context, experiment) or draft_from(experiment)
    old = _replaced(context, "trained_model", declared.replaces, studio.asset, wanted.graph)
    graph = outputs.with_trained_model(wanted.graph, studio.asset, old)
    what = f"trained model {studio.asset}"
    return _saved(context, experiment, graph, what, wanted.service)


def _saved(
    context: Context,
    experiment: Experiment,
    graph: Graph,
    what: str,
    service: ServiceBlock | None = None,
) -> Done:
    """Save where something changes. The run that follows is told from the last one before it."""
    here = workbench.workspace(context)
    draft = draft_from(experiment, graph=graph, service=service)
    if (graph, draft.service) != (experiment.graph, experiment.service):
        here.save(experiment.id, draft)
        experiment = here.experiment(experiment.id)
    return workbench.done(context, f"{what} in {experiment.name!r}", before=experiment.run, ran="")


def _replaced(context: Context, kind: AssetKind, declared: str, new: str, graph: Graph) -> str:
    """The asset that makes room: an earlier version of the new one, else what is declared.

    "" where neither is in the graph: then there must be just one of its kind.
    """
    used = [ref.id for ref in references(graph) if ref.kind == kind]
    ours = [asset_id for asset_id in used if family_of(asset_id) == family_of(new)]
    if ours or not declared or declared in used:
        return ours[0] if ours else declared
    named = {a.id for a in workbench.workspace(context).assets(kind) if a.name == declared}
    return next((asset_id for asset_id in used if asset_id in named), "")
