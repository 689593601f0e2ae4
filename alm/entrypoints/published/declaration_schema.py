"""The JSON schema of declarations, for editors: completion, explanations, mistakes while typing.

It is made from the classes that read declarations, and accepts what they accept: text may be
written as a number (`positive: 1`), and in a family every value may be a placeholder. The rules
that compare fields are the loader's: `alm validate` tells them.
"""

from __future__ import annotations

from typing import Any

from alm.domain.managed_model import ManagedModel
from alm.entrypoints.api.json_schemas import Schemas, portable, rewritten
from alm.entrypoints.published.declaration_words import EXAMPLES, WORDS

DIALECT = "http://json-schema.org/draft-07/schema#"  # what editors know best
ABOUT = """\
A managed model, or with `family` one declaration for many. This schema knows fields, forms and
limits. `alm validate` knows more: names that must agree (gate.staging, smoke_tests.targets), two
targets on one service, patterns that overlap, cron lines, what a gate needs to judge, whether
placeholders have a value, and everything that concerns two files."""
ABOUT_A_FIELD = ("description", "examples", "default")
PLACEHOLDER = {
    "type": "string",
    "pattern": r"\{[a-z][a-z0-9_]*\}",
    "description": "a text with `{name}` of a capture or column, `{model}` or `{family}`",
}
COLUMN = "^[a-z][a-z0-9_]{0,31}$"
CELL = {"type": ["string", "number", "boolean"]}
KEY = {
    "description": "the columns that make a member's id; the captures, or the first column",
    "anyOf": [
        {"type": "string", "pattern": COLUMN},
        {"type": "array", "items": {"type": "string", "pattern": COLUMN}, "minItems": 1},
    ],
}
ROWS = {
    "type": "array",
    "minItems": 1,
    "items": {"anyOf": [CELL, {"type": "object", "additionalProperties": CELL}]},
    "description": "the members: a text each, or `{column: value}`",
}
FAMILY = {
    "type": "string",
    "pattern": "^[a-z0-9]([a-z0-9._]|-(?=[a-z0-9._])){0,59}$",
    "description": "its name; members are called `{family}--{slug}`. No `--`, at most 60",
    "examples": ["shops"],
}
MEMBERS = {
    "description": "who belongs to it: whatever the dataset pattern captures (a member exists "
    "after its first dataset), a list, or a file next to this one",
    "default": "captures",
    "anyOf": [
        {"const": "captures"},
        {
            "type": "object",
            "properties": {"list": ROWS, "key": KEY},
            "required": ["list"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {
                "file": {
                    "type": "string",
                    "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]*\.(csv|yaml)$",
                    "description": "a CSV or YAML file with one row per member",
                    "examples": ["shops.csv"],
                },
                "key": KEY,
            },
            "required": ["file"],
            "additionalProperties": False,
        },
    ],
}


def declaration_schema() -> dict[str, Any]:
    """The schema of a file of `managed_models/`: a managed model, a family, a file of members."""
    single, parts = _single()
    family, family_parts = _family(single, parts)
    is_family = {"anyOf": [{"required": ["family"]}, {"required": ["members"]}]}
    return {
        "$schema": DIALECT,
        "title": "A managed model or a family of them",
        "description": ABOUT,
        "if": {"type": "array"},
        "then": ROWS,
        "else": {
            "if": is_family,
            "then": {"$ref": "#/$defs/Family"},
            "else": {"$ref": "#/$defs/ManagedModel"},
        },
        "$defs": {
            "ManagedModel": single,
            "Family": family,
            "placeholder": PLACEHOLDER,
            **parts,
            **family_parts,
        },
    }


def _single() -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of one managed model, and its parts by name."""
    schema = ManagedModel.model_json_schema(schema_generator=Schemas)
    named = {**schema.pop("$defs"), "ManagedModel": schema}
    parts = {name: _explained(name, part) for name, part in named.items()}
    parts = {name: rewritten(part, _as_written) for name, part in parts.items()}
    single = parts.pop("ManagedModel")
    del single["properties"]["family"]  # of a member: the loader fills it in
    return single, parts


def _family(single: dict[str, Any], parts: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same with placeholders: without `model`, with `family` and `members`."""
    mine = {name: part for name, part in single["properties"].items() if name != "model"}
    family = {
        **single,
        "description": "One declaration for many managed models.",
        "properties": {"family": FAMILY, "members": MEMBERS}
        | {name: rewritten(part, _with_placeholders) for name, part in mine.items()},
        "required": ["family"],
    }
    return family, {
        f"Family{name}": rewritten(part, _with_placeholders) for name, part in parts.items()
    }


def _explained(name: str, part: dict[str, Any]) -> dict[str, Any]:
    """A class with the words for its fields; of its own text the first line."""
    fields = {
        field: {
            **schema,
            "description": WORDS[name].get(field, ""),
            **({"examples": shown} if (shown := EXAMPLES.get(name, {}).get(field)) else {}),
        }
        for field, schema in part["properties"].items()
    }
    about = part["description"].partition("\n\n")[0].replace("\n", " ")
    return {**part, "description": about, "properties": fields}


def _as_written(schema: dict[str, Any]) -> dict[str, Any]:
    """As files have it: text may be written as a number or true; of several forms any will do."""
    found = portable(schema)
    if found.get("type") == "string" and not {"const", "enum"} & set(found):
        found["type"] = CELL["type"]
    if "oneOf" in found:
        found["anyOf"] = found.pop("oneOf")
        del found["discriminator"]
    return found


def _with_placeholders(schema: dict[str, Any]) -> dict[str, Any]:
    """In a family: any value may be a placeholder, whatever its form is to be in the end."""
    if "$ref" in schema:
        return {**schema, "$ref": schema["$ref"].replace("#/$defs/", "#/$defs/Family")}
    kind = schema.get("type")
    limited = {"pattern", "maxLength", "const", "enum"} & set(schema)
    if kind in ("number", "integer", "boolean") or (kind is not None and limited):
        about = {name: part for name, part in schema.items() if name in ABOUT_A_FIELD}
        form = {name: part for name, part in schema.items() if name not in ABOUT_A_FIELD}
        return {**about, "anyOf": [form, {"$ref": "#/$defs/placeholder"}]}
    return schema
