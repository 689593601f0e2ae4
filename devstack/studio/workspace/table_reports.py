"""Reports on datasets: columns with their types and figures, from one pass over the rows.

The documents of the schema and visualization endpoints are inferred: that they exist and where
they are is known, their content is not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from devstack.studio.learning.failures import BadTable
from devstack.studio.learning.tables import Cell, number
from devstack.studio.workspace.dataset_files import open_rows
from devstack.studio.workspace.records import ColumnReport, TableReport

# Distinct values counted per column; above it the count is not told.
UNIQUE_MAX = 1_000

_NUMERIC = frozenset({"Int32", "Int64", "Double"})


class ColumnTally:
    """What a column says so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._count = self._missing = 0
        self._is_whole = self._is_number = self._is_boolean = True
        self._minimum, self._maximum, self._sum = float("inf"), float("-inf"), 0.0
        self._unique: set[str] | None = set()

    def add(self, cell: Cell) -> None:
        """One more cell."""
        if cell is None:
            self._missing += 1
            return
        self._count += 1
        self._is_boolean = self._is_boolean and cell.lower() in ("true", "false")
        self._add_number(cell)
        if self._unique is not None:
            self._unique.add(cell)
            if len(self._unique) > UNIQUE_MAX:
                self._unique = None

    def report(self) -> ColumnReport:
        """The column as far as it was read."""
        kind = self._type()
        is_numeric = kind in _NUMERIC
        return ColumnReport(
            name=self.name,
            type=kind,
            count=self._count,
            missing=self._missing,
            unique=None if self._unique is None else len(self._unique),
            minimum=self._minimum if is_numeric else None,
            maximum=self._maximum if is_numeric else None,
            mean=self._sum / self._count if is_numeric else None,
        )

    def _add_number(self, cell: str) -> None:
        if not self._is_number:
            return
        value = number(cell)
        if value is None:
            self._is_number = False
            return
        self._is_whole = self._is_whole and cell.strip().lstrip("+-").isdigit()
        self._minimum, self._maximum = min(self._minimum, value), max(self._maximum, value)
        self._sum += value

    def _type(self) -> str:
        """The narrowest .NET type, as web services answer it; Boolean besides."""
        if not self._count:
            return "String"
        if not self._is_number:
            return "Boolean" if self._is_boolean else "String"
        widest = max(abs(self._minimum), abs(self._maximum))
        if not self._is_whole or widest >= 2**63:
            return "Double"
        return "Int32" if widest < 2**31 else "Int64"


def report_on(path: Path, data_type: str) -> TableReport:
    """Read a dataset once; one that cannot be read is a report with a failure."""
    rows = 0
    try:
        with open_rows(path, data_type) as found:
            tallies = [ColumnTally(name) for name in found.columns]
            for row in found.rows:
                rows += 1
                for tally, cell in zip(tallies, row, strict=True):
                    tally.add(cell)
    except BadTable as error:
        return TableReport(rows=rows, failure=str(error))
    return TableReport(rows=rows, columns=[tally.report() for tally in tallies])


def schema_document(report: TableReport) -> dict[str, Any]:
    """What the schema endpoint answers."""
    return {
        "columnAttributes": [
            {
                "name": column.name,
                "type": "Numeric" if column.type in _NUMERIC else column.type,
                "isFeature": True,
                "elementType": {
                    "typeName": f"System.{column.type}",
                    "isNullable": column.missing > 0,
                },
            }
            for column in report.columns
        ],
        "labelColumns": None,
        "scoreColumns": None,
    }


def visualization_document(report: TableReport) -> dict[str, Any]:
    """What the visualization endpoint answers."""
    return {
        "visualizationType": "Dataset",
        "numberOfRows": report.rows,
        "numberOfColumns": len(report.columns),
        "columns": [
            {
                "name": column.name,
                "type": f"System.{column.type}",
                "count": column.count,
                "missingValues": column.missing,
                "uniqueValues": column.unique,
                "min": column.minimum,
                "max": column.maximum,
                "mean": column.mean,
            }
            for column in report.columns
        ],
    }
