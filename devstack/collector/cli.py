"""Command line of the collector as a part of the stack: `python -m devstack collector`."""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from devstack.collector.server import Collector

DEFAULT_PORT = 4318  # OTLP over HTTP


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    parser.add_argument("--data", type=Path, help="taken for the stack's sake; nothing is written")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    try:
        collector = Collector(arguments.port)
    except OSError as error:
        sys.stderr.write(f"cannot listen on port {arguments.port}: {error}\n")
        return 1
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    threading.Thread(target=collector.serve, daemon=True).start()
    told = json.dumps({"collector_url": collector.url}) if arguments.json else collector.url
    sys.stdout.write(told + "\n")
    sys.stdout.flush()
    ended.wait()
    collector.close()
    return 0
