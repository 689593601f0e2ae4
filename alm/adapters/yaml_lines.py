"""YAML with line numbers: every value knows where it stands, so that a mistake can be shown there.

Only plain documents are read: mappings with text keys, lists, text, numbers, true, false and null.
Unlike YAML 1.1, `no`, `on`, `12:30` and `2024-05-01` are text. Tags, merge keys and anchors that
contain themselves are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from alm.domain.mistakes import Mistake, Place

DEPTH_MAX = 24
NODES_MAX = 500_000  # a file of ten thousand members with a dozen columns fits four times

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_SCALARS: tuple[tuple[str, str, str], ...] = (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
)
_PATTERNS = {kind: re.compile(pattern) for kind, pattern, _ in _SCALARS}


class _Loader(_BASE):  # type: ignore[misc]
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _kind, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(
        _TAG + _kind, re.compile(rf"^(?:{_pattern})$"), ["" if c == "\0" else c for c in _first]
    )


@dataclass
class Document:
    """A document of a file. lines, columns: where each place is. texts: what scalars that are not
    text said, for fields that want text after all (`positive: 1`)."""

    file: str
    value: object = None
    lines: dict[Place, int] = field(default_factory=dict)
    columns: dict[Place, int] = field(default_factory=dict)
    texts: dict[Place, str] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest one around it that exists."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def mistake(self, place: Place, what: str, remedy: str) -> Mistake:
        column = self.columns.get(place, 0)
        return Mistake(self.file, self.line(place), place, what, remedy, column)

    def note(self, place: Place, node: yaml.Node) -> None:
        """Keep where a place is."""
        self.lines[place] = node.start_mark.line + 1
        self.columns[place] = node.start_mark.column + 1


def read(text: str, file: str) -> tuple[list[Document], list[Mistake]]:
    """Read the documents of a file, with what is wrong with them as YAML."""
    documents: list[Document] = []
    mistakes: list[Mistake] = []
    try:
        for node in yaml.compose_all(text, Loader=_Loader):
            document = Document(file)
            found = list(_Reader(document).read(node))
            mistakes += found
            if not found:
                documents.append(document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 0)
        what = f"is not YAML: {error.problem or error}"
        remedy = "correct the line, or quote the text"
        mistakes.append(Mistake(file, line, (), what, remedy, column))
    except (yaml.YAMLError, RecursionError) as error:
        what = f"is not YAML: {str(error).splitlines()[0]}"
        mistakes.append(Mistake(file, 1, (), what, "save it as plain UTF-8 text"))
    return documents, mistakes


class _Reader:
    """Turns the nodes of one document into values, and collects what it refuses."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._mistakes: list[Mistake] = []
        self._nodes = 0

    def read(self, node: yaml.Node) -> Iterator[Mistake]:
        self._document.note((), node)
        self._document.value = self._value(node, ())
        yield from self._mistakes

    def _value(self, node: yaml.Node, place: Place) -> object:
        self._nodes += 1
        if len(place) > DEPTH_MAX or self._nodes > NODES_MAX:
            if self._nodes <= NODES_MAX or not self._mistakes:
                self._refuse(node, place, "is nested too deeply or too long", "write it flat")
            return None
        match node:
            case yaml.MappingNode():
                return self._mapping(node, place)
            case yaml.SequenceNode():
                return self._list(node, place)
            case _:
                assert isinstance(node, yaml.ScalarNode)
                return self._scalar(node, place)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
                self._refuse(key, place, "has a key that is not plain text", "write the fields out")
                continue
            inside = (*place, str(key.value))
            if key.value in found:
                first = self._document.lines[inside]
                what = f"is given twice (first on line {first})"
                self._refuse(key, inside, what, "keep one of them")
                continue
            self._document.note(inside, key)
            found[str(key.value)] = self._value(item, inside)
        return found

    def _list(self, node: yaml.SequenceNode, place: Place) -> list[object]:
        found = []
        for index, item in enumerate(node.value):
            inside = (*place, index)
            self._document.note(inside, item)
            found.append(self._value(item, inside))
        return found

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> object:
        text = str(node.value)
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return text
        if kind not in _PATTERNS or not _PATTERNS[kind].fullmatch(text):
            self._refuse(
                node, place, f"has the tag {node.tag}", "leave the tag out, quote the text"
            )
            return None
        self._document.texts[place] = text
        return _plain(kind, text)

    def _refuse(self, node: yaml.Node, place: Place, what: str, remedy: str) -> None:
        mark = node.start_mark
        mistake = Mistake(self._document.file, mark.line + 1, place, what, remedy, mark.column + 1)
        self._mistakes.append(mistake)


def _plain(kind: str, text: str) -> object:
    match kind:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int" if len(text) <= 18:
            return int(text)
        case _:
            return float(text)
