"""What is different between a deployed web service and a definition that is kept.

What the service writes itself (times, state, keys) is no difference, and neither is a secret.
Node ids are numbers in a list: nodes are matched by what they are, else by id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alm.domain.column_picker import described
from alm.domain.definition_fit import same_region
from alm.domain.definitions import (
    assets_of,
    is_file,
    parameter_text,
    properties_of,
    versioned,
)
from alm.domain.difference import Change, Difference, What, compared, match
from alm.domain.web_services import Document

_HOSTING = {
    "storage account": ("storageAccount", "name"),
    "web service plan": ("commitmentPlan", "id"),
    "workspace": ("machineLearningWorkspace", "id"),
}
_SETTINGS = ("title", "description", "packageType", "readOnly", "exposeSampleData")
_GROUPS = {"concurrent calls": ("realtimeConfiguration", "maxConcurrentCalls")}
_GROUPS["diagnostics"] = ("diagnostics", "level")


def compare(deployed: Document, file: Document) -> Difference:
    """Say what would become different if the file were deployed."""
    old, new = versioned(deployed), versioned(file)
    before, after = properties_of(old), properties_of(new)
    changes = [*_hosting(old, new), *_settings(before, after), *_assets(old, new)]
    changes += [*_nodes(before, after), *_parameters(before, after)]
    for side in ("input", "output"):
        changes += _schema(side, before.get(side), after.get(side))
    return Difference(changes=tuple(changes))


def _hosting(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    places = str(old.get("location") or ""), str(new.get("location") or "")
    if not same_region(*places):
        yield from compared("hosting", "region", *places)
    for name, (group, key) in _HOSTING.items():
        values = (_in(properties_of(one).get(group), key) for one in (old, new))
        yield from compared("hosting", name, *values)


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for key in _SETTINGS:
        yield from compared("setting", key, old.get(key) or None, new.get(key) or None)
    for name, (group, key) in _GROUPS.items():
        values = (_in(one.get(group), key) for one in (old, new))
        yield from compared("setting", name, *values)


def _assets(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = dict(assets_of(old)), dict(assets_of(new))
    pairs = match(_asset_likeness(before), _asset_likeness(after), by_likeness=True)
    for key, asset in before.items():
        if key not in pairs:
            yield Change(area=_kind(asset), what="removed", name=_asset_name(key, asset), id=key)
    taken = set(pairs.values())
    for key, asset in after.items():
        if key not in taken:
            yield Change(area=_kind(asset), what="added", name=_asset_name(key, asset), id=key)
    for key, new_key in pairs.items():
        yield from _asset(before[key], after[new_key], new_key)


def _asset(old: Mapping[str, Any], new: Mapping[str, Any], key: str) -> Iterator[Change]:
    name, area = _asset_name(key, new), _kind(new)
    yield from compared(area, f"name of {name}", old.get("name"), new.get("name"), id=key)
    places = (_in(one.get("locationInfo"), "uri") for one in (old, new))
    yield from compared(area, f"location of {name}", *places, id=key)
    for part in ("type", "inputPorts", "outputPorts", "parameters"):
        values = (_plain(one.get(part)) for one in (old, new))
        yield from compared(area, f"{part} of {name}", *values, id=key)


def _nodes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = _named_nodes(old), _named_nodes(new)
    pairs = match(before, after, by_likeness=True)
    for id, name in before.items():
        if id not in pairs:
            yield Change(area="node", what="removed", name=name, id=id)
    taken = set(pairs.values())
    for id, name in after.items():
        if id not in taken:
            yield Change(area="node", what="added", name=name, id=id)
    for id, new_id in pairs.items():
        yield from compared("node", after[new_id], before[id], after[new_id], id=new_id)
        yield from _node_parameters(_node(old, id), _node(new, new_id), after[new_id], new_id)
    was = {tuple(pairs.get(end, end) if at in (0, 2) else end for at, end in enumerate(edge))
           for edge in _edges(old)}  # fmt: skip
    names = {**before, **after}
    for edge in sorted(was - set(_edges(new))):
        yield Change(area="edge", what="removed", name=_edge_name(edge, names))
    for edge in sorted(set(_edges(new)) - was):
        yield Change(area="edge", what="added", name=_edge_name(edge, names))


def _node_parameters(
    old: Mapping[str, Any], new: Mapping[str, Any], name: str, id: str
) -> Iterator[Change]:
    before, after = (_texts(node.get("parameters")) for node in (old, new))
    for key in _keys(before, after):
        yield from compared(
            "parameter", f"{key!r} of {name}", before.get(key), after.get(key), id=id
        )


def _parameters(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = (_texts(one.get("parameters")) for one in (old, new))
    for name in _keys(before, after):
        values = before.get(name), after.get(name)
        yield from compared("value of global parameter", repr(name), *values)
    declared = (_map(_in(one.get("package"), "graphParameters")) for one in (old, new))
    before, after = ({key: _plain(value) or "" for key, value in one.items()} for one in declared)
    for name in _keys(before, after):
        yield from compared("global parameter", repr(name), before.get(name), after.get(name))


def _schema(side: str, old: Any, new: Any) -> Iterator[Change]:
    before, after = (_map(_in(one, "properties")) for one in (old, new))
    for table in _keys(before, after):
        if table not in before or table not in after:
            what: What = "added" if table in after else "removed"
            yield Change(area=f"web-service {side}", what=what, name=repr(table))
            continue
        columns = [_map(_in(one[table], "properties")) for one in (before, after)]
        for column in _keys(*columns):
            kinds = (_column(one[column]) if column in one else None for one in columns)
            yield from compared(f"{side} column", f"{column!r} of {table!r}", *kinds)
        orders = [[name for name in one if name in columns[0] and name in columns[1]]
                  for one in columns]  # fmt: skip
        yield from compared(f"{side} columns' order", repr(table), *map(", ".join, orders))


def _column(column: Any) -> str:
    """`Integer (Int32), may be missing`."""
    parts = _map(column)
    text = str(parts.get("type") or "any")
    text += f" ({parts['format']})" if parts.get("format") else ""
    text += f" one of {_plain(parts['enum'])}" if parts.get("enum") else ""
    return text + (", may be missing" if parts.get("x-ms-isnullable") else "")


def _asset_likeness(assets: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {key: f"{_kind(asset)} {asset.get('name')}" for key, asset in assets.items()}


def _asset_name(key: str, asset: Mapping[str, Any]) -> str:
    return repr(str(asset.get("name") or key))


def _kind(asset: Mapping[str, Any]) -> str:
    return "trained model" if is_file(asset) else "module"


def _named_nodes(properties: Mapping[str, Any]) -> dict[str, str]:
    """What each node is: the name of its asset, or of the input or output it stands for."""
    assets = _map(properties.get("assets"))
    found = {}
    for id, node in _map(_in(properties.get("package"), "nodes")).items():
        parts = _map(node)
        key = str(parts.get("assetId") or "")
        if key:
            found[id] = _asset_name(key, _map(assets.get(key)))
        elif parts.get("inputId"):
            found[id] = f"web-service input {str(parts['inputId'])!r}"
        else:
            found[id] = f"web-service output {str(parts.get('outputId') or '')!r}"
    return found


def _node(properties: Mapping[str, Any], id: str) -> Mapping[str, Any]:
    return _map(_map(_in(properties.get("package"), "nodes")).get(id))


def _edges(properties: Mapping[str, Any]) -> list[tuple[str, ...]]:
    edges = _in(properties.get("package"), "edges")
    keys = ("sourceNodeId", "sourcePortId", "targetNodeId", "targetPortId")
    return [
        tuple(str(_map(edge).get(key) or "") for key in keys)
        for edge in (edges if isinstance(edges, list) else ())
    ]


def _edge_name(edge: tuple[str, ...], names: Mapping[str, str]) -> str:
    source, out, target, entry = edge
    ends = ((names.get(source, source), out), (names.get(target, target), entry))
    return " -> ".join(f"{port!r} of {name}" if port else name for name, port in ends)


def _texts(parameters: Any) -> dict[str, str]:
    texts = {key: parameter_text(value) for key, value in _map(parameters).items()}
    return {key: described(text) for key, text in texts.items() if text is not None}


def _plain(value: Any) -> str | None:
    if value in (None, {}, [], ""):
        return None
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _keys(*mappings: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))


def _in(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
