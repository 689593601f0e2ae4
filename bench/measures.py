"""The measurements: rounds of real runs on the local stack, and what they came to."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.stage import Stage

WAVE = 8  # models that run at the same time while CPU is measured
WAVES = 5  # runs of each of them in a round: 40 runs


@dataclass(frozen=True)
class Round:
    """CPU per run of one round, by process; visits: messages that the runs' stages took."""

    runs: int
    cpu_ms: dict[str, float]
    visits: float


@dataclass
class Findings:
    """What was measured."""

    import_s: float = 0.0
    import_mb: float = 0.0
    rounds: list[Round] = field(default_factory=list)
    reconcile_cpu_ms: dict[str, float] = field(default_factory=dict)
    runs_per_second: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    by_stage: dict[str, tuple[float, float]] = field(default_factory=dict)
    azurite_operations_per_second: float = 0.0
    failed: dict[str, str] = field(default_factory=dict)

    def cpu(self, process: str) -> float:
        """One process's CPU per run: the median of the rounds, and its reconcile's."""
        return (
            median(taken.cpu_ms[process] for taken in self.rounds) + self.reconcile_cpu_ms[process]
        )

    @property
    def processes(self) -> list[str]:
        return list(self.rounds[0].cpu_ms)

    @property
    def summary(self) -> dict[str, float]:
        """What is printed as JSON."""
        everything = median(sum(taken.cpu_ms.values()) for taken in self.rounds)
        everything += sum(self.reconcile_cpu_ms.values())
        return {
            "worker_cpu_ms_per_run": round(self.cpu("worker"), 2),
            "all_cpu_ms_per_run": round(everything, 1),
            "runs_per_second": round(median(self.runs_per_second), 2),
            "step_ms_p50": round(median(self.late_ms), 2),
            "step_ms_p95": round(quantiles(self.late_ms, n=20)[18], 2),
            "import_s": round(self.import_s, 3),
            "import_mb": round(self.import_mb, 1),
            "azurite_operations_per_second": round(self.azurite_operations_per_second),
        }


def cpu_round(stage: Stage, waves: int = WAVES) -> Round:
    """Run a few models again and again; CPU of every process per run, without the reconcile."""
    models = stage.models[:WAVE]
    before = stage.cpu_ms()
    for _ in range(waves):
        stage.run(models)
    after = stage.cpu_ms()
    runs = waves * len(models)
    visits = [stage.visits(model) for model in models]  # of the last wave, the others are alike
    return Round(runs, _per_run(before, after, runs), sum(visits) / len(visits))


def reconciles(stage: Stage) -> dict[str, float]:
    """Let the reconciles of all runs so far happen at once; CPU of every process for each.

    It moves the broker's clock; what is scheduled later would be due at once: measure this last.
    """
    before = stage.cpu_ms()
    runs = stage.reconcile()
    return _per_run(before, stage.cpu_ms(), runs)


def _per_run(before: dict[str, float], after: dict[str, float], runs: int) -> dict[str, float]:
    return {name: (after[name] - before[name]) / runs for name in after}


def throughput(stage: Stage) -> float:
    """Start a run of every model at once; runs per second from the first upload to the last end."""
    began = time.monotonic()
    stage.run(stage.models)
    return len(stage.models) / (time.monotonic() - began)


def latency(stage: Stage, times: Path, runs: int) -> tuple[list[float], dict[str, Any]]:
    """One run at a time on an idle stack: how late each message's handler began, CPU by stage.

    A message that waits to be due counts from the moment it is.
    """
    times.write_bytes(b"")
    for _ in range(runs):
        stage.run(stage.models[:1])
    notes = [json.loads(line) for line in times.read_bytes().splitlines()]
    late = [note["late_ms"] for note in notes if "late_ms" in note]
    by_stage: dict[str, list[tuple[float, float]]] = {}
    for note in notes:
        if "stage" in note:
            by_stage.setdefault(note["stage"], []).append((note["cpu_ms"], note["bytes"]))
    return late, {
        name: (median(cpu for cpu, _ in taken), median(size for _, size in taken))
        for name, taken in by_stage.items()
    }
