"""The command line: a client of the API, but for `init` and `validate`, which work on files, and
the nouns of `studio`, which call Studio.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the app or Studio cannot be reached,
130 interrupted.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from alm.entrypoints import initialise, studio, tables_out
from alm.entrypoints.client import ApiFailed, Client
from alm.entrypoints.exits import REFUSED, Commands
from alm.entrypoints.follow import GOOD, Follower

MINUTES_MAX = 240.0
EPILOG = (
    "Where the app is: --url or ALM_API_URL; who you are: --key or ALM_API_KEY. "
    "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the app or Studio cannot be "
    "reached, 130 interrupted."
)


cli = typer.Typer(
    name="alm",
    cls=Commands,
    help="Look after machine-learning models in service: runs, versions, targets, decisions.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
Model = Annotated[str, typer.Argument(help="A managed model (for orders also: a family).")]
Run = Annotated[str, typer.Argument(help="A run, as `alm runs` names it, for example churn.r7.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Item = Annotated[str, typer.Argument(help="An inbox item, as `alm inbox` names it.")]
Wait = Annotated[bool, typer.Option("--wait", help="Follow the run; 0 only if it ends well.")]
Minutes = Annotated[float, typer.Option(min=0.01, help="How long --wait waits at most.")]


@cli.callback()
def connect(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="The app's API.", envvar="ALM_API_URL")] = "",
    key: Annotated[str, typer.Option(help="Your API key.", envvar="ALM_API_KEY")] = "",
) -> None:
    context.obj = Client(url or "http://127.0.0.1:7071/api", key)


def client(context: typer.Context) -> Client:
    found = context.find_root().obj
    assert isinstance(found, Client)
    return found


def _show(document: Any, as_json: bool, table: tables_out.Columns | None = None) -> None:
    tables_out.show(document, as_json=as_json, columns=table)


@cli.command(epilog="Example: alm models --state held --json")
def models(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="Only new, idle, running or held ones.")] = "",
    as_json: AsJson = False,
) -> None:
    """List managed models: state, champion, last result."""
    found = client(context).pages("models", query={"state": state} if state else {})
    _show(found, as_json, tables_out.MODELS)


@cli.command(epilog="Example: alm versions churn")
def versions(context: typer.Context, model: Model, as_json: AsJson = False) -> None:
    """List the versions of a managed model, with metrics and aliases."""
    _show(client(context).get("models", model, "versions"), as_json, tables_out.VERSIONS)


@cli.command(epilog="Example: alm served churn --at 2026-05-01T12:00:00Z")
def served(
    context: typer.Context,
    model: Model,
    at: Annotated[str, typer.Option(help="Only what was in service at this time.")] = "",
    as_json: AsJson = False,
) -> None:
    """List what was in service since when."""
    found = client(context).get("models", model, "served", query={"at": at} if at else {})
    _show(found if as_json or not at else [found], as_json, tables_out.SERVED)


@cli.command(epilog="Example: alm targets churn --read")
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


@cli.command(epilog="Example: alm runs --model churn --days 30")
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


@cli.command(epilog="Example: alm run churn.r7")
def run(context: typer.Context, run: Run, as_json: AsJson = False) -> None:
    """Show one run: why it started, each visit of a stage, how it ended."""
    document = client(context).get("runs", run)
    tables_out.show_run(document, as_json=as_json)


@cli.command(epilog="Example: alm inbox --json")
def inbox(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 200,
    as_json: AsJson = False,
) -> None:
    """List what could not be handled, why, and what to do about it."""
    found = client(context).get("inbox", query={"limit": str(limit)})
    _show(found, as_json, tables_out.INBOX)


@cli.command(epilog="Example: alm pipelines")
def pipelines(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the stages of each pipeline."""
    document = client(context).get("pipelines")
    if as_json:
        _show(document, True)
        return
    for name, stages in document.items():
        Console().rule(name)
        _show(stages, False, tables_out.PIPELINES)


@cli.command(epilog="Example: alm start churn --wait")
def start(
    context: typer.Context,
    model: Model,
    wait: Wait = False,
    minutes: Minutes = MINUTES_MAX,
    as_json: AsJson = False,
) -> None:
    """Retrain a managed model (or every member of a family) now."""
    _start(context, model, "start", {}, minutes if wait else 0, as_json)


@cli.command(epilog="Example: alm publish churn churn/new.ilearner --wait")
def publish(
    context: typer.Context,
    model: Model,
    file: Annotated[str, typer.Argument(help="A file in the container trained-models.")],
    wait: Wait = False,
    minutes: Minutes = MINUTES_MAX,
    as_json: AsJson = False,
) -> None:
    """Judge a model file that lies in the landing zone, and put it into service."""
    _start(context, model, "publish", {"blob": file}, minutes if wait else 0, as_json)


