"""Take output: what the training experiment's nodes put out becomes files of the run."""

from __future__ import annotations

from alm.domain.drafts import graph_of
from alm.domain.experiment import Graph
from alm.domain.experiment_steps import OutputAt
from alm.domain.graph import outputs
from alm.domain.graph.outputs import Output
from alm.domain.outcomes import Done, Outcome
from alm.domain.run import Evidence
from alm.stages import harvest
from alm.stages.context import Context
from alm.stages.experiment import workbench


def visit(context: Context) -> Outcome:
    """Bring the trained model and its evidence, and know the model's digest."""
    declared = workbench.steps(context).training
    graph = graph_of(workbench.as_it_ran(context, context.state.studio.training))
    model = context.job_file("model.ilearner")
    _bring(context, outputs.trained_model(graph, declared.model), model)
    evidence = Evidence(
        evaluation=_evidence(context, graph, declared.evaluation, "evaluation.csv"),
        scored=_evidence(context, graph, declared.scored, "scored.csv"),
    )
    workbench.as_it_ran(context, context.state.studio.training)  # all of it is of one run
    digest, size = harvest.fingerprint(context.ports.blobs.open(model))
    changes = {"model_file": model, "digest": digest, "model_bytes": size, "evidence": evidence}
    return Done(context.state.model_copy(update=changes), why=digest)


def _evidence(context: Context, graph: Graph, declared: OutputAt | None, file: str) -> str:
    """The path of a piece of evidence; "" where the graph has none and none was named."""
    if declared is None:
        return ""
    find = outputs.evaluation if file == "evaluation.csv" else outputs.scored_rows
    output = find(graph, declared)
    if output is None:
        return ""
    path = context.job_file(file)
    _bring(context, output, path)
    return path


def _bring(context: Context, output: Output, path: str) -> None:
    here = workbench.workspace(context)
    with here.output(context.state.studio.training, output.node, output.port) as content:
        context.ports.blobs.put(path, content)
