"""The next message of a chain, as pure functions: where an outcome leads, by the table."""

from __future__ import annotations

from typing import assert_never

from alm.domain.ledger import Ledger, Step
from alm.domain.outcomes import (
    Displaced,
    Done,
    Failed,
    Finish,
    Hold,
    Outcome,
    Rejected,
    Unfit,
    Wait,
)
from alm.engine.history import remembered, shortened
from alm.engine.limits import ROUNDS_MAX, retry_seconds
from alm.pipelines import End, Lead, NextWave, Stage, stage_of
from alm.stages.context import Context
from alm.stages.roll_back import ROUNDS_MAX as RESTORES_MAX

LOOKS_AT_WORK = (  # stages whose rounds are those of the work they look at
    *("smoke", "settle", "score", "restored"),
    *("deployed", "undo_deployed", "await_training", "await_predictive", "undo_await"),
    "undo_deploy",  # also of what is run again for it
)
UNDOING = (
    *("roll_back", "restored", "undo_run", "undo_await", "undo_deploy", "undo_deployed"),
    *("undone", "lost"),
)


def next_step(context: Context, stage: Stage, outcome: Outcome) -> tuple[Step, float]:
    """The message that follows an outcome, and in how many seconds it is due."""
    step, name, why = context.step, named(outcome), shortened(outcome.why)
    match outcome:
        case Wait(seconds=seconds):
            return following(context, name, why, waits=step.waits + 1, tries=0), seconds
        case Done(to=to):
            return arrive(context, to or stage.then, name, why, then_result="ok"), 0
        case Hold(digest=digest, to=to):
            after = arrive(context, to or stage.then, name, why, then_result="ok")
            held = {"stage": "hold", "then": after.stage, "hold_digest": digest, "why": why}
            return after.model_copy(update=held), 0
        case Rejected():
            return arrive(context, End("rejected"), name, why), 0
        case Failed():
            return arrive(context, stage.failed, name, why, then_result="failed"), 0
        case Unfit():
            return arrive(context, stage.unfit, name, why, then_result="rolled_back"), 0
        case Displaced(to=to):
            return displaced(context, stage, to, why)
        case Finish(result=result, unknown=unknown):
            ended = arrive(context, End(result), name, why)
            return ended.model_copy(update={"unknown": unknown}), 0
        case _:
            assert_never(outcome)


def named(outcome: Outcome) -> str:
    """An outcome's name in the history, the log and the events."""
    return type(outcome).__name__.lower()


def displaced(context: Context, stage: Stage, to: str, why: str) -> tuple[Step, float]:
    """Back to where it was put, a bounded number of rounds; then the way that the table says."""
    rounds = context.step.rounds + 1
    if isinstance(stage.displaced, End):
        return arrive(context, stage.displaced, "displaced", why), 0
    most = RESTORES_MAX if to == "roll_back" else ROUNDS_MAX
    if rounds <= most:
        again = following(context, "displaced", why, stage=to, rounds=rounds, tries=0, waits=0)
        return again, retry_seconds(rounds)
    return arrive(context, stage.failed, "displaced", why, then_result="failed"), 0


def arrive(context: Context, lead: Lead, outcome: str, why: str, *, then_result: str = "") -> Step:
    """The next message where a lead goes: another stage, the next wave, or the end."""
    match lead:
        case End(result=result):
            return following(context, outcome, why, stage="finish", result=result, tries=0, waits=0)
        case NextWave() if context.step.wave + 1 < len(context.model.waves):
            wave = context.step.wave + 1
            return following(
                context, outcome, why, stage="patch", wave=wave, rounds=0, tries=0, waits=0
            )
        case NextWave():
            return following(context, outcome, why, stage="finish", result="ok", tries=0, waits=0)
        case str():
            rounds = context.step.rounds if lead in LOOKS_AT_WORK else 0
            changes: dict[str, object] = {"stage": lead, "tries": 0, "waits": 0, "rounds": rounds}
            if lead == "roll_back":
                changes["result"] = then_result
            return following(context, outcome, why, **changes)
        case _:
            assert_never(lead)


def following(context: Context, outcome: str, why: str, **changes: object) -> Step:
    """The next message of the chain: n grows, also on waits and retries."""
    step = context.step
    history = remembered(step, outcome, why, context.now)
    undoing = step.stage in UNDOING and changes.get("stage") != "finish"
    reason = {"why": shortened(why)} if why and not undoing else {}  # undoing keeps its reason
    return step.model_copy(update={"n": step.n + 1, "history": history, **reason, **changes})


def sent_again(context: Context) -> bool:
    """Whether a sweep sent this very step again: then it may have been visited before."""
    return bool(context.step.suffix) and context.active.step.n == context.step.n


def undone_already(step: Step, ledger: Ledger) -> bool:
    """Where undoing takes several steps, a chain that has begun it goes on alone."""
    assert ledger.active is not None
    several = isinstance(stage_of(step.pipeline, "roll_back").then, str)
    return several and ledger.active.token.operation.startswith("roll_back:")
