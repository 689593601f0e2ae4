"""Transformations: what Clean Missing Data and Normalize Data learned, to be applied to new rows.

A transformation is a list of steps, plain values throughout. Its file is JSON:

    {"format": "itransform", "version": 1, "steps": [...]}

with sorted keys and no spaces, so the same transformation gives the same bytes. A column that a
step needs and the dataset lacks is a mistake, as it is in Studio.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import erf, exp, log, sqrt, tanh
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from devstack.studio.learning.failures import BadModel, BadTable
from devstack.studio.learning.tables import Cell, Table, number

FORMAT, VERSION = "itransform", 1

# A replacement for each of thousands of columns has less; more is not a transformation.
FILE_BYTES_MAX = 16 * 1024 * 1024
STEPS_MAX = 1000

# What stands for exp of less than this is 0.
EXPONENT_MAX = 700.0

Number = Annotated[float, Field(allow_inf_nan=False)]


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Fill(_Step):
    """Put a value into the missing cells of columns; with `indicators`, note where that was."""

    kind: Literal["fill"] = "fill"
    replacements: dict[str, str]
    indicators: bool = False

    def apply(self, table: Table) -> Table:
        """The table without missing cells in these columns."""
        places = {table.position(name): value for name, value in self.replacements.items()}
        rows = [_filled(row, places) for row in table.rows]
        filled = Table(table.columns, rows, table.scored_by, table.marks)
        if not self.indicators:
            return filled
        return filled.with_columns(
            [(f"{name}_IsMissing", _missing(table.column(name))) for name in self.replacements]
        )


class DropRows(_Step):
    """Leave out the rows in which one of the columns is missing."""

    kind: Literal["drop-rows"] = "drop-rows"
    columns: list[str]

    def apply(self, table: Table) -> Table:
        """The table of the other rows."""
        places = [table.position(name) for name in self.columns]
        return table.take(
            at
            for at, row in enumerate(table.rows)
            if all(row[place] is not None for place in places)
        )


class DropColumns(_Step):
    """Leave out columns."""

    kind: Literal["drop-columns"] = "drop-columns"
    columns: list[str]

    def apply(self, table: Table) -> Table:
        """The table of the other columns."""
        gone = {table.position(name) for name in self.columns}
        return table.project([at for at in range(len(table.columns)) if at not in gone])


class Scale(_Step):
    """Rescale numbers by a method, with two numbers learned for each column."""

    kind: Literal["scale"] = "scale"
    method: Literal["ZScore", "MinMax", "Logistic", "LogNormal", "Tanh"]
    columns: dict[str, tuple[Number, Number]]
    zero_for_constant: bool = True

    def apply(self, table: Table) -> Table:
        """The table with these columns rescaled; missing cells stay missing."""
        rows = [list(row) for row in table.rows]
        for name, (first, second) in self.columns.items():
            place = table.position(name)
            for row in rows:
                row[place] = self._cell(name, row[place], first, second)
        return Table(table.columns, rows, table.scored_by, table.marks)

    def _cell(self, name: str, cell: Cell, first: float, second: float) -> Cell:
        if cell is None:
            return None
        value = number(cell)
        if value is None:
            raise BadTable(f"column {name!r} holds {cell[:60]!r}, which is not a number")
        if self.method in _SPREAD and second == 0:
            return "0.0" if self.zero_for_constant else None
        scaled = SCALES[self.method](value, first, second)
        return None if scaled is None else repr(scaled)


# The methods whose second number is a spread, 0 for a column of one value.
_SPREAD = ("ZScore", "MinMax", "LogNormal")


def _logistic(value: float, first: float, second: float) -> float | None:
    return 1.0 / (1.0 + exp(min(-value, EXPONENT_MAX)))


def _log_normal(value: float, first: float, second: float) -> float | None:
    """The log-normal distribution's share below a value; nothing for a value that it has not."""
    return 0.5 * (1 + erf((log(value) - first) / (second * sqrt(2)))) if value > 0 else None


SCALES: dict[str, Callable[[float, float, float], float | None]] = {
    "ZScore": lambda value, mean, deviation: (value - mean) / deviation,
    "MinMax": lambda value, least, spread: (value - least) / spread,
    "Logistic": _logistic,
    "LogNormal": _log_normal,
    "Tanh": lambda value, first, second: tanh(value),
}

Step = Annotated[Fill | DropRows | DropColumns | Scale, Field(discriminator="kind")]


class Transform(BaseModel):
    """A transformation of datasets: its steps, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    steps: Annotated[list[Step], Field(max_length=STEPS_MAX)]

    @property
    def task(self) -> str:
        """What it does among assets, where a trained model says its task."""
        return "transformation"

    def apply(self, table: Table) -> Table:
        """The transformed table; raises BadTable when it lacks a column or holds no number."""
        for step in self.steps:
            table = step.apply(table)
        return table


class _File(Transform):
    format: Literal["itransform"]
    version: Literal[1]


def write_transform(transform: Transform) -> bytes:
    """The bytes of an `.itransform` file; the same transformation gives the same bytes."""
    document = {"format": FORMAT, "version": VERSION, **transform.model_dump(mode="json")}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def read_transform(content: bytes) -> Transform:
    """The transformation in an `.itransform` file; raises BadModel for any other bytes."""
    if len(content) > FILE_BYTES_MAX:
        raise BadModel(f"the file has {len(content)} bytes, at most {FILE_BYTES_MAX} are read")
    try:
        read = _File.model_validate_json(content)
    except ValidationError as error:
        raise BadModel(f"the file is not an .itransform file: {str(error)[:400]}") from error
    return Transform(steps=read.steps)


def is_transform(content: bytes) -> bool:
    """Whether bytes claim to be an `.itransform` file."""
    return content.lstrip()[:1] == b"{"


def _filled(row: list[Cell], places: dict[int, str]) -> list[Cell]:
    if all(row[place] is not None for place in places):
        return row
    return [places.get(at) if cell is None else cell for at, cell in enumerate(row)]


def _missing(cells: Sequence[Cell]) -> list[Cell]:
    return ["true" if cell is None else "false" for cell in cells]
