"""The findings as a table for people: each figure with its budget, met or missed."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.counted_run import Counts, count
from bench.measures import Findings

SHARE_OF_CEILING = 0.6  # of what Azurite alone would allow for a run's operations


@dataclass(frozen=True)
class Row:
    """One figure. budget: the bound, None where there is none; least: it is a lower one."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.budget is None:
            return ""
        met = self.value >= self.budget if self.least else self.value <= self.budget
        return "[green]pass[/green]" if met else "[red]MISS[/red]"


def rows(found: Findings, counts: Counts) -> list[Row]:
    """Every figure with its budget, in the order of the design's list."""
    summary = found.summary
    operations = counts.blob_operations + counts.artifact_operations
    ceiling = SHARE_OF_CEILING * summary["azurite_operations_per_second"] / operations
    others = [name for name in found.processes if name != "worker"]
    visits = sum(taken.visits for taken in found.rounds) / len(found.rounds)
    return [
        Row("engine blob operations per run", counts.blob_operations, "", 6),
        Row("artifact operations per run", counts.artifact_operations, ""),
        Row("sends per run", counts.sends, "", counts.stages + counts.waits + 3),
        Row(
            "worker CPU per run",
            summary["worker_cpu_ms_per_run"],
            "ms",
            16,
            note=f"goal 12; {visits:.1f} visits a run, waits included",
        ),
        *(Row(f"  {name} CPU per run", round(found.cpu(name), 1), "ms") for name in others),
        Row("all CPU per run", summary["all_cpu_ms_per_run"], "ms"),
        Row(
            "runs per second, 64 models at once",
            summary["runs_per_second"],
            "/s",
            round(ceiling, 1),
            least=True,
            note=f"60 % of Azurite alone over {operations} operations a run",
        ),
        Row("step latency p50, idle", summary["step_ms_p50"], "ms", 5),
        Row("step latency p95, idle", summary["step_ms_p95"], "ms", 20),
        Row("import of function_app", summary["import_s"], "s", 0.6),
        Row("memory after the import", summary["import_mb"], "MB", 80),
        Row("Azurite alone", summary["azurite_operations_per_second"], "operations/s"),
    ]


def show(found: Findings, console: Console) -> None:
    """Print the figures, and where the worker's CPU goes by stage."""
    table = Table(title="What a run costs on this machine", title_justify="left")
    for name in ("what", "measured", "budget", "", "note"):
        table.add_column(name)
    for row in rows(found, count()):
        bound = ">=" if row.least else "<="
        budget = "" if row.budget is None else f"{bound} {row.budget:g} {row.unit}"
        table.add_row(row.what, f"{row.value:g} {row.unit}", budget, row.verdict, row.note)
    console.print(table)
    for run, why in found.failed.items():
        console.print(f"[red]{run} did not end ok:[/red] {why}")
    stages = Table(title="Handlers, one run at a time (without the sender's thread)")
    for name in ("stage", "CPU ms", "message bytes"):
        stages.add_column(name, justify="left" if name == "stage" else "right")
    for name, (cpu, size) in found.by_stage.items():
        stages.add_row(name, f"{cpu:.2f}", f"{size:.0f}")
    console.print(stages)
