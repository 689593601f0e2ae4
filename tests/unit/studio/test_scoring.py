"""Rows to the request/response service and back, and what its refusals mean."""

from __future__ import annotations

import pytest

from alm.adapters.studio.scoring import score
from alm.domain.errors import AlmError, Denied, Misconfigured, Refused, Unavailable, Unknown
from alm.ports import Row, Scores
from tests.unit.studio.scripted import Scripted, caller, error


def table(columns: object, values: object, output: str = "output1") -> tuple[int, object]:
    value = {"ColumnNames": columns, "Values": values} if columns else {"Values": values}
    return 200, {"Results": {output: {"type": "table", "value": value}}}


def ask(transport: Scripted, *rows: Row) -> Scores:
    return score(caller(transport), rows, input="input1", output="output1")


def test_rows_go_out_as_a_table_with_missing_cells_null() -> None:
    transport = Scripted(table(["Scored Labels"], [["a"], ["b"], ["c"]]))

    ask(transport, {"x": 1, "y": "t"}, {"y": None, "z": True}, {"x": float("nan")})

    assert transport.seen == ["POST /workspaces/w/services/e/execute?api-version=2.0&details=true"]
    assert transport.sent() == {
        "Inputs": {
            "input1": {
                "ColumnNames": ["x", "y", "z"],
                "Values": [[1, "t", None], [None, None, True], [None, None, None]],
            }
        },
        "GlobalParameters": {},
    }


def test_answers_keep_their_order_and_are_text() -> None:
    transport = Scripted(table(["Scored Labels", "p"], [["yes", 0.5], [True, None]]))

    assert ask(transport, {"x": 1}, {"x": 2}) == Scores(
        ("Scored Labels", "p"), (("yes", "0.5"), ("true", None))
    )


def test_no_rows_need_no_call() -> None:
    assert ask(Scripted()) == Scores((), ())


def test_columns_that_the_answer_does_not_name_are_read_from_the_description() -> None:
    swagger = {
        "definitions": {
            "ExecutionOutputs": {"properties": {"output1": {"type": "array"}}},
            "output1Item": {"properties": {"Scored Labels": {"type": "string"}}},
        }
    }
    transport = Scripted(table(None, [["yes"]]), (200, swagger))

    assert ask(transport, {"x": 1}).columns == ("Scored Labels",)
    assert transport.seen[1] == "GET /workspaces/w/services/e/swagger.json"


def test_columns_that_nobody_names_are_an_error() -> None:
    with pytest.raises(Misconfigured, match="has no column names"):
        ask(Scripted(table(None, [["yes"]]), (200, {})), {"x": 1})


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            table(["a"], [["1"]], output="scored"),
            "has no output 'output1' \\(it answered scored\\)",
        ),
        ((200, {"Results": None}), "it answered none"),
        ((200, {"Results": {"output1": []}}), "is not a table"),
        ((200, {"Results": {"output1": {"value": {"Values": [1]}}}}), "is not a table"),
        (table(["a"], [["1"], ["2"]]), "answered 2 rows"),
        (table(["a", "b"], [["1"]]), "rows of 1 cells and 2 columns"),
    ],
)
def test_an_answer_that_does_not_fit_the_rows_is_told(
    answer: tuple[int, object], told: str
) -> None:
    with pytest.raises(Misconfigured, match=told):
        ask(Scripted(answer), {"x": 1})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "LibraryExecutionError", "TableSchemaColumnCountMismatch"), Refused),
        (error(400, "ModuleExecutionError"), Refused),
        (error(400, "BadUserArgument", "InputMismatchError"), Refused),
        (error(413, "MemoryQuotaViolation", "OutOfMemoryLimit"), Refused),
        (error(400, "BadArgument", "InvalidInputNames"), Misconfigured),
        (error(401, "Unauthorized"), Denied),
        (error(408, "RequestTimeout", "ScoreRequestTimeout"), Unavailable),
        (error(500, "InternalError", "OutputConversionFailed"), Unknown),
        (error(503, "ServiceUnavailable", "TooManyConcurrentRequests"), Unavailable),
    ],
)
def test_a_model_that_cannot_score_is_told_from_a_service_that_cannot(
    answer: tuple[int, object], kind: type[AlmError]
) -> None:
    with pytest.raises(kind) as raised:
        ask(Scripted(answer), {"x": 1})

    assert type(raised.value) is kind
    assert str(raised.value).startswith("score 1 rows: ")
