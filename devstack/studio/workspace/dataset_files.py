"""Dataset files as tables: each data type's rows, one by one or all at once.

`Dataset` is what experiments promote; here it is CSV with a header (inferred: Studio's own format
is not public). Zip, RData and PlainText are no tables.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from devstack.studio.learning.failures import BadTable
from devstack.studio.learning.tables import CELL_CHARACTERS_MAX, MISSING, Cell, Table, named_columns
from devstack.studio.workspace.arff import read_attributes, read_cells

UPLOADABLE = (
    "GenericCSV", "GenericCSVNoHeader", "GenericTSV", "GenericTSVNoHeader",
    "ARFF", "Zip", "RData", "PlainText",
)  # fmt: skip
PROMOTED = "Dataset"

# Delimiter and whether the first line names the columns.
_SEPARATED: Mapping[str, tuple[str, bool]] = {
    "GenericCSV": (",", True),
    "GenericCSVNoHeader": (",", False),
    "GenericTSV": ("\t", True),
    "GenericTSVNoHeader": ("\t", False),
    PROMOTED: (",", True),
}

# Longer lines are refused before they fill the memory; a wide row has a few hundred thousand.
LINE_CHARACTERS_MAX = 16 * CELL_CHARACTERS_MAX


@dataclass(frozen=True)
class Rows:
    """Named columns and their rows, which can be read once."""

    columns: tuple[str, ...]
    rows: Iterator[list[Cell]]


def is_table(data_type: str) -> bool:
    """Whether files of this data type are tables."""
    return data_type in _SEPARATED or data_type == "ARFF"


def read_dataset(path: Path, data_type: str) -> Table:
    """A dataset's file as a table; raises BadTable when it is none or cannot be read."""
    with open_rows(path, data_type) as found:
        return Table(found.columns, list(found.rows))


@contextmanager
def open_rows(path: Path, data_type: str) -> Iterator[Rows]:
    """The rows of a dataset's file while it is open, in memory one at a time.

    Raises BadTable, also from the rows. Columns without header are Col1, Col2, ...
    """
    if not is_table(data_type):
        raise BadTable(f"a dataset of type {data_type} is not a table")
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = _lines(file)
        if data_type == "ARFF":
            attributes = read_attributes(lines)
            columns = tuple(attribute.name for attribute in attributes)
            yield Rows(columns, read_cells(lines, attributes))
        else:
            yield _separated(lines, *_SEPARATED[data_type])


def _separated(lines: Iterator[str], delimiter: str, has_header: bool) -> Rows:
    reader = csv.reader(lines, delimiter=delimiter)
    found = _filled(reader)
    first = next(found, None)
    if not first:
        raise BadTable("the dataset is empty")
    if has_header:
        columns = named_columns(first)
        return Rows(columns, (_row(line, columns, reader.line_num) for line in found))
    columns = tuple(f"Col{at}" for at in range(1, len(first) + 1))

    def all_rows() -> Iterator[list[Cell]]:
        yield _row(first, columns, 1)
        for line in found:
            yield _row(line, columns, reader.line_num)

    return Rows(columns, all_rows())


def _filled(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """The lines that are not empty; what csv cannot read becomes BadTable."""
    try:
        yield from (line for line in reader if line)
    except csv.Error as error:
        raise BadTable(f"the dataset cannot be read: {error}") from error


def _lines(file: TextIO) -> Iterator[str]:
    try:
        while line := file.readline(LINE_CHARACTERS_MAX + 1):
            if len(line) > LINE_CHARACTERS_MAX:
                raise BadTable(f"a line has more than {LINE_CHARACTERS_MAX} characters")
            yield line
    except UnicodeDecodeError as error:
        raise BadTable(f"the dataset is not UTF-8 text (byte {error.start})") from error


def _row(line: list[str], columns: tuple[str, ...], number: int) -> list[Cell]:
    if len(line) != len(columns):
        raise BadTable(f"line {number} has {len(line)} cells, the dataset has {len(columns)}")
    return [None if cell in MISSING else cell for cell in line]
