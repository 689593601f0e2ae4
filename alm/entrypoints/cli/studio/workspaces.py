"""`alm workspace`: what a workspace is, and who is in it."""

from __future__ import annotations

import typer

from alm.entrypoints.cli.studio.desk import Desk, columns, command, rows

app = typer.Typer(name="workspace", help="A Studio workspace.", no_args_is_help=True)


@command(app, "show", example="--workspace 0123456789abcdef0123456789abcdef")
def show(desk: Desk) -> None:
    """Show what Studio says about a workspace: name, region, kind, owner."""
    desk.answer(**desk.workspace.facts().model_dump())


@command(app, "users", example="--of churn")
def users(desk: Desk) -> None:
    """List who may use a workspace."""
    found = desk.workspace.users()
    desk.show(
        rows(found, "email", "name", "role", "state"), columns("email", "name", "role", "state")
    )
