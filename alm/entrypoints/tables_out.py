"""What the command line prints: readable tables for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Row = Mapping[str, Any]
Columns = Sequence[tuple[str, Callable[[Row], str]]]


def field(name: str) -> Callable[[Row], str]:
    """A column with what a field holds."""
    return _of(name)


def _of(name: str) -> Callable[[Row], str]:
    return lambda row: str(row.get(name, "") or "")


def _metrics(row: Row) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in sorted(row["metrics"].items()))


def _flag(name: str, yes: str, no: str) -> Callable[[Row], str]:
    return lambda row: "" if name not in row else (yes if row[name] else no)


MODELS: Columns = (
    ("model", _of("model")),
    ("state", _of("state")),
    ("champion", _of("champion")),
    ("run", _of("run")),
    ("waiting", _of("waiting")),
    ("last result", _of("last_result")),
)
VERSIONS: Columns = (
    ("version", _of("version")),
    ("aliases", lambda row: ", ".join(row["aliases"])),
    ("created", lambda row: str(row["created"])[:19]),
    ("run", _of("run")),
    ("metrics", _metrics),
    ("digest", lambda row: str(row["digest"])[:19]),
)
SERVED: Columns = (
    ("since", lambda row: str(row["at"])[:19]),
    ("champion", _of("champion")),
    ("run", _of("run")),
    ("targets", lambda row: ", ".join(f"{k}: {v}" for k, v in sorted(row["targets"].items()))),
)
TARGETS: Columns = (
    ("target", _of("target")),
    ("kind", _of("kind")),
    ("wave", _of("wave")),
    ("should serve", _of("serves")),
    ("known", _flag("unknown", "NO", "yes")),
)
TARGETS_READ: Columns = (
    *TARGETS[:-1],
    ("agrees", _flag("agrees", "yes", "NO")),
    ("names", lambda row: str(row.get("error") or row.get("location", ""))),
)
ENDED: Columns = (
    ("model", _of("model")),
    ("run", _of("run")),
    ("ended", lambda row: str(row.get("result") or f"NO, {row.get('state', 'sent')}")),
    ("why", _of("why")),
)
RUNS: Columns = (
    ("run", _of("run")),
    ("pipeline", _of("pipeline")),
    ("state", lambda row: str(row.get("result") or f"in {row.get('stage') or '?'}")),
    ("finished", lambda row: str(row.get("finished", ""))[:19]),
    ("why", _of("why")),
)
INBOX: Columns = (
    ("item", _of("id")),
    ("at", lambda row: str(row["at"])[:19]),
    ("reason", _of("reason")),
    ("remedy", _of("remedy")),
)
PIPELINES: Columns = (
    ("stage", _of("stage")),
    ("then", _of("then")),
    ("failed", _of("failed")),
    ("declares first", _flag("declares", "yes", "")),
)


def show(document: Any, *, as_json: bool, columns: Columns | None = None) -> None:
    """Print a document: a list of rows as a table, or anything as JSON."""
    if as_json or columns is None:
        sys.stdout.write(json.dumps(document, indent=None if as_json else 2, default=str) + "\n")
        return
    if not document:
        Console().print("none")
        return
    table = Table()
    for name, _ in columns:
        table.add_column(name, overflow="fold")
    for row in document:
        table.add_row(*(escape(read(row)) for _, read in columns))
    Console().print(table)


def show_answer(document: Row) -> None:
    """Print what became of an order."""
    for name, value in document.items():
        told = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        Console().print(f"{name}: {told}", markup=False, highlight=False, soft_wrap=True)


def show_held(document: Row, console: Console) -> None:
    """Print what a held run waits for: exactly what an approval lets through."""
    hold, state = document["active"]["hold"], document.get("state") or {}
    champion = (state.get("champion") or {}).get("version") or "none yet"
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in sorted(_metrics_of(state)))
    facts = {
        "run": f"{document['run']} ({document.get('pipeline', '')})",
        "held because": hold["why"],
        "candidate": f"v{state['version']}" if state.get("version") else "",
        "digest": hold["digest"],
        "metrics": metrics,
        "champion now": champion if state else "",
        "expires": str(hold["deadline"])[:19],
    }
    for name, value in facts.items():
        if value:
            line = f"{name:<14}{value}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _metrics_of(state: Row) -> list[tuple[str, float]]:
    return [(name, float(value)) for name, value in (state.get("metrics") or {}).items()]


def show_run(document: Row, *, as_json: bool = False) -> None:
    """Print one run as a timeline."""
    if as_json:
        show(document, as_json=True)
        return
    console = Console()
    ended = document.get("result") or "in flight"
    _line(console, f"{document['run']} {document.get('pipeline', '')}: {ended}")
    for trigger in document.get("triggers", []):
        blob = trigger.get("blob") or {}
        named = f"{blob.get('container')}/{blob.get('name')}" if blob else trigger.get("by", "")
        _line(console, f"  started by {trigger['source']} {named} at {str(trigger['at'])[:19]}")
    hold = (document.get("active") or {}).get("hold")
    if hold and not document.get("result"):
        _line(console, f"  held until {str(hold['deadline'])[:19]}: {hold['why']}")
        _line(console, f"  approve or refuse digest {hold['digest']}")
    table = Table()
    for name in ("at", "stage", "outcome", "why"):
        table.add_column(name, overflow="fold")
    for entry in document.get("history", []):
        row = (str(entry["at"])[11:19], entry["stage"], entry["outcome"], entry["why"])
        table.add_row(*map(escape, row))
    console.print(table)


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
