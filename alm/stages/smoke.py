"""Smoke: prove that the targets of a wave answer with the wanted model, and answer right.

An endpoint names no model and goes on answering with the old one for a while after a patch. So the
definition is read before and after scoring, and answers count only once they changed or the
propagation delay has passed.
"""

from __future__ import annotations

from datetime import timedelta

from alm.domain import smoke
from alm.domain.managed_model import Target
from alm.domain.outcomes import Displaced, Done, Hold, Outcome, Unfit, Wait
from alm.stages import batch_smoke, probe
from alm.stages.context import Context
from alm.stages.serving import STRAY_SECONDS, serves, wanted_targets


def visit(context: Context) -> Outcome:
    """Look at every target of the wave; the first that is not proved decides."""
    targets = _targets(context)
    for target in targets:
        outcome = _look(context, target)
        if not isinstance(outcome, Done):
            return outcome
    return batch_smoke.visit(context, targets)


def _targets(context: Context) -> tuple[Target, ...]:
    if context.model.experiment is not None or context.step.pipeline == "verify":
        return wanted_targets(context)
    wave = context.model.waves[context.step.wave]
    return tuple(target for target in wave if target.name in context.state.want)


def _look(context: Context, target: Target) -> Outcome:
    displaced = _displaced(context, target)
    if displaced:
        return Displaced(displaced, to=_put_in(context))
    answers = probe.ask(context, target, context.state.want[target.name])
    proof = _proof(context, target, answers.digest)
    if isinstance(proof, smoke.NotYet):
        return Wait(proof.seconds, f"{target.name}: {proof.why}")
    displaced = _displaced(context, target)  # answers of another model are not put to anybody
    if displaced:
        return Displaced(displaced, to=_put_in(context))
    if isinstance(proof, smoke.Unproven):
        digest = f"{context.state.want[target.name].digest}:unproven:{context.step.wave}"
        return Hold(digest, f"{target.name}: {proof.why}")
    if answers.problems:
        return Unfit(f"{target.name}: " + "; ".join(answers.problems))
    return Done(why=proof.why)


def _put_in(context: Context) -> str:
    """The stage that puts a model into its targets."""
    return "deploy" if context.model.experiment is not None else "patch"


def _proof(
    context: Context, target: Target, answers: str
) -> smoke.Proved | smoke.NotYet | smoke.Unproven:
    """Verify touches nothing: what the target answers is what it serves, once that is read back."""
    state = context.state
    if state.changed_at is None:
        return smoke.Proved("nothing was changed")
    intents = context.active.intent
    intent = next((item for item in intents if item.target == target.name), None)
    now = context.ports.clock.now()
    remaining = target.propagation_seconds - (now - state.changed_at).total_seconds()
    if remaining > 0 and not _changed_alone(context, target):
        why = "another change may still be propagating: other answers prove nothing yet"
        return smoke.NotYet(min(remaining, smoke.LOOK_SECONDS_MAX), why)
    return smoke.prove(
        now,
        state.changed_at,
        target.propagation_seconds,
        baseline=intent.baseline if intent else "",
        answers=answers,
        identical_expected=bool(
            intent and intent.previous.digest == state.want[target.name].digest
        ),
        accept_identical=context.model.accept_identical,
    )


def _changed_alone(context: Context, target: Target) -> bool:
    """Say whether no earlier change, of a run before or another round, can still be answering.

    Answers that differ from the baseline may come from any model that was there a moment ago.
    """
    finished, changed = context.ledger.finished_at, context.state.changed_at
    assert changed is not None
    quiet = timedelta(seconds=STRAY_SECONDS + target.propagation_seconds)
    return context.step.rounds == 0 and (finished is None or changed - finished >= quiet)


def _displaced(context: Context, target: Target) -> str:
    """Say how a target's definition differs from what was put there, "" if it does not."""
    want = context.state.want[target.name]
    reading = context.target(target, want).read()
    if not serves(reading, want, context.ports.blobs):
        return f"{target.name} holds {reading.location}, not {want.version}"
    if reading.stamp != context.state.since.get(target.name, reading.stamp):
        return f"{target.name} was changed after we read it back"
    return ""
