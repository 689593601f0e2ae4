"""`alm module`: the modules that graphs of a workspace may use."""

from __future__ import annotations

from typing import Annotated

import typer

from alm.domain.graph.module_names import NAMES
from alm.domain.studio_ids import GLOBAL_WORKSPACE, asset_id, family_of, version_of
from alm.entrypoints.cli.studio.desk import Desk, columns, command

app = typer.Typer(name="module", help="Modules of a workspace.", no_args_is_help=True)


@command(app, "list", example="--custom")
def list_modules(
    desk: Desk,
    custom: Annotated[bool, typer.Option(help="Only those that are not Studio's own.")] = False,
) -> None:
    """List modules: what they are called where that is known, family, newest version."""
    newest: dict[str, str] = {}
    for module in sorted(desk.workspace.modules(), key=version_of):
        newest[family_of(module)] = module
    found = [_row(family, module) for family, module in newest.items()]
    shown = [row for row in found if row["own"] or not custom]
    desk.show(sorted(shown, key=_order), columns("name", "version", "id"))


def _row(family: str, module: str) -> dict[str, object]:
    parts = asset_id(module)
    return {
        "id": module,
        "family": family,
        "name": NAMES.get(family, ""),
        "version": version_of(module),
        "own": parts is not None and parts.workspace != GLOBAL_WORKSPACE,
    }


def _order(row: dict[str, object]) -> tuple[bool, str, str]:
    return (not row["name"], str(row["name"]), str(row["family"]))
