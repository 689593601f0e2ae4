"""Request/response scoring (RRS), table style, with column names asked for.

A service that has no room answers 503: Unavailable. A model that cannot score these rows (the
errors of its libraries and modules, rows that do not fit it) is Refused: the smoke test failed,
nothing is retried, and the stage decides. A declaration that does not fit the service (no such
input or output, missing parameters) is Misconfigured.

Source: RRS POST /execute, api-version 2.0, details=true.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from alm.adapters.answers import expect, object_of, refusal, told
from alm.adapters.connections import Answer
from alm.adapters.studio.access import Caller
from alm.adapters.studio.swagger import api_of
from alm.domain.errors import Misconfigured, Refused
from alm.ports import Cell, Row, Scores

_UNFIT = (
    "BadUserArgument",
    "LibraryExecutionError",
    "ModuleExecutionError",
    "MemoryQuotaViolation",
)
_EXECUTE = "/execute?api-version=2.0&details=true"


def score(caller: Caller, rows: Sequence[Row], *, input: str, output: str) -> Scores:
    """Score rows in one call; answers come in their order, one for each.

    Raises Refused if the model cannot score these rows, Misconfigured if the service has no such
    input or output, or does not answer row by row.
    """
    if not rows:
        return Scores((), ())
    columns = list(dict.fromkeys(column for row in rows for column in row))
    values = [[_sent(row.get(column)) for column in columns] for row in rows]
    body = {"Inputs": {input: {"ColumnNames": columns, "Values": values}}, "GlobalParameters": {}}
    with caller.http.within():
        answer = caller.send("POST", _EXECUTE, json_body=body)
        scores = _scores(caller, _executed(answer, len(rows)), output)
    if len(scores.rows) != len(rows):
        raise Misconfigured(
            f"score {len(rows)} rows: {answer.request.url} answered {len(scores.rows)} rows in "
            f"output {output!r}; a service that drops or adds rows cannot be smoke-tested, "
            "name an output with one row for each"
        )
    return scores


def _sent(cell: Cell) -> Cell:
    """A cell as it goes on the wire: a number that is none is missing."""
    return None if isinstance(cell, float) and not isfinite(cell) else cell


def _executed(answer: Answer, count: int) -> dict[str, object]:
    doing = f"score {count} rows"
    refused = refusal(answer) if answer.status in (400, 413) else None
    if refused and refused.names(*_UNFIT):
        raise Refused(
            f"{doing}: {answer.request.url} answered {told(answer, refused)}; "
            "compare the rows with the columns that the model was trained on"
        )
    remedy = "compare the rows, `input` and `output` of the smoke test with the service's API page"
    return object_of(expect(answer, 200, doing=doing, remedy=remedy), doing=doing)


def _scores(caller: Caller, document: dict[str, object], output: str) -> Scores:
    results = document.get("Results")
    if not isinstance(results, dict) or output not in results:
        names = ", ".join(results) if isinstance(results, dict) and results else "none"
        raise Misconfigured(
            f"the service has no output {output!r} (it answered {names}); "
            "correct `output` of the smoke test"
        )
    result = results[output]
    table = result.get("value") if isinstance(result, dict) else None
    values = _rows_of(table)
    if not isinstance(table, dict) or values is None:
        raise Misconfigured(
            f"output {output!r} is not a table; name an output of the service that is one"
        )
    names_given = table.get("ColumnNames")
    columns = (
        tuple(str(name) for name in names_given)
        if isinstance(names_given, list)
        else _described_columns(caller, output)
    )
    return Scores(columns, tuple(_row(row, columns, output) for row in values))


def _rows_of(table: object) -> list[list[object]] | None:
    values = table.get("Values") if isinstance(table, dict) else None
    if not isinstance(values, list) or not all(isinstance(row, list) for row in values):
        return None
    return values


def _row(row: list[object], columns: tuple[str, ...], output: str) -> tuple[str | None, ...]:
    if len(row) != len(columns):
        raise Misconfigured(
            f"output {output!r} has rows of {len(row)} cells and {len(columns)} columns "
            f"({', '.join(columns)}); the service's swagger does not describe it, republish it"
        )
    return tuple(_text(cell) for cell in row)


def _text(cell: object) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return ("true" if cell else "false") if isinstance(cell, bool) else str(cell)


def _described_columns(caller: Caller, output: str) -> tuple[str, ...]:
    """The columns as the service describes them, for one that does not name them in answers."""
    doing = "read the service's description"
    answer = expect(caller.send("GET", "/swagger.json"), 200, doing=doing)
    port = api_of(object_of(answer, doing=doing)).output(output)
    if port is None or not port.columns:
        raise Misconfigured(
            f"output {output!r} has no column names, neither in the answer nor in "
            f"{answer.request.url}; republish the service"
        )
    return tuple(column.name for column in port.columns)
