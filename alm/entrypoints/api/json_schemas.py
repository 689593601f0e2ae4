"""JSON schemas as we publish them: made by pydantic, and put so that every validator reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Schemas(GenerateJsonSchema):
    """Without titles that only repeat the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def rewritten(schema: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A schema in which every object was changed, the innermost ones first."""
    match schema:
        case dict():
            return change({name: rewritten(part, change) for name, part in schema.items()})
        case list():
            return [rewritten(part, change) for part in schema]
        case _:
            return schema


def portable(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the null that stands for an absent field, and without flags in a pattern, which
    only Python knows."""
    found = {name: part for name, part in schema.items() if (name, part) != ("default", None)}
    pattern = found.get("pattern")
    if isinstance(pattern, str) and pattern.startswith("(?i)"):
        found["pattern"] = any_case(pattern.removeprefix("(?i)"))
    return found


def any_case(pattern: str) -> str:
    """A pattern that takes small letters and capitals, written out.

    >>> any_case(r"^/sub[a-z-]+/\\w$")
    '^/[sS][uU][bB][a-zA-Z-]+/\\\\w$'
    """

    def one(found: re.Match[str]) -> str:
        text = found[0]
        if text.startswith("["):
            return text.replace("a-z", "a-zA-Z")
        return text if text.startswith("\\") else f"[{text.lower()}{text.upper()}]"

    return re.sub(r"\\.|\[[^\]]*\]|[A-Za-z]", one, pattern)
