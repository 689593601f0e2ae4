"""How differences are printed: a line each, or as JSON."""

from __future__ import annotations

from typing import Annotated

import typer

from alm.domain.difference import Difference, describe
from alm.domain.nearest import printable_lines
from alm.entrypoints.cli.exits import REFUSED
from alm.entrypoints.cli.studio.desk import Desk

ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="End with 1 if there is a difference, for scripts.")
]


def show(desk: Desk, found: Difference, exit_code: bool, *, ids: bool = True) -> None:
    """Print a difference; ids: with those of what changed. Ends with 1 where that was asked."""
    if desk.choice.as_json:
        desk.show(found.document)
    else:
        for line in describe(found, ids=ids):
            typer.echo(printable_lines(line))
    if exit_code and not found.is_empty:
        raise typer.Exit(REFUSED)
