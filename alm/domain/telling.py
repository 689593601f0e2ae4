"""How a mistake in a document or a query from outside is told: the field, what was seen, what to
write. Made of pydantic's errors, so that every document is told about in the same words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from alm.domain.nearest import shown

MISTAKES_TOLD_MAX = 20


def told_of(kind: type[BaseModel]) -> Callable[[str], str]:
    """What to write into a field of this kind: its description says it."""

    def expected(name: str) -> str:
        field = kind.model_fields.get(name)
        return f"write {field.description if field else 'something else'}"

    return expected


def told(item: ErrorDetails, expected: Callable[[str], str]) -> str:
    """Tell one mistake. expected: what to write into the field of a name."""
    name = str(item["loc"][0]) if item["loc"] else "document"
    seen = item["input"]
    match item["type"]:
        case "missing":
            return f"{name}: missing; {expected(name)}"
        case "string_type":
            return f"{name}: is {json_type(seen)}; {expected(name)}"
        case _:
            value = shown(seen) if isinstance(seen, str) else shown(_json(seen))[1:-1]
            return f"{name}: {value} is not accepted; {expected(name)}"


def all_told(mistakes: Iterable[str]) -> str:
    """Every mistake once, in one line; of a storm of them the first ones."""
    unique = list(dict.fromkeys(mistakes))
    more = len(unique) - MISTAKES_TOLD_MAX
    return "; ".join(unique[:MISTAKES_TOLD_MAX]) + (f"; and {more} more" if more > 0 else "")


def _json(value: object) -> str:
    return json.dumps(value, default=str)


def json_type(value: object) -> str:
    names = {list: "an array", dict: "an object", str: "a string", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")
