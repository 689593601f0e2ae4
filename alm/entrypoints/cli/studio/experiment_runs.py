"""`alm experiment run | delete`."""

from __future__ import annotations

from typing import Annotated

import typer

from alm.domain.drafts import draft_from
from alm.domain.experiment import Experiment
from alm.domain.run_history import label
from alm.entrypoints.cli.studio import assets, waiting
from alm.entrypoints.cli.studio.desk import Desk, command
from alm.entrypoints.cli.studio.experiments import app
from alm.entrypoints.studio import finding
from alm.studio_ports import Workspace

SNAPSHOTS_COUNTED_MAX = 1000

Minutes = Annotated[float, typer.Option(min=0.01, help="How long --wait waits at most.")]


@command(app, "run", example='"churn training" --wait')
def run(
    desk: Desk,
    experiment: assets.Experiment,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow its nodes; 0 only if it ends well.")
    ] = False,
    minutes: Minutes = waiting.MINUTES_MAX,
) -> None:
    """Run an experiment as it is saved; the run leaves a locked snapshot in its history."""
    workspace = desk.workspace
    found = finding.editable(workspace, experiment, "run")
    if found.state != "Running":
        begin(workspace, found)
    else:
        desk.tell(f"{found.name!r} is running already")
    if not wait:
        desk.answer(id=found.id, name=found.name, status="Running")
        return
    ended = waiting.finished(waiting.run_ended(desk, workspace, found, minutes))
    desk.answer(id=ended.id, name=ended.name, status=label(ended), run=ended.run)


@command(app, "delete", example='"churn training" --yes')
def delete(desk: Desk, experiment: assets.Experiment, yes: assets.Yes = False) -> None:
    """Delete an experiment with all of its snapshots, and the web service deployed from it."""
    workspace = desk.workspace
    found = finding.editable(workspace, experiment, "delete")
    snapshots = sum(
        one.is_snapshot for one in finding.walk(workspace, found, SNAPSHOTS_COUNTED_MAX)
    )
    service = found.service.service if found.service else ""
    served = f", and classic web service {service} with all of its endpoints" if service else ""
    desk.confirm(
        f"Experiment {found.name!r} ({found.id}) is deleted with its {snapshots} snapshots{served}."
        " Its trained models and datasets stay.",
        yes,
    )
    workspace.delete(found.id)
    desk.answer(deleted=found.id, name=found.name, snapshots=snapshots, web_service=service)


def begin(workspace: Workspace, experiment: Experiment) -> None:
    """Run an experiment as it is."""
    workspace.run(experiment.id, draft_from(experiment))
