"""Register: the accepted model becomes a trained-model asset of the workspace (step 5).

Its description names the run and the version, so that a repeat finds it instead of promoting it
again.
"""

from __future__ import annotations

from alm.domain.drafts import graph_of
from alm.domain.experiment import Asset, Promotion
from alm.domain.graph import outputs
from alm.domain.outcomes import Outcome, Wait
from alm.stages import documents
from alm.stages.context import Context
from alm.stages.experiment import workbench


def visit(context: Context) -> Outcome:
    """Promote the output that was judged, under the declared name."""
    declared, here = workbench.steps(context), workbench.workspace(context)
    name = workbench.title(context, declared.trained_model)
    marker = f"v{context.state.version} of {context.step.model}, run {context.step.run}"
    named = _named(here.assets("trained_model"), name)
    ours = next((asset for asset in named if asset.description == marker), None)
    if ours is not None:
        kept = documents.of_experiment(context, "training", context.state.studio.training)
        state = documents.noted(context.state, kept)
        return workbench.done(context, f"{name!r} is {ours.id}", state=state, asset=ours.id)
    experiment = workbench.as_it_ran(context, context.state.studio.training)
    output = outputs.trained_model(graph_of(experiment), declared.training.model)
    here.promote(
        Promotion(
            experiment=experiment.id,
            node=output.node,
            port=output.port,
            name=name,
            description=marker,
            family=named[0].family if named else "",
        )
    )
    return Wait(0, f"{output.port!r} promoted as {name!r}")


def _named(assets: list[Asset], name: str) -> list[Asset]:
    """The versions of an asset, newest first."""
    return sorted((a for a in assets if a.name == name), key=lambda asset: -asset.number)
