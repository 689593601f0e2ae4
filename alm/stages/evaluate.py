"""Evaluate: judge the candidate by the best evidence there is, and keep the verdict with it.

Best first: both models' answers to the same rows; the scored holdout of the training service,
which must agree with its evaluation table; the evaluation table alone.
"""

from __future__ import annotations

import json
from typing import assert_never

from alm.domain import evaluation, gate
from alm.domain.errors import NotFound
from alm.domain.evaluation import Evaluation
from alm.domain.outcomes import Done, Hold, Outcome, Rejected
from alm.domain.run import Evidence
from alm.stages.context import Context

PIECES = ("candidate_scores", "champion_scores", "scored", "evaluation")


def visit(context: Context) -> Outcome:
    """Accepted goes on, rejected ends the run, inconclusive is held for a person to decide."""
    state, rules = context.state, context.model.gate
    contents = _contents(context, state.evidence)
    candidate = evaluation.from_evidence(contents, rules)
    champion = evaluation.champion_from_evidence(contents, rules) or _stored(context)
    verdict = gate.judge(candidate, champion, rules, seed=context.step.run)
    path = context.job_file("verdict.json")
    document = gate.verdict_document(verdict, state.evidence.model_dump())
    context.ports.blobs.put(path, json.dumps(document, sort_keys=True).encode())
    changes = {
        "evidence": state.evidence.model_copy(update={"verdict": path}),
        "metrics": dict(candidate.metrics) if candidate else {},
        "verdict": type(verdict).__name__.lower(),
    }
    state = state.model_copy(update=changes)
    why = "; ".join(verdict.reasons)
    match verdict:
        case gate.Rejected():
            return Rejected(why, state)
        case gate.Inconclusive():
            return Hold(state.digest, f"the gate cannot decide: {why}", state=state)
        case gate.Accepted() if context.model.approval.required:
            return Hold(state.digest, f"approval is required; {why}", state=state)
        case gate.Accepted():
            return Done(state, why=why)
        case _:
            assert_never(verdict)


def _contents(context: Context, evidence: Evidence) -> dict[str, bytes]:
    paths = {name: getattr(evidence, name) for name in PIECES}
    return {name: context.ports.blobs.get(path) for name, path in paths.items() if path}


def _stored(context: Context) -> Evaluation | None:
    """The champion's numbers as they were recorded when it was promoted; None: no champion."""
    champion = context.state.champion
    if champion is None:
        return None
    if context.model.gate.compare == "none":
        return evaluation.missing(f"{champion.version} is not compared with: not read")
    try:
        manifest = context.ports.versions.manifest(context.model.model, champion.version)
    except NotFound as error:
        return evaluation.missing(str(error))
    if not manifest.metrics:
        return evaluation.missing(f"{champion.version} was promoted without metrics")
    return Evaluation(rows=0, metrics=manifest.metrics, source="evaluation table")
