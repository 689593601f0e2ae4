"""What the command line prints: readable tables for people, JSON for machines."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console

from alm.domain.nearest import printable_lines
from alm.entrypoints.cli.table_layout import print_table

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$")

Row = Mapping[str, Any]
Columns = Sequence[tuple[str, Callable[[Row], str]]]


def field(name: str) -> Callable[[Row], str]:
    """A column with what a field holds."""
    return _of(name)


def _of(name: str) -> Callable[[Row], str]:
    return lambda row: _text(row.get(name))


def _text(value: Any) -> str:
    return "" if value is None or value is False else _plain_time(str(value))


def _plain_time(text: str) -> str:
    """A time to the second, as people read it; other texts as they are."""
    return text[:19].replace("T", " ") if _TIME.match(text) else text


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
    ("created", _of("created")),
    ("run", _of("run")),
    ("metrics", _metrics),
    ("digest", lambda row: str(row["digest"])[:19]),
)
SERVED: Columns = (
    ("since", _of("at")),
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
    ("finished", _of("finished")),
    ("why", _of("why")),
)
INBOX: Columns = (
    ("item", _of("id")),
    ("at", _of("at")),
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
    """Print a document: a list of rows as a table, or anything as JSON.

    Columns in which no row has anything are left out of the table.
    """
    if as_json or columns is None:
        sys.stdout.write(json.dumps(document, indent=None if as_json else 2, default=str) + "\n")
        return
    if not document:
        Console().print("none")
        return
    filled = [(name, cells) for name, cells in _cells(document, columns) if any(cells)]
    rows = list(zip(*(cells for _, cells in filled), strict=True))
    print_table(Console(), [name for name, _ in filled], rows)


def _cells(document: Sequence[Row], columns: Columns) -> list[tuple[str, list[str]]]:
    return [(name, [read(row) for row in document]) for name, read in columns]


def show_answer(document: Row) -> None:
    """Print what became of an order."""
    for name, value in document.items():
        told = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        line(Console(), f"{name}: {told}")


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
        "expires": _text(hold["deadline"]),
    }
    for name, value in facts.items():
        if value:
            line(console, f"{name:<14}{value}")


def _metrics_of(state: Row) -> list[tuple[str, float]]:
    return [(name, float(value)) for name, value in (state.get("metrics") or {}).items()]


def show_run(document: Row, *, as_json: bool = False) -> None:
    """Print one run as a timeline."""
    if as_json:
        show(document, as_json=True)
        return
    console = Console()
    ended = document.get("result") or "in flight"
    line(console, f"{document['run']} {document.get('pipeline', '')}: {ended}")
    for trigger in document.get("triggers", []):
        blob = trigger.get("blob") or {}
        named = f"{blob.get('container')}/{blob.get('name')}" if blob else trigger.get("by", "")
        line(console, f"  started by {trigger['source']} {named} at {_text(trigger['at'])}")
    hold = (document.get("active") or {}).get("hold")
    if hold and not document.get("result"):
        line(console, f"  held until {_text(hold['deadline'])}: {hold['why']}")
        line(console, f"  approve or refuse digest {hold['digest']}")
    rows = [
        (str(entry["at"])[11:19], entry["stage"], entry["outcome"], entry["why"])
        for entry in document.get("history", [])
    ]
    print_table(console, ("at", "stage", "outcome", "why"), rows)


def show_model(document: Row, *, as_json: bool = False) -> None:
    """Print how one managed model stands."""
    if as_json:
        show(document, as_json=True)
        return
    ledger, declared = document["ledger"], document["declaration"]
    active, serves = ledger.get("active") or {}, ledger.get("serves") or {}
    waiting = len(ledger.get("waiting") or ())
    facts = {
        "model": document["model"],
        "champion": ledger.get("champion"),
        "run": active.get("run"),
        "held because": (active.get("hold") or {}).get("why"),
        "waiting": f"{waiting} triggers" if waiting else "",
        "last result": ledger.get("last_result"),
        "unknown": ", ".join(ledger.get("unknown") or ()),
        "dataset": declared.get("dataset"),
        "model files": declared.get("model_pattern"),
        "schedules": _pairs(declared.get("schedules") or {}),
        "declaration": document["digest"],
    }
    for name, value in facts.items():
        if value:
            line(Console(), f"{name:<14}{value}")
    for name, one in sorted(serves.items()):
        line(Console(), f"{name} serves {one['version']}")


def _pairs(values: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value)


def show_scores(rows: Sequence[Row], sent: Sequence[Row]) -> None:
    """Print answers; people see what the service added to the rows that were sent, if it did."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    given = {name for row in sent for name in row}
    added = [name for name in names if name not in given]
    show(rows, as_json=False, columns=[(name, field(name)) for name in added or names])


def line(console: Console, text: str) -> None:
    """Print a line for people. Names and reasons are others': none may steer the terminal."""
    console.print(printable_lines(text), markup=False, highlight=False, soft_wrap=True)
