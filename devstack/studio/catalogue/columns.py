"""Column pickers: which columns a parameter selects.

A picker's value is the name of one column, or Studio's rules as JSON, plain or URL-encoded:

    {"isFilter": true, "rules": [{"ruleType": "ColumnNames", "columns": ["a"], "exclude": false}]}

The rules hold one after another: each adds its columns, or takes them away with `exclude`. Rule
types are AllColumns, ColumnNames, ColumnIndexes (counted from 1, ranges as "2-4") and ColumnTypes
(`columnTypes`, such as Numeric; `columnKinds`, such as Feature). With `isFilter` the dataset's
order is kept, without it the order of the rules.
Source for names, `isFilter` true and `exclude`: captured experiments. Inferred: the keys of
ColumnTypes, the meaning of `isFilter` false, and that rules which only exclude start from all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from devstack.studio.learning.failures import BadParameter, BadTable
from devstack.studio.learning.tables import CATEGORICAL, LABEL, NO_FEATURE, Table, column_type

_INDEXES = re.compile(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?")
_SCORE = "Scored "


def column_names(parameter: str) -> list[str]:
    """The columns that a picker names, whatever the dataset: a plain name, or its name rules."""
    if not _is_rules(parameter):
        return [parameter] if parameter else []
    rules = _rules(parameter)["rules"]
    try:
        return [str(name) for rule in rules if not rule.get("exclude") for name in rule["columns"]]
    except (KeyError, TypeError) as error:
        raise _unreadable(parameter) from error


def picked_columns(parameter: str, table: Table) -> list[int]:
    """The positions of the columns that a picker selects; raises BadParameter, BadTable."""
    if not _is_rules(parameter):
        return [table.position(parameter)] if parameter else []
    described = _rules(parameter)
    rules = described["rules"]
    excluding = [bool(rule.get("exclude")) for rule in rules]
    found = list(range(len(table.columns))) if rules and all(excluding) else []
    for rule, exclude in zip(rules, excluding, strict=True):
        chosen = _chosen(rule, table, parameter)
        if exclude:
            found = [at for at in found if at not in chosen]
        else:
            found += [at for at in chosen if at not in found]
    return found if described.get("isFilter") is False else sorted(found)


def one_column(parameters: Mapping[str, str], names: tuple[str, ...], table: Table) -> str:
    """The one column that a parameter selects, under its name or another; raises BadParameter."""
    given = next((parameters[name] for name in names if parameters.get(name)), "")
    picked = picked_columns(given, table)
    if len(picked) != 1:
        raise BadParameter(f"parameter {names[0]!r} must select one column, not {len(picked)}")
    return table.columns[picked[0]]


def _is_rules(parameter: str) -> bool:
    return parameter.startswith(("{", "%7B", "%7b"))


def _rules(parameter: str) -> dict[str, Any]:
    try:
        described = json.loads(unquote(parameter))
    except ValueError as error:
        raise _unreadable(parameter) from error
    rules = described.get("rules", []) if isinstance(described, dict) else None
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise _unreadable(parameter)
    return {**described, "rules": rules}


def _chosen(rule: Mapping[str, Any], table: Table, parameter: str) -> list[int]:
    choose = _RULES.get(str(rule.get("ruleType", "ColumnNames")))
    if choose is None:
        raise BadParameter(f"the column selection has a rule of type {rule['ruleType']!r}")
    try:
        return choose(rule, table)
    except (KeyError, TypeError) as error:
        raise _unreadable(parameter) from error


def _all(rule: Mapping[str, Any], table: Table) -> list[int]:
    return list(range(len(table.columns)))


def _by_name(rule: Mapping[str, Any], table: Table) -> list[int]:
    return [table.position(str(name)) for name in _list(rule["columns"])]


def _by_index(rule: Mapping[str, Any], table: Table) -> list[int]:
    found: list[int] = []
    for item in _list(rule["columns"]):
        for part in str(item).split(","):
            match = _INDEXES.fullmatch(part)
            if match is None:
                raise BadParameter(f"{part!r} is no column index and no range of them")
            first, last = int(match[1]), int(match[2] or match[1])
            if not 1 <= first <= last <= len(table.columns):
                raise BadTable(f"columns {part.strip()} are not in the dataset (it has 1 to "
                               f"{len(table.columns)})")  # fmt: skip
            found += range(first - 1, last)
    return found


def _by_type(rule: Mapping[str, Any], table: Table) -> list[int]:
    types = [str(name) for name in _list(rule.get("columnTypes") or ["All"])]
    kinds = [str(name) for name in _list(rule.get("columnKinds") or ["All"])]
    for name in types:
        if name not in _TYPES:
            raise BadParameter(f"the column selection asks for columns of type {name!r}")
    for name in kinds:
        if name not in _KINDS:
            raise BadParameter(f"the column selection asks for columns of kind {name!r}")
    return [
        at
        for at, column in enumerate(table.columns)
        if any(_KINDS[kind](table, column) for kind in kinds)
        and any(_TYPES[name](table, column) for name in types)
    ]


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _is_categorical(table: Table, column: str) -> bool:
    return table.marked(column, CATEGORICAL)


def _of_type(*types: str) -> Callable[[Table, str], bool]:
    def is_of_type(table: Table, column: str) -> bool:
        return not _is_categorical(table, column) and column_type(table.column(column)) in types

    return is_of_type


def _is_boolean(table: Table, column: str) -> bool:
    cells = {cell.lower() for cell in table.column(column) if cell is not None}
    return bool(cells) and cells <= {"true", "false"}


_TYPES: Mapping[str, Callable[[Table, str], bool]] = {
    "All": lambda table, column: True,
    "Numeric": _of_type("Int32", "Int64", "Double"),
    "Integer": _of_type("Int32", "Int64"),
    "Double": _of_type("Double"),
    "Boolean": _is_boolean,
    "String": lambda table, column: (
        _of_type("String")(table, column) and not _is_boolean(table, column)
    ),
    "Categorical": _is_categorical,
}
_KINDS: Mapping[str, Callable[[Table, str], bool]] = {
    "All": lambda table, column: True,
    "Feature": lambda table, column: (
        not table.marked(column, NO_FEATURE) and not table.marked(column, LABEL)
    ),
    "Label": lambda table, column: table.marked(column, LABEL),
    "Score": lambda table, column: table.scored_by is not None and column.startswith(_SCORE),
}
_RULES: Mapping[str, Callable[[Mapping[str, Any], Table], list[int]]] = {
    "AllColumns": _all,
    "ColumnNames": _by_name,
    "ColumnIndexes": _by_index,
    "ColumnTypes": _by_type,
}


def _unreadable(parameter: str) -> BadParameter:
    return BadParameter(f"the column selection {parameter[:200]!r} cannot be read")
