"""Evaluations: read from Studio's tables, computed from scored rows, compared with each other."""

from __future__ import annotations

import pytest
from sklearn import metrics as sklearn_metrics

from alm.domain import evaluation
from alm.domain.errors import Misconfigured, Refused
from alm.domain.evaluation import Evaluation
from alm.domain.managed_model import Gate
from alm.domain.metrics import Task

TWO_CLASS = b"""Accuracy,Precision,Recall,F-Score,AUC,Average Log Loss,Training Log Loss
0.9,0.8,0.7,0.75,0.95,0.3,55.1
"""
MULTI_CLASS = b"""Overall accuracy,Average accuracy,Micro-averaged precision,\
Macro-averaged precision,Micro-averaged recall,Macro-averaged recall
0.8,0.9,0.8,0.7,0.8,0.6
"""
REGRESSION = b"""Mean Absolute Error,Root Mean Squared Error,Relative Absolute Error,\
Relative Squared Error,Coefficient of Determination
1.5,2.5,0.4,0.2,0.8
"""
SCORED = b"""x,y,Scored Labels,Scored Probabilities
1,no,no,0.1
2,no,yes,0.6
3,yes,yes,0.8
4,yes,no,0.4
5,yes,yes,0.9
"""


def scored(content: bytes, task: Task = "two-class", positive: str = "yes") -> Evaluation:
    return evaluation.from_scores(content, label="y", task=task, positive=positive)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            TWO_CLASS,
            {
                "accuracy": 0.9,
                "precision": 0.8,
                "recall": 0.7,
                "f_score": 0.75,
                "auc": 0.95,
                "log_loss": 0.3,
            },
        ),
        (
            MULTI_CLASS,
            {
                "accuracy": 0.8,
                "average_accuracy": 0.9,
                "micro_precision": 0.8,
                "precision": 0.7,
                "micro_recall": 0.8,
                "recall": 0.6,
            },
        ),
        (REGRESSION, {"mae": 1.5, "rmse": 2.5, "rae": 0.4, "rse": 0.2, "r2": 0.8}),
        (b"f1 score\tAUC \n0.5\t0.6\n", {"f_score": 0.5, "auc": 0.6}),
        (b"F1-SCORE,root mean squared-error\n0.5,2e3\n", {"f_score": 0.5, "rmse": 2000.0}),
    ],
)
def test_evaluation_tables_are_read(content: bytes, expected: dict[str, float]) -> None:
    read = evaluation.from_table(content)

    assert expected == read.metrics
    assert (read.rows, read.source, read.notes) == (0, "evaluation table", ())


@pytest.mark.parametrize("cell", ["", "NaN", "inf", "-Infinity", "?"])
def test_a_metric_without_a_number_is_absent_and_noted(cell: str) -> None:
    read = evaluation.from_table(f"AUC,Accuracy\n{cell},0.9\n".encode())

    assert read.metrics == {"accuracy": 0.9}
    assert read.notes == ("auc is not a number in the evaluation table",)


