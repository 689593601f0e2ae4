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
    redeploy,
    rehearse,
    restart,
    roll_back,
    score,
    smoke,
    start,
    take_node,
    verify,
)
from alm.stages.context import Context, Declaration
from alm.stages.experiment import (
    copying,
    deploy,
    equip,
    register,
    restore,
    running,
    take_output,
    undo,
    upload,
)


@dataclass(frozen=True)
class End:
    """The run ends with this result."""

    result: Result


@dataclass(frozen=True)
class NextWave:
    """On to the targets of the next wave; after the last one the run ends ok."""


Lead = str | End | NextWave
FAILED, UNDO, LOST = End("failed"), "roll_back", "lost"


@dataclass(frozen=True)
class Stage:
    """A row of a table. `then`: where Done leads; the others: where the outcome of that name leads.

    call: what it calls, for people. safe: it undoes, and goes on after the run was cancelled.
    look: it changes something that is not on record, so it reads the ledger first, and ends there
    if its run was told to stop or another chain of it went on.
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
    look: bool = False


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
TEACH = (
    Stage("upload", upload.visit, "copy_training", "POST dataset", look=True),
    Stage(
        "copy_training", copying.training, "set_dataset", "POST experiment or package", look=True
    ),
    Stage("set_dataset", equip.set_dataset, "run_training", "POST experiment (save)", look=True),
    Stage(
        "run_training", running.run_training, "await_training", "POST experiment (run)", look=True
    ),
    Stage("await_training", running.await_training, "take_output", "GET experiment"),
    Stage("take_output", take_output.visit, "evaluate", "GET node outputs"),
    Stage("evaluate", evaluate.visit, "register", "the gate"),
    Stage("register", register.visit, "promote", "POST trained model", look=True),
    Stage("promote", promote.visit, "copy_predictive", "PUT version"),
    Stage(
        "copy_predictive", copying.predictive, "set_model", "POST experiment or package", look=True
    ),
)
DEPLOY = (
    Stage(
        "set_model",
        equip.set_model,
        "run_predictive",
        "POST experiment (save)",
        failed=UNDO,
        declare=equip.declare,
    ),
    Stage(
        "run_predictive",
        running.run_predictive,
        "await_predictive",
        "POST experiment (run)",
        failed=UNDO,
        look=True,
    ),
    Stage("await_predictive", running.await_predictive, "deploy", "GET experiment", failed=UNDO),
    Stage(
        "deploy",
        deploy.visit,
        "deployed",
        "POST web service, or PUT WSD",
        failed=UNDO,
        declare=deploy.declare,
    ),
    Stage("deployed", deploy.look, "smoke", "GET deployment", failed=UNDO),
    Stage("smoke", smoke.visit, End("ok"), "RRS execute, BES jobs", failed=UNDO),
    Stage("roll_back", undo.visit, "undo_run", "PATCH back", LOST, declare=undo.declare, safe=True),
    Stage("undo_run", undo.run, "undo_await", "", LOST, safe=True, look=True),
    Stage("undo_await", running.await_predictive, "undo_deploy", "", LOST, safe=True),
    Stage("undo_deploy", undo.redeploy, "undo_deployed", "", LOST, safe=True, look=True),
    Stage("undo_deployed", deploy.look, "undone", "", LOST, safe=True),
    Stage("undone", undo.end, FAILED, "", safe=True, look=True),
    Stage("lost", undo.lost, FAILED, "", safe=True, look=True),
)
REDEPLOY = (
    Stage("read_definitions", redeploy.read, "patch", "GET files of the repository"),
    Stage(
        "patch",
        redeploy.visit,
        "smoke",
        "PATCH endpoint or WSD",
        failed=UNDO,
        declare=redeploy.declare,
    ),
    Stage("settle", redeploy.settle, "smoke", "GET endpoint or WSD", failed=UNDO),
    *SERVE[2:],
)
HARVEST = (
    Stage("take_node", take_node.visit, "promote", "GET node output"),
    Stage("promote", promote.visit, End("harvested"), "PUT version"),
)
RESTORE = Stage("read_experiment", restore.read, "copy_predictive", "GET files of the repository")
PIPELINES: dict[PipelineName, tuple[Stage, ...]] = {
    "retrain": (*TRAIN, *JUDGE, *SERVE),
    "experiment": (*TEACH, *DEPLOY),
    "publish": (*JUDGE, *SERVE),
    "harvest": HARVEST,
    "redeploy": REDEPLOY,
    "roll_back": SERVE,
    "reinstate": (RESTORE, *TEACH[-1:], *DEPLOY),
    "verify": VERIFY,
}


def stage_of(pipeline: PipelineName, name: str) -> Stage:
    return next(stage for stage in PIPELINES[pipeline] if stage.name == name)


def chain_text() -> list[str]:
    """The pipelines stage by stage, with the call each makes: what stands above `on_step`."""
    calls = {stage.name: stage.call for stages in PIPELINES.values() for stage in stages}
    lines = [f"{name}: {' > '.join(s.name for s in stages)}" for name, stages in PIPELINES.items()]
    lines.append("calls: " + "; ".join(f"{name}: {call}" for name, call in calls.items() if call))
    return [part for line in lines for part in textwrap.wrap(line, 96, subsequent_indent="    ")]
