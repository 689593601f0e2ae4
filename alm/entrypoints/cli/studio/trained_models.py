"""`alm trained-model`: trained models of a workspace (`.iLearner`)."""

from __future__ import annotations

from typing import Annotated

import typer

from alm.entrypoints.cli.studio import assets
from alm.entrypoints.cli.studio.desk import Desk, command

app = typer.Typer(name="trained-model", help="Trained models of a workspace.", no_args_is_help=True)

TrainedModel = Annotated[str, typer.Argument(help="A trained model: its name, or a version's id.")]


@command(app, "list", example="--json")
def list_trained_models(desk: Desk) -> None:
    """List trained models, the newest version of each."""
    assets.show_all(desk, "trained_model")


@command(app, "promote", example='"churn training" "Train Model" --name churn --new-version')
def promote(desk: Desk, origin: assets.Origin, naming: assets.Naming) -> None:
    """Make what a node trained a trained model of the workspace."""
    assets.promote(desk, "trained_model", origin, naming)


@command(app, "download", example="churn --to churn.ilearner")
def download(desk: Desk, trained_model: TrainedModel, out: assets.Destination) -> None:
    """Download a trained model into a file; from the run that made it, if Studio has no address."""
    assets.download(desk, "trained_model", trained_model, out)
