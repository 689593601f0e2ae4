"""Rows to be scored, as people give them: on the command line, or in a file."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from alm.domain import tables
from alm.domain.errors import Refused
from alm.domain.exchange import Row
from alm.entrypoints.cli.studio import files

ROWS_BYTES_MAX = 32 << 20


def pair(text: str) -> tuple[str, str]:
    """`NAME=VALUE`. Raises Refused for anything else."""
    name, equals, value = text.partition("=")
    if not (equals and name.strip()):
        raise Refused(f"{text!r} is no NAME=VALUE")
    return name.strip(), value


def row(text: str) -> Row:
    """`age=23,calls=9` as a row; quotes as in CSV keep a comma."""
    return dict(pair(part) for part in next(csv.reader(io.StringIO(text)), []))


def of_file(name: str) -> list[Row]:
    """The rows of a CSV or TSV file, or of a JSON list of objects."""
    content = files.read(Path(name), bytes_max=ROWS_BYTES_MAX)
    if not name.endswith(".json"):
        table = tables.read(content, name=name)
        return [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    try:
        listed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{name} is not JSON ({error}); write a list of objects") from error
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Refused(f"{name} is no list of objects; write [{{name: value}}, …]")
    return listed
