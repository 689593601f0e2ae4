"""Commands that order something: runs, decisions, scoring, what happens to inbox items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console

from alm.domain.errors import Refused
from alm.domain.exchange import Row
from alm.entrypoints.cli import tables_out
from alm.entrypoints.cli.arguments import AsJson, Model, ModelOrFamily, Patience, Run, client
from alm.entrypoints.cli.client import ApiFailed
from alm.entrypoints.cli.expanding import Handler, add
from alm.entrypoints.cli.studio import rows as given
from alm.entrypoints.cli.waiting import follow_order

Item = Annotated[str, typer.Argument(help="An inbox item, as `alm inbox` names it.")]


def add_to(cli: typer.Typer) -> None:
    """Add the commands to the command line."""
    add(cli, COMMANDS)


def start(
    context: typer.Context,
    model: ModelOrFamily,
    *,
    patience: Patience,
) -> None:
    """Retrain a managed model (or every member of a family) now."""
    _start(context, model, "start", {}, patience)


def publish(
    context: typer.Context,
    model: ModelOrFamily,
    file: Annotated[str, typer.Argument(help="A file in the container trained-models.")],
    *,
    patience: Patience,
) -> None:
    """Judge a model file that lies in the landing zone, and put it into service."""
    _start(context, model, "publish", {"blob": file}, patience)


def rollback(
    context: typer.Context,
    model: ModelOrFamily,
    to: Annotated[str, typer.Option(help="v3, v0 or previous.")] = "previous",
    *,
    patience: Patience,
) -> None:
    """Put an earlier version back into every target, read back and smoke-test it."""
    _start(context, model, "rollback", {"version": to}, patience)


def harvest(
    context: typer.Context,
    model: ModelOrFamily,
    experiment: Annotated[str, typer.Argument(help="The id of an experiment or a snapshot.")],
    node: Annotated[str, typer.Argument(help="A node: its label, id or module.")],
    port: Annotated[str, typer.Option(help="Its output; default: Trained model.")] = "",
    *,
    patience: Patience,
) -> None:
    """Make a node's output a version, without retraining; no target changes."""
    document = {"experiment": experiment, "node": node} | ({"port": port} if port else {})
    _start(context, model, "harvest", document, patience)


def redeploy(
    context: typer.Context,
    model: ModelOrFamily,
    commit: Annotated[str, typer.Option(help="Which commit; the newest, if left out.")] = "",
    *,
    patience: Patience,
) -> None:
    """Put the definitions of a commit back into their targets, read back and smoke-test them."""
    document = {"commit": commit} if commit else {}
    _start(context, model, "redeploy", document, patience)


def verify(
    context: typer.Context,
    model: ModelOrFamily,
    *,
    patience: Patience,
) -> None:
    """Read every target back and smoke-test it; changes nothing."""
    _start(context, model, "verify", {}, patience)


def approve(
    context: typer.Context,
    run: Run,
    digest: Annotated[str, typer.Option(help="What you approve; default: what is held.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what a held run waits for, and let it go on with exactly that."""
    _decide(context, "approve", run, digest, as_json)


def refuse(
    context: typer.Context,
    run: Run,
    digest: Annotated[str, typer.Option(help="What you refuse; default: what is held.")] = "",
    as_json: AsJson = False,
) -> None:
    """End a held run; what it changed is rolled back."""
    _decide(context, "refuse", run, digest, as_json)


def cancel(context: typer.Context, run: Run, as_json: AsJson = False) -> None:
    """End a run at its next step; what it changed is rolled back."""
    _answer(client(context).post("runs", run, "cancel"), as_json)


@dataclass(frozen=True)
class Scoring:
    """Rows, and which endpoint is asked."""

    row: Annotated[
        list[str] | None, typer.Option("--row", help="NAME=VALUE,NAME=VALUE; may repeat.")
    ] = None
    web_input: Annotated[str, typer.Option("--input", help="The service's input.")] = "input1"
    output: Annotated[str, typer.Option(help="The service's output.")] = "output1"
    version: Annotated[str, typer.Option(help="An endpoint with this version.")] = ""
    alias: Annotated[str, typer.Option(help="champion or previous.")] = ""
    key: Annotated[str, typer.Option(help="Same text, same endpoint: a customer.")] = ""

    def document(self, rows: Sequence[Row]) -> dict[str, object]:
        """The body of the call."""
        asked = {"version": self.version, "alias": self.alias, "key": self.key}
        called: dict[str, object] = {"rows": rows}
        called |= {"input": self.web_input, "output": self.output}
        return called | {name: value for name, value in asked.items() if value}


def score(
    context: typer.Context,
    model: Model,
    file: Annotated[str, typer.Argument(help="A CSV, TSV or JSON file with rows.")] = "",
    *,
    asked: Scoring,
    as_json: AsJson = False,
) -> None:
    """Score rows on the endpoint that is chosen, and tell which one it was."""
    rows = [given.row(text) for text in asked.row or ()] + (given.of_file(file) if file else [])
    if not rows:
        raise Refused("nothing to score: give --row NAME=VALUE,… or a file with rows")
    answer = client(context).post("score", model, document=asked.document(rows))
    if as_json:
        tables_out.show(answer, as_json=True)
        return
    at = f"{answer['target']} ({answer['version']})"
    tables_out.line(Console(stderr=True), f"scored by {at}")
    tables_out.show_scores(answer["rows"], rows)


def redrive(context: typer.Context, item: Item, as_json: AsJson = False) -> None:
    """Send an inbox item again to where it came from."""
    _answer(client(context).post("inbox", item, "redrive"), as_json)


def discard(context: typer.Context, item: Item, as_json: AsJson = False) -> None:
    """Take an item out of the inbox."""
    _answer(client(context).post("inbox", item, "discard"), as_json)


def _start(
    context: typer.Context,
    model: str,
    order: str,
    document: dict[str, str],
    patience: Patience,
) -> None:
    """Order a run; wait for its end if that is wished."""
    answer = client(context).post("models", model, order, document=document)
    if patience.wait:
        follow_order(client(context), answer, patience)
    else:
        _answer(answer, patience.as_json)


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
        tables_out.show(answer, as_json=True)
    else:
        tables_out.show_answer(answer)


COMMANDS: Mapping[Handler, str] = {
    start: "start churn --wait",
    publish: "publish churn churn/new.ilearner --wait",
    rollback: "rollback churn --to v3 --wait",
    harvest: 'harvest churn 0123….f-id.4567… "Train Model" --wait',
    redeploy: "redeploy churn --commit 1f3a9c07 --wait",
    verify: "verify churn --wait --json",
    approve: "approve churn.r7",
    refuse: "refuse churn.r7",
    cancel: "cancel churn.r7",
    score: "score churn --row age=23,calls=9",
    redrive: "redrive alm-requests:42:1f3a9c07",
    discard: "discard alm-requests:42:1f3a9c07",
}
"""Each command, with an example of it."""
