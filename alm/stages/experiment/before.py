"""Before: what the predictive experiment and its web service were, kept before they are touched.

    alm-jobs/{model}/{run}/predictive-before.json   the experiment's graph, for `undo`
    alm-jobs/{model}/{run}/definition-before.json   the definition of a new web service
    alm-versions/{model}/service-v0-….ilearner      the model that it served

The files are written once: a repeat, after the experiment was changed, finds them.
"""

from __future__ import annotations

import json
from contextlib import suppress

from alm.domain import definitions, exported
from alm.domain.canonical import canonical_json
from alm.domain.drafts import graph_of
from alm.domain.errors import Conflict, Misconfigured, NotFound
from alm.domain.experiment import Draft, Experiment
from alm.domain.graph.comparing import diff
from alm.domain.graph.outputs import model_in_use
from alm.domain.managed_model import DEPLOYED
from alm.domain.run import NOTHING, Served
from alm.domain.web_services import Document
from alm.stages import adopt, probe
from alm.stages.context import Context
from alm.stages.experiment import workbench

GRAPH, DEFINITION = "predictive-before.json", "definition-before.json"
LOOKS = ("layout", "experiment")  # where modules stand; name and summary
ABSENT = Served(version=NOTHING, digest="", blob="")


def keep(context: Context) -> tuple[Served, str]:
    """Keep graph, definition and served model; returns what is served, and what it answers.

    Raises Misconfigured if there would be no way back.
    """
    experiment = workbench.workspace(context).experiment(context.state.studio.predictive)
    _once(context, GRAPH, exported.export(experiment))
    served = _present(context, experiment)
    target = context.model.target(DEPLOYED, served)
    if served.is_nothing or target is None:
        return ABSENT, ""
    resource = workbench.steps(context).service.resource
    if resource is not None:
        there = context.ports.studio.new_services().get(resource)
        _once(context, DEFINITION, definitions.versioned(there))
    return served, probe.baseline(context, target)


def is_as_kept(context: Context, now: Experiment) -> bool:
    """Whether the predictive experiment is what it was before this run, but for its looks."""
    kept = exported.read_export(context.ports.blobs.get(context.job_file(GRAPH)))
    return all(change.area in LOOKS for change in diff(kept, now).changes)


def draft_of_kept(context: Context, now: Experiment) -> Draft:
    """The predictive experiment as it was before this run, with the secrets that it has now."""
    kept = exported.read_export(context.ports.blobs.get(context.job_file(GRAPH)))
    return exported.draft_of(kept, onto=now)


def kept_definition(context: Context) -> Document:
    """The definition of the new web service as it was before this run."""
    found: Document = json.loads(context.ports.blobs.get(context.job_file(DEFINITION)))
    return found


def _once(context: Context, file: str, document: Document) -> None:
    with suppress(Conflict):
        content = canonical_json(document)
        context.ports.blobs.put(context.job_file(file), content, if_absent=True)


def _present(context: Context, experiment: Experiment) -> Served:
    """What the service serves as the ledger has it, if that one is still there.

    Somebody may have deleted it, or declared another place: then what is found there counts.
    """
    known = context.ledger.serves.get(DEPLOYED)
    if known is None:
        return _found_there(context, experiment)
    if known.is_nothing or _is_there(context, known):
        return known
    return _found_there(context, experiment)


def _is_there(context: Context, known: Served) -> bool:
    target = context.model.target(DEPLOYED, known)
    if target is None:
        return False
    try:
        context.target(target).read()
    except NotFound:
        return False
    except Misconfigured:
        return True  # its last deployment failed, say: the next one mends it
    return True


def _found_there(context: Context, experiment: Experiment) -> Served:
    """What counts as there before: not what an earlier run could not take away again."""
    return ABSENT if DEPLOYED in context.ledger.unknown else _adopted(context, experiment)


def _adopted(context: Context, experiment: Experiment) -> Served:
    """What is found there, copied into the version store; nothing, if nothing is there."""
    try:
        found = _found(context, experiment)
        target = context.model.target(DEPLOYED, found)
        return adopt.adopt(context, target, found) if found and target else ABSENT
    except NotFound:
        return ABSENT


def _found(context: Context, experiment: Experiment) -> Served | None:
    """Where the service is and what it calls its model."""
    steps, studio = workbench.steps(context), context.ports.studio
    asset = model_in_use(graph_of(experiment))
    if steps.service.resource is not None:
        definition = studio.new_services().get(steps.service.resource)
        resources = [resource.name for resource in definitions.resources(definition)]
        named = {"service": steps.service.resource, "resource": _only(resources)}
        return adopt.UNNAMED.model_copy(update={"asset": asset, **named})
    service = experiment.service.service if experiment.service else ""
    if not service:
        return None
    classic = studio.classic_services(steps.workspace)
    endpoint = classic.endpoint(service, classic.service(service).default_endpoint)
    resources = [resource.name for resource in endpoint.resources]
    changes = {"asset": asset, "service": endpoint.address, "resource": _only(resources)}
    return adopt.UNNAMED.model_copy(update=changes)


def _only(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    raise Misconfigured(
        f"the web service has {len(names)} trained models ({', '.join(names) or 'none'}), and one "
        "is expected; deploy one from an experiment with a single trained model"
    )
