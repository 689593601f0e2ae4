"""`alm plan`: web service plans, which new web services are deployed on."""

from __future__ import annotations

from typing import Annotated

import typer

from alm.domain.errors import Refused
from alm.entrypoints.cli.studio.desk import Desk, columns, command, rows

app = typer.Typer(name="plan", help="Plans of new web services.", no_args_is_help=True)


@command(app, "list", example="--subscription 0000…")
def list_plans(
    desk: Desk,
    subscription: Annotated[
        str, typer.Option(help="Of this subscription; default: the workspace's.")
    ] = "",
    group: Annotated[str, typer.Option(help="Only of this resource group.")] = "",
) -> None:
    """List plans with their regions; `definition deploy` takes the id of one."""
    subscription = subscription or desk.workspace.facts().subscription
    if not subscription:
        raise Refused("the workspace does not say which subscription it is in; use --subscription")
    found = sorted(desk.new.plans(subscription, group), key=lambda one: (one.region, one.name))
    desk.show(rows(found, "name", "region", "id"), columns("name", "region", "id"))
