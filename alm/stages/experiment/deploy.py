"""Deploy: the web service from the predictive experiment (step 9), and its look at what came of it.

A classic service is made once and updated later: it keeps id and keys, and its default endpoint
follows. A new one is made from the exported definition, in which our version file stands in for
Studio's copy of the model. Either way the model is proved by its content, not by the answer.
"""

from __future__ import annotations

from alm.domain.errors import Misconfigured
from alm.domain.experiment import Experiment
from alm.domain.managed_model import DEPLOYED, Target
from alm.domain.outcomes import Displaced, Done, Failed, Outcome, Wait
from alm.domain.run import Served
from alm.domain.web_services import Document
from alm.ports import Reading
from alm.stages import documents
from alm.stages.context import Context, Declaration, unchanged
from alm.stages.experiment import workbench
from alm.stages.serving import SETTLE_LOOKS_MAX, holds, leave_to_read, serves, settle_seconds

FIRST_LOOKS = 12  # a minute: the service says nothing of a deployment before it has ended
FIRST_ATTEMPTS_MAX = 3  # each followed by its looks, where nobody can say what became of it
UNSEEN = "a first deployment may be under way; it would not show before it ends"
LOOKED_AT_IN = {"deploy": "deployed", "undo_deploy": "undo_deployed"}
DEPLOYED_BY = {look: deploy for deploy, look in LOOKED_AT_IN.items()}


def declare(context: Context) -> Declaration:
    """From here on a deployment may be under way: whoever undoes this run has to know."""
    seconds = workbench.steps(context).deadline_minutes * 60
    return Declaration(f"deploy:{context.state.studio.asset}", unchanged, seconds)


def visit(context: Context) -> Outcome:
    """Deploy what the predictive experiment is now. Harmless to repeat."""
    experiment = workbench.as_it_ran(context, context.state.studio.predictive)
    if workbench.steps(context).service.kind == "new":
        _put_new(context, experiment)
        return workbench.done(context, f"the definition of {experiment.name!r} was accepted")
    update = _is_deployed(context, experiment)
    if not update or _is_new(context):
        outcome = _first(context, experiment, is_there=update)
        if outcome is not None:
            return outcome
    activity = workbench.workspace(context).deploy(experiment.id, update=update)
    return workbench.done(context, f"deployment {activity.id}", deploying=activity.id)


def _first(context: Context, experiment: Experiment, *, is_there: bool) -> Outcome | None:
    """A first deployment, begun again, would be another service: None if it may be begun now.

    Where an attempt may have begun it, it is looked for, a bounded number of times after each.
    """
    attempts, looks = divmod(context.step.waits, FIRST_LOOKS + 1)
    begun = looks > 0 or context.repeated or context.step.tries > 0
    if is_there:
        found = workbench.done(context, f"{experiment.name!r} is deployed already", deploying="")
        return found if begun else None
    if begun:
        return Wait(settle_seconds(looks), UNSEEN)
    if attempts >= FIRST_ATTEMPTS_MAX:
        return Failed(f"{attempts} deployments of {experiment.name!r} led to no web service")
    return None


def _is_new(context: Context) -> bool:
    """Whether there was no service before this run: one that is there now is ours."""
    return any(
        item.target == DEPLOYED and item.previous.is_nothing for item in context.active.intent
    )


def look(context: Context) -> Outcome:
    """Wait for the deployment, then prove that the service holds the wanted model."""
    if context.state.studio.deploying:
        activity = workbench.workspace(context).deploying(context.state.studio.deploying)
        if activity.failed:
            return Failed(f"the web service was not deployed: {activity.failed}")
        if not activity.done and context.step.waits < SETTLE_LOOKS_MAX:
            return Wait(settle_seconds(context.step.waits), "the web service is being deployed")
        if not activity.done:
            return Failed(f"the web service is not deployed after {SETTLE_LOOKS_MAX} looks")
    served = _address(context, context.state.want[DEPLOYED])
    target = context.model.target(DEPLOYED, served)
    assert target is not None
    reading = context.target(target).read()
    if not reading.settled and context.step.waits < SETTLE_LOOKS_MAX:
        return Wait(settle_seconds(context.step.waits), "the web service is being deployed")
    if not holds(reading, served, context.ports.blobs):
        why = f"the web service holds {reading.location}, which is not {served.version}"
        return Displaced(why, to=DEPLOYED_BY[context.step.stage])
    return _proved(context, target, reading, served)


