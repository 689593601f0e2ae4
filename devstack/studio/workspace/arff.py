"""ARFF: the attribute-relation file format of Weka, read line by line.

Attributes become columns in order; `?` is missing. Quoted names and values, comments, and sparse
rows (`{0 1.5, 3 yes}`, where what is not named is 0 or the first value of the set) are understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from devstack.studio.learning.failures import BadTable
from devstack.studio.learning.tables import MISSING, Cell

# One value, quoted or plain, and the comma after it. What was taken is not given back (`*+`): else
# a line of spaces would take a time that grows with the cube of its length.
_VALUE = re.compile(
    r"""\s*+(?:'(?P<single>(?:[^'\\]|\\.)*+)'|"(?P<double>(?:[^"\\]|\\.)*+)"|(?P<plain>[^,'"]*+))"""
    r"""\s*+(?:,|$)"""
)
_ATTRIBUTE = re.compile(
    r"""@attribute\s+(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(\S+))\s+(.+)""", re.IGNORECASE
)
_SPARSE_ITEM = re.compile(r"(\d+)\s+(.*)", re.DOTALL)


@dataclass(frozen=True)
class Attribute:
    """A column: its name, and what a sparse row that leaves it out means."""

    name: str
    default: Cell


def read_attributes(lines: Iterator[str]) -> list[Attribute]:
    """Read the head, up to and with `@data`; raises BadTable."""
    found: list[Attribute] = []
    for line in lines:
        text = line.strip()
        word = text.split(maxsplit=1)[0].lower() if text else ""
        if word == "@attribute":
            found.append(_attribute(text))
        elif word == "@data":
            return _checked(found)
        elif text and word != "@relation" and not text.startswith("%"):
            raise BadTable(f"{text[:100]!r} is no line of the head of an ARFF file")
    raise BadTable("the ARFF file has no @data line")


def read_cells(lines: Iterable[str], attributes: list[Attribute]) -> Iterator[list[Cell]]:
    """The rows below `@data`; raises BadTable that names the row."""
    number = 0
    for line in lines:
        text = line.strip()
        if not text or text.startswith("%"):
            continue
        number += 1
        if text.startswith("{"):
            yield _sparse(text, attributes, number)
            continue
        cells = _values(text, number)
        if len(cells) != len(attributes):
            message = f"row {number} has {len(cells)} cells, there are {len(attributes)} attributes"
            raise BadTable(message)
        yield cells


def _attribute(text: str) -> Attribute:
    match = _ATTRIBUTE.fullmatch(text)
    if match is None:
        raise BadTable(f"{text[:100]!r} cannot be read: give a name and a type")
    name = next(part for part in match.groups()[:3] if part is not None)
    kind = match[4].strip()
    if kind.startswith("{"):
        first = _values(kind.strip("{}"), 0)
        return Attribute(_unescaped(name), first[0] if first else None)
    is_number = kind.split()[0].lower() in ("numeric", "real", "integer")
    return Attribute(_unescaped(name), "0" if is_number else "")


def _checked(found: list[Attribute]) -> list[Attribute]:
    names = [attribute.name for attribute in found]
    if not names:
        raise BadTable("the ARFF file has no @attribute line")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise BadTable(f"column {repeated[0]!r} is there more than once")
    return found


def _values(text: str, number: int) -> list[Cell]:
    cells: list[Cell] = []
    at = 0
    while at < len(text) or (cells and text.endswith(",") and at == len(text)):
        match = _VALUE.match(text, at)
        if match is None:
            raise BadTable(f"row {number} cannot be read at {text[at : at + 40]!r}")
        cells.append(_cell(match))
        if match.end() == at:
            break
        at = match.end()
    return cells


def _cell(match: re.Match[str]) -> Cell:
    plain = match["plain"]
    if plain is not None:
        return None if plain.strip() in MISSING else plain.strip()
    quoted = match["single"] if match["single"] is not None else match["double"]
    return _unescaped(quoted)


def _sparse(text: str, attributes: list[Attribute], number: int) -> list[Cell]:
    cells = [attribute.default for attribute in attributes]
    if not text.endswith("}"):
        raise BadTable(f"row {number} begins with a brace and does not end with one")
    for item in _items(text[1:-1]):
        match = _SPARSE_ITEM.fullmatch(item)
        if match is None or int(match[1]) >= len(attributes):
            raise BadTable(f"row {number}: {item[:40]!r} is no position and value")
        cells[int(match[1])] = _values(match[2], number)[0] if match[2].strip() else None
    return cells


def _items(text: str) -> list[str]:
    """The parts between commas that stand outside quotes."""
    parts = re.findall(r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,'"])+""", text)
    return [part.strip() for part in parts if part.strip()]


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
