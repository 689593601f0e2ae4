"""Undo: the predictive experiment as it was, run and deployed again; or no service, if none was.

It goes on after a cancel. What cannot be brought back is reported unknown. Two chains of one run
may undo it: the later one finds what the earlier one did, and goes on from there.
"""

from __future__ import annotations

from alm.domain.errors import Misconfigured
from alm.domain.ledger import Intent
from alm.domain.managed_model import DEPLOYED
from alm.domain.outcomes import Displaced, Done, Finish, Outcome, Wait
from alm.stages.context import Context, Declaration, unchanged
from alm.stages.experiment import before, deploy, running, workbench
from alm.stages.serving import settle_seconds


def declare(context: Context) -> Declaration:
    """From here on nothing of this run is deployed again."""
    seconds = workbench.steps(context).deadline_minutes * 60
    return Declaration(f"roll_back:{context.step.rounds}", unchanged, seconds)


def visit(context: Context) -> Outcome:
    """Put the graph back as it was; then run and deploy it, or delete the service that is new.

    A run of the kept graph that is under way, or that ended well, need not be started again.
    """
    here, predictive = workbench.workspace(context), context.state.studio.predictive
    experiment = here.experiment(predictive)
    is_running = experiment.state in ("NotStarted", "Running")
    if before.is_as_kept(context, experiment):
        started = is_running or experiment.state == "Finished"
        last = experiment.previous if started else experiment.run
    elif is_running:
        return Wait(workbench.look_seconds(context), f"{experiment.name!r} is still running")
    else:
        here.save(predictive, before.draft_of_kept(context, experiment))
        last = here.experiment(predictive).run
    previous = _intent(context).previous
    if previous.is_nothing:
        return _take_away(context)
    state = context.state.model_copy(update={"want": {DEPLOYED: previous}})
    state = workbench.made(state, before=last, ran="", deploying="")
    return Done(state, why=f"{experiment.name!r} is as it was")


def run(context: Context) -> Outcome:
    """Run it as it was: what is run is sent along, whatever somebody may have saved meanwhile."""
    here, predictive = workbench.workspace(context), context.state.studio.predictive
    experiment = here.experiment(predictive)
    is_kept = before.is_as_kept(context, experiment)
    if not is_kept and experiment.state in ("NotStarted", "Running"):
        return Wait(workbench.look_seconds(context), f"{experiment.name!r} is still running")
    last = context.state.studio.before
    if not is_kept or experiment.state == "InDraft" or experiment.run == last:
        here.run(predictive, before.draft_of_kept(context, experiment))
    return running.started(context, experiment)


def redeploy(context: Context) -> Outcome:
    """Deploy what was there before: a new service from its own definition, with our copy."""
    experiment = workbench.workspace(context).experiment(context.state.studio.predictive)
    if not before.is_as_kept(context, experiment):
        return Displaced(f"{experiment.name!r} was changed by somebody else", to="undo_run")
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


def _take_away(context: Context) -> Outcome:
    """No service was there: the one that this run made, or is making, is deleted."""
    experiment = workbench.workspace(context).experiment(context.state.studio.predictive)
    service, studio = workbench.steps(context).service, context.ports.studio
    if service.resource is not None:
        studio.new_services().delete(service.resource)
    elif deploy.first_is_awaited(context, experiment):
        return Wait(settle_seconds(context.step.waits), deploy.UNSEEN)
    elif experiment.service is not None and experiment.service.service:
        classic = studio.classic_services(workbench.steps(context).workspace)
        classic.delete_service(experiment.service.service)
    return Finish(context.step.result or "failed", context.step.why)
