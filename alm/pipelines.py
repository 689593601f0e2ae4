"""THE TABLES: the stages of each pipeline, in order, and where success and failure lead.

A run is a chain of messages; each message visits one stage. A stage that *declares* first records
in the ledger what it is about to change. Read this with `stages/`, one file per stage.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from alm.domain.outcomes import Outcome
from alm.domain.run import PipelineName, Result
from alm.stages import (
    await_job,
    evaluate,
    harvest,
    patch,
    promote,
    rehearse,
    restart,
    roll_back,
    score,
    smoke,
    start,
    verify,
)
from alm.stages.context import Context, Declaration


@dataclass(frozen=True)
class End:
    """The run ends with this result."""

    result: Result


@dataclass(frozen=True)
class NextWave:
    """On to the targets of the next wave; after the last one the run ends ok."""


Lead = str | End | NextWave
FAILED, UNDO = End("failed"), "roll_back"


@dataclass(frozen=True)
class Stage:
    """A row of a table. `then`: where Done leads; the others: where the outcome of that name leads.

    call: what it calls, for people. safe: it undoes, and goes on after the run was cancelled.
    """

    name: str
    visit: Callable[[Context], Outcome]
    then: Lead
    call: str
    failed: Lead = FAILED
    unfit: Lead = UNDO
    displaced: Lead = UNDO
    declare: Callable[[Context], Declaration] | None = None
    safe: bool = False


SERVE = (
    Stage(
        "patch", patch.visit, "smoke", "PATCH endpoint or WSD", failed=UNDO, declare=patch.declare
    ),
    Stage("settle", patch.settle, "smoke", "GET endpoint or WSD", failed=UNDO),
    Stage("smoke", smoke.visit, NextWave(), "RRS execute, BES jobs", failed=UNDO),
    Stage("roll_back", roll_back.visit, FAILED, "PATCH back", declare=roll_back.declare, safe=True),
    Stage("restored", roll_back.look, FAILED, "GET endpoint or WSD", safe=True),
)
JUDGE = (
    Stage("harvest", harvest.visit, "evaluate", "GET .iLearner"),
    Stage("rehearse", rehearse.visit, "score", "PATCH staging"),
    Stage("score", score.visit, "evaluate", "RRS execute on staging"),
    Stage("evaluate", evaluate.visit, "promote", "the gate"),
    Stage("promote", promote.visit, "patch", "PUT version"),
)
TRAIN = (
    Stage("start", start.visit, "await", "BES start job"),
    Stage("await", await_job.visit, "harvest", "BES GET job"),
    Stage("restart", restart.visit, "start", "BES submit job", declare=restart.declare),
)
VERIFY = (
    Stage("verify", verify.visit, "smoke", "GET endpoint or WSD"),
    Stage(
        "smoke",
        smoke.visit,
        End("verified"),
        "RRS execute, BES jobs",
        unfit=End("unwell"),
        displaced=End("drift"),
    ),
)
PIPELINES: dict[PipelineName, tuple[Stage, ...]] = {
    "retrain": (*TRAIN, *JUDGE, *SERVE),
    "publish": (*JUDGE, *SERVE),
    "roll_back": SERVE,
    "verify": VERIFY,
}


def stage_of(pipeline: PipelineName, name: str) -> Stage:
    return next(stage for stage in PIPELINES[pipeline] if stage.name == name)


def chain_text() -> list[str]:
    """The pipelines stage by stage, with the call each makes: what stands above `on_step`."""
    calls = {stage.name: stage.call for stages in PIPELINES.values() for stage in stages}
    lines = [f"{name}: {' > '.join(s.name for s in stages)}" for name, stages in PIPELINES.items()]
    lines.append("calls: " + "; ".join(f"{name}: {call}" for name, call in calls.items()))
    return [part for line in lines for part in textwrap.wrap(line, 96, subsequent_indent="    ")]