def test_a_table_may_say_how_many_rows_it_rests_on() -> None:
    assert evaluation.from_table(b"AUC,Rows\n0.9,120\n").rows == 120


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"AUC\n0.9\n0.8\n", "has 2 rows, one is needed"),
        (b"AUC\n", "has 0 rows, one is needed"),
        (b"Colour,Size\nred,1\n", "has no metric (it has 'Colour', 'Size')"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_evaluation_table_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(Refused) as refused:
        evaluation.from_table(content)

    assert said in str(refused.value)


def test_two_class_rows_are_measured() -> None:
    actual, chances = [0, 0, 1, 1, 1], [0.1, 0.6, 0.8, 0.4, 0.9]

    computed = scored(SCORED)

    expected = {
        "accuracy": 3 / 5,
        "precision": 2 / 3,
        "recall": 2 / 3,
        "f_score": 2 / 3,
        "auc": sklearn_metrics.roc_auc_score(actual, chances),
        "log_loss": sklearn_metrics.log_loss(actual, chances),
    }
    assert expected == pytest.approx(computed.metrics)
    assert (computed.rows, computed.source, computed.notes) == (5, "staging rows", ())


def test_labels_are_the_same_however_they_are_written() -> None:
    rows = b"y,Scored Labels,Scored Probabilities\n1,1.0,0.9\n0,0.0,0.2\n1.0,0,0.4\n"

    assert scored(rows, positive="1").metrics["accuracy"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("column", ["Scored Label Mean", "Scored Labels", "scored labels"])
def test_regression_rows_are_measured_by_either_column(column: str) -> None:
    rows = f"y,{column}\n1,2\n2,2\n4,3\n".encode()

    assert scored(rows, "regression").metrics["mae"] == pytest.approx(2 / 3)


def test_multi_class_rows_know_all_classes_of_the_model() -> None:
    rows = (
        b'y,"Scored Probabilities for Class ""a""","Scored Probabilities for Class ""b""",'
        b'"Scored Probabilities for Class ""c""",Scored Labels\n'
        b"a,0.7,0.2,0.1,a\nb,0.1,0.8,0.1,b\n"
    )

    computed = scored(rows, "multi-class")

    assert computed.metrics["precision"] == pytest.approx(2 / 3)
    assert sklearn_metrics.log_loss(
        ["a", "b"], [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]], labels=["a", "b", "c"]
    ) == pytest.approx(computed.metrics["log_loss"])


@pytest.mark.parametrize(
    ("rows", "task", "note"),
    [
        ("y,Scored Labels\n", "two-class", "no row was scored"),
        ("y,Scored Labels\nyes,yes\n,no\n", "two-class", "'y' has no value in 1 of 2 rows"),
        ("y,Scored Labels\nyes,\nno,no\n", "two-class", "'Scored Labels' has no value in 1 of 2"),
        ("y,Scored Labels\na,b\nc,a\n", "two-class", "'a', 'b', 'c', not two classes"),
        ("y,Scored Labels\n1,2\n3,many\n", "regression", "no finite number in 1 of 2 rows (first"),
        ("y,Scored Labels\n1,inf\n", "regression", "'Scored Labels' has no finite number"),
    ],
)
def test_rows_that_cannot_be_measured_are_noted_and_never_left_out(
    rows: str, task: Task, note: str
) -> None:
    computed = scored(rows.encode(), task)

    assert (computed.metrics, computed.scored) == ({}, None)
    assert note in computed.notes[0]


@pytest.mark.parametrize(
    ("rows", "positive", "absent", "note"),
    [
        ("y,Scored Labels\nyes,yes\nno,no\n", "yes", "auc", "no column 'Scored Probabilities'"),
        (
            "y,Scored Labels,Scored Probabilities\nyes,yes,0.9\nno,no,\n",
            "yes",
            "auc",
            "'Scored Probabilities' has no value in 1 of 2 rows (first: row 2)",
        ),
        (
            SCORED.decode(),
            "Yes!",
            "precision",
            "no row is labelled 'Yes!' (labels are 'no', 'yes')",
        ),
        (SCORED.decode(), "no", "auc", "they are of the other class"),
        (
            "y,Scored Labels,Scored Probabilities\nyes,yes,0.9\nyes,no,0.2\n",
            "yes",
            "auc",
            "auc has no value: all rows are of one class",
        ),
        (
            "y,Scored Labels,Scored Probabilities\nyes,yes,1.9\nno,no,0.2\n",
            "yes",
            "log_loss",
            "log_loss has no value: a probability lies outside 0 to 1",
        ),
    ],
)
def test_a_metric_that_rows_have_no_value_for_is_absent_and_noted(
    rows: str, positive: str, absent: str, note: str
) -> None:
    computed = scored(rows.encode(), positive=positive)

    assert absent not in computed.metrics
    assert "accuracy" in computed.metrics
    assert note in "; ".join(computed.notes)


@pytest.mark.parametrize(
    ("label", "task", "said"),
    [
        ("", "two-class", "declare `gate.label` (columns are 'x', 'y',"),
        ("z", "two-class", "no label column 'z' (they have 'x', 'y',"),
    ],
)
def test_a_label_that_is_not_there_is_a_mistake_of_the_declaration(
    label: str, task: Task, said: str
) -> None:
    with pytest.raises(Misconfigured) as mistake:
        evaluation.from_scores(SCORED, label=label, task=task, positive="yes")

    assert said in str(mistake.value)


def test_rows_without_answers_are_a_mistake_of_the_service_or_the_task() -> None:
    with pytest.raises(Misconfigured, match="no column 'Scored Label Mean' or 'Scored Labels'"):
        scored(b"y,x\n1,2\n", "regression")


@pytest.mark.parametrize(
    ("computed", "reported", "problems"),
    [
        ({"auc": 0.9}, {"auc": 0.9 + 5e-7}, 0),
        ({"auc": 0.9}, {"auc": 0.9 + 5e-6}, 1),
        ({"mae": 1e6}, {"mae": 1e6 + 0.5}, 0),
        ({"mae": 1e6}, {"mae": 1e6 + 5}, 1),
        ({"auc": 0.9}, {"auc": 0.9, "log_loss": 0.3}, 0),
        ({"auc": 0.1, "recall": 0.2}, {"auc": 0.9, "recall": 0.8}, 2),
        ({"auc": 0.9}, {"mae": 0.9}, 1),
        ({}, {"mae": 0.9}, 0),
    ],
)
def test_computed_and_reported_metrics_agree_within_a_millionth(
    computed: dict[str, float], reported: dict[str, float], problems: int
) -> None:
    ours = Evaluation(5, computed, "scored holdout")
    theirs = Evaluation(0, reported, "evaluation table")

    assert problems == len(evaluation.agree(ours, theirs))


GATE = Gate(label="y", positive="yes")
AGREEING = b"Accuracy,Recall\n0.6,0.666666667\n"


@pytest.mark.parametrize(
    ("contents", "source"),
    [
        ({"candidate_scores": SCORED, "scored": b"", "evaluation": b""}, "staging rows"),
        ({"scored": SCORED, "evaluation": AGREEING}, "scored holdout"),
        ({"scored": SCORED}, "scored holdout"),
        ({"evaluation": AGREEING}, "evaluation table"),
        ({"champion_scores": SCORED}, None),
    ],
)
def test_the_best_evidence_is_taken(contents: dict[str, bytes], source: str | None) -> None:
    taken = evaluation.from_evidence(contents, GATE)

    assert source == (taken.source if taken else None)


def test_a_holdout_that_belies_its_evaluation_table_is_no_evidence() -> None:
    with pytest.raises(Misconfigured, match=r"accuracy is 0\.6 .* reported as 0\.9"):
        evaluation.from_evidence({"scored": SCORED, "evaluation": TWO_CLASS}, GATE)
