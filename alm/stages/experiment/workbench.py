"""What the stages of the experiment pipeline share: the declared steps, the workspace, titles."""

from __future__ import annotations

from alm.domain.errors import Misconfigured
from alm.domain.experiment import Experiment
from alm.domain.experiment_steps import ExperimentSteps
from alm.domain.outcomes import Done, Wait
from alm.domain.run import RunState
from alm.stages.context import Context
from alm.studio_ports import Workspace


def steps(context: Context) -> ExperimentSteps:
    """What is declared. Raises Misconfigured if it no longer is."""
    declared = context.model.experiment
    if declared is None:
        raise Misconfigured(f"managed model {context.step.model!r} has no `experiment`; declare it")
    return declared


def workspace(context: Context) -> Workspace:
    return context.ports.studio.workspace(steps(context).workspace)


def title(context: Context, template: str) -> str:
    """A declared name with the managed model's filled in."""
    return template.replace("{model}", context.step.model)


def done(context: Context, why: str, *, state: RunState | None = None, **changes: str) -> Done:
    """Go on, with some of what the run has made in the workspace changed."""
    return Done(made(state or context.state, **changes), why=why)


def made(state: RunState, **changes: str) -> RunState:
    return state.model_copy(update={"studio": state.studio.model_copy(update=changes)})


def waiting(context: Context, seconds: float, why: str, **changes: str) -> Wait:
    """Come back later, with what Studio is busy with in mind."""
    return Wait(seconds, why, made(context.state, **changes))


def look_seconds(context: Context, fastest: float = 0.5) -> float:
    """How long until the next look at something Studio is busy with: growing, bounded."""
    declared = steps(context)
    return min(fastest * 1.4 ** min(context.step.waits, 30), declared.poll_seconds_max)


def as_it_ran(context: Context, experiment_id: str) -> Experiment:
    """The experiment, if its last run is still ours. Raises Misconfigured if somebody ran it."""
    experiment = workspace(context).experiment(experiment_id)
    if experiment.run != context.state.studio.ran:
        raise Misconfigured(
            f"experiment {experiment.name!r} was run by somebody else meanwhile (its last run is "
            f"{experiment.run}, ours was {context.state.studio.ran}); start again"
        )
    return experiment
