"""`alm init --experiment`: a managed model that runs two experiments of a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from alm.adapters.studio.declaring import Known
from alm.adapters.studio.declaring_experiments import experiment_steps, task_in
from alm.domain.drafts import graph_of
from alm.domain.errors import AlmError, Refused
from alm.domain.experiment import Experiment
from alm.domain.graph.modules import titles
from alm.entrypoints.cli.init_services import Services
from alm.entrypoints.studio import finding

PANEL = "From experiments"


@dataclass(frozen=True)
class Experiments:
    """The experiments of the ten steps."""

    experiment: Annotated[
        str,
        typer.Option(help="The experiment that trains: name or id.", rich_help_panel=PANEL),
    ] = ""
    predictive: Annotated[
        str,
        typer.Option(
            help="The one that scores; default: its name, with predictive for training.",
            rich_help_panel=PANEL,
        ),
    ] = ""


def written_from(
    services: Services, model: str, asked: Experiments, more: Mapping[str, Any]
) -> str:
    """The text of a managed model with `experiment`. Raises NotFound, Refused."""
    workspace = services.desk.workspace
    training = finding.editable(workspace, asked.experiment, "declare")
    predictive = finding.editable(
        workspace, asked.predictive or _predictive(training.name), "declare"
    )
    known = _deployed(services, predictive)
    if known is None:
        task = task_in(titles(graph_of(training).nodes).values())
        more = {**more, "task": task} if task else more
        services.tell("no web service is deployed from it yet: add smoke tests yourself")
    experiments = (training, predictive)
    return experiment_steps(model, services.desk.declared, experiments, known, more)


def _predictive(training: str) -> str:
    """What the experiment that scores is called, by that of the one that trains."""
    for word, other in (("training", "predictive"), ("Training", "Predictive")):
        if word in training:
            return training.replace(word, other)
    raise Refused(
        f"which experiment scores cannot be told from the name {training!r}; name it with "
        "--predictive"
    )


def _deployed(services: Services, predictive: Experiment) -> Known | None:
    """What the service says that is deployed from an experiment; None: there is none to ask."""
    service = predictive.service.service if predictive.service else ""
    if not service:
        return None
    try:
        found = services.desk.classic.service(service)
        return services.deployed(services.endpoint(found, found.default_endpoint))
    except AlmError as error:
        services.tell(f"its web service could not be asked: {error}")
        return None
