"""`python -m devstack declare FOLDER`: give the running stack declarations of managed models."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from devstack import declarations
from devstack.declarations import FOLDER, NotDeclared
from devstack.kept_addresses import DATA, NoStack, kept_addresses

_SECONDS_MAX = 60.0
_LOOK_SECONDS = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, help="where the declarations are (*.yaml)")
    parser.add_argument("--data", type=Path, default=DATA, help="data folder of the stack")


def run(arguments: argparse.Namespace) -> int:
    """Copy them into the stack's folder, and wait until the app has read them."""
    data = arguments.data
    try:
        written = declare(arguments.folder, data)
        wrong = _read(data)
    except (NoStack, NotDeclared) as error:
        wrong = str(error)
    if wrong:
        print(wrong, file=sys.stderr)  # noqa: T201
        return 1
    for path in written:
        print(f"declared in {path}")  # noqa: T201
    return 0


def declare(folder: Path, data: Path) -> list[Path]:
    """Copy the declarations of a folder, filled in. Raises NoStack, NotDeclared."""
    addresses, into = kept_addresses(data), data / FOLDER
    if not into.is_dir():
        raise NotDeclared(f"the stack does not read {into}; start it with --declare FOLDER")
    return declarations.take(folder, into, addresses, keep=False)


def _read(data: Path) -> str:
    """Wait until the stack has looked; says what is wrong. Raises NotDeclared."""
    deadline = time.monotonic() + _SECONDS_MAX
    while time.monotonic() < deadline:
        seen, wrong = declarations.reported(data)
        if seen == declarations.state(data / FOLDER):
            return wrong
        time.sleep(_LOOK_SECONDS)
    raise NotDeclared("the app did not read them; look at the terminal where the stack runs")
