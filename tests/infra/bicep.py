"""Bicep files as values: what is declared, and expressions as nodes of tree-sitter.

This reads; `lint` judges. Only what our files use is understood: no user-defined types or
functions, no imports, no nested resources. The grammar takes `//` at the start of a string for a
comment, and `[call().member]` for two items: our files avoid both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tree_sitter
import tree_sitter_bicep
from tree_sitter import Node

LANGUAGE = tree_sitter.Language(tree_sitter_bicep.language())


@dataclass(frozen=True)
class Declared:
    """A param, var, resource, module or output. `kind` says which.

    type: of a param or output its type, of a resource `Namespace/type@version`, of a module its
    path. value: its expression; of a param its default.
    """

    kind: str
    name: str
    node: Node
    type: str = ""
    value: Node | None = None
    existing: bool = False
    decorators: frozenset[str] = frozenset()

    @property
    def body(self) -> Node | None:
        """The object of a resource or module, inside its loop and its condition."""
        return None if self.value is None else unwrapped(self.value)

    @property
    def line(self) -> int:
        return self.node.start_point.row + 1


@dataclass(frozen=True)
class File:
    path: Path
    root: Node
    declared: tuple[Declared, ...] = field(default=())

    def of(self, kind: str) -> dict[str, Declared]:
        return {each.name: each for each in self.declared if each.kind == kind}

    def named(self, name: str) -> Declared | None:
        """What a symbol stands for. Outputs are not symbols."""
        found = (e for e in self.declared if e.name == name and e.kind != "output")
        return next(found, None)


def read(path: Path) -> File:
    root = tree_sitter.Parser(LANGUAGE).parse(path.read_bytes()).root_node
    return File(path, root, tuple(_declarations(root)))


def _declarations(root: Node) -> Iterator[Declared]:
    decorators: set[str] = set()
    for node in root.named_children:
        if node.type == "decorators":
            calls = (c for c in walk(node) if c.type == "call_expression")
            decorators |= {text(call.child_by_field_name("function")) for call in calls}
        elif node.type.endswith("_declaration"):
            yield _declaration(node, frozenset(decorators))
            decorators = set()


def _declaration(node: Node, decorators: frozenset[str]) -> Declared:
    kind = node.type.removesuffix("_declaration").replace("parameter", "param")
    kind = kind.replace("variable", "var")
    parts = [child for child in node.named_children if child.type != "comment"]
    name = text(parts[0])
    rest = parts[1:]
    type_ = ""
    if kind in ("resource", "module"):
        type_, rest = literal(rest[0]) or "", rest[1:]
    elif kind in ("param", "output"):
        type_, rest = text(rest[0]), rest[1:]
    value = rest[0] if rest else None
    existing = kind == "resource" and " existing " in text(node).partition("=")[0]
    return Declared(kind, name, node, type_, value, existing, decorators)


def unwrapped(value: Node) -> Node:
    """The object inside `[for … : if (…) { }]` or `if (…) { }`."""
    if value.type == "for_statement":
        body = value.child_by_field_name("body")
        return value if body is None else unwrapped(body)
    if value.type == "if_statement":
        return value.named_children[-1]
    return value


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode()


def literal(node: Node | None) -> str | None:
    """The text of a string without interpolation, else None."""
    if node is None or node.type != "string":
        return None
    if any(child.type == "interpolation" for child in node.named_children):
        return None
    return "".join(text(child) for child in node.named_children)


def plain(node: Node | None) -> object:
    """A literal as Python has it: text, numbers, booleans, lists and objects of them, else None."""
    if node is None:
        return None
    match node.type:
        case "string":
            return literal(node)
        case "number":
            return int(text(node))
        case "boolean":
            return text(node) == "true"
        case "array":
            return [plain(item) for item in items(node)]
        case "object":
            return {name: plain(value) for name, value in properties(node).items()}
    return None


def items(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"]


def properties(node: Node | None) -> dict[str, Node]:
    """The properties of an object by name; one whose name is computed stands under its text."""
    found: dict[str, Node] = {}
    if node is None or node.type != "object":
        return found
    for child in node.named_children:
        if child.type == "object_property":
            parts = items(child)
            name = literal(parts[0]) if parts[0].type == "string" else text(parts[0])
            found[name if name is not None else text(parts[0])] = parts[-1]
    return found


def chain(node: Node) -> tuple[str, ...]:
    """`a.b.c` as (a, b, c), also through an index; empty for what is no such chain."""
    if node.type == "identifier":
        return (text(node),)
    if node.type == "subscript_expression":
        inner = node.child_by_field_name("object")
        return () if inner is None else chain(inner)
    if node.type != "member_expression":
        return ()
    inner = node.child_by_field_name("object")
    before = () if inner is None else chain(inner)
    return (*before, text(node.child_by_field_name("property"))) if before else ()
