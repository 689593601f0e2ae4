"""Column pickers: parameter values that select columns, as Studio keeps them and as people say it.

Source: captured graphs (ColumnNames); the other rules are those of Studio's successor.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, unquote

SHOWN_MAX = 20  # columns in a message
_ENCODED = ("%7B", "%7b", "{")


def write_columns(columns: Iterable[str]) -> str:
    """The value that selects these columns by name."""
    rule = {"ruleType": "ColumnNames", "columns": list(columns), "exclude": False}
    text = json.dumps({"isFilter": True, "rules": [rule]}, separators=(",", ":"))
    return quote(text, safe="")


def read_rules(value: str) -> list[dict[str, Any]] | None:
    """The rules of a column picker; None: the value is not one."""
    if not value.startswith(_ENCODED):
        return None
    try:
        document = json.loads(unquote(value))
    except (ValueError, RecursionError):
        return None
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        return None
    return rules


def described(value: str, *, shown_max: int | None = SHOWN_MAX) -> str:
    """A column picker as people say it: `columns 'age', 'income'`; other values as they are.

    shown_max: of the columns; None: all.
    """
    rules = read_rules(value)
    if rules is None:
        return value
    return "; ".join(_rule(rule, shown_max) for rule in rules) or "no columns"


def _rule(rule: dict[str, Any], shown_max: int | None) -> str:
    sign = "without " if rule.get("exclude") else ""
    match rule.get("ruleType"):
        case "ColumnNames":
            return f"{sign}columns {_listed(rule.get('columns'), shown_max)}"
        case "ColumnIndexes":
            return f"{sign}columns number {_listed(rule.get('columns'), shown_max)}"
        case "ColumnTypes":
            kinds = [kind for kind in _texts(rule.get("columnKinds")) if kind != "All"]
            types = [kind for kind in _texts(rule.get("columnTypes")) if kind != "All"]
            return f"{sign}{' '.join([*types, *kinds]) or 'all'} columns"
        case "AllColumns":
            return f"{sign}all columns"
        case other:
            return f"{sign}rule {other}: {json.dumps(rule, sort_keys=True)[:200]}"


def _listed(columns: Any, shown_max: int | None) -> str:
    names = [repr(name) for name in _texts(columns)]
    left = len(names) - (len(names) if shown_max is None else shown_max)
    return ", ".join(names[:shown_max]) + (f" and {left} more" if left > 0 else "")


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
