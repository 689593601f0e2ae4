"""Command line of the broker: `python -m devstack servicebus`."""

import argparse
import asyncio
import contextlib
import json
import signal
import sqlite3
import sys
from pathlib import Path

from devstack.servicebus.admin import Admin
from devstack.servicebus.config import load
from devstack.servicebus.context import QueueConfig
from devstack.servicebus.errors import ConfigError, JournalInUse
from devstack.servicebus.server import HOST, Broker

_FAILED, _MISUSED = 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--port", type=int, default=5672, help="AMQP port; 0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="folder of the journal")
    parser.add_argument(
        "--config", type=Path, required=True, help="Config.json in the shape of the emulator"
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")
    parser.add_argument(
        "--admin-port",
        type=int,
        help="HTTP port for tests, which can move the clock; 0: a free one",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    try:
        return asyncio.run(_serve(load(arguments.config), arguments))
    except ConfigError as error:
        return _complain("the configuration cannot be used:\n  " + "\n  ".join(error.mistakes))
    except JournalInUse as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"cannot start on port {arguments.port} with {arguments.data}: {error}")
    except sqlite3.Error as error:
        return _complain(f"the journal in {arguments.data} cannot be used: {error}")


async def _serve(queues: list[QueueConfig], arguments: argparse.Namespace) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    broker = Broker(queues, arguments.data)
    admin = Admin(broker)
    try:
        await broker.start(arguments.port)
        if arguments.admin_port is not None:
            await admin.start(arguments.admin_port)
        _announce(broker, admin, as_json=arguments.json)
        await _first(stopped, broker.failed)
    finally:
        await admin.stop()
        await broker.stop()
    return _FAILED if broker.failed.is_set() else 0


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _announce(broker: Broker, admin: Admin, *, as_json: bool) -> None:
    facts = {
        "connection_string": broker.connection_string,
        "host": HOST,
        "port": broker.port,
        "admin_url": admin.url or None,
    }
    if as_json:
        line = json.dumps(facts)
    else:
        line = f"Service Bus (local broker) on {HOST}:{broker.port}: {broker.connection_string}"
        line += f"\nadmin: {admin.url}" if admin.url else ""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _complain(text: str) -> int:
    sys.stderr.write(text + "\n")
    return _MISUSED
