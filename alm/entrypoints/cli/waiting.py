"""`alm wait`, and what `--wait` does: follow runs to their end, and end as they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from alm.domain.errors import Refused
from alm.domain.family import SEPARATOR
from alm.entrypoints.cli import tables_out
from alm.entrypoints.cli.arguments import Waiting, client
from alm.entrypoints.cli.client import ApiFailed, Client
from alm.entrypoints.cli.exits import DONE, GOES_ON, HELD
from alm.entrypoints.cli.expanding import expanded
from alm.entrypoints.cli.follow import Follower, Row, again, exit_code
from alm.entrypoints.standing import RUN


def add_to(cli: typer.Typer) -> None:
    """Add the command to the command line."""
    cli.command("wait", epilog="Example: alm wait churn.r7 --no-hold")(expanded(wait))


def wait(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="A run (churn.r7), or the id of an order.")],
    model: Annotated[
        list[str] | None,
        typer.Option(help="Of an order: the managed model or family it was for; may repeat."),
    ] = None,
    *,
    waiting: Waiting,
) -> None:
    """Follow a run or an order that was given before; ends as `--wait` does."""
    api = client(context)
    if RUN.fullmatch(what):
        row = _follower(api, waiting).until_run_ended(what, waiting.minutes)
        _end([row], "", {"runs": [row]}, waiting.as_json)
        return
    if not model:
        raise Refused(f"{what!r} is no run; of an order, say for which managed model: --model")
    models = [name for one in model for name in _members(api, one)]
    follow_order(api, {"id": what, "accepted": models}, waiting)


def follow_order(api: Client, order: Mapping[str, Any], waiting: Waiting) -> None:
    """Wait for the runs of an order, print how they ended, and end with the code for that."""
    follower = _follower(api, waiting)
    rows = follower.until_ended(str(order["id"]), order["accepted"], waiting.minutes)
    _end(rows, str(order["id"]), {"id": order["id"], "runs": rows}, waiting.as_json)


def _follower(api: Client, waiting: Waiting) -> Follower:
    return Follower(api, Console(stderr=True), no_hold=waiting.no_hold)


def _end(rows: Sequence[Row], order: str, document: Row, as_json: bool) -> None:
    tables_out.show(
        document if as_json else rows,
        as_json=as_json,
        columns=None if as_json else tables_out.ENDED,
    )
    code = exit_code(rows)
    if code in (HELD, GOES_ON):
        tables_out.line(Console(stderr=True), f"to follow it again: {again(rows, order)}")
    if code != DONE:
        raise typer.Exit(code)


def _members(api: Client, name: str) -> list[str]:
    """A managed model, or the members of a family that there are."""
    try:
        api.get("models", name)
        return [name]
    except ApiFailed as error:
        if error.status != 404:
            raise
        rows = api.pages("models")
        found = [row["model"] for row in rows if row["model"].startswith(name + SEPARATOR)]
        if not found:
            raise
        return found
