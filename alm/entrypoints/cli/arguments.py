"""What many commands take, and how they reach the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from alm.entrypoints.cli.client import Client

MINUTES_MAX = 240.0

Model = Annotated[str, typer.Argument(help="A managed model.")]
ModelOrFamily = Annotated[str, typer.Argument(help="A managed model, or a family: all members.")]
Run = Annotated[str, typer.Argument(help="A run, as `alm runs` names it, for example churn.r7.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@dataclass(frozen=True)
class Waiting:
    """How long runs are waited for, and whether through holds."""

    minutes: Annotated[float, typer.Option(min=0.01, help="How long to wait at most.")] = (
        MINUTES_MAX
    )
    no_hold: Annotated[
        bool, typer.Option("--no-hold", help="Do not wait for people: end with 4 at a hold.")
    ] = False
    as_json: AsJson = False


@dataclass(frozen=True)
class Patience(Waiting):
    """How an order is waited for, if at all."""

    wait: Annotated[
        bool, typer.Option("--wait", help="Follow the run; 0 only if it ends well.")
    ] = False


def client(context: typer.Context) -> Client:
    """The client that the root command made."""
    found = context.find_root().obj
    assert isinstance(found, Client), "the root command makes one"
    return found
