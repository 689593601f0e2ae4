"""RRS: answer one request with what the web service gives for it.

Table style (`ColumnNames` and `Values`) and swagger style (a list of records, `format=swagger`).
Over MaxConcurrentCalls calls at once the answer is 503. A training service is refused.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from devstack.studio.definitions import Package
from devstack.studio.errors import (
    Detail,
    StudioError,
    bad_argument,
    bad_user_argument,
    unavailable,
)
from devstack.studio.learning.failures import BadTable, LearningFailure
from devstack.studio.learning.tables import MISSING, Cell, Table, column_type
from devstack.studio.records import Deployment
from devstack.studio.serving import Execution
from devstack.studio.web import Request, Response

API_VERSION = "2.0"


class RequestResponse:
    """Serves `/execute`."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def execute(self, deployment: Deployment, request: Request) -> Response:
        """Score the rows of a request with the model that answers now."""
        check_version(request)
        with self._call(deployment):
            return self._execute(deployment, request)

    def _execute(self, deployment: Deployment, request: Request) -> Response:
        package = self._execution.package(deployment)
        if package.trains:
            message = "A training web service is called by batch execution only."
            raise bad_argument("WebServiceTypeInvalid", message)
        document = request.json_object()
        tables = read_inputs(package, document.get("Inputs"))
        parameters = read_parameters(document)
        try:
            outputs = self._execution.run(deployment, tables, parameters)
        except LearningFailure as error:
            raise _execution_error(error) from error
        swagger = request.query.get("format", "").lower() == "swagger"
        details = request.query.get("details", "").lower() == "true"
        results = {
            name: _records(table) if swagger else _table_result(table, details=details)
            for name, table in outputs.items()
            if isinstance(table, Table)
        }
        return Response(200, {"Results": results})

    @contextmanager
    def _call(self, deployment: Deployment) -> Iterator[None]:
        with self._lock:
            if self._calls[deployment.id] >= deployment.max_concurrent_calls:
                message = f"More than {deployment.max_concurrent_calls} calls at once; try later."
                raise unavailable("TooManyConcurrentRequests", message)
            self._calls[deployment.id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls[deployment.id] -= 1


def check_version(request: Request) -> None:
    """Refuse a call that does not name the version of the interface."""
    version = request.query.get("api-version", "")
    if version != API_VERSION:
        message = f"The query must have api-version={API_VERSION}, it has {version!r}."
        raise bad_argument("BadVersionCall", message, "api-version")


def read_parameters(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The global parameters of a request; absent is none."""
    parameters = document.get("GlobalParameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise bad_argument("RequestBodyInvalid", "GlobalParameters must be an object.")
    return parameters


def read_inputs(package: Package, inputs: Any) -> dict[str, Table]:
    """The tables of a request, one for each input of the web service."""
    given = {} if inputs is None else inputs
    if not isinstance(given, dict):
        raise bad_argument("RequestBodyInvalid", "Inputs must be an object.")
    unknown = sorted(set(given) - set(package.inputs))
    if unknown:
        message = f"The web service has no input {unknown[0]!r} (it has {sorted(package.inputs)})."
        raise bad_argument("InvalidInputNames", message, unknown[0])
    missing = sorted(set(package.inputs) - set(given))
    if missing:
        raise bad_argument("MissingRequestInput", f"Input {missing[0]!r} is missing.", missing[0])
    return {name: _read_table(name, value) for name, value in given.items()}


def _read_table(name: str, value: Any) -> Table:
    if isinstance(value, list):
        return _read_records(name, value)
    if not isinstance(value, dict) or not isinstance(value.get("ColumnNames"), list):
        message = f"Input {name!r} must have ColumnNames and Values, or be a list of records."
        raise bad_argument("RequestBodyInvalid", message, name)
    columns, rows = value["ColumnNames"], value.get("Values", [])
    if not all(isinstance(column, str) for column in columns) or len(set(columns)) < len(columns):
        message = f"Input {name!r}: ColumnNames must be text, each name once."
        raise bad_user_argument("InputParseError", message, name)
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_user_argument("InputParseError", f"Input {name!r}: Values must be rows.", name)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise _column_count(name, number, len(row), len(columns))
    return Table(tuple(columns), [[_cell(name, cell) for cell in row] for row in rows])


def _read_records(name: str, records: list[Any]) -> Table:
    if not all(isinstance(record, dict) for record in records):
        message = f"Input {name!r}: each record must be an object."
        raise bad_user_argument("InputParseError", message, name)
    columns = tuple(dict.fromkeys(column for record in records for column in record))
    rows = [[_cell(name, record.get(column)) for column in columns] for record in records]
    return Table(columns, rows)


def _column_count(name: str, number: int, seen: int, wanted: int) -> StudioError:
    message = f"Input {name!r}: row {number} has {seen} values for {wanted} columns."
    detail = Detail("TableSchemaColumnCountMismatch", message, name)
    return StudioError(400, "LibraryExecutionError", message, [detail])


def _cell(name: str, value: Any) -> Cell:
    if value is None or isinstance(value, str):
        return None if value in MISSING else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    message = f"Input {name!r}: a value must be text, a number, true, false or null."
    raise bad_user_argument("InputParseError", message, name)


def _execution_error(error: LearningFailure) -> StudioError:
    message = str(error)
    if isinstance(error.__cause__, BadTable):
        return bad_user_argument("InputMismatchError", message)
    detail = Detail("ModuleExecutionError", message)
    return StudioError(400, "ModuleExecutionError", message, [detail])


def _table_result(table: Table, *, details: bool) -> dict[str, Any]:
    value: dict[str, Any] = {}
    if details:
        value["ColumnNames"] = list(table.columns)
        value["ColumnTypes"] = [column_type(table.column(name)) for name in table.columns]
    value["Values"] = table.rows
    return {"type": "table", "value": value}


def _records(table: Table) -> list[dict[str, Cell]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]
