"""Running: set an experiment going, and wait for its end.

A run leaves a snapshot, so starting it twice would cost a second run: the stage looks first. The
run it may have started before is the one whose snapshot differs from `StudioState.before`.
"""

from __future__ import annotations

from datetime import timedelta

from alm.domain.drafts import draft_from, graph_of
from alm.domain.experiment import ENDED, Experiment
from alm.domain.outcomes import Displaced, Done, Failed, Outcome, Wait
from alm.stages.context import Context
from alm.stages.experiment import workbench

AWAIT = {
    "run_training": "await_training",
    "run_predictive": "await_predictive",
    "undo_run": "undo_await",
}
RUN = {waiting: running for running, waiting in AWAIT.items()}


def run_training(context: Context) -> Outcome:
    """Run the training experiment, unless this run has set it going before."""
    return _run(context, context.state.studio.training)


def await_training(context: Context) -> Outcome:
    """Look at the training experiment once."""
    return _await(context, context.state.studio.training)


def run_predictive(context: Context) -> Outcome:
    """Run the predictive experiment, unless this run has set it going before."""
    return _run(context, context.state.studio.predictive)


def await_predictive(context: Context) -> Outcome:
    """Look at the predictive experiment once."""
    return _await(context, context.state.studio.predictive)


def _run(context: Context, experiment_id: str) -> Outcome:
    here, last = workbench.workspace(context), context.state.studio.before
    experiment = here.experiment(experiment_id)
    if experiment.state == "InDraft" and experiment.run != last:
        return Failed(f"{experiment.name!r} was changed by somebody else after it was started")
    if not _was_started(experiment, last):
        here.run(experiment_id, draft_from(experiment, graph=graph_of(experiment)))
    return started(context, experiment)


def started(context: Context, experiment: Experiment) -> Done:
    """It runs; from now on its time is counted."""
    minutes = workbench.steps(context).deadline_minutes
    deadline = context.ports.clock.now() + timedelta(minutes=minutes)
    state = context.state.model_copy(update={"job_deadline": deadline})
    return Done(state, why=f"experiment {experiment.name!r}")


def _was_started(experiment: Experiment, before: str) -> bool:
    return experiment.state in ("NotStarted", "Running") or experiment.run != before


def _await(context: Context, experiment_id: str) -> Outcome:
    experiment = workbench.workspace(context).experiment(experiment_id)
    state = context.state
    if experiment.state == "InDraft":
        what = "not started" if experiment.run == state.studio.before else "changed while it ran"
        return Displaced(f"{experiment.name!r} was {what}", to=RUN[context.step.stage])
    if experiment.state not in ENDED:
        if state.job_deadline is not None and context.now > state.job_deadline:
            return Failed(f"experiment {experiment.name!r} did not end until {state.job_deadline}")
        fastest = workbench.steps(context).poll_seconds_min
        seconds = workbench.look_seconds(context, fastest)
        return Wait(seconds, f"experiment {experiment.name!r} is {experiment.state}")
    if experiment.state != "Finished":
        return Failed(
            f"experiment {experiment.name!r} is {experiment.state}: {_reason(experiment)}"
        )
    return workbench.done(context, f"snapshot {experiment.run}", ran=experiment.run)


def _reason(experiment: Experiment) -> str:
    """What the failing nodes say, each by its label."""
    labels = {node.id: node.label or node.module for node in graph_of(experiment).nodes}
    failed = [
        f"{labels.get(item.node, item.node)}: {item.status.detail}"
        for item in experiment.node_statuses or ()
        if item.status.state == "Failed"
    ]
    return "; ".join(failed) or experiment.status.detail or "it does not say why"
