"""The gate's verdict for every kind of evidence, and that it can be computed again."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alm.domain import evaluation, gate
from alm.domain.comparison import RESAMPLES, intervals
from alm.domain.errors import Refused
from alm.domain.evaluation import Evaluation
from alm.domain.gate import Accepted, Inconclusive, Rejected, judge
from alm.domain.managed_model import Gate, Metric

SEED = "run-1"


def scored_csv(rows: int, noise: float, seed: int = 1, labels_from: int = 7) -> bytes:
    """Scored rows of a model that is the worse the noisier it is; labels are the same for all."""
    labels = np.random.default_rng(labels_from).integers(0, 2, rows)
    draws = np.random.default_rng(seed).normal(labels, noise)
    chances = 1 / (1 + np.exp(-4 * (draws - 0.5)))
    lines = [
        f"{place},{label},{int(chance >= 0.5)},{float(chance)!r}"
        for place, (label, chance) in enumerate(zip(labels, chances, strict=True))
    ]
    return "\n".join(["id,y,Scored Labels,Scored Probabilities", *lines]).encode()


def scores(content: bytes) -> Evaluation:
    return evaluation.from_scores(content, label="y", task="two-class", positive="1")


def table(**metrics: float) -> Evaluation:
    return Evaluation(0, metrics, "evaluation table")


def rules(*metrics: Metric, **changes: object) -> Gate:
    return Gate(label="y", metrics=metrics).model_copy(update=changes)


AUC = Metric(name="auc", max_regression=0.01)
GOOD = scored_csv(300, 0.3)
AS_GOOD = scored_csv(300, 0.3, seed=2)
BAD = scored_csv(300, 3.0)
SAME_ROWS = rules(AUC, compare="same-rows")


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        (Metric(name="auc", min=0.8), 0.9, Accepted),
        (Metric(name="auc", min=0.8), 0.8, Accepted),
        (Metric(name="auc", min=0.8), 0.79999, Rejected),
        (Metric(name="mae", max=2), 2.0, Accepted),
        (Metric(name="mae", max=0.3), 0.1 + 0.2, Accepted),
        (Metric(name="mae", max=2), 2.0001, Rejected),
        (Metric(name="mae", min=1, max=2), 0.5, Rejected),
        (Metric(name="mae", min=1, max=2), 1.5, Accepted),
        (Metric(name="auc"), 0.9, Inconclusive),
    ],
)
def test_thresholds_are_inclusive(metric: Metric, value: float, expected: type) -> None:
    verdict = judge(table(**{metric.name: value}), None, rules(metric), SEED)

    assert type(verdict) is expected


@pytest.mark.parametrize(
    ("champion", "candidate", "allowed", "expected"),
    [
        (0.90, 0.95, 0.0, Accepted),
        (0.90, 0.90, 0.0, Accepted),
        (0.90, 0.85, 0.05, Accepted),
        (0.90, 0.84, 0.05, Rejected),
        (0.90, 0.91, -0.02, Rejected),
    ],
)
@pytest.mark.parametrize("name", ["auc", "mae"])
def test_stored_numbers_are_compared_in_the_direction_of_the_metric(
    name: str, champion: float, candidate: float, allowed: float, expected: type
) -> None:
    turn = -1 if name == "mae" else 1
    metric = Metric(name=name, max_regression=allowed)  # type: ignore[arg-type]

    verdict = judge(
        table(**{name: 10 + turn * candidate}),
        table(**{name: 10 + turn * champion}),
        rules(metric, compare="stored"),
        SEED,
    )

    assert type(verdict) is expected
    assert any("other rows" in reason for reason in verdict.reasons)
    assert verdict.judged[0].numbers.difference == pytest.approx(candidate - champion)
    assert verdict.judged[0].numbers.low is None


@pytest.mark.parametrize(
    ("candidate", "champion", "expected"),
    [
        (GOOD, GOOD, Accepted),
        (GOOD, BAD, Accepted),
        (BAD, GOOD, Rejected),
        (scored_csv(40, 0.6, seed=5), scored_csv(40, 0.6, seed=6), Inconclusive),
    ],
)
def test_the_same_rows_are_compared_with_an_interval(
    candidate: bytes, champion: bytes, expected: type
) -> None:
    verdict = judge(scores(candidate), scores(champion), SAME_ROWS, SEED)

    numbers = verdict.judged[0].numbers
    assert type(verdict) is expected
    assert numbers.low is not None
    assert numbers.high is not None
    assert numbers.difference is not None
    assert numbers.low <= numbers.difference <= numbers.high


@pytest.mark.parametrize(
    ("champion", "said"),
    [
        (scored_csv(299, 0.3), "the candidate answered 300 rows and the champion 299"),
        (scored_csv(300, 0.3, labels_from=8), "differs in 'y'"),
        (GOOD.replace(b"\n9,", b"\n9000,"), "row 10 differs in 'id' ('9' and '9000')"),
    ],
)
def test_other_rows_are_not_compared_as_the_same(champion: bytes, said: str) -> None:
    verdict = judge(scores(GOOD), scores(champion), SAME_ROWS, SEED)

    assert isinstance(verdict, Inconclusive)
    assert any(said in reason for reason in verdict.reasons)
    assert any("`gate.rows_blob`" in reason for reason in verdict.reasons)


def test_the_same_number_in_other_digits_is_the_same_row() -> None:
    rewritten = GOOD.replace(b"\n9,", b"\n9.0,")

    assert isinstance(judge(scores(GOOD), scores(rewritten), SAME_ROWS, SEED), Accepted)


def test_an_identical_model_passes_where_nothing_worse_is_allowed() -> None:
    metric = Metric(name="auc", max_regression=0)

    verdict = judge(scores(GOOD), scores(GOOD), rules(metric, compare="same-rows"), SEED)

    assert isinstance(verdict, Accepted)
    assert (verdict.judged[0].numbers.low, verdict.judged[0].numbers.high) == (0, 0)
    assert "the same as the champion's" in verdict.judged[0].why


def off_by(error: float) -> Evaluation:
    lines = [f"{place / 10},{place / 10 + error!r}" for place in range(60)]
    content = "\n".join(["y,Scored Labels", *lines]).encode()
    return evaluation.from_scores(content, label="y", task="regression", positive="")


@pytest.mark.parametrize(
    ("candidate", "champion", "expected"),
    [
        (0.3, -0.3, Accepted),  # alike but for rounding
        (-0.3, 0.3, Accepted),
        (0.2, 0.3, Accepted),
        (0.4, 0.3, Rejected),
    ],
)
@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_errors_on_the_same_rows_are_better_when_they_are_lower(
    name: Any, candidate: float, champion: float, expected: type
) -> None:
    rule = rules(Metric(name=name, max_regression=0), compare="same-rows", task="regression")

    verdict = judge(off_by(candidate), off_by(champion), rule, SEED)

    difference = verdict.judged[0].numbers.difference
    assert type(verdict) is expected
    assert difference == pytest.approx(abs(champion) - abs(candidate))


def test_exactly_as_many_rows_as_the_gate_needs_are_enough() -> None:
    rule = rules(Metric(name="auc", min=0.1), rows_min=30)

    assert isinstance(judge(scores(scored_csv(30, 0.3)), None, rule, SEED), Accepted)


def test_where_stored_numbers_are_allowed_the_same_rows_are_still_preferred() -> None:
    verdict = judge(scores(BAD), scores(GOOD), rules(AUC, compare="stored"), SEED)

    assert isinstance(verdict, Rejected)
    assert verdict.judged[0].numbers.low is not None
    assert "both answered the same 300 rows; 95% intervals" in verdict.reasons


@pytest.mark.parametrize(
    ("candidate", "champion", "rules", "said"),
    [
        (None, None, rules(AUC), "no evidence about the candidate: declare `staging`"),
        (table(auc=0.9), None, rules(), "the gate names no metric"),
        (table(auc=0.9), None, rules(Metric(name="auc")), "no metric was judged"),
        (table(auc=0.9), None, SAME_ROWS, "there is no champion to compare with"),
        (table(auc=0.9), None, rules(Metric(name="f_score", min=0.1)), "f_score is not in the"),
        (table(auc=0.9), table(auc=0.8), SAME_ROWS, "their rows are not there; declare `staging`"),
        (
            table(auc=0.9),
            evaluation.missing("champion v3 did not answer the gate's rows"),
            SAME_ROWS,
            "champion v3 did not answer the gate's rows",
        ),
        (
            table(auc=0.9),
            table(accuracy=0.8),
            rules(AUC, compare="stored"),
            "the champion has no such number",
        ),
        (
            scores(scored_csv(29, 0.3)),
            None,
            rules(Metric(name="auc", min=0.1)),
            "evaluated on 29 rows (staging rows), the gate needs 30",
        ),
        (
            scores(b"y,Scored Labels\n"),
            None,
            rules(Metric(name="auc", min=0.1)),
            "evaluated on 0 rows (staging rows)",
        ),
        (
            Evaluation(12, {"auc": 0.9}, "evaluation table"),
            None,
            rules(Metric(name="auc", min=0.1)),
            "evaluated on 12 rows (evaluation table)",
        ),
        (
            scores(GOOD.replace(b"Probabilities", b"Probability")),
            None,
            rules(Metric(name="auc", min=0.1)),
            "there is no column 'Scored Probabilities'",
        ),
    ],
)
def test_what_is_missing_never_passes_and_is_named(
    candidate: Evaluation | None, champion: Evaluation | None, rules: Gate, said: str
) -> None:
    verdict = judge(candidate, champion, rules, SEED)

    assert isinstance(verdict, Inconclusive)
    assert any(said in reason for reason in verdict.reasons), verdict.reasons


def test_without_a_champion_thresholds_decide_and_it_is_said() -> None:
    metric = Metric(name="auc", min=0.8, max_regression=0.01)

    verdict = judge(scores(GOOD), None, rules(metric, compare="same-rows"), SEED)

    assert isinstance(verdict, Accepted)
    assert "there is no champion to compare with: only thresholds apply" in verdict.reasons


def test_an_evaluation_table_does_not_say_on_how_many_rows_and_the_verdict_does() -> None:
    verdict = judge(table(auc=0.9), None, rules(Metric(name="auc", min=0.8)), SEED)

    assert isinstance(verdict, Accepted)
    assert any("`gate.rows_min` was not checked" in reason for reason in verdict.reasons)


def test_a_smoke_only_gate_says_that_nothing_was_judged() -> None:
    verdict = judge(None, None, Gate(kind="smoke-only"), SEED)

    assert isinstance(verdict, Accepted)
    assert "nothing was judged" in verdict.reasons[0]


def test_rejected_wins_over_inconclusive_and_inconclusive_over_accepted() -> None:
    low, there, absent = (
        Metric(name="auc", min=0.99),
        Metric(name="accuracy", min=0.1),
        Metric(name="mae", max=1),
    )
    candidate = table(auc=0.9, accuracy=0.9)

    assert isinstance(judge(candidate, None, rules(absent, there, low), SEED), Rejected)
    assert isinstance(judge(candidate, None, rules(there, absent), SEED), Inconclusive)
    assert isinstance(judge(candidate, None, rules(there), SEED), Accepted)


def test_a_threshold_rejects_although_the_comparison_is_in_doubt() -> None:
    metric = Metric(name="auc", min=0.99, max_regression=0.01)
    uncertain = scores(scored_csv(40, 0.6, seed=5)), scores(scored_csv(40, 0.6, seed=6))

    verdict = judge(*uncertain, rules(metric, compare="same-rows"), SEED)

    assert isinstance(verdict, Rejected)
    assert "below the minimum 0.99" in verdict.reasons[0]


def with_one_positive(rows: int) -> bytes:
    lines = [f"{int(place == 0)},{int(place == 0)},{0.9 - place / rows}" for place in range(rows)]
    return "\n".join(["y,Scored Labels,Scored Probabilities", *lines]).encode()


def test_resamples_without_a_value_are_counted_and_too_many_decide_nothing() -> None:
    evaluated = scores(with_one_positive(60))

    verdict = judge(evaluated, evaluated, SAME_ROWS, SEED)

    skipped = verdict.judged[0].numbers.skipped
    assert isinstance(verdict, Inconclusive)
    assert skipped / RESAMPLES == pytest.approx((1 - 1 / 60) ** 60, abs=0.05)
    assert any(f"no value in {skipped} of 1000 resamples" in reason for reason in verdict.reasons)


EVIDENCE = [
    (SAME_ROWS, {"candidate_scores": AS_GOOD, "champion_scores": GOOD}, None),
    (SAME_ROWS, {"candidate_scores": BAD, "champion_scores": GOOD}, None),
    (SAME_ROWS, {"scored": GOOD}, None),
    (rules(AUC, compare="stored"), {"evaluation": b"AUC\n0.91\n"}, table(auc=0.92)),
    (SAME_ROWS, {"evaluation": b"AUC\n0.91\n"}, evaluation.missing("v3 was not rehearsed")),
    (rules(), {}, None),
    (Gate(kind="smoke-only"), {}, None),
]


@pytest.mark.parametrize(("rules", "contents", "stored"), EVIDENCE)
def test_a_verdict_is_the_same_when_judged_again_from_its_document_and_evidence(
    rules: Gate, contents: dict[str, bytes], stored: Evaluation | None
) -> None:
    candidate = evaluation.from_evidence(contents, rules)
    champion = evaluation.champion_from_evidence(contents, rules) or stored
    verdict = judge(candidate, champion, rules, SEED)
    paths = {name: f"alm-jobs/churn/run-1/{name}.csv" for name in contents}

    document = json.loads(json.dumps(gate.verdict_document(verdict, paths), allow_nan=False))

    assert gate.verdict_from(document) == verdict
    assert gate.judge_again(document, contents) == verdict
    assert document["evidence"] == paths


def test_a_document_says_what_people_look_for() -> None:
    verdict = judge(scores(BAD), scores(GOOD), SAME_ROWS, SEED)

    document = gate.verdict_document(verdict, {})

    assert document["verdict"] == "rejected"
    assert document["seed"] == SEED
    expected = {"name", "min", "max", "max_regression", "candidate", "champion", "difference"}
    assert expected < document["metrics"][0].keys()


def test_a_document_of_another_schema_is_refused() -> None:
    with pytest.raises(Refused, match="not a verdict of schema 1"):
        gate.verdict_from({"schema": 2, "verdict": "accepted"})


def test_another_seed_draws_other_rows() -> None:
    sides = scores(AS_GOOD), scores(GOOD)

    one, other = (judge(*sides, SAME_ROWS, seed).judged[0].numbers for seed in ("a", "b"))

    assert (one.low, one.high) != (other.low, other.high)
    assert one.low == pytest.approx(other.low, abs=0.01)


def test_the_interval_is_that_of_a_plain_bootstrap() -> None:
    candidate, champion = scores(scored_csv(200, 0.6, seed=3)), scores(scored_csv(200, 0.5, seed=4))
    assert candidate.scored is not None
    assert champion.scored is not None
    right = [
        np.array(side.scored.actual) == np.array(side.scored.answered)
        for side in (candidate, champion)
        if side.scored
    ]
    drawn = np.random.default_rng(0).integers(0, 200, (20_000, 200))
    plain = np.quantile((right[0][drawn] * 1.0 - right[1][drawn]).mean(axis=1), [0.05, 0.95])

    found = intervals(candidate.scored, champion.scored, ["accuracy"], confidence=0.9, seed=SEED)[
        "accuracy"
    ]

    assert (found.low, found.high) == pytest.approx(tuple(plain), abs=0.012)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 50), st.integers(0, 50), st.floats(0.2, 2.0))
def test_who_beats_the_champion_is_never_rejected_and_the_reverse_never_accepted(
    ours: int, theirs: int, noise: float
) -> None:
    one, other = (
        scores(scored_csv(60, noise, seed=ours)),
        scores(scored_csv(60, noise, seed=theirs)),
    )
    better, worse = sorted((one, other), key=lambda side: side.metrics["accuracy"], reverse=True)
    rule = rules(Metric(name="accuracy", max_regression=0.0), compare="same-rows")

    assert not isinstance(judge(better, worse, rule, SEED), Rejected)
    if better.metrics["accuracy"] > worse.metrics["accuracy"]:
        assert not isinstance(judge(worse, better, rule, SEED), Accepted)


def test_twenty_thousand_rows_are_judged_within_seconds() -> None:
    sides = scores(scored_csv(20_000, 0.5, seed=1)), scores(scored_csv(20_000, 0.5, seed=2))
    metrics = [
        Metric(name=name, max_regression=0.01)  # type: ignore[arg-type]
        for name in ("auc", "log_loss", "f_score")
    ]

    began = time.process_time()
    judge(*sides, rules(*metrics, compare="same-rows"), SEED)

    assert time.process_time() - began < 12  # CPU of all threads; 2 s measured on two quiet cores


def test_importing_the_gate_does_not_import_numpy() -> None:
    program = "import sys, alm.domain.gate, alm.domain.smoke; sys.exit('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
