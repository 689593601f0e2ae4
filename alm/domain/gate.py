"""The gate: is a candidate good enough? A verdict with its reasons and numbers.

Nothing passes because something is missing: a metric without a value, too few rows, a champion that
did not answer the same rows make a verdict inconclusive, and it says what to declare or deliver.
Rejected wins over inconclusive, inconclusive over accepted. The same evidence, gate and seed give
the identical verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from alm.domain import evaluation
from alm.domain.comparison import RESAMPLES, Interval, better_by, differing_rows, intervals
from alm.domain.evaluation import Evaluation
from alm.domain.managed_model import Gate, Metric
from alm.domain.verdicts import (
    VERDICTS,
    Accepted,
    Case,
    Inconclusive,
    Judged,
    Numbers,
    Rejected,
    Result,
    Verdict,
    verdict_document,
    verdict_from,
)

__all__ = [
    "Accepted",
    "Inconclusive",
    "Judged",
    "Numbers",
    "Rejected",
    "Verdict",
    "judge",
    "judge_again",
    "verdict_document",
    "verdict_from",
]

RANK: tuple[Result, ...] = ("rejected", "inconclusive", "accepted", "not judged")
DIGITS = 10  # compared with so many: the last bits of a sum depend on the processor
SKIPPED_SHARE_MAX = 0.1  # beyond, an interval only describes the resamples that were lucky

DELIVER = (
    "declare `staging` and `gate.rows_blob`, or `training.outputs.scored` or `.evaluation`; beside "
    "a dropped model deliver `{name}.evaluation.csv`; or declare `gate.kind: smoke-only`"
)
SAME_ROWS = (
    "declare `staging` and `gate.rows_blob`, so that both answer the same rows, or `gate.compare: "
    "stored` to compare numbers from different rows"
)

Finding = tuple[Result, str]


@dataclass(frozen=True)
class Compared:
    """How the comparison with the champion was made; `why` is said in every verdict.

    `numbers` compares two numbers without an interval; `impossible`: it must be, and cannot.
    """

    how: Literal["not", "same-rows", "numbers", "impossible"]
    why: str
    intervals: Mapping[str, Interval] = field(default_factory=dict)


def judge(
    candidate: Evaluation | None, champion: Evaluation | None, gate: Gate, seed: str
) -> Verdict:
    """Apply thresholds, and compare with the champion as the gate declares.

    champion None: there is none. One without numbers (`evaluation.missing`) cannot be compared
    with: inconclusive where the gate compares. seed: the run's id; it decides the resampling.
    """
    case = Case(gate, seed, _brief(candidate), _brief(champion))
    if gate.kind == "smoke-only":
        return Accepted(("nothing was judged: the gate is declared `smoke-only`",), (), case)
    obstacle = _obstacle(candidate, gate)
    if candidate is None or obstacle:
        return Inconclusive((obstacle,), (), case)
    compared = _compare(candidate, champion, gate, seed)
    judged = tuple(_judged(metric, candidate, champion, compared) for metric in gate.metrics)
    result, reasons = _conclude(judged)
    reasons += [compared.why, *_caveats(candidate)]
    return VERDICTS[result](tuple(reasons), judged, case)


def judge_again(document: Mapping[str, Any], contents: Mapping[str, bytes]) -> Verdict:
    """Judge anew what a verdict's document describes, from the bytes of its evidence.

    Keys of `contents` as in `run.Evidence`: candidate_scores, champion_scores, scored, evaluation.
    A champion that scored no rows for this verdict is taken as the document has it.
    """
    case = verdict_from(document).case
    candidate = evaluation.from_evidence(contents, case.gate)
    champion = evaluation.champion_from_evidence(contents, case.gate) or case.champion
    return judge(candidate, champion, case.gate, case.seed)


def _brief(side: Evaluation | None) -> Evaluation | None:
    return side.summary if side else None


def _obstacle(candidate: Evaluation | None, gate: Gate) -> str:
    """Say why nothing can be judged at all, "" if something can."""
    if not gate.metrics:
        return "the gate names no metric: declare `gate.metrics`, or `gate.kind: smoke-only`"
    if candidate is None:
        return f"there is no evidence about the candidate: {DELIVER}"
    if candidate.rows < gate.rows_min and _rows_known(candidate):
        return (
            f"the candidate was evaluated on {candidate.rows} rows ({candidate.source}), the gate "
            f"needs {gate.rows_min}: deliver more, or lower `gate.rows_min`"
        )
    return ""


def _rows_known(candidate: Evaluation) -> bool:
    return candidate.rows > 0 or candidate.source != "evaluation table"


def _caveats(candidate: Evaluation) -> list[str]:
    if _rows_known(candidate):
        return []
    return [
        "the evaluation table does not say how many rows it rests on: `gate.rows_min` was not "
        "checked"
    ]


def _compare(candidate: Evaluation, champion: Evaluation | None, gate: Gate, seed: str) -> Compared:
    names = [metric.name for metric in gate.metrics if metric.max_regression is not None]
    if champion is None:
        return Compared("not", "there is no champion to compare with: only thresholds apply")
    if gate.compare == "none":
        return Compared("not", "not compared with the champion (`gate.compare: none`)")
    if not names:
        return Compared("not", "not compared with the champion: no metric has `max_regression`")
    if not champion.metrics:
        return Compared("impossible", "; ".join((*champion.notes, SAME_ROWS)))
    if candidate.scored is None or champion.scored is None:
        different = "their rows are not there"
    else:
        different = differing_rows(candidate.scored, champion.scored)
        if not different:
            found = intervals(
                candidate.scored, champion.scored, names, confidence=gate.confidence, seed=seed
            )
            why = f"both answered the same {candidate.rows} rows; {gate.confidence:.0%} intervals"
            return Compared("same-rows", why, found)
    if gate.compare == "stored":
        return Compared(
            "numbers",
            "the champion's numbers are stored ones, of other rows than the candidate's: a "
            "difference may come from the rows, and has no interval",
        )
    return Compared("impossible", f"not known to be the same rows: {different}; {SAME_ROWS}")


def _judged(
    metric: Metric, candidate: Evaluation, champion: Evaluation | None, compared: Compared
) -> Judged:
    numbers = _numbers(metric.name, candidate, champion, compared)
    if numbers.candidate is None:
        return Judged(metric, numbers, "inconclusive", _absent(metric.name, candidate))
    findings = _limits(metric, numbers.candidate)
    if metric.max_regression is not None and compared.how != "not":
        findings.append(_regression(metric.max_regression, numbers, compared.how))
    results: list[Result] = [found for found, _ in findings] or ["not judged"]
    result = min(results, key=RANK.index)
    whys = [why for found, why in findings if found == result] or ["nothing to judge it by"]
    return Judged(
        metric, numbers, result, f"{metric.name} is {_shown(numbers.candidate)}, {'; '.join(whys)}"
    )


def _numbers(
    name: str, candidate: Evaluation, champion: Evaluation | None, compared: Compared
) -> Numbers:
    value = _rounded(candidate.metrics.get(name))
    other = _rounded(champion.metrics.get(name)) if champion else None
    if value is None or other is None or compared.how not in ("same-rows", "numbers"):
        return Numbers(value, other)
    scale = max(abs(value), abs(other))
    difference = _rounded(better_by(name, value, other), scale)
    interval = compared.intervals.get(name, Interval(None, None, 0))
    low, high = _rounded(interval.low, scale), _rounded(interval.high, scale)
    return Numbers(value, other, difference, low, high, interval.skipped)


def _limits(metric: Metric, value: float) -> list[Finding]:
    findings: list[Finding] = []
    if metric.min is not None:
        passed = value >= metric.min
        findings.append(
            ("accepted", f"at least {_shown(metric.min)}")
            if passed
            else ("rejected", f"below the minimum {_shown(metric.min)}")
        )
    if metric.max is not None:
        passed = value <= metric.max
        findings.append(
            ("accepted", f"at most {_shown(metric.max)}")
            if passed
            else ("rejected", f"above the maximum {_shown(metric.max)}")
        )
    return findings


def _regression(allowed: float, numbers: Numbers, how: str) -> Finding:
    """Whether the candidate is worse than the champion by more than is allowed."""
    if how == "impossible":
        return "inconclusive", "which could not be compared with the champion's"
    if numbers.difference is None:
        return "inconclusive", "and the champion has no such number to compare with"
    said = f"{_difference(numbers.difference)} the champion's {_shown(numbers.champion)}"
    limit = f"at most {_shown(allowed)} worse is allowed"
    if how == "numbers":
        result: Result = "accepted" if numbers.difference >= -allowed else "rejected"
        return result, f"{said} ({limit})"
    if numbers.low is None or numbers.high is None or _too_many(numbers.skipped):
        return "inconclusive", (
            f"{said}, and has no value in {numbers.skipped} of {RESAMPLES} resamples: deliver more "
            "rows of each class in `gate.rows_blob`"
        )
    said += f", interval {_shown(numbers.low)} to {_shown(numbers.high)} ({limit})"
    if numbers.low >= -allowed:
        return "accepted", said
    if numbers.high < -allowed:
        return "rejected", said
    return "inconclusive", f"{said}: too uncertain to tell, more rows would narrow the interval"


def _too_many(skipped: int) -> bool:
    return skipped > SKIPPED_SHARE_MAX * RESAMPLES


def _absent(name: str, candidate: Evaluation) -> str:
    """Say that a metric is not there, what is, why, and what to do."""
    there = ", ".join(sorted(candidate.metrics)) or "none"
    notes = f"; {'; '.join(candidate.notes)}" if candidate.notes else ""
    return (
        f"{name} is not in the evidence ({candidate.source}; metrics there: {there}{notes}): name "
        f"a metric that is there, or {DELIVER}"
    )


def _conclude(judged: tuple[Judged, ...]) -> tuple[str, list[str]]:
    """The worst result of all metrics, and the reasons for it."""
    result = min((item.result for item in judged), key=RANK.index)
    if result == "not judged":
        why = "no metric was judged: declare `min` or `max`, or approve this candidate by hand"
        return "inconclusive", [why]
    if result == "accepted":
        return result, [item.why for item in judged]
    return result, [item.why for item in judged if item.result == result]


def _rounded(value: float | None, scale: float = 0.0) -> float | None:
    """A number as it is compared and kept: 0.85 - 0.9 is -0.05, and 0.9 - 0.9 is 0, everywhere.

    scale: how large the numbers were whose difference it is; what is nothing beside it is 0.
    """
    if value is None:
        return None
    if abs(value) < scale * 10**-DIGITS:
        return 0.0
    return float(f"{value:.{DIGITS}g}")


def _shown(value: float | None) -> str:
    return f"{value:.6g}"


def _difference(value: float) -> str:
    if not value:
        return "the same as"
    return f"{_shown(abs(value))} {'worse' if value < 0 else 'better'} than"
