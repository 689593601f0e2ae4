"""Undo: the predictive experiment as it was, run and deployed again; or no service, if none was.

It goes on after a cancel. What cannot be brought back is reported unknown.
"""

from __future__ import annotations

from alm.domain.errors import Misconfigured
from alm.domain.experiment import Experiment
from alm.domain.ledger import Intent
from alm.domain.managed_model import DEPLOYED
from alm.domain.outcomes import Done, Finish, Outcome, Wait
from alm.stages.context import Context, Declaration, unchanged
from alm.stages.experiment import before, deploy, workbench


def declare(context: Context) -> Declaration:
    """From here on nothing of this run is deployed again."""
    seconds = workbench.steps(context).deadline_minutes * 60
    return Declaration(f"roll_back:{context.step.rounds}", unchanged, seconds)


def visit(context: Context) -> Outcome:
    """Put the graph back as it was; then run and deploy it, or delete the service that is new."""
    here, predictive = workbench.workspace(context), context.state.studio.predictive
    experiment = here.experiment(predictive)
    if experiment.state in ("NotStarted", "Running"):
        return Wait(workbench.look_seconds(context), f"{experiment.name!r} is still running")
    here.save(predictive, before.draft_of_kept(context, experiment))
    experiment = here.experiment(predictive)
    previous = _intent(context).previous
    if previous.is_nothing:
        _delete(context, experiment)
        return Finish(context.step.result or "failed", context.step.why)
    state = context.state.model_copy(update={"want": {DEPLOYED: previous}})
    state = workbench.made(state, before=experiment.run, ran="", deploying="")
    return Done(state, why=f"{experiment.name!r} is as it was")


def redeploy(context: Context) -> Outcome:
    """Deploy what was there before: a new service from its own definition, with our copy."""
    if workbench.steps(context).service.resource is None:
        return deploy.visit(context)
    previous = _intent(context).previous
    deploy.put(context, before.kept_definition(context), previous, previous.resource)
    return Done(why="the earlier definition was accepted")


def end(context: Context) -> Outcome:
    """It serves what it served: the run ends as it was going to."""
    return Finish(context.step.result or "failed", context.step.why)


def lost(context: Context) -> Outcome:
    """It could not be undone: nobody knows what the service serves."""
    why = f"{context.step.why}; the service could not be brought back"
    return Finish("failed", why, unknown=(DEPLOYED,))


def _intent(context: Context) -> Intent:
    found = next((item for item in context.active.intent if item.target == DEPLOYED), None)
    if found is None:
        raise Misconfigured(f"run {context.step.run} has nothing on record to undo")
    return found


def _delete(context: Context, experiment: Experiment) -> None:
    """Take away the service that this run made."""
    service, studio = workbench.steps(context).service, context.ports.studio
    if service.resource is not None:
        studio.new_services().delete(service.resource)
        return
    if experiment.service is not None and experiment.service.service:
        classic = studio.classic_services(workbench.steps(context).workspace)
        classic.delete_service(experiment.service.service)