def _proved(context: Context, target: Target, reading: Reading, served: Served) -> Done:
    found = "" if serves(reading, served, context.ports.blobs) else reading.location
    served = served.model_copy(update={"found_at": found or served.found_at})
    changes = {
        "want": {DEPLOYED: served},
        "since": {DEPLOYED: reading.stamp},
        "changed_at": context.ports.clock.now(),
    }
    state = documents.noted(
        context.state.model_copy(update=changes),
        {
            **documents.of_target(context, target, served),
            **documents.of_experiment(context, "predictive", context.state.studio.predictive),
        },
    )
    return Done(state, why=f"{target.name} is {served.version}")


def first_is_awaited(context: Context, experiment: Experiment) -> bool:
    """Whether the first deployment that this run began may yet come into force.

    The run that was to be deployed is on record only where the deployment may have been begun.
    """
    studio = context.state.studio
    if studio.deploying:
        activity = workbench.workspace(context).deploying(studio.deploying)
        return not (activity.done or activity.failed) and context.step.waits < SETTLE_LOOKS_MAX
    begun = bool(studio.ran) and not _is_deployed(context, experiment)
    return begun and context.step.waits < FIRST_LOOKS


def _is_deployed(context: Context, experiment: Experiment) -> bool:
    """Whether this experiment has a service already: then that one is updated.

    Its block names it; right after a deployment whose answer was lost, only its name does.
    """
    named = experiment.service.service if experiment.service else ""
    classic = context.ports.studio.classic_services(workbench.steps(context).workspace)
    return any(named == found.id or experiment.name == found.name for found in classic.services())


def _address(context: Context, served: Served) -> Served:
    """A classic service's endpoint is known once it is deployed, and so is its model's name."""
    steps, studio = workbench.steps(context), context.ports.studio
    if steps.service.resource is not None:
        named = served.resource or _resource(context)
        return served.model_copy(update={"service": steps.service.resource, "resource": named})
    experiment = workbench.workspace(context).experiment(context.state.studio.predictive)
    service = experiment.service.service if experiment.service else ""
    if not service:
        raise Misconfigured(f"{experiment.name!r} was deployed, and names no web service")
    classic = studio.classic_services(steps.workspace)
    endpoint = classic.endpoint(service, classic.service(service).default_endpoint)
    names = [resource.name for resource in endpoint.resources]
    if len(names) != 1:
        raise Misconfigured(
            f"web service {service} has {len(names)} trained models ({', '.join(names)}), one is "
            "expected; let the predictive experiment score with a single trained model"
        )
    return served.model_copy(update={"service": endpoint.address, "resource": names[0]})


def _put_new(context: Context, experiment: Experiment) -> None:
    """The exported definition, with our version file in place of Studio's copy of the model."""
    exported = workbench.workspace(context).definition(experiment.id)
    put(context, exported, context.state.want[DEPLOYED], _resource(context))


def _resource(context: Context) -> str:
    """What a deployed service calls our trained model."""
    return workbench.title(context, workbench.steps(context).trained_model) + " [trained model]"


def put(context: Context, definition: Document, served: Served, resource: str) -> None:
    """Deploy a definition as the declared web service, with our copy of a model."""
    service = workbench.steps(context).service
    assert service.resource is not None
    assert service.hosting is not None
    leave = leave_to_read(context.ports.blobs, context.ports.clock, served.blob)
    context.ports.studio.new_services().deploy(
        service.resource, definition, leave, trained_model=resource, hosting=service.hosting
    )
