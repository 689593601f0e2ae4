"""Rehearse: put the champion, then the candidate, into the staging target, which nobody calls.

A champion that already answered the same rows is not rehearsed again.
"""

from __future__ import annotations

from typing import Literal

from alm.domain import smoke, tables
from alm.domain.errors import AlmError, Misconfigured
from alm.domain.managed_model import Target
from alm.domain.outcomes import Displaced, Done, Outcome, Wait
from alm.domain.run import RunState
from alm.stages.context import Context
from alm.stages.gate_rows import PROBE_ROWS, rows_of, scored_before
from alm.stages.serving import SETTLE_LOOKS_MAX, leave_to_read, settle_seconds


def visit(context: Context) -> Outcome:
    """Patch the staging target with the side that is next, unless it holds that model already."""
    state = context.state
    if not state.staged and state.champion and not state.evidence.champion_scores:
        found = scored_before(context, state.champion)
        if found:
            evidence = state.evidence.model_copy(update={"champion_scores": found})
            state = state.model_copy(update={"evidence": evidence})
    staged = side(state)
    target = staging(context)
    if context.step.waits == 0:
        state = _put(context, target, staged, state)
    reading = context.target(target).read()
    if not reading.settled and context.step.waits < SETTLE_LOOKS_MAX:
        return Wait(settle_seconds(context.step.waits), "staging being deployed", state)
    if reading.location != context.ports.blobs.location(model_path(state, staged)):
        return Displaced(f"staging holds {reading.location}", to="rehearse", state=state)
    changes = {
        "staged": staged,
        "staging_since": reading.stamp,
        "changed_at": context.ports.clock.now(),
    }
    return Done(state.model_copy(update=changes), why=f"staging holds the {staged}")


def side(state: RunState) -> Literal["champion", "candidate"]:
    """The champion first, where it has not answered these rows yet; then the candidate."""
    wanted = state.champion and not state.evidence.champion_scores
    return "champion" if wanted else "candidate"


def model_path(state: RunState, staged: str) -> str:
    if staged == "champion":
        assert state.champion is not None
        return state.champion.blob
    return state.model_file


def staging(context: Context) -> Target:
    if context.model.staging is None:
        raise Misconfigured(f"managed model {context.model.model!r} declares no `staging` target")
    return context.model.staging


def _put(context: Context, target: Target, staged: str, state: RunState) -> RunState:
    service, blobs = context.target(target), context.ports.blobs
    path = model_path(state, staged)
    before = service.read()
    baseline = ""
    if before.location != blobs.location(path):
        baseline = _answers(context, target)
        service.patch(leave_to_read(blobs, context.ports.clock, path))
    return state.model_copy(update={"staging_baseline": baseline})


def _answers(context: Context, target: Target) -> str:
    rows = rows_of(context)
    try:
        scores = context.target(target).score(
            tables.dictionaries(rows)[:PROBE_ROWS], input="input1", output="output1"
        )
    except AlmError:
        return ""  # it cannot say: then only the propagation delay can prove
    return smoke.answers_digest([tables.Table(scores.columns, scores.rows)])
