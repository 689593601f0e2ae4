"""The command line: a client of the API, but for `doctor`, `init` and `validate`, which look for
themselves, and the nouns of `studio`, which call Studio. `exits.py` has the exit codes.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from alm.entrypoints.cli import doctor, initialise, looking, ordering, studio, validating, waiting
from alm.entrypoints.cli.client import Client
from alm.entrypoints.cli.exits import EPILOG, Commands
from alm.entrypoints.cli.version import version

LOCAL_URL = "http://127.0.0.1:7071/api"

cli = typer.Typer(
    name="alm",
    cls=Commands,
    help="Look after machine-learning models in service: runs, versions, targets, decisions.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"alm {version()}")
        raise typer.Exit


@cli.callback()
def connect(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="The app's API.", envvar="ALM_API_URL")] = "",
    key: Annotated[str, typer.Option(help="Your API key.", envvar="ALM_API_KEY")] = "",
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_tell_version, is_eager=True),
    ] = False,
) -> None:
    context.obj = Client(url or LOCAL_URL, key)


for part in (looking, ordering, waiting, doctor, validating, initialise, studio):
    part.add_to(cli)


def main() -> None:
    """Run the command line; failures are told on the error stream."""
    sys.exit(cli(prog_name="alm"))
