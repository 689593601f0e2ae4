"""The command `python -m devstack studio`: run local Studio until it is told to stop."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from devstack.studio.errors import StudioError
from devstack.studio.transfer import TransferFailure

# Small matrices on a shared machine: more threads per operation only get in each other's way. It
# also makes sums come out the same whatever the number of cores.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0: a free one")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder that everything is kept in"
    )
    parser.add_argument(
        "--storage",
        metavar="CONNECTION_STRING",
        help="storage account of the workspace (such as Azurite's); without it, one of its own",
    )
    parser.add_argument(
        "--with-samples", action="store_true", help="start with services that train and score"
    )
    parser.add_argument("--admin", action="store_true", help="faults and counts under /admin")
    parser.add_argument(
        "--propagation-seconds",
        type=float,
        default=2.0,
        metavar="SECONDS",
        help="how long a changed model keeps answering as before (default 2)",
    )
    parser.add_argument(
        "--allow-blob-host",
        action="append",
        default=[],
        metavar="HOST",
        help="a storage host to fetch from besides loopback; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")


def run(arguments: argparse.Namespace) -> int:
    """Run Studio until SIGTERM or SIGINT; returns the exit code."""
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    from devstack.studio.studio import Studio, StudioOptions

    options = StudioOptions(
        data=arguments.data,
        port=arguments.port,
        storage=arguments.storage,
        with_samples=arguments.with_samples,
        admin=arguments.admin,
        propagation_seconds=arguments.propagation_seconds,
        allowed_hosts=frozenset(arguments.allow_blob_host),
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        studio = Studio(options)
        studio.start()
    except (OSError, StudioError, TransferFailure) as error:
        sys.stderr.write(f"studio cannot start: {error}\n")
        return 1
    _announce(studio.description(), as_json=arguments.json)
    ended.wait()
    studio.stop()
    return 0


def _announce(description: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        lines = [json.dumps(description)]
    else:
        told = {"samples": _sample_line, "experiments": _experiment_line}
        lines = [f"{name}: {value}" for name, value in description.items() if name not in told]
        lines += [line(item) for name, line in told.items() for item in description.get(name, ())]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _sample_line(sample: dict[str, Any]) -> str:
    what = f"{sample['name']} {sample['role']} ({sample['kind']}, {sample['region']})"
    where = sample.get("endpoint") or sample.get("web_service_name")
    return f"sample {what}: {where} at {sample['api_location']} key {sample['api_key']}"


def _experiment_line(experiment: dict[str, Any]) -> str:
    return f"experiment {experiment['description']}: {experiment['experiment_id']}"
