"""Harvest: take the trained model and its evidence into the run's own folder, and know its digest.

A retraining's outputs were asked for right there; a dropped file is copied as its event named it.
"""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from alm.domain.errors import NotFound
from alm.domain.managed_model import ManagedModel
from alm.domain.outcomes import Done, Failed, Outcome
from alm.domain.run import Evidence, RunState
from alm.ports import Grant
from alm.stages.context import Context

PIECE_BYTES = 1 << 20
SIDECAR = ".evaluation.csv"  # evidence beside a dropped model file; it starts no run of its own


def visit(context: Context) -> Outcome:
    """Find model, evaluation table and scored holdout; the model's digest names it from here on."""
    if context.step.pipeline == "publish":
        evidence = _take_dropped(context)
    else:
        taken = _take_outputs(context)
        if isinstance(taken, Failed):
            return taken
        evidence = taken
    model_file = context.job_file("model.ilearner")
    digest, size = fingerprint(context.ports.blobs.open(model_file))
    changes = {
        "model_file": model_file,
        "digest": digest,
        "model_bytes": size,
        "evidence": evidence,
    }
    state = context.state.model_copy(update=changes)
    return Done(state, to=judged_by(context.model, state), why=digest)


def judged_by(model: ManagedModel, state: RunState) -> str:
    """Rehearse on the staging target where there is one; else judge what evidence came along."""
    if model.gate.kind == "smoke-only" or model.staging is None or model.gate.rows_blob is None:
        return "evaluate"
    return "rehearse"


def fingerprint(content: BinaryIO) -> tuple[str, int]:
    """SHA-256 of a file (`sha256:…`) and its size in bytes, read piece by piece."""
    digest, size = hashlib.sha256(), 0
    with content:
        while piece := content.read(PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
    return f"sha256:{digest.hexdigest()}", size


def _take_dropped(context: Context) -> Evidence:
    dropped, blobs = context.state.inputs[0], context.ports.blobs
    with blobs.open(dropped.path, etag=dropped.etag) as content:
        blobs.put(context.job_file("model.ilearner"), content)
    try:
        table = blobs.get(dropped.path + SIDECAR)
    except NotFound:
        return Evidence()
    blobs.put(context.job_file("evaluation.csv"), table)
    return Evidence(evaluation=context.job_file("evaluation.csv"))


def _take_outputs(context: Context) -> Evidence | Failed:
    assert context.model.training is not None
    outputs = context.model.training.outputs
    job = context.ports.services.training(context.model.training.service).job(context.state.job)
    wanted = {
        "model.ilearner": outputs.model,
        "evaluation.csv": outputs.evaluation,
        "scored.csv": outputs.scored,
    }
    for file, output in wanted.items():
        if not output:
            continue
        if output not in job.outputs:
            return Failed(
                f"job {job.id} has no output {output!r} (it has {sorted(job.outputs)}); "
                f"correct `training.outputs` of managed model {context.step.model!r}"
            )
        _bring(context, context.job_file(file), job.outputs[output])
    return Evidence(
        evaluation=context.job_file("evaluation.csv") if outputs.evaluation else "",
        scored=context.job_file("scored.csv") if outputs.scored else "",
    )


def _bring(context: Context, path: str, result: Grant) -> None:
    """Copy an output that the service put elsewhere than we asked."""
    blobs = context.ports.blobs
    if result.location != blobs.location(path):
        with blobs.fetch(result.location, result.sas) as content:
            blobs.put(path, content)
