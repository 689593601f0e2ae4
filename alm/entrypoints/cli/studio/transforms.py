"""`alm transform`: saved transforms of a workspace."""

from __future__ import annotations

import typer

from alm.entrypoints.cli.studio import assets
from alm.entrypoints.cli.studio.desk import Desk, command

app = typer.Typer(name="transform", help="Transforms of a workspace.", no_args_is_help=True)


@command(app, "list", example="--json")
def list_transforms(desk: Desk) -> None:
    """List transforms, the newest version of each."""
    assets.show_all(desk, "transform")


@command(app, "promote", example='"churn training" normalize "Transformation function"')
def promote(desk: Desk, origin: assets.Origin, naming: assets.Naming) -> None:
    """Make what a node put out a transform of the workspace."""
    assets.promote(desk, "transform", origin, naming)
