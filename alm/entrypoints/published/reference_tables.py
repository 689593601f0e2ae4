"""Tables of the reference, as Markdown: the fields of a class from its JSON schema, in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
MADE = "*Made by `python -m alm.entrypoints.published.reference`; change the words there.*"


def page(title: str, about: str) -> list[str]:
    return [f"# {title}", "", MADE, "", about, ""]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return [*lines, *(f"| {' | '.join(map(_cell, row))} |" for row in rows), ""]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def fields(part: Schema, meanings: Mapping[str, str]) -> list[str]:
    required = part.get("required", ())
    rows = [
        (f"`{name}`", _type(field), _default(name, field, required), meanings[name])
        for name, field in part["properties"].items()
        if name in meanings
    ]
    return table(("field", "type", "default", "means"), rows)


def _type(field: Schema) -> str:
    """A type in words, with its limits."""
    if "$ref" in field:
        name = str(field["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    either = field.get("anyOf") or field.get("oneOf")
    if either:
        kinds = [_type(one) for one in either if one.get("type") != "null"]
        return ", ".join(dict.fromkeys(kinds))
    if "enum" in field or "const" in field:
        return ", ".join(f"`{one}`" for one in field.get("enum", [field.get("const")]))
    match field.get("type"):
        case "array":
            return f"list of {_type(field.get('items', {}))}"
        case "object":
            return f"names with {_type(field.get('additionalProperties', {}))}"
        case "integer":
            return f"whole number{_limits(field)}"
        case "number":
            return f"number{_limits(field)}"
        case "boolean":
            return "true or false"
    return "text"


def _limits(field: Schema) -> str:
    told = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to"}
    told |= {"exclusiveMaximum": "below"}
    return "".join(f" {word} {field[name]:.12g}" for name, word in told.items() if name in field)


def _default(name: str, field: Schema, required: Sequence[str]) -> str:
    default = field.get("default")
    if name in required:
        return "**must be given**"
    if default in (None, "", [], {}):
        return ""
    if isinstance(default, dict):
        return "its defaults"
    return f"`{json.dumps(default) if not isinstance(default, str) else default}`"


def first(text: str) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join(text.partition("\n\n")[0].split())
