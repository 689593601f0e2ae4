"""Evaluation: a model's metrics, where they come from, and what could not be measured.

They come from an evaluation table of the training service, or are computed from rows that were
scored. What has no value is absent and noted; nothing is ever filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Literal

from alm.domain import tables
from alm.domain.errors import Misconfigured, Refused
from alm.domain.managed_model import Gate
from alm.domain.metrics import WITHOUT_VALUE, ScoredRows, Task, metrics_of
from alm.domain.scored import canonical, scored_rows
from alm.domain.tables import Table

Source = Literal["staging rows", "scored holdout", "evaluation table"]

AGREEMENT = 1e-6  # relative to max(1, |x|): tables are printed with fewer digits than we compute

REPORTED_AS: Mapping[str, str] = {
    "accuracy": "accuracy",
    "overallaccuracy": "accuracy",
    "averageaccuracy": "average_accuracy",
    "precision": "precision",
    "macroaveragedprecision": "precision",
    "microaveragedprecision": "micro_precision",
    "recall": "recall",
    "macroaveragedrecall": "recall",
    "microaveragedrecall": "micro_recall",
    "fscore": "f_score",
    "f1score": "f_score",
    "f1": "f_score",
    "auc": "auc",
    "averagelogloss": "log_loss",
    "logloss": "log_loss",
    "meanabsoluteerror": "mae",
    "mae": "mae",
    "rootmeansquarederror": "rmse",
    "rmse": "rmse",
    "relativeabsoluteerror": "rae",
    "rae": "rae",
    "relativesquarederror": "rse",
    "rse": "rse",
    "coefficientofdetermination": "r2",
    "r2": "r2",
}
"""Canonical column names of evaluation tables (no case, spaces, hyphens) and our metric names."""


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one model. rows: how many they rest on, 0 where that is not known.

    notes: why a metric that one might expect is absent. scored: the rows themselves, where the
    metrics were computed from them; without them nothing can be compared on the same rows.
    """

    rows: int
    metrics: Mapping[str, float]
    source: Source
    notes: tuple[str, ...] = ()
    scored: ScoredRows | None = field(default=None, repr=False)

    @property
    def summary(self) -> Evaluation:
        """The same without the rows: what is kept with a verdict."""
        return replace(self, scored=None)


def missing(why: str) -> Evaluation:
    """The evaluation of a model that there are no numbers for: it is never compared with."""
    return Evaluation(rows=0, metrics={}, source="evaluation table", notes=(why,))


def from_table(content: bytes | Table) -> Evaluation:
    """Read an evaluation table: one row, metrics as columns, others ignored.

    A column `rows` says how many rows it rests on. Empty, NaN and infinite cells are missing.
    Raises Refused unless there is exactly one row and at least one column that names a metric.
    """
    table = tables.read(content, name="evaluation table") if isinstance(content, bytes) else content
    if len(table.rows) != 1:
        raise Refused(
            f"the evaluation table has {len(table.rows)} rows, one is needed: let Evaluate Model "
            "evaluate one scored dataset"
        )
    cells = {
        canonical(column): cell for column, cell in zip(table.columns, table.rows[0], strict=True)
    }
    known = {REPORTED_AS[name]: tables.number(cells[name]) for name in cells if name in REPORTED_AS}
    if not known:
        raise Refused(
            f"the evaluation table has no metric (it has {tables.named(table.columns)}); "
            "name a column as Studio does, such as 'AUC' or 'Mean Absolute Error'"
        )
    metrics = {name: value for name, value in known.items() if value is not None}
    notes = tuple(
        f"{name} is not a number in the evaluation table" for name in known if name not in metrics
    )
    return Evaluation(_rows_reported(cells), metrics, "evaluation table", notes)


def from_scores(
    content: bytes | Table,
    *,
    label: str,
    task: Task,
    positive: str,
    source: Source = "staging rows",
) -> Evaluation:
    """Compute every metric from scored rows: label column, `Scored Labels`, probabilities.

    Raises Misconfigured when a column that the gate's `label` or `task` calls for is not there;
    what is wrong with the rows themselves becomes a note, and the metrics are absent.
    """
    table = tables.read(content, name=source) if isinstance(content, bytes) else content
    prepared = scored_rows(table, label=label, task=task, positive=positive)
    if prepared.rows is None:
        return Evaluation(len(table.rows), {}, source, prepared.notes)
    measured = metrics_of(prepared.rows)
    metrics = {name: value for name, value in measured.items() if isfinite(value)}
    without = tuple(
        f"{name} has no value: {WITHOUT_VALUE.get(name, 'it is not finite')}"
        for name in measured
        if name not in metrics
    )
    return Evaluation(len(table.rows), metrics, source, prepared.notes + without, prepared.rows)


def from_evidence(contents: Mapping[str, bytes], gate: Gate) -> Evaluation | None:
    """The candidate's evaluation by the best evidence there is, None if there is none.

    Keys as in `run.Evidence`. Best first: `candidate_scores`; `scored`, which must agree with
    `evaluation` where both are there, else Misconfigured; `evaluation` alone.
    """
    if "candidate_scores" in contents:
        return _of_gate(contents["candidate_scores"], gate, "staging rows")
    reported = from_table(contents["evaluation"]) if "evaluation" in contents else None
    if "scored" not in contents:
        return reported
    recomputed = _of_gate(contents["scored"], gate, "scored holdout")
    problems = agree(recomputed, reported) if reported else []
    if problems:
        raise Misconfigured(
            f"the evaluation table and the scored holdout disagree: {'; '.join(problems)}; "
            "see that the training service puts out both of the same rows, and that `gate.label`, "
            "`gate.task` and `gate.positive` are right"
        )
    return recomputed


def champion_from_evidence(contents: Mapping[str, bytes], gate: Gate) -> Evaluation | None:
    """The champion's evaluation on the rows that it scored for this run, None if it did not."""
    if "champion_scores" not in contents:
        return None
    return _of_gate(contents["champion_scores"], gate, "staging rows")


def agree(recomputed: Evaluation, reported: Evaluation) -> list[str]:
    """Problems: metrics that both have and that differ by more than `AGREEMENT`."""
    both = [name for name in reported.metrics if name in recomputed.metrics]
    if not both and recomputed.metrics and reported.metrics:
        return [
            f"they have no metric in common (computed: {', '.join(recomputed.metrics)}; "
            f"reported: {', '.join(reported.metrics)})"
        ]
    return [
        f"{name} is {recomputed.metrics[name]!r} when computed from the rows, "
        f"and is reported as {reported.metrics[name]!r}"
        for name in both
        if not _close(recomputed.metrics[name], reported.metrics[name])
    ]


def _close(computed: float, reported: float) -> bool:
    return abs(computed - reported) <= AGREEMENT * max(1.0, abs(reported))


def _of_gate(content: bytes, gate: Gate, source: Source) -> Evaluation:
    return from_scores(
        content, label=gate.label, task=gate.task, positive=gate.positive, source=source
    )


def _rows_reported(cells: Mapping[str, str | None]) -> int:
    rows = tables.number(cells.get("rows"))
    return int(rows) if rows is not None and rows >= 0 else 0
