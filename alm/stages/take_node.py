"""Take node: the output of an experiment's node becomes the candidate, without retraining.

It is promoted to a version and put nowhere: an order to roll back to that version serves it.
"""

from __future__ import annotations

from alm.domain.drafts import graph_of
from alm.domain.errors import Misconfigured
from alm.domain.graph.finding import find_node
from alm.domain.outcomes import Done, Outcome
from alm.stages import harvest
from alm.stages.context import Context


def visit(context: Context) -> Outcome:
    """Bring the output that the request names into the run's own folder."""
    wanted = next((t.output for t in context.active.triggers if t.output), None)
    declared = context.model.studio
    if wanted is None or declared is None:
        raise Misconfigured(
            f"run {context.step.run} names no node's output, or managed model "
            f"{context.step.model!r} no `workspace`; declare it, and ask again"
        )
    here = context.ports.studio.workspace(declared)
    experiment = here.experiment(wanted.experiment)
    node = find_node(graph_of(experiment), wanted.node)
    path = context.job_file("model.ilearner")
    with here.output(experiment.id, node.id, wanted.port) as content:
        context.ports.blobs.put(path, content)
    digest, size = harvest.fingerprint(context.ports.blobs.open(path))
    studio = context.state.studio.model_copy(update={"ran": experiment.run or experiment.id})
    changes = {"model_file": path, "digest": digest, "model_bytes": size, "studio": studio}
    return Done(context.state.model_copy(update=changes), why=digest)
