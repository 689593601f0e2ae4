"""What is different between two versions of an experiment: experiments, snapshots or exports.

Modules are matched by id, else by label and family: a copy in another workspace has other ids.
What changes at every run (statuses, times) is no difference, and neither is a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alm.domain.column_picker import described
from alm.domain.difference import Change, Difference, compared, match
from alm.domain.experiment import Experiment, InputPort, Node, Parameter, ServiceBlock
from alm.domain.exported import ExportedExperiment, export
from alm.domain.graph.finding import place, split_place
from alm.domain.graph.modules import LABEL_MAX, kind
from alm.domain.graph.references import WORDS, assets_at
from alm.domain.studio_ids import family_of, version_of

Version = Experiment | ExportedExperiment


def diff(old: Version, new: Version, names: Mapping[str, str] | None = None) -> Difference:
    """Say what became different. names: what assets are called, by id, where exports do not say.

    Raises Refused for an experiment that came without its graph.
    """
    before, after = (ExportedExperiment.model_validate(export(one)) for one in (old, new))
    return Difference(changes=tuple(_Comparison(before, after, names or {}).changes()))


@dataclass(frozen=True)
class _Comparison:
    old: ExportedExperiment
    new: ExportedExperiment
    names: Mapping[str, str]

    def changes(self) -> Iterator[Change]:
        before, after = _by_id(self.old), _by_id(self.new)
        pairs = match(_likeness(before), _likeness(after))
        yield from compared("experiment", "name", self.old.name, self.new.name)
        yield from compared("experiment", "summary", self.old.summary, self.new.summary)
        taken = set(pairs.values())
        gone = [node for id, node in before.items() if id not in pairs]
        came = [node for id, node in after.items() if id not in taken]
        yield from (_whole("removed", node) for node in gone)
        yield from (_whole("added", node) for node in came)
        for id, new_id in pairs.items():
            yield from self._node(before[id], after[new_id])
        for node in came:
            yield from self._assets(None, node)
        yield from self._edges(before, after, pairs)
        yield from _service(self.old.service, self.new.service, pairs, after)
        if pairs.keys() == set(pairs.values()) and self.old.graph.layout != self.new.graph.layout:
            yield Change(area="layout", what="changed", name="where modules stand")

    def _node(self, old: Node, new: Node) -> Iterator[Change]:
        name = title(new)
        yield from compared("label", name, old.label, new.label, id=new.id)
        if family_of(old.module) != family_of(new.module):
            yield from compared("module", name, kind(old), kind(new), id=new.id)
        else:
            versions = (f"version {version_of(node.module)}" for node in (old, new))
            if old.module != new.module:
                yield from compared("module", name, *versions, id=new.id)
        before, after = _parameters(old), _parameters(new)
        for parameter in dict.fromkeys([*before, *after]):
            at = f"{parameter!r} of {name}"
            values = before.get(parameter), after.get(parameter)
            yield from compared("parameter", at, *values, id=new.id)
        yield from self._assets(old, new)

    def _assets(self, old: Node | None, new: Node) -> Iterator[Change]:
        before, after = _assets_of(old.inputs if old else ()), _assets_of(new.inputs)
        for port, asset_kind in dict.fromkeys([*before, *after]):
            ids = before.get((port, asset_kind)), after.get((port, asset_kind))
            at = f"{port!r} of {title(new)}"
            yield from compared(WORDS[asset_kind], at, *map(self._asset, ids), id=new.id)

    def _asset(self, id: str | None) -> str | None:
        if id is None:
            return None
        known = {**self.old.provenance.names, **self.new.provenance.names, **self.names}
        name = f"{known[id]!r} " if known.get(id) else ""
        return f"{name}version {version_of(id)} ({id})"

    def _edges(
        self, before: Mapping[str, Node], after: Mapping[str, Node], pairs: Mapping[str, str]
    ) -> Iterator[Change]:
        old = dict.fromkeys(
            (_moved(edge.source, pairs), _moved(edge.target, pairs))
            for edge in self.old.graph.edges
        )
        new = dict.fromkeys((edge.source, edge.target) for edge in self.new.graph.edges)
        nodes = {**before, **after}
        for ends in old:
            if ends not in new:
                yield Change(area="edge", what="removed", name=_edge(ends, nodes))
        for ends in new:
            if ends not in old:
                yield Change(area="edge", what="added", name=_edge(ends, nodes))


def title(node: Node) -> str:
    """A node's label and what it is; without its id."""
    label = node.label.strip()[:LABEL_MAX]
    return f"{label!r} ({kind(node)})" if label else kind(node)


def _by_id(version: ExportedExperiment) -> dict[str, Node]:
    return {node.id: node for node in version.graph.nodes}


def _likeness(nodes: Mapping[str, Node]) -> dict[str, str]:
    return {
        id: f"{node.label.strip().lower()}\n{family_of(node.module)}" for id, node in nodes.items()
    }


def _whole(what: Any, node: Node) -> Change:
    version = f"version {version_of(node.module)}"
    return Change(area="module", what=what, name=f"{title(node)}, {version}", id=node.id)


def _parameters(node: Node) -> dict[str, str]:
    return {item.name: _value(item) for item in node.parameters}


def _value(item: Parameter) -> str:
    if item.kind.lower() == "graphparametername":
        return f"set by web-service parameter {item.linked or item.value!r}"
    return described(item.value)


def _assets_of(ports: Iterable[InputPort]) -> dict[tuple[str, Any], str]:
    return {(port.name, asset_kind): id for port in ports for asset_kind, id in assets_at(port)}


def _moved(port: str, pairs: Mapping[str, str]) -> str:
    """A port of the old graph as it is called in the new one."""
    node, name = split_place(port)
    return place(pairs.get(node, node), name)


def _edge(ends: tuple[str, str], nodes: Mapping[str, Node]) -> str:
    return " -> ".join(_end(end, nodes) for end in ends)


def _end(port: str, nodes: Mapping[str, Node]) -> str:
    node, name = split_place(port)
    return f"{name!r} of {title(nodes[node]) if node in nodes else node}"


def _service(
    old: ServiceBlock | None,
    new: ServiceBlock | None,
    pairs: Mapping[str, str],
    nodes: Mapping[str, Node],
) -> Iterator[Change]:
    blocks = (old or ServiceBlock(), new or ServiceBlock())
    for side in ("inputs", "outputs"):
        before, after = ({port.name: port.port for port in getattr(b, side)} for b in blocks)
        before = {name: _moved(port, pairs) if port else "" for name, port in before.items()}
        for name in dict.fromkeys([*before, *after]):
            ends = (_at(ports.get(name), nodes) for ports in (before, after))
            yield from compared(f"web-service {side[:-1]}", repr(name), *ends)
    before, after = (_defaults(block) for block in blocks)
    for name in dict.fromkeys([*before, *after]):
        values = before.get(name), after.get(name)
        yield from compared("web-service parameter", repr(name), *values)


def _at(port: str | None, nodes: Mapping[str, Node]) -> str | None:
    return port if port is None else _end(port, nodes) if port else "not connected"


def _defaults(block: ServiceBlock) -> dict[str, str]:
    items = block.document.get("Parameters")
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return {str(item.get("Name")): described(str(item.get("Value") or "")) for item in found}
