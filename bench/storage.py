"""CPU per storage call and per send, of this process alone, as a table or, with `--json`, a line.

    python -m bench.storage [--json] [--calls 200]

Each figure is the median of nine batches, the smallest of them beside it: on a busy machine the
smallest is nearer the truth. Azurite and the broker run in processes of their own.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from alm.adapters.blob import AzureBlobs
from alm.adapters.clock import SystemClock
from alm.adapters.ledgers import BlobLedgers
from alm.adapters.records import BlobRecords
from alm.adapters.service_bus import ServiceBusBus
from alm.domain.errors import NotFound
from alm.domain.ledger import Ledger
from alm.domain.run import BlobRef, Served
from alm.ports import Outgoing
from devstack.stack import Stack, StackOptions

BATCHES = 9
QUEUE = "alm-steps"
BUDGET_MS = {"ledger get": 1.0, "ledger put": 1.0, "record put": 1.0}

Calls = dict[str, Callable[[], object]]


def blob_calls(connection_string: str) -> Calls:
    """The calls that a run makes, each to be repeated."""
    blobs = AzureBlobs.from_connection_string(connection_string, SystemClock())
    blobs.ensure_containers()
    ledgers, records = BlobLedgers(blobs), BlobRecords(blobs, SystemClock())
    served = Served(
        version="v7", digest="sha256:" + "0" * 64, blob="alm-versions/churn/v7.ilearner"
    )
    dataset = BlobRef(container="datasets", name="churn/day1.csv", etag='"0x1"', size=1000)
    ledger = Ledger(
        model="bench-churn",
        champion="v7",
        dataset=dataset,
        serves={"eu": served, "us": served},
        last_run="bench-churn.r7",
        finished_at=datetime.now(UTC),
        runs=7,
    )
    state = {"etag": ledgers.get(ledger.model)[1]}
    path = "alm-jobs/bench/small.csv"
    blobs.put(path, b"x" * 4000)
    document = {"model": "bench-churn", "run": "bench-churn.r7", "history": ["x" * 50] * 40}
    until = datetime.now(UTC) + timedelta(days=1)

    def put() -> None:
        state["etag"] = ledgers.put(ledger, state["etag"])

    put()
    return {
        "ledger get": lambda: ledgers.get(ledger.model),
        "ledger put": put,
        "record put": lambda: records.put_ended("bench-churn.r7", "2026-01-05", document),
        "blob get": lambda: blobs.get(path),
        "blob open": lambda: blobs.open(path).read(),
        "blob properties": lambda: blobs.properties(path),
        "blob missing": lambda: _missing(blobs),
        "grant": lambda: blobs.grant(path, "read", until),
    }


def _missing(blobs: AzureBlobs) -> None:
    try:
        blobs.get("alm-jobs/bench/missing.csv")
    except NotFound:
        return


def bus_calls(connection_string: str) -> tuple[ServiceBusBus, Calls]:
    bus = ServiceBusBus.from_connection_string(connection_string, [QUEUE])
    sent = [0]

    def send(count: int) -> None:
        numbers = range(sent[0], sent[0] + count)
        sent[0] += count
        bus.send([_message(number) for number in numbers])

    return bus, {"send": lambda: send(1), "send of 2": lambda: send(2)}


def _message(number: int) -> Outgoing:
    return Outgoing(
        queue=QUEUE,
        id=f"bench-churn.r7:{time.monotonic_ns()}:{number}",
        body=b"x" * 4000,
        session="bench-churn",
        subject="retrain/patch",
    )


def measured(calls: Calls, count: int) -> dict[str, tuple[float, float]]:
    """CPU in ms per call, median and smallest of the batches, by name."""
    found: dict[str, tuple[float, float]] = {}
    for name, call in calls.items():
        _batch(call, count // 4)
        batches = [_batch(call, count) for _ in range(BATCHES)]
        found[name] = (round(median(batches), 3), round(min(batches), 3))
    return found


def _batch(call: Callable[[], object], count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - began) * 1000 / count


def run(count: int) -> dict[str, tuple[float, float]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(StackOptions(data=Path(folder), host=False)) as stack,
    ):
        found = measured(blob_calls(stack.addresses["storage_connection_string"]), count)
        bus, calls = bus_calls(stack.addresses["connection_string"])
        found |= measured(calls, count)
        bus.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.storage", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--calls", type=int, default=200, help="calls in a batch")
    arguments = parser.parse_args()
    found = run(arguments.calls)
    if arguments.json:
        names = {name.replace(" ", "_") + "_cpu_ms": value for name, (value, _) in found.items()}
        print(json.dumps(names))
        return
    table = Table(title="CPU per call, in ms", title_justify="left")
    for heading in ("call", "median", "smallest", "budget"):
        table.add_column(heading, justify="left" if heading == "call" else "right")
    for name, (value, smallest) in found.items():
        budget = f"{BUDGET_MS[name]:g}" if name in BUDGET_MS else ""
        table.add_row(name, f"{value:.3f}", f"{smallest:.3f}", budget)
    Console().print(table)


if __name__ == "__main__":
    main()
