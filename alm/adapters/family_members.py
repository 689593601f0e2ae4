"""The members of a family: by captures, from a list, or from a file with one row per member.

members: captures                          # the default: a member exists after its first blob
members: {list: [north, south]}            # or a list of {column: value}
members: {file: shops.csv, key: [shop]}    # a CSV or YAML file next to the declaration
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from alm.adapters import yaml_lines
from alm.adapters.yaml_lines import Document
from alm.domain import patterns
from alm.domain.family import SEPARATOR, Rows, value_fault
from alm.domain.mistakes import Mistake, Place
from alm.domain.nearest import shown, suggestion
from alm.domain.patterns import MODEL_LENGTH_MAX

ROW_MISTAKES_MAX = 20
RESERVED = ("model", "family")
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.(csv|yaml)")
FORMS = "write `captures`, `{list: […]}` or `{file: name.csv}`"


class Row(NamedTuple):
    """One member as it is written, and where."""

    file: str
    line: int
    place: Place
    values: Mapping[str, str]

    def mistake(self, what: str, remedy: str) -> Mistake:
        return Mistake(self.file, self.line, self.place, what, remedy)


@dataclass(frozen=True)
class Members:
    """Who belongs to a family. rows None: members by captures. key: what makes the slug."""

    rows: Rows | None
    key: tuple[str, ...]


class Faulty(Exception):
    """The members cannot be read; holds every reason. Caught in `declaration_files`."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(*map(str, mistakes))
        self.mistakes = mistakes


def file_named(value: object) -> str:
    """The members file that a declaration names; "" if it names none."""
    members = value.get("members") if isinstance(value, dict) else None
    file = members.get("file") if isinstance(members, dict) else None
    return file if isinstance(file, str) else ""


def read(document: Document, folder: Path, family: str, captures: tuple[str, ...]) -> Members:
    """Read `members` of a declaration whose dataset pattern has these captures.

    Raises Faulty with every mistake.
    """
    value = document.value
    assert isinstance(value, dict)
    declared = value.get("members", "captures")
    if declared == "captures":
        return _by_captures(document, captures)
    if not isinstance(declared, dict) or not set(declared) <= {"list", "file", "key"}:
        raise Faulty([document.mistake(("members",), "is not understood", FORMS)])
    if ("list" in declared) == ("file" in declared):
        raise Faulty([document.mistake(("members",), "needs one of `list` and `file`", FORMS)])
    rows = _rows(document, folder, captures)
    key = _key(document, declared.get("key"), captures, rows[0])
    return Members(_checked(rows, key, family), key)


def _by_captures(document: Document, captures: tuple[str, ...]) -> Members:
    if not captures:
        what = "come from captures, and the dataset pattern has none"
        remedy = 'write `dataset: "sales/{shop}/*.csv"`, or declare a list or file of members'
        raise Faulty([document.mistake(("members",), what, remedy)])
    return Members(None, captures)


def _rows(document: Document, folder: Path, captures: tuple[str, ...]) -> list[Row]:
    value: Any = document.value
    if "file" in value["members"]:
        rows = list(_file(document, folder, captures))
    else:
        rows = list(_list(document, value["members"]["list"], ("members", "list"), captures))
    if not rows:
        raise Faulty([document.mistake(("members",), "names no member", "add at least one")])
    return rows


def _file(document: Document, folder: Path, captures: tuple[str, ...]) -> Iterator[Row]:
    place: Place = ("members", "file")
    name = file_named(document.value)
    if not _FILE.fullmatch(name):
        remedy = "name a .csv or .yaml file in the declaration's own folder"
        raise Faulty([document.mistake(place, f"is {shown(name)}", remedy)])
    label = f"{folder.name}/{name}"
    try:
        text = (folder / name).read_text(encoding="utf-8-sig")
    except OSError as error:
        what = f"{name!r} cannot be read ({error.strerror})"
        raise Faulty(
            [document.mistake(place, what, "put the file next to the declaration")]
        ) from error
    except UnicodeDecodeError as error:
        raise Faulty([Mistake(label, 1, (), "is not UTF-8", "save it as UTF-8")]) from error
    if name.endswith(".csv"):
        yield from _csv(text, label)
        return
    documents, mistakes = yaml_lines.read(text, label)
    if mistakes:
        raise Faulty(mistakes)
    for other in documents:
        yield from _list(other, other.value, (), captures)


