"""Score: let the staged model answer the gate's rows, once it is proved that it answers."""

from __future__ import annotations

from alm.domain import smoke, tables
from alm.domain.outcomes import Displaced, Done, Outcome, Wait
from alm.stages import rehearse
from alm.stages.context import Context
from alm.stages.gate_rows import (
    PROBE_ROWS,
    labelled_rows,
    rows_blob,
    rows_of,
    score_all,
    scores_path,
)


def visit(context: Context) -> Outcome:
    """Prove which model answers, keep its answers as evidence, then go on to the other side."""
    state, target = context.state, rehearse.staging(context)
    service = context.target(target)
    if service.read().stamp != state.staging_since:
        return Displaced("staging was changed while it was rehearsed", to="rehearse")
    assert state.changed_at is not None
    sample = tables.dictionaries(rows_of(context))[:PROBE_ROWS]
    scores = service.score(sample, input="input1", output="output1")
    proof = smoke.prove(
        context.ports.clock.now(),
        state.changed_at,
        target.propagation_seconds,
        baseline=state.staging_baseline,
        answers=smoke.answers_digest([tables.Table(scores.columns, scores.rows)]),
        identical_expected=False,
        accept_identical=context.model.accept_identical,
    )
    if isinstance(proof, smoke.NotYet):
        return Wait(proof.seconds, f"staging: {proof.why}")
    if isinstance(proof, smoke.Unproven):  # judge by what other evidence there is
        return Done(to="evaluate", why=f"staging: {proof.why}")
    etag = context.ports.blobs.properties(rows_blob(context)).etag
    answers = score_all(context, target, labelled_rows(context))
    if service.read().stamp != state.staging_since:
        return Displaced("staging was changed while it was rehearsed", to="rehearse")
    return _keep(context, tables.write(answers), etag)


def _keep(context: Context, answers: bytes, etag: str) -> Outcome:
    state = context.state
    if state.staged == "champion":
        assert state.champion is not None
        digest, field, to = state.champion.digest, "champion_scores", "rehearse"
    else:
        digest, field, to = state.digest, "candidate_scores", "evaluate"
    path = scores_path(context, digest, etag)
    context.ports.blobs.put(path, answers)
    changes = {field: path, "rows": rows_blob(context), "rows_etag": etag}
    evidence = state.evidence.model_copy(update=changes)
    return Done(
        state.model_copy(update={"evidence": evidence, "staged": ""}), to=to, why=f"kept {path}"
    )
