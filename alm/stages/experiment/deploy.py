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
from alm.stages.context import Context
from alm.stages.experiment import workbench
from alm.stages.serving import SETTLE_LOOKS_MAX, holds, leave_to_read, serves, settle_seconds

FIRST_LOOKS = 60  # a minute: the service says nothing of a deployment before it has ended
LOOKED_AT_IN = {"deploy": "deployed", "undo_deploy": "undo_deployed"}
DEPLOYED_BY = {look: deploy for deploy, look in LOOKED_AT_IN.items()}


def visit(context: Context) -> Outcome:
    """Deploy what the predictive experiment is now. Harmless to repeat."""
    experiment = workbench.as_it_ran(context, context.state.studio.predictive)
    if workbench.steps(context).service.kind == "new":
        _put_new(context, experiment)
        return workbench.done(context, f"the definition of {experiment.name!r} was accepted")
    update = _is_deployed(context, experiment)
    if not update and _may_be_on_its_way(context):
        return Wait(1, "a first deployment may be under way; it would not show before it ends")
    activity = workbench.workspace(context).deploy(experiment.id, update=update)
    return workbench.done(context, f"deployment {activity.id}", deploying=activity.id)


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


def _may_be_on_its_way(context: Context) -> bool:
    """Whether an earlier attempt may have begun the first deployment: a second would be another
    service, so it is looked for first, a bounded number of times."""
    looks = context.step.waits
    return looks < FIRST_LOOKS and (looks > 0 or context.repeated or context.step.tries > 0)


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
    if steps.service.kind == "new":
        return served.model_copy(update={"resource": served.resource or _resource(context)})
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
