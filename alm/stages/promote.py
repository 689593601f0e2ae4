"""Promote: make the accepted candidate an immutable version. No target changes yet.

The version's number was reserved when the run began and its name carries that time, so a repeat
writes the same file and the same manifest.
"""

from __future__ import annotations

from alm.domain import deployments, versions
from alm.domain.drafts import graph_of
from alm.domain.graph.settings import settings_of
from alm.domain.outcomes import Done, Outcome
from alm.domain.versions import Manifest
from alm.stages.context import Context


def visit(context: Context) -> Outcome:
    """Keep the file under its conventional name and record where it came from."""
    model, state, blobs = context.model, context.state, context.ports.blobs
    assert state.began is not None
    path = versions.file_name(model.model, state.version, state.began, model.naming)
    with blobs.open(state.model_file) as content:
        context.ports.versions.put_file(path, content, state.digest)
    manifest = context.ports.versions.put_manifest(
        Manifest(
            model=model.model,
            version=f"v{state.version}",
            file=path,
            digest=state.digest,
            size=state.model_bytes,
            created=context.now,
            run=context.step.run,
            job=state.job,
            lineage=state.inputs,
            parameters=_parameters(context),
            metrics=state.metrics,
            evidence=state.evidence,
            asset=state.studio.asset,
            experiment=state.studio.ran,
        )
    )
    want = deployments.placed(model, manifest.served())
    return Done(state.model_copy(update={"want": want}), why=f"{manifest.version} is {path}")


def _parameters(context: Context) -> dict[str, str]:
    """What the training service was given, or what the experiment's modules were set to."""
    ran, declared = context.state.studio.ran, context.model.studio
    if not ran or declared is None:
        return context.model.training.parameters if context.model.training else {}
    snapshot = context.ports.studio.workspace(declared).experiment(ran)
    return settings_of(graph_of(snapshot))
