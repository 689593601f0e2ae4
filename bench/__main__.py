"""`python -m bench [--json]`: what a run costs, measured on the local stack of this machine.

Takes two to three minutes and stops by itself. Exit code 0 whether budgets are met or not: figures
of a shared machine are for people to read; what can be counted is asserted in tests/unit.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace

from rich.console import Console

from bench import ceiling, imports, report, stage
from bench.measures import Findings, cpu_round, latency, reconciles, throughput
from bench.stage import DATA, ROOT, Stage
from devstack.stack import PartFailed, StackFailed

MODELS = 64  # through 32 sessions: two for each
ROUNDS = 3
LATENCY_RUNS = 12  # about ten messages each
SECONDS_MAX = 150.0  # no further round begins after this; the last one ends within three minutes


def main() -> int:
    """Measure, then print a table, or one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    try:
        findings = measure(console)
    except (StackFailed, PartFailed, stage.RunMissing) as error:
        console.print(f"[red]not measured:[/red] {error}")
        return 1
    if arguments.json:
        sys.stdout.write(json.dumps(findings.summary) + "\n")
    else:
        report.show(findings, Console())
    return 0


def measure(console: Console) -> Findings:
    """Every measurement, one after the other, on one stack."""
    ends = time.monotonic() + SECONDS_MAX
    found = Findings()
    console.print("importing function_app")
    found.import_s, found.import_mb = imports.measure()
    console.print(f"starting the local stack with {MODELS} managed models; their first runs")
    times = DATA / "times.jsonl"
    timed = {
        "PYTHON_SCRIPT_FILE_NAME": "bench/timed_app.py",
        "PYTHONPATH": str(ROOT / "bench"),
        "ALM_BENCH_TIMES": str(times),
    }
    with stage.set_up(MODELS, ROOT, timed) as scene:
        scene.run(scene.models)
        console.print("latency, one run at a time")
        found.late_ms, found.by_stage = latency(scene, times, LATENCY_RUNS)
        _without_stopwatch(scene)
        while len(found.rounds) < ROUNDS and (not found.rounds or time.monotonic() < ends):
            console.print(f"round {len(found.rounds) + 1} of {ROUNDS}: CPU, then throughput")
            found.rounds.append(cpu_round(scene))
            found.runs_per_second.append(throughput(scene))
        console.print("reconciles of all runs so far")
        found.reconcile_cpu_ms = reconciles(scene)
        found.failed = scene.failed
        console.print("Azurite alone")
        storage = scene.stack.addresses["storage_connection_string"]
        found.azurite_operations_per_second = ceiling.operations_per_second(storage)
    return found


def _without_stopwatch(scene: Stage) -> None:
    """Go on with the shipped app: what measures it costs CPU too."""
    stack = scene.stack
    stack.stop("host")
    kept = {k: v for k, v in stack.options.environment.items() if not k.startswith("PYTHON")}
    stack.options = replace(stack.options, environment=kept)
    stack.start("host")
    scene.run(scene.models[:1])  # the new worker builds its app and opens its connections


if __name__ == "__main__":
    sys.exit(main())
