"""Edits of a graph: other assets, newer versions, other parameters.

Studio has no calls for these: a graph is changed here and saved whole. Every edit returns the
graph as it is then; an edit that changes nothing returns it as it was.
Source: what the PowerShell module does to a graph before it saves it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from alm.domain.column_picker import read_rules, write_columns
from alm.domain.errors import Refused
from alm.domain.experiment import Asset, Graph, InputPort, Node, Parameter
from alm.domain.frozen import Frozen
from alm.domain.graph.finding import find_node, input_port, place, place_in
from alm.domain.graph.modules import named
from alm.domain.graph.references import WORDS, Kind, assets_at, references
from alm.domain.graph.remapping import in_layout, remap
from alm.domain.nearest import shown, suggestion
from alm.domain.studio_ids import asset_id, family_of, version_of

ASSET_KINDS: tuple[Kind, ...] = ("dataset", "trained_model", "transform")


class Replaced(Frozen):
    """One thing that was replaced: which, and in which nodes."""

    kind: Kind
    old: str
    new: str
    name: str = ""
    nodes: tuple[str, ...] = ()

    def __str__(self) -> str:
        name = f" {self.name!r}" if self.name else ""
        return (
            f"{WORDS[self.kind]}{name}: version {version_of(self.old)} -> {version_of(self.new)} "
            f"in {', '.join(self.nodes)} ({self.old} -> {self.new})"
        )


class Edited(Frozen):
    """A graph after an edit, and what was replaced; nothing if it was up to date."""

    graph: Graph
    replaced: tuple[Replaced, ...] = ()


def replace_asset(graph: Graph, kind: Kind, old: str, new: str) -> Graph:
    """Name another asset wherever `old` is named. Raises Refused if it is not used as that kind."""
    used = sorted({ref.id for ref in references(graph) if ref.kind == kind})
    if old not in used:
        raise Refused(
            f"the graph uses no {WORDS[kind]} {shown(old)}: {suggestion(old, used)}; "
            "name one that it uses"
        )
    return remap(graph, {old: new})


def update_assets(
    graph: Graph, assets: Iterable[Asset], kinds: Sequence[Kind] = ASSET_KINDS
) -> Edited:
    """Replace assets by the newest version of their family; those without a newer one stay."""
    newest: dict[tuple[Kind, str], Asset] = {}
    for asset in sorted(assets, key=lambda asset: (asset.is_latest, _number(asset))):
        newest[(asset.kind, asset.family or family_of(asset.id))] = asset
    found: dict[Kind, dict[str, Asset]] = {kind: {} for kind in kinds}
    for ref in references(graph):
        latest = newest.get((ref.kind, family_of(ref.id)))
        if ref.kind in kinds and latest is not None and _number(latest) > version_of(ref.id):
            found[ref.kind][ref.id] = latest
    mapping = {old: asset.id for by_id in found.values() for old, asset in by_id.items()}
    names = {asset.id: asset.name for by_id in found.values() for asset in by_id.values()}
    return _edited(graph, mapping, names)


def update_modules(graph: Graph, modules: Iterable[str], node: str = "") -> Edited:
    """Set modules to the newest version of their family: all of them, or that of one node.

    Raises Refused if there is no such node, or several.
    """
    newest: dict[str, str] = {}
    for module in sorted(modules, key=version_of):
        newest[family_of(module)] = module
    only = find_node(graph, node).id if node else ""
    chosen = [item for item in graph.nodes if not only or item.id == only]
    changed = {
        item.id: item.changed(module=newest[family_of(item.module)])
        for item in chosen
        if version_of(newest.get(family_of(item.module), "")) > version_of(item.module)
    }
    replaced = tuple(
        Replaced(kind="module", old=item.module, new=changed[item.id].module, nodes=(named(item),))
        for item in chosen
        if item.id in changed
    )
    return Edited(graph=_with_nodes(graph, changed), replaced=replaced)


def set_dataset(graph: Graph, new: str, *, port: str = "", old: str = "") -> Graph:
    """Put a dataset into a graph: at a port (`node:port`), in place of `old`, or of the only one.

    Raises Refused if there is no such port or dataset, if an edge or another kind of asset comes in
    by that port, or if neither is named and the graph uses several.
    """
    _check_id(new)
    if port:
        return _set_at(graph, new, port)
    used = sorted({ref.id for ref in references(graph) if ref.kind == "dataset"})
    if not old and len(used) != 1:
        there = "no dataset" if not used else f"{len(used)} datasets: {', '.join(used[:8])}"
        raise Refused(f"the graph uses {there}; name the port that {shown(new)} shall go to")
    return replace_asset(graph, "dataset", old or used[0], new)


def set_parameter(
    graph: Graph, node: str, name: str, value: str | int | float | bool | list[str]
) -> Graph:
    """Set a parameter of a node; a list sets a column picker to these columns.

    Raises Refused if there is no such node or parameter, or if the web service's caller sets it.
    """
    found = find_node(graph, node)
    parameter = _parameter(found, name)
    if parameter.kind.lower() == "graphparametername":
        raise Refused(
            f"parameter {parameter.name!r} of {named(found)} is the web-service parameter "
            f"{parameter.linked or parameter.value!r}; set that one"
        )
    text = _value(found, parameter, value)
    if text == parameter.value:
        return graph
    parameters = tuple(
        item.changed(value=text) if item.name == parameter.name else item
        for item in found.parameters
    )
    return _with_nodes(graph, {found.id: found.changed(parameters=parameters)})


def _edited(graph: Graph, mapping: Mapping[str, str], names: Mapping[str, str]) -> Edited:
    by_node = {node.id: node for node in graph.nodes}
    users: dict[tuple[Kind, str], list[str]] = {}
    for ref in references(graph):
        if ref.id in mapping:
            users.setdefault((ref.kind, ref.id), []).append(named(by_node[ref.node]))
    replaced = tuple(
        Replaced(
            kind=kind,
            old=old,
            new=mapping[old],
            name=names[mapping[old]],
            nodes=tuple(dict.fromkeys(nodes)),
        )
        for (kind, old), nodes in users.items()
    )
    return Edited(graph=remap(graph, mapping), replaced=replaced)


def _set_at(graph: Graph, new: str, port: str) -> Graph:
    node, name = place_in(graph, port)
    entry = input_port(node, name)
    here = place(node.id, entry.name)
    feeding = [edge.source for edge in graph.edges if edge.target == here]
    if feeding:
        raise Refused(
            f"port {entry.name!r} of {named(node)} gets its rows from {shown(feeding[0])}; "
            "name a port that a dataset goes into"
        )
    others = [kind for kind, _ in assets_at(entry) if kind != "dataset"]
    if others:
        raise Refused(
            f"port {entry.name!r} of {named(node)} holds a {WORDS[others[0]]}, not a dataset"
        )
    if entry.dataset == new:
        return graph
    changed = _with_port(node, entry, lambda item: item.changed(dataset=new))
    return _moved(_with_nodes(graph, {node.id: changed}), entry.dataset, new)


def _moved(graph: Graph, old: str, new: str) -> Graph:
    """The layout shows the new dataset where the old one was, unless that is still used."""
    if not old or any(ref.id == old for ref in references(graph)):
        return graph
    return graph.changed(layout=in_layout(graph.layout, {old: new}))


def _parameter(node: Node, name: str) -> Parameter:
    for same in (str, str.lower):
        for item in node.parameters:
            if same(item.name) == same(name.strip()):
                return item
    words = [item.name for item in node.parameters]
    raise Refused(f"node {named(node)} has no parameter {shown(name)}: {suggestion(name, words)}")


def _value(node: Node, parameter: Parameter, value: str | int | float | bool | list[str]) -> str:
    """The text that Studio keeps: `True`, `0.5`, a column picker."""
    is_picker = read_rules(parameter.value) is not None
    if isinstance(value, list):
        if parameter.value and not is_picker:
            raise Refused(
                f"parameter {parameter.name!r} of {named(node)} does not select columns; "
                "give one value"
            )
        return write_columns(value)
    if is_picker and isinstance(value, str) and read_rules(value) is None:
        return write_columns([value])
    return str(value)


def _with_port(node: Node, port: InputPort, change: Callable[[InputPort], InputPort]) -> Node:
    return node.changed(
        inputs=tuple(change(item) if item.name == port.name else item for item in node.inputs)
    )


def _with_nodes(graph: Graph, changed: Mapping[str, Node]) -> Graph:
    if not changed:
        return graph
    return graph.changed(nodes=tuple(changed.get(node.id, node) for node in graph.nodes))


def _check_id(new: str) -> None:
    if asset_id(new) is None:
        raise Refused(
            f"{shown(new)} is no id of a dataset, which look like workspace.family.v1-default-12"
        )


def _number(asset: Asset) -> int:
    return max(asset.number, version_of(asset.id))
