"""`alm doctor`: looks at everything the app needs, and says what to do about what is wrong.

It changes nothing but probe blobs of its own, which it removes again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alm import settings
from alm.domain.errors import Misconfigured
from alm.domain.nearest import printable
from alm.entrypoints.cli import settings_file, tables_out
from alm.entrypoints.cli.arguments import AsJson, client
from alm.entrypoints.cli.client import Client
from alm.entrypoints.cli.doctor import checks
from alm.entrypoints.cli.doctor.findings import STATES, Finding, is_well, report
from alm.entrypoints.cli.doctor.surroundings import Asked, Surroundings
from alm.entrypoints.cli.exits import REFUSED
from alm.entrypoints.cli.expanding import add

COLUMNS: tables_out.Columns = tuple(
    (name, tables_out.field(field))
    for name, field in (
        ("state", "state"),
        ("check", "check"),
        ("about", "about"),
        ("seen", "seen"),
        ("to do", "remedy"),
    )
)
STYLES = {"failed": "bold red", "warning": "yellow", "skipped": "dim", "ok": "green"}


def add_to(cli: typer.Typer) -> None:
    """Add the command to the command line."""
    add(cli, {doctor: "doctor --only settings,queues --strict"})


@dataclass(frozen=True)
class Meant:
    """Which app is meant, and what of it."""

    only: Annotated[
        str, typer.Option(help=f"Some of: {', '.join(one.name for one in checks.CHECKS)}.")
    ] = ""
    model: Annotated[
        list[str] | None, typer.Option(help="Only what these managed models name; may repeat.")
    ] = None
    app: Annotated[Path, typer.Option(help="The app's folder: host.json, declarations.")] = Path()
    settings: Annotated[Path | None, typer.Option(help="Settings to use: local.settings.json.")] = (
        None
    )


def doctor(
    context: typer.Context,
    meant: Meant,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check settings, identity, containers, queues, clock, services, keys; say what to do."""
    made = checks.chosen(meant.only)
    environment = dict(os.environ)
    if meant.settings is not None:
        environment |= settings_file.read(meant.settings).values
    asked = Asked(environment, meant.app, tuple(meant.model or ()), _api(context))
    found = _examined(Surroundings(asked, _settings(environment)), made)
    _show(found, as_json, strict)
    if not is_well(found, strict=strict):
        raise typer.Exit(REFUSED)


def _api(context: typer.Context) -> Client | None:
    """The API, where somebody said where it is."""
    root = context.find_root()
    return client(context) if root.params.get("url") else None


def _settings(environment: dict[str, str]) -> settings.Settings | None:
    try:
        return settings.read(environment)
    except Misconfigured:
        return None  # the first check tells why


def _examined(around: Surroundings, made: Sequence[checks.Check]) -> list[Finding]:
    console = Console(stderr=True)
    found: list[Finding] = []
    doing = ""

    def told(check: checks.Check) -> None:
        nonlocal doing
        doing = f"checking {check.name}: {check.asks}"
        if console.is_terminal:
            status.update(doing)
        else:
            tables_out.line(console, doing)

    with _quiet(), console.status("") as status:
        for finding in checks.examine(around, made, told):
            found.append(finding)
            status.update(f"{doing} ({len(found)} looked at)")
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """The SDKs log each refusal at length; here that is an answer, and told as one."""
    logger = logging.getLogger("azure")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _show(found: Sequence[Finding], as_json: bool, strict: bool) -> None:
    document = report(found, strict=strict)
    console = Console()
    if as_json:
        tables_out.show(document, as_json=True)
        return
    if console.is_terminal:
        console.print(_table(found))
    else:
        tables_out.show(document["findings"], as_json=False, columns=COLUMNS)
    counts = document["counts"]
    told = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    tables_out.line(console, f"{told}: {'all is well' if document['well'] else 'not well'}")


def _table(found: Sequence[Finding]) -> Table:
    """Findings for a terminal: what is to be done stands below what was seen."""
    table = Table("", "check", "about", "seen, and what to do", box=None, pad_edge=False)
    for one in found:
        seen = Text(printable(one.seen))
        if one.remedy and one.state != "skipped":
            seen.append(f"\n→ {printable(one.remedy)}", "cyan")
        state = Text(one.state, STYLES[one.state])
        table.add_row(state, one.check, Text(printable(one.about)), seen)
    return table
