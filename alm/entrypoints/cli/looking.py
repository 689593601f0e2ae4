"""Commands that look: models, versions, targets, runs, orders, the inbox. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import typer
from rich.console import Console

from alm.entrypoints.cli import tables_out
from alm.entrypoints.cli.arguments import AsJson, Model, Run, client
from alm.entrypoints.cli.expanding import Handler, add


def add_to(cli: typer.Typer) -> None:
    """Add the commands to the command line."""
    add(cli, COMMANDS)


def _show(document: Any, as_json: bool, table: tables_out.Columns | None = None) -> None:
    tables_out.show(document, as_json=as_json, columns=table)


def models(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="Only new, idle, running or held ones.")] = "",
    as_json: AsJson = False,
) -> None:
    """List managed models: state, champion, last result."""
    found = client(context).pages("models", query={"state": state} if state else {})
    _show(found, as_json, tables_out.MODELS)


def model(context: typer.Context, model: Model, as_json: AsJson = False) -> None:
    """Show one managed model: how it stands, what each target serves, what is declared."""
    document = client(context).get("models", model)
    tables_out.show_model(document, as_json=as_json)


def versions(context: typer.Context, model: Model, as_json: AsJson = False) -> None:
    """List the versions of a managed model, with metrics and aliases."""
    _show(client(context).get("models", model, "versions"), as_json, tables_out.VERSIONS)


def served(
    context: typer.Context,
    model: Model,
    at: Annotated[str, typer.Option(help="Only what was in service at this time.")] = "",
    as_json: AsJson = False,
) -> None:
    """List what was in service since when."""
    found = client(context).get("models", model, "served", query={"at": at} if at else {})
    _show(found if as_json or not at else [found], as_json, tables_out.SERVED)


def targets(
    context: typer.Context,
    model: Model,
    read: Annotated[bool, typer.Option("--read", help="Read each target back now.")] = False,
    as_json: AsJson = False,
) -> None:
    """List a managed model's targets and what they serve."""
    query = {"read": "true"} if read else {}
    found = client(context).get("models", model, "targets", query=query)
    _show(found, as_json, tables_out.TARGETS_READ if read else tables_out.TARGETS)


def runs(
    context: typer.Context,
    model: Annotated[str, typer.Option(help="Only this managed model's.")] = "",
    days: Annotated[int, typer.Option(min=1, max=366, help="How far back.")] = 7,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 200,
    as_json: AsJson = False,
) -> None:
    """List runs, those in flight first."""
    query = {"days": str(days), "limit": str(limit)} | ({"model": model} if model else {})
    _show(client(context).get("runs", query=query), as_json, tables_out.RUNS)


def run(context: typer.Context, run: Run, as_json: AsJson = False) -> None:
    """Show one run: why it started, each visit of a stage, how it ended."""
    document = client(context).get("runs", run)
    tables_out.show_run(document, as_json=as_json)


def order(
    context: typer.Context,
    model: Model,
    order: Annotated[str, typer.Argument(help="An order's id, as its answer names it.")],
    as_json: AsJson = False,
) -> None:
    """Tell what became of an order: sent, waiting, the run that it started, its end."""
    found = client(context).get("models", model, "orders", order)
    _answer(found, as_json)


def inbox(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="Only this item, with its payload.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 200,
    as_json: AsJson = False,
) -> None:
    """List what could not be handled, why, and what to do about it; or show one item whole."""
    if item:
        _answer(client(context).get("inbox", item), as_json)
        return
    found = client(context).get("inbox", query={"limit": str(limit)})
    _show(found, as_json, tables_out.INBOX)


def pipelines(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the stages of each pipeline."""
    document = client(context).get("pipelines")
    if as_json:
        _show(document, True)
        return
    for name, stages in document.items():
        Console().rule(name)
        _show(stages, False, tables_out.PIPELINES)


def openapi(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the API's OpenAPI document, for programs that call it."""
    _show(client(context).get("openapi.json"), as_json)


def choose(
    context: typer.Context,
    model: Model,
    version: Annotated[str, typer.Option(help="One with this version, such as v3.")] = "",
    alias: Annotated[str, typer.Option(help="champion, previous or candidate.")] = "",
    key: Annotated[
        str, typer.Option(help="A customer or session: the same key, the same endpoint.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show which endpoint a scoring call would go to."""
    asked = {"version": version, "alias": alias, "key": key}
    query = {name: value for name, value in asked.items() if value}
    _answer(client(context).get("models", model, "choose", query=query), as_json)


def open_(
    context: typer.Context,
    place: Annotated[
        str, typer.Argument(help="Where on it, for example models/churn or runs/churn.r7.")
    ] = "",
    show_only: Annotated[bool, typer.Option("--print", help="Only print the address.")] = False,
    as_json: AsJson = False,
) -> None:
    """Open the app's page in a browser, and print its address."""
    address = page_address(client(context).url, place)
    if as_json:
        _show({"url": address}, True)
    else:
        typer.echo(address)
    if not (show_only or as_json) and Console().is_terminal:
        typer.launch(address)


def page_address(api: str, place: str) -> str:
    """Where the page has a place: it is at the root of the site that the API is on."""
    site = urlsplit(api)
    prefix = site.path.rstrip("/").removesuffix("/api")
    path = quote(place.strip("/"), safe="/@:._-")
    return f"{site.scheme}://{site.netloc}{prefix}/{path}"


def _answer(document: Any, as_json: bool) -> None:
    if as_json:
        _show(document, True)
    else:
        tables_out.show_answer(document)


COMMANDS: Mapping[Handler, str] = {
    models: "models --state held --json",
    model: "model churn",
    versions: "versions churn",
    served: "served churn --at 2026-05-01T12:00:00Z",
    targets: "targets churn --read",
    runs: "runs --model churn --days 30",
    run: "run churn.r7",
    order: "order churn 5f0c2d.1f3a9c07",
    inbox: "inbox --json",
    pipelines: "pipelines",
    openapi: "openapi --json",
    choose: "choose churn --alias champion",
    open_: "open models/churn --print",
}
"""Each command, with an example of it."""
