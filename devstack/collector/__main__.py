"""Look into a local collector: `python -m devstack.collector tree`."""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from devstack.collector.cli import DEFAULT_PORT
from devstack.collector.tree import tree

VARIABLE = "DEVSTACK_COLLECTOR_URL"  # client.env of the stack sets it

Ask = Callable[[str], Any]


def main(words: list[str]) -> int:
    """Show what was asked for; return the exit code."""
    arguments = _parser().parse_args(words)

    def ask(path: str) -> Any:
        with urllib.request.urlopen(f"{arguments.url}/telemetry/{path}", timeout=10) as answer:  # noqa: S310 - as the caller names it
            return json.load(answer)

    console = Console()
    try:
        if arguments.json:
            console.print_json(data=ask(_path(arguments, ask)))
            return 0
        shown = {"traces": _traces, "tree": _tree, "metrics": _metrics, "logs": _logs}
        shown[arguments.what](console, ask, arguments)
    except (urllib.error.URLError, OSError) as error:
        sys.stderr.write(
            f"no collector at {arguments.url}: {error}; start the stack with "
            "`python -m devstack up --telemetry`, or name another --url\n"
        )
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devstack.collector", description=__doc__)
    url = os.environ.get(VARIABLE, f"http://127.0.0.1:{DEFAULT_PORT}")
    parser.add_argument("--url", default=url, help=f"of the collector (default: ${VARIABLE})")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("what", choices=("traces", "tree", "metrics", "logs"))
    parser.add_argument(
        "trace", nargs="?", default="", help="of tree and logs: a trace's id, or its beginning; "
        "without one the newest that is about a managed model"
    )  # fmt: skip
    return parser


def _path(arguments: argparse.Namespace, ask: Ask) -> str:
    match arguments.what:
        case "tree":
            return f"spans?trace={_trace(ask, arguments.trace)}"
        case "logs" if arguments.trace:
            return f"logs?trace={_trace(ask, arguments.trace)}"
        case what:
            return str(what)


def _trace(ask: Ask, begins: str) -> str:
    """The newest trace whose id begins so."""
    found = [one for one in ask("traces") if one["trace"].startswith(begins)]
    about_models = [one for one in found if begins or one["models"]]
    return str(about_models[-1]["trace"]) if about_models else begins or "none"


def _traces(console: Console, ask: Ask, _: argparse.Namespace) -> None:
    table = Table("began", "trace", "first span", "spans", "managed models", box=None)
    for one in ask("traces"):
        models = ", ".join(one["models"][:3]) + (" …" if len(one["models"]) > 3 else "")
        table.add_row(
            _time(one["began"]),
            one["trace"],
            escape(one["name"]),
            str(one["spans"]),
            escape(models),
        )
    console.print(table)


def _tree(console: Console, ask: Ask, arguments: argparse.Namespace) -> None:
    console.print(tree(ask(_path(arguments, ask))), soft_wrap=True, highlight=False)


def _metrics(console: Console, ask: Ask, _: argparse.Namespace) -> None:
    table = Table("metric", "attributes", "value", "count", box=None)
    for point in ask("metrics"):
        told = " ".join(f"{name}={value}" for name, value in sorted(point["attributes"].items()))
        value = f"{point['value']:g} {point['unit'] if point['unit'] == 's' else ''}"
        table.add_row(point["name"], escape(told), value, str(point.get("count", "")))
    console.print(table)


def _logs(console: Console, ask: Ask, arguments: argparse.Namespace) -> None:
    for record in ask(_path(arguments, ask)):
        line = f"{_time(record['at'])} {record['severity']} {record['body']}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S.%f")[:-3]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
