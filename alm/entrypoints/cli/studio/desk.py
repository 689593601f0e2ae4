"""What a command about Studio works at: the workspace it names, and where its answers go.

Every such command takes `--workspace`, `--region` and `--token`, or `--of`, and `--json`; they are
added here, so that a command only tells what is its own.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from alm.domain.errors import Refused
from alm.domain.experiment import StudioWorkspace
from alm.domain.messages import describe
from alm.domain.nearest import shown, suggestion
from alm.domain.regions import REGIONS, region_named
from alm.entrypoints.cli import tables_out
from alm.entrypoints.cli.arguments import client
from alm.entrypoints.cli.client import Client
from alm.entrypoints.cli.expanding import Handler, argument, expansion, keyword, parameters
from alm.entrypoints.cli.studio.connection import Connect, Connection
from alm.ports import Clock
from alm.studio_ports import ClassicServices, NewServices, Workspace

REGION = "South Central US"
TOKEN = "env:ALM_STUDIO_WORKSPACE_TOKEN"  # noqa: S105 - the name of one
WORKSPACE_ID = re.compile("[0-9a-f]{32}")
PANEL = "Which workspace"


@dataclass(frozen=True)
class Choice:
    """The options that every command takes."""

    workspace: str = ""
    region: str = REGION
    token: str = TOKEN
    of: str = ""
    as_json: bool = False


_OPTIONS: Mapping[str, object] = {
    "workspace": Annotated[
        str,
        typer.Option(
            help="The id of the workspace.", envvar="ALM_STUDIO_WORKSPACE", rich_help_panel=PANEL
        ),
    ],
    "region": Annotated[
        str,
        typer.Option(help="Its region.", envvar="ALM_STUDIO_REGION", rich_help_panel=PANEL),
    ],
    "token": Annotated[
        str,
        typer.Option(
            help="The name of its token: env:NAME or keyvault:vault/name.", rich_help_panel=PANEL
        ),
    ],
    "of": Annotated[
        str,
        typer.Option(
            help="Instead: the workspace that this managed model names.", rich_help_panel=PANEL
        ),
    ],
    "as_json": Annotated[bool, typer.Option("--json", help="Print JSON for machines.")],
}


class Desk:
    """One command's work place. Ports are found when they are first asked for."""

    def __init__(self, connection: Connection, choice: Choice, api: Client) -> None:
        self.connection = connection
        self.choice = choice
        self.api = api
        self.console = Console(stderr=True)

    @property
    def clock(self) -> Clock:
        return self.connection.clock

    @cached_property
    def declared(self) -> StudioWorkspace:
        """The workspace that the options or the declaration name. Raises Refused if none does."""
        if not self.choice.of:
            return named(self.choice, self.connection.environment)
        found = self.connection.declared(self.choice.of).studio
        if found is None:
            raise Refused(
                f"managed model {self.choice.of!r} names no workspace; add `workspace` to it, or "
                "use --workspace"
            )
        return found

    @property
    def workspace(self) -> Workspace:
        return self.connection.studio.workspace(self.declared)

    @property
    def classic(self) -> ClassicServices:
        return self.connection.studio.classic_services(self.declared)

    @property
    def new(self) -> NewServices:
        return self.connection.studio.new_services()

    def show(self, document: Any, columns: tables_out.Columns | None = None) -> None:
        """Print rows as a table, or anything as JSON."""
        tables_out.show(document, as_json=self.choice.as_json, columns=columns)

    def answer(self, **document: object) -> None:
        """Print what became of an order."""
        if self.choice.as_json:
            tables_out.show(document, as_json=True)
        else:
            nothing: tuple[object, ...] = ("", None, [], ())
            told = {name: value for name, value in document.items() if value not in nothing}
            tables_out.show_answer(told)

    def tell(self, text: str) -> None:
        """Tell how it goes, on the error stream."""
        tables_out.line(self.console, text)

    def confirm(self, question: str, yes: bool) -> None:
        """Ask before what cannot be taken back; `--yes` answers it. Ends the command otherwise."""
        try:
            if yes or typer.confirm(f"{question}\nDo it?", err=True):
                return
        except typer.Abort:  # nobody is there to answer
            self.tell("")
        raise Refused("nothing was done; --yes answers, where nobody can be asked")


