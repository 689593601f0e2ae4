"""Command line of the host: `python -m devstack host`."""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from devstack.host.errors import ConfigError, IndexingError
from devstack.host.host import Host, HostConfig
from devstack.host.http_server import ADDRESS, HttpServer
from devstack.host.settings import read_settings

_FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--app", type=Path, default=Path(), help="folder of function_app.py")
    parser.add_argument("--port", type=int, default=7071, help="HTTP port; 0 takes a free one")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(".local/host"),
        help="folder for receipts, schedules and keys (default %(default)s)",
    )
    parser.add_argument(
        "--settings", type=Path, help="a local.settings.json; the environment wins over it"
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")
    parser.add_argument("--verbose", action="store_true", help="report successes and tracebacks")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    try:
        return asyncio.run(_serve(arguments))
    except ConfigError as error:
        return _complain(["the app cannot be hosted:", *error.mistakes])
    except IndexingError as error:
        return _complain([f"the app cannot be indexed: {error}", error.details])
    except OSError as error:
        return _complain([f"cannot start on port {arguments.port}: {error}"])


async def _serve(arguments: argparse.Namespace) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    host = Host(
        HostConfig(
            app=arguments.app.resolve(),
            data=arguments.data.resolve(),
            settings=read_settings(os.environ, arguments.settings),
            verbose=arguments.verbose,
        )
    )
    server = HttpServer(host.handle)
    try:
        await host.start()
        port = await server.start(arguments.port)
        _announce(host, port, as_json=arguments.json)
        waits = [asyncio.ensure_future(event.wait()) for event in (stopped, host.failed)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
    finally:
        server.refuse()
        await host.stop()
        await server.stop()
    return _FAILED if host.failed.is_set() else 0


def _announce(host: Host, port: int, *, as_json: bool) -> None:
    url = f"http://{ADDRESS}:{port}"
    if as_json:
        facts = {
            "functions_url": url,
            "master_key": host.keys.master,
            "worker_pid": host.worker.pid,
        }
        line = json.dumps(facts)
    else:
        line = f"Functions host on {url}, worker {host.worker.pid}; master key {host.keys.master}"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _complain(lines: list[str]) -> int:
    sys.stderr.write("\n  ".join(line for line in lines if line) + "\n")
    return _FAILED
