"""Command line of the whole stack: `python -m devstack up`.

Starts everything, prints where it is, ends everything on SIGTERM or Ctrl-C. A part that dies ends
the stack with code 1, unless `--restart` is given.
"""

import argparse
import json
import queue
import signal
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from devstack.client_settings import write_client_settings
from devstack.ports import NAMES
from devstack.stack import PartFailed, Stack, StackFailed, StackOptions

_FAILED = 1
_SIGNAL = ("signal", 0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--app", type=Path, default=Path(), help="folder of function_app.py")
    parser.add_argument("--data", type=Path, default=Path(".local/up"), help="folder for all data")
    for name in NAMES:
        parser.add_argument(f"--port-{name}", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--servicebus-config", type=Path, help="queues (default: infra/servicebus.json of the app)"
    )
    parser.add_argument("--with-samples", action="store_true", help="Studio with sample services")
    parser.add_argument("--admin", action="store_true", help="Studio's faults, the broker's clock")
    parser.add_argument(
        "--propagation-seconds", type=float, help="how long a patched model answers as before"
    )
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        type=_pair,
        metavar="KEY=VALUE",
        help="a setting of the app; may be repeated",
    )
    parser.add_argument("--telemetry", action="store_true", help="with a collector of telemetry")
    parser.add_argument("--no-host", action="store_true", help="all but the Functions host")
    parser.add_argument("--restart", action="store_true", help="restart a part that dies")
    parser.add_argument("--verbose", action="store_true", help="the host reports successes too")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return name, value


def run(arguments: argparse.Namespace) -> int:
    """Run the stack until it is told to end; return the exit code."""
    stack = Stack(_options(arguments))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stack.deaths.put(_SIGNAL))
    try:
        with stack:
            client = write_client_settings(arguments.data, stack.addresses)
            facts = stack.addresses | {"pids": stack.pids(), "client_settings": str(client)}
            sys.stdout.write(json.dumps(facts) + "\n") if arguments.json else _print(facts)
            sys.stdout.flush()
            return _watch(stack, restart=arguments.restart)
    except (StackFailed, PartFailed) as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED


def _options(arguments: argparse.Namespace) -> StackOptions:
    return StackOptions(
        app=arguments.app,
        data=arguments.data,
        servicebus_config=arguments.servicebus_config,
        with_samples=arguments.with_samples,
        admin=arguments.admin,
        host=not arguments.no_host,
        telemetry=arguments.telemetry,
        verbose=arguments.verbose,
        propagation_seconds=arguments.propagation_seconds,
        environment=dict(arguments.env),
        ports={name: getattr(arguments, f"port_{name.replace('-', '_')}") for name in NAMES},
    )


def _watch(stack: Stack, *, restart: bool) -> int:
    """Wait for a signal, or for a part to die; return the exit code."""
    while True:
        try:
            event = stack.deaths.get(timeout=1.0)
        except queue.Empty:
            continue  # lets signals in on every system
        if event == _SIGNAL:
            return 0
        name, code = event
        sys.stderr.write(f"{name} died with code {code}; {stack.log_tail(name)}\n")
        if not restart:
            return _FAILED
        stack.start(name)
        sys.stderr.write(f"{name} runs again\n")


def _print(facts: dict[str, Any]) -> None:
    """Print what there is, whole lines that can be copied, and what to do next."""
    console = Console()
    for name, value in facts.items():
        for at, line in enumerate(_lines(name, value)):
            console.print(
                f"[bold]{'' if at else name:<26}[/bold]{escape(line)}",
                highlight=False,
                soft_wrap=True,
            )
    if "functions_url" in facts:
        key = facts["api_keys"]["operator"]
        told = f"\nThe page: {facts['functions_url']}/\n  sign in with an API key: operator {key}"
        console.print(told, highlight=False, markup=False, soft_wrap=True)
    first = f"  . {facts['client_settings']}\n  {sys.executable} -m alm --help"
    next_steps = f"\nIn another terminal:\n{first}\nCtrl-C ends everything; data stays."
    console.print(next_steps, highlight=False, markup=False, soft_wrap=True)


def _lines(name: str, value: Any) -> list[str]:
    match name, value:
        case "samples", list():
            keys = ("name", "role", "kind", "region")
            return [" ".join(str(one[key]) for key in keys if one.get(key)) for one in value]
        case "experiments", list():
            return [f"{one['description']}: {one['experiment_id']}" for one in value]
        case _, dict():
            return [f"{key}: {item}" for key, item in value.items()]
        case _, None:
            return []
    return [str(value)]
