"""Command line of the whole stack: `python -m devstack up`.

Starts everything, prints where it is, ends everything on SIGTERM or Ctrl-C. A part that dies ends
the stack with code 1, unless `--restart` is given.
"""

import argparse
import json
import queue
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devstack.client_settings import write_client_settings
from devstack.kept_addresses import keep_addresses
from devstack.ports import NAMES
from devstack.stack import PartFailed, Stack, StackFailed, StackOptions
from devstack.watched import Watched

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
    parser.add_argument(
        "--declare",
        action="append",
        default=[],
        type=Path,
        metavar="FOLDER",
        help="managed models that the app starts with; may be repeated (default: those of the "
        "last start, else of the app)",
    )
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
    parser.add_argument(
        "--verbose", action="store_true", help="all addresses; the host reports successes too"
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return name, value


def run(arguments: argparse.Namespace) -> int:
    """Run the stack until it is told to end; return the exit code."""
    stack = Stack(_options(arguments))
    if stack.options.goes_on:
        sys.stderr.write(f"goes on with the declarations in {stack.options.declarations}\n")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stack.deaths.put(_SIGNAL))
    try:
        with stack:
            client = write_client_settings(arguments.data, stack.addresses, stack.options.beside)
            keep_addresses(arguments.data, stack.addresses)
            facts = stack.addresses | {"pids": stack.pids(), "client_settings": str(client)}
            text = json.dumps(facts) if arguments.json else told(facts, verbose=arguments.verbose)
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
            code = _watch(stack, restart=arguments.restart)
            sys.stderr.write(f"ending; data stays in {arguments.data}\n")
            return code
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
        declare=tuple(arguments.declare),
        ports={name: getattr(arguments, f"port_{name.replace('-', '_')}") for name in NAMES},
    )


def _watch(stack: Stack, *, restart: bool) -> int:
    """Wait for a signal, or for a part to die; return the exit code."""
    watched = Watched(stack) if stack.options.host else None
    while True:
        try:
            event = stack.deaths.get(timeout=0.5)  # lets signals in on every system
        except queue.Empty:
            told = watched.look() if watched else ""
            sys.stderr.write(f"{told}\n" if told else "")
            continue
        if event == _SIGNAL:
            return 0
        name, code = event
        sys.stderr.write(f"{name} died with code {code}; {stack.log_tail(name)}\n")
        if not restart:
            return _FAILED
        stack.start(name)
        sys.stderr.write(f"{name} runs again\n")


def told(facts: Mapping[str, Any], *, verbose: bool) -> str:
    """What people need first: the page, its keys, what to type next. verbose: all addresses."""
    lines = []
    if "functions_url" in facts:
        lines += ["The page, which wants one of these keys:", f"  {facts['functions_url']}/"]
        lines += [f"  {role:<10}{key}" for role, key in facts["api_keys"].items()]
        lines += [""]
    lines += ["In another terminal:", f"  . {facts['client_settings']}", "  alm models", ""]
    if verbose:
        for name, value in facts.items():
            lines += [f"{'' if at else name:<26}{x}" for at, x in enumerate(_lines(name, value))]
        lines += [""]
    else:
        lines += ["All addresses and samples: --verbose, or --json."]
    return "\n".join([*lines, "Ctrl-C ends everything; data stays."])


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