def named(choice: Choice, environment: Mapping[str, str]) -> StudioWorkspace:
    """The workspace that options name; ALM_STUDIO_URL is where a local one is."""
    if not choice.workspace:
        raise Refused(
            "no workspace is named; give --workspace or ALM_STUDIO_WORKSPACE (its id, 32 hex "
            "digits), or --of MODEL"
        )
    if not WORKSPACE_ID.fullmatch(choice.workspace):
        raise Refused(
            f"{shown(choice.workspace)} is no id of a workspace, which is 32 hex digits in small "
            "letters; correct --workspace or ALM_STUDIO_WORKSPACE"
        )
    if region_named(choice.region) is None:
        near = suggestion(choice.region, [region.name for region in REGIONS])
        raise Refused(
            f"Studio has no hosts in a region {shown(choice.region)}: {near}; correct --region or "
            "ALM_STUDIO_REGION"
        )
    url = environment.get("ALM_STUDIO_URL", "").rstrip("/")
    fields = {"workspace": choice.workspace, "region": choice.region, "token": choice.token}
    try:
        return StudioWorkspace.model_validate({**fields, "studio": url, "management": url})
    except ValidationError as error:
        raise Refused(f"the workspace: {describe(error)}; correct --workspace, --region, --token"
                      ) from error  # fmt: skip


def command(
    app: typer.Typer, name: str, *, example: str, in_workspace: bool = True
) -> Callable[[Handler], Handler]:
    """Add a command to a noun: the handler is given a `Desk`, then its own arguments.

    An argument whose type is a dataclass stands for the options that its fields are. in_workspace:
    False for a command that works at no workspace, and does not ask which.
    """
    options = _OPTIONS if in_workspace else {"as_json": _OPTIONS["as_json"]}

    def add(handler: Handler) -> Handler:
        own = parameters(handler)[1:]

        def run(context: typer.Context, **given: Any) -> None:
            choice = Choice(**{option: given.pop(option) for option in options})
            arguments = {one.name: argument(one, given) for one in own}
            desk = Desk(_connection(context), choice, client(context))
            try:
                handler(desk, **arguments)
            except ValidationError as error:  # of a value that was made from what a person wrote
                raise Refused(f"{describe(error)}; correct the arguments") from error

        run.__doc__ = inspect.getdoc(handler)
        run.__signature__ = _signature(own, options)  # type: ignore[attr-defined]
        app.command(name, epilog=f"Example: alm {app.info.name} {name} {example}".rstrip())(run)
        return handler

    return add


def _signature(
    own: Iterable[inspect.Parameter], options: Mapping[str, object]
) -> inspect.Signature:
    """The handler's own parameters, then the options that commands have in common."""
    defaults = Choice()
    shared = [keyword(name, hint, getattr(defaults, name)) for name, hint in options.items()]
    context = keyword("context", typer.Context, inspect.Parameter.empty)
    parts = [part for parameter in own for part in expansion(parameter)]
    return inspect.Signature([context, *parts, *shared])


def _connection(context: typer.Context) -> Connection:
    connect: Connect = context.obj
    return connect(dict(os.environ))


def rows(items: Sequence[Any], *names: str) -> list[dict[str, object]]:
    """Some fields of values, as rows of a table."""
    return [{name: getattr(item, name) for name in names} for item in items]


def columns(*names: str, **titles: str) -> tables_out.Columns:
    """Columns of a table that show the fields of its rows; titles: other words for some."""
    return tuple((titles.get(name, name), tables_out.field(name)) for name in names)
