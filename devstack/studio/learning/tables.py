"""Tables as Studio sees them: named columns of text, missing cells are None.

Text stays as it was given, so that a column that only passes through comes out unchanged.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

from devstack.studio.learning.failures import BadTable

Cell = str | None

# What can be said of a column besides its cells, by Edit Metadata.
CATEGORICAL, LABEL, NO_FEATURE = "Categorical", "Label", "NoFeature"

# What common exporters write for a missing value.
MISSING = frozenset({"", "NA", "NaN", "nan", "null", "?"})

DELIMITERS: Mapping[str, str] = {".csv": ",", ".tsv": "\t"}

# The csv module refuses longer cells; ours may hold documents, but not whole files.
CELL_CHARACTERS_MAX = 1_000_000


@dataclass(frozen=True)
class ScoredBy:
    """How a table was scored, for its evaluation: the task, the label column, the classes."""

    task: str
    label: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Columns in order, and rows with one cell per column.

    How it was scored and what was said of its columns (`marks`) are lost in CSV; who keeps a table
    for later steps keeps its `metadata` beside it.
    """

    columns: tuple[str, ...]
    rows: list[list[Cell]] = field(default_factory=list)
    scored_by: ScoredBy | None = None
    marks: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def column(self, name: str) -> list[Cell]:
        """The cells of one column; raises BadTable when there is no such column."""
        position = self.position(name)
        return [row[position] for row in self.rows]

    def position(self, name: str) -> int:
        """Where a column stands; raises BadTable when there is no such column."""
        if name not in self.columns:
            raise BadTable(
                f"column {name!r} is not in the dataset (it has {self._columns_shown()})"
            )
        return self.columns.index(name)

    def take(self, positions: Iterable[int]) -> Table:
        """A table of the rows at these positions, in this order."""
        return replace(self, rows=[self.rows[position] for position in positions])

    def project(self, positions: Sequence[int]) -> Table:
        """A table of the columns at these positions, in this order."""
        if list(positions) == list(range(len(self.columns))):
            return self
        rows = [[row[position] for position in positions] for row in self.rows]
        return replace(self, columns=tuple(self.columns[at] for at in positions), rows=rows)

    def marked(self, column: str, mark: str) -> bool:
        """Whether something was said of a column."""
        return mark in self.marks.get(column, ())

    def metadata(self) -> dict[str, Any]:
        """What CSV does not keep, as plain JSON; empty when there is nothing."""
        found: dict[str, Any] = {}
        if self.scored_by is not None:
            by = self.scored_by
            found["scored_by"] = {"task": by.task, "label": by.label, "classes": list(by.classes)}
        if self.marks:
            found["marks"] = {name: sorted(marks) for name, marks in self.marks.items()}
        return found

    def with_metadata(self, metadata: Mapping[str, Any]) -> Table:
        """The table with what `metadata` gave for it earlier."""
        by = metadata.get("scored_by")
        marks = metadata.get("marks", {})
        return replace(
            self,
            scored_by=ScoredBy(by["task"], by["label"], tuple(by["classes"])) if by else None,
            marks={name: frozenset(of_column) for name, of_column in marks.items()},
        )

    def with_columns(self, added: Sequence[tuple[str, Sequence[Cell]]]) -> Table:
        """A table with columns added on the right; one of the same name is replaced."""
        names = {name for name, _ in added}
        kept = [at for at, name in enumerate(self.columns) if name not in names]
        columns = tuple(self.columns[at] for at in kept) + tuple(name for name, _ in added)
        cells = list(zip(*(values for _, values in added), strict=True))
        rows = [
            [row[at] for at in kept] + list(new) for row, new in zip(self.rows, cells, strict=True)
        ]
        return replace(self, columns=columns, rows=rows)

    def _columns_shown(self) -> str:
        shown = ", ".join(repr(name) for name in self.columns[:40])
        return shown + (", ..." if len(self.columns) > 40 else "")


def read_table(content: bytes, *, extension: str = ".csv") -> Table:
    """Read CSV or TSV with a header line; empty cells and common marks for missing become None.

    Raises BadTable for text that is not UTF-8, for a missing or repeated column name and for a row
    of another length than the header.
    """
    lines = csv.reader(io.StringIO(_text(content), newline=""), delimiter=DELIMITERS[extension])
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    try:
        columns = _header(next(lines, None))
        rows = [_row(line, columns, lines.line_num) for line in lines if line]
    except csv.Error as error:
        raise BadTable(f"line {lines.line_num} cannot be read: {error}") from error
    return Table(columns, rows)


def write_table(table: Table, *, extension: str = ".csv") -> bytes:
    """Write a table as CSV or TSV with a header line; missing cells are empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=DELIMITERS[extension], lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in table.rows)
    return text.getvalue().encode()


def number(cell: Cell) -> float | None:
    """The number that a cell holds, None when it holds none."""
    try:
        value = float(cell) if cell is not None else None
    except ValueError:
        return None
    return value if value is not None and isfinite(value) else None


def present(cells: Iterable[Cell]) -> list[str]:
    """The cells that are not missing."""
    return [cell for cell in cells if cell is not None]


def is_numeric(cells: Iterable[Cell]) -> bool:
    """Whether every cell that is present holds a number, and at least one is present."""
    values = present(cells)
    return bool(values) and all(number(cell) is not None for cell in values)


def column_type(cells: Iterable[Cell]) -> str:
    """The .NET name of the narrowest type that fits a column: Int32, Int64, Double or String."""
    values = present(cells)
    if not is_numeric(values):
        return "String"
    if not all(cell.lstrip("+-").isdigit() for cell in values):
        return "Double"
    widest = max(abs(int(cell)) for cell in values)
    return "Int32" if widest < 2**31 else "Int64" if widest < 2**63 else "Double"


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadTable(f"the dataset is not UTF-8 text (byte {error.start})") from error


def _header(line: list[str] | None) -> tuple[str, ...]:
    if not line or not any(line):
        raise BadTable("the dataset is empty: the first line must name the columns")
    return named_columns(line)


def named_columns(line: list[str]) -> tuple[str, ...]:
    """The columns that a header names; raises BadTable for one without a name or with another's."""
    columns = tuple(name.strip() for name in line)
    if not all(columns):
        raise BadTable(f"column {columns.index('') + 1} has no name in the first line")
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise BadTable(f"column {repeated[0]!r} is there more than once")
    return columns


def _row(line: list[str], columns: tuple[str, ...], line_number: int) -> list[Cell]:
    if len(line) != len(columns):
        raise BadTable(f"line {line_number} has {len(line)} cells, the header has {len(columns)}")
    return [None if cell in MISSING else cell for cell in line]
