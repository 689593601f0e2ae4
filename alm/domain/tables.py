"""Tables: named columns of text, read from and written as CSV or TSV.

A cell keeps the text it came with; an empty cell is missing (None). Numbers are only made where a
number is asked for. Raises Refused for content that is not a table, with the line it is on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from alm.domain.errors import Refused

Value = str | int | float | bool | None

COLUMNS_NAMED_MAX = 40  # a message that names the columns of a wide table stays readable


@dataclass(frozen=True)
class Table:
    """Columns in order, and rows with one cell per column; a missing cell is None."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]

    def position(self, name: str) -> int:
        """Where a column stands. Raises Refused naming the columns there are."""
        if name not in self.columns:
            raise Refused(f"no column {name!r} (there is {named(self.columns)})")
        return self.columns.index(name)

    def column(self, name: str) -> tuple[str | None, ...]:
        """The cells of one column. Raises Refused naming the columns there are."""
        position = self.position(name)
        return tuple(row[position] for row in self.rows)


def read(content: bytes, *, name: str = "") -> Table:
    """Read UTF-8 text (with or without BOM) whose first line names the columns.

    name: what it is called; `.tsv` and `.tab` are split at tabs, `.csv` at commas, anything else at
    what its first line uses. Raises Refused for text that is not UTF-8, an open quote, a column
    without a name or named twice, a row of another length than the first line.
    """
    what = f"{name!r}" if name else "the table"
    text = _text(content, what)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(name, text), strict=True)
    try:
        columns = _header(next(lines, []), what)
        rows = tuple(_row(line, columns, lines.line_num, what) for line in lines if line)
    except csv.Error as error:
        raise Refused(f"{what} cannot be read at line {lines.line_num}: {error}") from error
    return Table(columns, rows)


def write(table: Table, *, name: str = "") -> bytes:
    """Write a table as CSV, or as TSV where `name` says so; missing cells are empty.

    Lines end as RFC 4180 wants it: only then a lone carriage return in a cell is quoted.
    """
    text = io.StringIO(newline="")
    delimiter = "\t" if _is_tsv(name) else ","
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in table.rows)
    return text.getvalue().encode()


def append(tables: Sequence[Table], *, names: Sequence[str] = ()) -> Table:
    """One table below the other; the order of columns is that of the first.

    Raises Refused, naming the columns that differ, unless all have the same ones.
    """
    if not tables:
        raise Refused("no table to append: at least one is needed")
    first = tables[0]
    rows = list(first.rows)
    for number_, table in enumerate(tables[1:], start=2):
        what = repr(names[number_ - 1]) if names else f"table {number_} of {len(tables)}"
        _same_columns(first, table, what)
        places = [table.columns.index(column) for column in first.columns]
        rows += [tuple(row[place] for place in places) for row in table.rows]
    return Table(first.columns, tuple(rows))


def without(table: Table, name: str) -> Table:
    """The table less one column. Raises Refused if it has no such column."""
    position = table.position(name)
    rows = tuple(row[:position] + row[position + 1 :] for row in table.rows)
    return Table(table.columns[:position] + table.columns[position + 1 :], rows)


def with_column(table: Table, source: Table, name: str) -> Table:
    """The table with a column of another one, row by row, as its last; one it had is replaced.

    Raises Refused unless both have the same number of rows.
    """
    cells = source.column(name)
    if len(cells) != len(table.rows):
        raise Refused(f"{len(table.rows)} rows cannot take the {len(cells)} values of {name!r}")
    rest = without(table, name) if name in table.columns else table
    rows = tuple((*row, cell) for row, cell in zip(rest.rows, cells, strict=True))
    return Table((*rest.columns, name), rows)


def dictionaries(table: Table) -> list[dict[str, str | None]]:
    """Each row as a mapping from column to cell."""
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def of_rows(rows: Iterable[Mapping[str, Value]]) -> Table:
    """A table of mappings; columns in order of first appearance, an absent key is missing."""
    kept = list(rows)
    columns = tuple(dict.fromkeys(key for row in kept for key in row))
    return Table(columns, tuple(tuple(cell(row.get(key)) for key in columns) for row in kept))


def cell(value: Value) -> str | None:
    """A value as text: numbers with all their digits, truth as JSON writes it, "" is missing."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value) if isfinite(value) else None
        case None | "":
            return None
        case _:
            return str(value)


def number(text: str | None) -> float | None:
    """The finite number that a cell holds; None where it holds none."""
    if text is None or "_" in text:  # float() would take 1_000
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def normalised(text: str | None) -> str | None:
    """A cell as it is compared: 0.50 is 0.5, 1 is 1.0, True is true, blank and NaN are missing."""
    value = number(text)
    if value is not None:
        return repr(value + 0.0)  # -0.0 is 0.0
    stripped = text.strip() if text else ""
    match stripped.lower():
        case "" | "nan":
            return None
        case "true" | "false":
            return stripped.lower()
        case _:
            return stripped


def named(columns: Sequence[str]) -> str:
    """Columns for a message."""
    shown = ", ".join(repr(column) for column in columns[:COLUMNS_NAMED_MAX])
    return shown + (", …" if len(columns) > COLUMNS_NAMED_MAX else "") if columns else "none"


def _text(content: bytes, what: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            f"{what} is not UTF-8 text (byte {error.start}); save it as CSV in UTF-8"
        ) from error


def _is_tsv(name: str) -> bool:
    return name.lower().endswith((".tsv", ".tab"))


def _delimiter(name: str, text: str) -> str:
    """By the name; else whichever splits the first line into more columns, a comma on a tie."""
    if _is_tsv(name):
        return "\t"
    if name.lower().endswith(".csv"):
        return ","
    first = text.partition("\n")[0]
    return max(",\t", key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter), [])))


def _header(line: list[str], what: str) -> tuple[str, ...]:
    columns = tuple(column.strip() for column in line)
    if not any(columns):
        raise Refused(f"{what} is empty: its first line must name the columns")
    if "" in columns:
        raise Refused(f"column {columns.index('') + 1} of {what} has no name in the first line")
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        raise Refused(f"{what} names the column {twice!r} more than once")
    return columns


def _row(
    line: list[str], columns: tuple[str, ...], line_number: int, what: str
) -> tuple[str | None, ...]:
    if len(line) != len(columns):
        raise Refused(
            f"line {line_number} of {what} has {len(line)} cells, its first line {len(columns)}"
        )
    return tuple(text or None for text in line)


def _same_columns(first: Table, other: Table, what: str) -> None:
    lacks = [column for column in first.columns if column not in other.columns]
    more = [column for column in other.columns if column not in first.columns]
    if lacks or more:
        differences = [f"lacks {named(lacks)}"] * bool(lacks) + [f"has {named(more)}"] * bool(more)
        raise Refused(
            f"{what} {' and '.join(differences)}, unlike the first; "
            "datasets that are trained on together need the same columns"
        )
