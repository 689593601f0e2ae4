"""Documents: what version control keeps of a run, laid out beside the run until it is committed.

    {model}/{target}.target.json       which version a target serves, and where
    {model}/{target}.definition.json   the definition of the new web service, without secrets
    {model}/training.json, predictive.json   experiments, as exported

Nothing is read or written where no repository is configured.
"""

from __future__ import annotations

from typing import Any

from alm.domain import definitions, deployments
from alm.domain.canonical import canonical_json
from alm.domain.exported import export
from alm.domain.managed_model import ArmWebService, Target
from alm.domain.run import RunState, Served
from alm.domain.source_control import segment
from alm.stages.context import Context


def of_target(context: Context, target: Target, served: Served) -> dict[str, str]:
    """Keep what a target serves; returns the paths in the repository with those of the blobs."""
    if context.ports.version_control is None:
        return {}
    service = target.service
    place = service.resource if isinstance(service, ArmWebService) else service.endpoint
    beside = served.service if target.deploy != "patch" else ""
    document = {
        "target": target.name,
        "kind": service.kind,
        "service": beside or place,
        "trained_model": target.trained_model,
        "version": served.version,
        "digest": served.digest,
    }
    kept = _keep(context, f"{target.name}.target.json", document)
    if isinstance(service, ArmWebService):
        resource = deployments.neighbour(place, beside) if beside else place
        document = definitions.versioned(context.ports.studio.new_services().get(resource))
        kept |= _keep(context, f"{target.name}.definition.json", document)
    return kept


def of_experiment(context: Context, role: str, experiment_id: str) -> dict[str, str]:
    """Keep an experiment as it is now, exported."""
    if context.ports.version_control is None or context.model.studio is None:
        return {}
    here = context.ports.studio.workspace(context.model.studio)
    return _keep(context, f"{role}.json", export(here.experiment(experiment_id)))


def noted(state: RunState, kept: dict[str, str]) -> RunState:
    """The run's state with more documents to be committed at its end."""
    return state.model_copy(update={"documents": {**state.documents, **kept}}) if kept else state


def _keep(context: Context, file: str, document: dict[str, Any]) -> dict[str, str]:
    path = context.job_file(file)
    context.ports.blobs.put(path, canonical_json(document))
    return {path_of(context, file): path}


def path_of(context: Context, file: str) -> str:
    """Where a document of a managed model lies in the repository."""
    return f"{segment(context.step.model)}/{segment(file)}"
