"""Rules about resources: what Resource Manager takes, by types.json.

A type and version that is not in the table is a mistake too: either it is misspelt, or nobody has
looked up what it takes (`make_types`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra import symbols
from tests.infra.bicep import Declared, File, chain, items, literal, properties, text, walk

ABOUT = ("name", "parent", "scope", "dependsOn")  # Bicep's own, of every resource
TOLD = ("id", "name", "type", "apiVersion")  # can be read of every resource

Told = Iterator[tuple[int, str]]


@cache
def table() -> dict[str, Any]:
    types = json.loads((Path(__file__).parent / "types.json").read_text())
    return {name: entry["takes"] for name, entry in types.items()}


def mistakes(file: File, modules: dict[str, File]) -> Told:
    for resource in file.of("resource").values():
        takes = _takes(resource)
        if takes is None:
            yield resource.line, f"{resource.type} is not in types.json; misspelt, or not looked up"
            continue
        body = properties(resource.body)
        if "name" not in body:
            yield resource.line, f"{resource.name!r} has no name"
        yield from _parent(resource, body, file)
        if resource.existing:
            for name in sorted(set(body) - {"name", "parent", "scope"}):
                yield resource.line, f"{resource.name!r} exists: {name!r} cannot be set"
            continue
        own = {name: node for name, node in body.items() if name not in ABOUT}
        yield from _object(own, takes, resource.name, resource.line, file, modules)
    yield from _doubles(file)
    for node in walk(file.root):
        yield from _reading(node, file)


def _takes(resource: Declared) -> dict[str, Any] | None:
    name = literal(properties(resource.body).get("name"))
    return table().get(f"{resource.type}#{name}", table().get(resource.type))


def _parent(resource: Declared, body: dict[str, Node], file: File) -> Told:
    kind = resource.type.partition("@")[0]
    if kind.count("/") < 2:
        if "parent" in body:
            yield resource.line, f"{kind} has no parent"
        return
    parent = file.named(text(body.get("parent"))) if "parent" in body else None
    if parent is None or parent.kind != "resource":
        yield resource.line, f"{resource.name!r} needs `parent`, a resource of this file"
    elif parent.type.partition("@")[0] != kind.rpartition("/")[0]:
        yield resource.line, f"{resource.name!r} is no child of {parent.type}"


def _doubles(file: File) -> Told:
    seen: dict[tuple[str, str, str], str] = {}
    for resource in file.of("resource").values():
        body = properties(resource.body)
        name, parent = literal(body.get("name")), text(body.get("parent"))
        if name is None or resource.value is None or resource.value.type == "for_statement":
            continue
        first = seen.setdefault((resource.type, parent, name), resource.name)
        if first != resource.name:
            yield resource.line, f"{resource.name!r} is the same resource as {first!r}"


def _object(
    given: dict[str, Node], takes: Any, where: str, line: int, file: File, modules: dict[str, File]
) -> Told:
    known = {name.rstrip("!~"): (name, spec) for name, spec in takes.items()}
    for name, node in given.items():
        line = node.start_point.row + 1
        if name not in known:
            yield line, f"{where} takes no {name!r}"
            continue
        flagged, spec = known[name]
        if flagged.endswith("~"):
            yield line, f"{where}.{name} can only be read"
        yield from _value(node, spec, f"{where}.{name}", file, modules)
    for name in takes:
        if name.endswith("!") and name.rstrip("!") not in given:
            yield line, f"{where} needs {name.rstrip('!')!r}"


def _value(node: Node, spec: Any, where: str, file: File, modules: dict[str, File]) -> Told:
    line = node.start_point.row + 1
    if node.type == "ternary_expression":
        for name in ("consequence", "alternative"):
            way = node.child_by_field_name(name)
            if way is not None:
                yield from _value(way, spec, where, file, modules)
        return
    kind = symbols.kind_of(node, file, modules)
    wanted = _kind(spec)
    if "any" not in (kind, wanted) and kind != wanted:
        yield line, f"{where} is {wanted}, this is {kind}"
    elif isinstance(spec, dict) and node.type == "object":
        yield from _object(properties(node), spec, where, line, file, modules)
    elif isinstance(spec, list) and node.type == "array":
        for item in items(node):
            yield from _value(item, spec[0], f"{where}[]", file, modules)
    elif isinstance(spec, str) and ": " in spec:
        values, written = spec.partition(": ")[2].split(" | "), literal(node)
        if written is not None and written not in values:
            yield line, f"{where} is one of {values}, not {written!r}"


def _kind(spec: Any) -> str:
    if isinstance(spec, dict):
        return "object"
    return "array" if isinstance(spec, list) else str(spec).partition(":")[0]


def _reading(node: Node, file: File) -> Told:
    """`symbol.properties.x`: the type must tell x."""
    inside = node.parent is not None and node.parent.type == "member_expression"
    whole = () if node.type != "member_expression" or inside else chain(node)
    resource = file.of("resource").get(whole[0]) if whole else None
    takes: Any = None if resource is None else _takes(resource)
    for depth, name in enumerate(whole[1:]):
        if not isinstance(takes, dict) or (depth == 0 and name in TOLD):
            return
        known = {key.rstrip("!~"): spec for key, spec in takes.items()}
        if name not in known:
            yield node.start_point.row + 1, f"{'.'.join(whole[: depth + 1])} has no {name!r}"
            return
        takes = known[name]
