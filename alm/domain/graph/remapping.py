"""Names other assets and modules in a graph, in place of those that it refers to.

Ids are replaced where a node or port names them and in the layout, which names assets by id too.
Source: what Studio's own tools do to a graph, experiments as captured.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from alm.domain.errors import Refused
from alm.domain.experiment import Graph, InputPort, Node
from alm.domain.graph.references import WORDS, Kind, Known, references
from alm.domain.nearest import shown, suggestion
from alm.domain.studio_ids import asset_id, family_of


def remap(graph: Graph, mapping: Mapping[str, str], known: Known | None = None) -> Graph:
    """Replace ids, all at once: two may change places.

    known: what the workspace has, so that a new id that it lacks, or that names another kind of
    thing, is found out. Without it only what the graph itself shows is checked.
    Raises Refused if an old id is not in the graph, or a new one does not fit it.
    """
    kinds = _kinds(graph)
    for old, new in mapping.items():
        _check_pair(kinds, old, new, known)
    if not {old: new for old, new in mapping.items() if old != new}:
        return graph
    nodes = tuple(_node(node, mapping) for node in graph.nodes)
    assets = {old: new for old, new in mapping.items() if kinds[old] != "module"}
    changed = graph.changed(nodes=nodes)
    layout = in_layout(graph.layout, assets)
    return changed if layout == graph.layout else changed.changed(layout=layout)


def parse_mapping(pairs: list[str] | tuple[str, ...]) -> dict[str, str]:
    """Read `old=new` pairs. Raises Refused for anything else, or two new ids for one old."""
    mapping: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = (part.strip() for part in pair.partition("="))
        if not (old and equals and new):
            raise Refused(f"{shown(pair)} maps nothing; write old-id=new-id")
        if mapping.setdefault(old, new) != new:
            raise Refused(f"{shown(old)} is mapped to two ids; name one")
    return mapping


def in_layout(layout: str, mapping: Mapping[str, str]) -> str:
    """Replace ids in a layout text; an id that only begins like one stays."""
    changes = {old: new for old, new in mapping.items() if old != new and old in layout}
    if not changes:
        return layout
    either = "|".join(re.escape(old) for old in sorted(changes, key=len, reverse=True))
    whole = re.compile(rf"(?<![\w.-])(?:{either})(?![\w-]|\.\w)")
    return whole.sub(lambda match: changes[match[0]], layout)


def _kinds(graph: Graph) -> dict[str, Kind]:
    return {ref.id: ref.kind for ref in references(graph)}


def _check_pair(kinds: Mapping[str, Kind], old: str, new: str, known: Known | None) -> None:
    if old not in kinds:
        raise Refused(
            f"the graph does not refer to {shown(old)}, so it cannot be mapped: "
            f"{suggestion(old, sorted(kinds))}"
        )
    if asset_id(new) is None:
        raise Refused(
            f"{shown(new)} is no id of Studio's, which look like workspace.family.v1-default-12; "
            f"map {shown(old)} to the id of a {WORDS[kinds[old]]}"
        )
    kind = _kind_of(new, kinds, known)
    if kind is not None and kind != kinds[old]:
        raise Refused(
            f"{shown(old)} is a {WORDS[kinds[old]]} and {shown(new)} a {WORDS[kind]}; "
            f"map it to a {WORDS[kinds[old]]}"
        )
    if kind is None and known is not None and new not in known.found:
        words = sorted(known.ids(kinds[old]))
        raise Refused(
            f"the workspace has no {WORDS[kinds[old]]} {shown(new)}: {suggestion(new, words)}"
        )


def _kind_of(new: str, kinds: Mapping[str, Kind], known: Known | None) -> Kind | None:
    """What the workspace says that an id names, else what the graph uses it as."""
    if known is None:
        return kinds.get(new)
    families = {family_of(module) for module in known.modules}
    return known.kind_of(new) or ("module" if family_of(new) in families else None)


def _node(node: Node, mapping: Mapping[str, str]) -> Node:
    inputs = tuple(_port(port, mapping) for port in node.inputs)
    changes: dict[str, object] = {} if inputs == node.inputs else {"inputs": inputs}
    if mapping.get(node.module, node.module) != node.module:
        changes["module"] = mapping[node.module]
    return node.changed(**changes) if changes else node


def _port(port: InputPort, mapping: Mapping[str, str]) -> InputPort:
    fields = {"dataset": port.dataset, "trained_model": port.trained_model}
    fields["transform"] = port.transform
    changes = {
        field: mapping[id] for field, id in fields.items() if id and mapping.get(id, id) != id
    }
    return port.changed(**changes) if changes else port