def _csv(text: str, label: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        columns = next(reader, [])
        if len(set(columns)) < len(columns):
            raise Faulty([Mistake(label, 1, (), "names a column twice", "rename one of them")])
        for cells in reader:
            if cells:
                yield Row(label, reader.line_num, (), _in_columns(cells, columns))
    except csv.Error as error:
        what = f"is not CSV: {error}"
        raise Faulty([Mistake(label, reader.line_num, (), what, "quote the cell")]) from error


def _in_columns(cells: list[str], columns: list[str]) -> dict[str, str]:
    """A row that is too short or too long gets a value that no member may have."""
    width = len(columns)
    kept = [*cells[: width - 1], ",".join(cells[width - 1 :])]
    return dict(zip(columns, [*kept, *[""] * width], strict=False))


def _list(
    document: Document, value: object, place: Place, captures: tuple[str, ...]
) -> Iterator[Row]:
    if not isinstance(value, list):
        raise Faulty([document.mistake(place, "is not a list", "write one `- …` per member")])
    column = captures[0] if len(captures) == 1 else "member"
    for index, item in enumerate(value):
        here = (*place, index)
        named = item if isinstance(item, dict) else {column: item}
        values = {}
        for name, cell in named.items():
            inside = (*here, name) if isinstance(item, dict) else here
            text = document.texts.get(inside, cell)
            if not isinstance(text, str):
                raise Faulty([document.mistake(inside, "is not one value", "write text")])
            values[str(name)] = text
        yield Row(document.file, document.line(here), here, values)


def _key(
    document: Document, declared: object, captures: tuple[str, ...], first: Row
) -> tuple[str, ...]:
    """What makes a member's id: as declared, else the captures, else the first column."""
    columns = tuple(first.values)
    for name in columns:
        if not _COLUMN.fullmatch(name) or name in RESERVED:
            remedy = "use small letters, digits and _, a letter first; not `model` or `family`"
            raise Faulty([first.mistake(f"has a column {shown(name)}", remedy)])
    for name in captures:
        if name not in columns:
            what = f"captures {name!r}, which is no column of the members"
            raise Faulty([document.mistake(("dataset",), what, suggestion(name, columns))])
    if declared is None:
        return captures or columns[:1]
    names = tuple(declared) if isinstance(declared, list) else (declared,)
    for name in names:
        if name not in columns:
            what = f"names {shown(str(name))}, which is no column"
            raise Faulty(
                [document.mistake(("members", "key"), what, suggestion(str(name), columns))]
            )
    return tuple(map(str, names))


def _checked(rows: list[Row], key: tuple[str, ...], family: str) -> Rows:
    columns = tuple(rows[0].values)
    found: dict[str, tuple[str, ...]] = {}
    lines: dict[str, int] = {}
    mistakes: list[Mistake] = []
    for row in rows:
        wrong = _row_fault(row, columns)
        slug = "" if wrong else patterns.slug({name: row.values[name] for name in key})
        if slug in lines:
            wrong = (f"is the same member as line {lines[slug]}", "remove one, or widen `key`")
        elif slug and len(family + SEPARATOR + slug) > MODEL_LENGTH_MAX:
            wrong = (f"has an id of more than {MODEL_LENGTH_MAX} characters", "shorten its values")
        if wrong:
            mistakes.append(row.mistake(*wrong))
            continue
        lines[slug] = row.line
        found[slug] = tuple(row.values[name] for name in columns)
    if len(mistakes) > ROW_MISTAKES_MAX:
        what = f"and {len(mistakes) - ROW_MISTAKES_MAX} more rows are wrong"
        mistakes[ROW_MISTAKES_MAX:] = [rows[-1].mistake(what, "correct the first ones first")]
    if mistakes:
        raise Faulty(mistakes)
    return Rows(columns, found)


def _row_fault(row: Row, columns: tuple[str, ...]) -> tuple[str, str] | None:
    if tuple(row.values) != columns and set(row.values) != set(columns):
        return "has other columns than the first member", f"give it {', '.join(columns)}"
    for name, value in row.values.items():
        what, _, remedy = value_fault(name, value).partition("; ")
        if what:
            return what, remedy
    return None
