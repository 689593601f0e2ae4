"""`python -m bench.telemetry`: what telemetry costs a run, in CPU of the worker's process.

The budget run over doubles (no storage, no network of ours), told to a collector in a process of
its own, and told to nobody; by turns in the same minutes, medians of three. Everything that the
SDK does in its threads is in it. Prints one line of JSON.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
import urllib.request
from statistics import median

from alm import bootstrap, telemetry
from bench.counted_run import World

ROUNDS, RUNS = 3, 150
SETTLE_SECONDS = 6.0  # what waits is sent within this


def main() -> None:
    logging.getLogger("alm").setLevel(logging.INFO)
    logging.getLogger("alm").addHandler(logging.NullHandler())
    logging.getLogger("alm").propagate = False
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # of the collector that has ended
    command = [sys.executable, "-m", "devstack", "collector", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as collector:
        try:
            assert collector.stdout is not None
            url = json.loads(collector.stdout.readline())["collector_url"]
            sys.stdout.write(json.dumps(_measured(url)) + "\n")
        finally:
            collector.terminate()


def _measured(url: str) -> dict[str, float]:
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = url  # the SDK reads the process's own
    off, on = [], []
    for _ in range(ROUNDS):
        off.append(_milliseconds())
        bootstrap._telemetry(os.environ)
        on.append(_milliseconds())
        _turn_off()
    spans, records = (len(_ask(url, what)) for what in ("spans", "logs"))
    return {
        "off_ms": round(median(off), 2),
        "on_ms": round(median(on), 2),
        "spans": round(spans / (ROUNDS * (RUNS + 1)), 1),
        "records": round(records / (ROUNDS * (RUNS + 1)), 1),
    }


def _turn_off() -> None:
    telemetry.turn_off()
    ours = logging.getLogger("alm")
    for handler in [one for one in ours.handlers if not isinstance(one, logging.NullHandler)]:
        ours.removeHandler(handler)


def _milliseconds() -> float:
    """CPU per run, that of the exporting threads included. A ledger grows with its runs."""
    world = World(0)
    world.run_once()
    before = time.process_time()
    for _ in range(RUNS):
        world.run_once()
    time.sleep(SETTLE_SECONDS)
    return (time.process_time() - before) * 1000 / RUNS


def _ask(url: str, what: str) -> list[object]:
    with urllib.request.urlopen(f"{url}/telemetry/{what}") as answer:
        found: list[object] = json.load(answer)
    return found


if __name__ == "__main__":
    main()
