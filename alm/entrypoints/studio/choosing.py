"""`alm choose`: which endpoint a scoring call would go to, as the app decides it."""

from __future__ import annotations

from typing import Annotated

import typer

from alm.entrypoints import tables_out
from alm.entrypoints.client import Client


def add_to(cli: typer.Typer) -> None:
    """Add the command to the command line."""

    @cli.command(epilog="Example: alm choose churn --alias champion")
    def choose(
        context: typer.Context,
        model: Annotated[str, typer.Argument(help="A managed model.")],
        version: Annotated[str, typer.Option(help="One with this version, such as v3.")] = "",
        alias: Annotated[str, typer.Option(help="champion, previous or candidate.")] = "",
        key: Annotated[
            str, typer.Option(help="A customer or session: the same key, the same endpoint.")
        ] = "",
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    ) -> None:
        """Show which endpoint a scoring call would go to."""
        client = context.find_root().obj
        assert isinstance(client, Client), "the root command makes one"
        asked = {"version": version, "alias": alias, "key": key}
        query = {name: value for name, value in asked.items() if value}
        found = client.get("models", model, "choose", query=query)
        if as_json:
            tables_out.show(found, as_json=True)
        else:
            tables_out.show_answer(found)
