"""Schemas of web-service ports: from the columns that really passed there to those of a WSD."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.studio.learning.failures import BadTable
from devstack.studio.learning.tables import Cell
from devstack.studio.workspace.dataset_files import open_rows
from devstack.studio.workspace.table_reports import report_on

# .NET types of columns, and how a WSD writes them.
_TYPES: Mapping[str, Mapping[str, str]] = {
    "Int32": {"type": "Integer", "format": "Int32"},
    "Int64": {"type": "Integer", "format": "Int64"},
    "Double": {"type": "Number", "format": "Double"},
    "Boolean": {"type": "Boolean"},
    "String": {"type": "String"},
}

# Rows that the example of a request shows.
EXAMPLE_ROWS = 1


@dataclass(frozen=True)
class PortData:
    """The file with what passed a port, and its data type."""

    path: Path
    data_type: str


def table_schema(found: PortData | None) -> dict[str, Any]:
    """The table of a port; without columns when nothing passed there or it was no dataset.

    Raises BadTable for a file that cannot be read.
    """
    columns: dict[str, Any] = {}
    if found is not None:
        report = report_on(found.path, found.data_type)
        if report.failure is not None:
            raise BadTable(report.failure)
        columns = {
            column.name: {**_TYPES[column.type], "x-ms-isnullable": column.missing > 0}
            for column in report.columns
        }
    return {"title": "", "description": "", "type": "object", "properties": columns}


def example_rows(found: PortData) -> list[list[Cell]]:
    """The first rows of what passed a port."""
    with open_rows(found.path, found.data_type) as table:
        return [row for _, row in zip(range(EXAMPLE_ROWS), table.rows, strict=False)]
