"""Verdicts: what a gate found, as a value, and as the document that is kept with the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from alm.domain.errors import Refused
from alm.domain.evaluation import Evaluation
from alm.domain.managed_model import Gate, Metric

Result = Literal["rejected", "inconclusive", "accepted", "not judged"]

SCHEMA = 1


@dataclass(frozen=True)
class Numbers:
    """What a metric came to. difference, low, high: positive means that the candidate is better.

    skipped: resamples for which the metric has no value.
    """

    candidate: float | None = None
    champion: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    skipped: int = 0


@dataclass(frozen=True)
class Judged:
    """One metric of the gate: its rule, its numbers, and what follows."""

    rule: Metric
    numbers: Numbers
    result: Result
    why: str


@dataclass(frozen=True)
class Case:
    """What was put before the gate: its rules, the seed of resampling, both sides without rows."""

    gate: Gate
    seed: str
    candidate: Evaluation | None
    champion: Evaluation | None


@dataclass(frozen=True)
class _Verdict:
    """reasons: for people. judged: per metric of the gate, empty where none could be looked at."""

    reasons: tuple[str, ...]
    judged: tuple[Judged, ...]
    case: Case


@dataclass(frozen=True)
class Accepted(_Verdict):
    """Good enough."""


@dataclass(frozen=True)
class Rejected(_Verdict):
    """Shown not to be good enough."""


@dataclass(frozen=True)
class Inconclusive(_Verdict):
    """The evidence does not decide; a person does."""


Verdict = Accepted | Rejected | Inconclusive
VERDICTS: Mapping[str, type[Accepted] | type[Rejected] | type[Inconclusive]] = {
    "accepted": Accepted,
    "rejected": Rejected,
    "inconclusive": Inconclusive,
}


def verdict_document(verdict: Verdict, evidence: Mapping[str, object]) -> dict[str, Any]:
    """A verdict as JSON values: `gate.judge_again` gives the same one from it and the evidence.

    evidence: where each piece of evidence lies (blob paths); kept as it is.
    """
    return {
        "schema": SCHEMA,
        "verdict": type(verdict).__name__.lower(),
        "reasons": list(verdict.reasons),
        "metrics": [_judged_document(item) for item in verdict.judged],
        "gate": verdict.case.gate.model_dump(mode="json"),
        "seed": verdict.case.seed,
        "candidate": _evaluation_document(verdict.case.candidate),
        "champion": _evaluation_document(verdict.case.champion),
        "evidence": dict(evidence),
    }


def verdict_from(document: Mapping[str, Any]) -> Verdict:
    """The verdict that a document holds. Raises Refused for a document of another schema."""
    if document.get("schema") != SCHEMA or document.get("verdict") not in VERDICTS:
        raise Refused(
            f"not a verdict of schema {SCHEMA}: schema {document.get('schema')!r}, "
            f"verdict {document.get('verdict')!r}"
        )
    case = Case(
        gate=Gate.model_validate(document["gate"]),
        seed=document["seed"],
        candidate=_evaluation(document["candidate"]),
        champion=_evaluation(document["champion"]),
    )
    judged = tuple(_judged(item) for item in document["metrics"])
    return VERDICTS[document["verdict"]](tuple(document["reasons"]), judged, case)


def _judged_document(judged: Judged) -> dict[str, Any]:
    rule = judged.rule.model_dump(mode="json")
    return rule | asdict(judged.numbers) | {"result": judged.result, "why": judged.why}


def _judged(item: Mapping[str, Any]) -> Judged:
    return Judged(
        rule=Metric.model_validate({key: item[key] for key in Metric.model_fields}),
        numbers=Numbers(**{key: item[key] for key in Numbers.__dataclass_fields__}),
        result=item["result"],
        why=item["why"],
    )


def _evaluation_document(evaluation: Evaluation | None) -> dict[str, Any] | None:
    if evaluation is None:
        return None
    return {
        "rows": evaluation.rows,
        "metrics": dict(evaluation.metrics),
        "source": evaluation.source,
        "notes": list(evaluation.notes),
    }


def _evaluation(item: Mapping[str, Any] | None) -> Evaluation | None:
    if item is None:
        return None
    return Evaluation(
        rows=item["rows"],
        metrics=dict(item["metrics"]),
        source=item["source"],
        notes=tuple(item["notes"]),
    )