@cli.command(epilog="Example: alm rollback churn --to v3 --wait")
def rollback(
    context: typer.Context,
    model: Model,
    to: Annotated[str, typer.Option(help="v3, v0 or previous.")] = "previous",
    wait: Wait = False,
    minutes: Minutes = MINUTES_MAX,
    as_json: AsJson = False,
) -> None:
    """Put an earlier version back into every target, read back and smoke-test it."""
    _start(context, model, "rollback", {"version": to}, minutes if wait else 0, as_json)


@cli.command(epilog="Example: alm redeploy churn --commit 1f3a9c07 --wait")
def redeploy(
    context: typer.Context,
    model: Model,
    commit: Annotated[str, typer.Option(help="Which commit; the newest, if left out.")] = "",
    wait: Wait = False,
    minutes: Minutes = MINUTES_MAX,
    as_json: AsJson = False,
) -> None:
    """Put the definitions of a commit back into their targets, read back and smoke-test them."""
    document = {"commit": commit} if commit else {}
    _start(context, model, "redeploy", document, minutes if wait else 0, as_json)


@cli.command(epilog="Example: alm verify churn --wait")
def verify(
    context: typer.Context,
    model: Model,
    wait: Wait = False,
    minutes: Minutes = MINUTES_MAX,
    as_json: AsJson = False,
) -> None:
    """Read every target back and smoke-test it; changes nothing."""
    _start(context, model, "verify", {}, minutes if wait else 0, as_json)


@cli.command(epilog="Example: alm approve churn.r7")
def approve(
    context: typer.Context,
    run: Run,
    digest: Annotated[str, typer.Option(help="What you approve; default: what is held.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what a held run waits for, and let it go on with exactly that."""
    _decide(context, "approve", run, digest, as_json)


@cli.command(epilog="Example: alm refuse churn.r7")
def refuse(
    context: typer.Context,
    run: Run,
    digest: Annotated[str, typer.Option(help="What you refuse; default: what is held.")] = "",
    as_json: AsJson = False,
) -> None:
    """End a held run; what it changed is rolled back."""
    _decide(context, "refuse", run, digest, as_json)


@cli.command(epilog="Example: alm cancel churn.r7")
def cancel(context: typer.Context, run: Run, as_json: AsJson = False) -> None:
    """End a run at its next step; what it changed is rolled back."""
    _answer(client(context).post("runs", run, "cancel"), as_json)


@cli.command(epilog="Example: alm redrive alm-requests:42:1f3a9c07")
def redrive(context: typer.Context, item: Item, as_json: AsJson = False) -> None:
    """Send an inbox item again to where it came from."""
    _answer(client(context).post("inbox", item, "redrive"), as_json)


@cli.command(epilog="Example: alm discard alm-requests:42:1f3a9c07")
def discard(context: typer.Context, item: Item, as_json: AsJson = False) -> None:
    """Take an item out of the inbox."""
    _answer(client(context).post("inbox", item, "discard"), as_json)


initialise.add_to(cli)
studio.add_to(cli)


def _start(
    context: typer.Context,
    model: str,
    order: str,
    document: dict[str, str],
    minutes: float,
    as_json: bool,
) -> None:
    """Order a run; with `minutes`, wait for its end that long."""
    answer = client(context).post("models", model, order, document=document)
    if not minutes:
        _answer(answer, as_json)
        return
    follower = Follower(client(context), Console(stderr=True))
    ended = follower.until_ended(answer, minutes)
    _show({"id": answer["id"], "runs": ended} if as_json else ended, as_json, tables_out.ENDED)
    if not all(row.get("result") in GOOD for row in ended):
        raise typer.Exit(REFUSED)


def _decide(context: typer.Context, kind: str, run: str, digest: str, as_json: bool) -> None:
    document = client(context).get("runs", run)
    hold = (document.get("active") or {}).get("hold") or {}
    if hold:
        tables_out.show_held(document, Console(stderr=as_json))
    elif not digest:
        over = f" but over: it ended {document['result']}" if document.get("result") else ""
        raise ApiFailed(409, f"run {run} is not held{over}; nothing is left to {kind}")
    decided = {"digest": digest or hold["digest"]}
    _answer(client(context).post("runs", run, kind, document=decided), as_json)


def _answer(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        _show(answer, True)
    else:
        tables_out.show_answer(answer)


def main() -> None:
    """Run the command line; failures are told on the error stream."""
    sys.exit(cli(prog_name="alm"))
