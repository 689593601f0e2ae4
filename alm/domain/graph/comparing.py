"""What is different between two versions of an experiment: experiments, snapshots or exports.

Modules are matched by id, else by label and family: a copy in another workspace has other ids.
What changes at every run (statuses, times) is no difference, and neither is a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from alm.domain.column_picker import described
from alm.domain.difference import Change, Difference, compared, match
from alm.domain.experiment import Experiment, InputPort, Node, Parameter, ServiceBlock
from alm.domain.exported import ExportedExperiment, export
from alm.domain.graph.finding import place, split_place
from alm.domain.graph.modules import kind, titles
from alm.domain.graph.references import WORDS, assets_at
from alm.domain.studio_ids import family_of, version_of

Version = Experiment | ExportedExperiment
Nodes = Mapping[str, Node]


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
        yield from (self._whole("removed", node) for node in gone)
        yield from (self._whole("added", node) for node in came)
        for id, new_id in pairs.items():
            yield from self._node(before[id], after[new_id])
        for node in came:
            yield from self._assets(None, node)
        yield from self._edges(pairs)
        yield from self._service(pairs)
        if self._moved_on_the_canvas(before, after, pairs):
            yield Change(area="layout", what="changed", name="where modules stand")

    @cached_property
    def _titles(self) -> dict[str, str]:
        """What nodes are called, by id; those of the new version go first."""
        return titles(self.old.graph.nodes) | titles(self.new.graph.nodes)

    def _whole(self, what: Any, node: Node) -> Change:
        name = f"{self._titles[node.id]}, version {version_of(node.module)}"
        return Change(area="module", what=what, name=name, id=node.id)

    def _node(self, old: Node, new: Node) -> Iterator[Change]:
        name = self._titles[new.id]
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
            at = f"{port!r} of {self._titles[new.id]}"
            old_id, new_id = ids
            told = (self._asset(old_id, new_id), self._asset(new_id, old_id))
            for change in compared(WORDS[asset_kind], at, *told, id=new.id):
                yield change.model_copy(update={"old_id": old_id or "", "new_id": new_id or ""})

    def _asset(self, id: str | None, other: str | None) -> str | None:
        """What an asset is called; with its id where that does not tell it from the other one."""
        if id is None:
            return None
        title = self._asset_title(id)
        same = other is not None and self._asset_title(other) == title
        return title if "'" in title and not same else f"{title} ({id})"

    def _asset_title(self, id: str) -> str:
        known = {**self.old.provenance.names, **self.new.provenance.names, **self.names}
        name = f"{known[id]!r} " if known.get(id) else ""
        return f"{name}version {version_of(id)}"

    def _moved_on_the_canvas(self, before: Nodes, after: Nodes, pairs: Mapping[str, str]) -> bool:
        """Whether modules stand elsewhere; that another asset stands in a place is not meant."""
        old, new = self.old.graph.layout, self.new.graph.layout
        for id, new_id in pairs.items():
            olds, news = (_assets_of(one.inputs) for one in (before[id], after[new_id]))
            for port in olds.keys() & news.keys():
                old, new = (text.replace(olds[port], news[port]) for text in (old, new))
        return pairs.keys() == set(pairs.values()) and old != new

    def _edges(self, pairs: Mapping[str, str]) -> Iterator[Change]:
        old = dict.fromkeys(
            (_moved(edge.source, pairs), _moved(edge.target, pairs))
            for edge in self.old.graph.edges
        )
        new = dict.fromkeys((edge.source, edge.target) for edge in self.new.graph.edges)
        for ends in old:
            if ends not in new:
                yield Change(area="edge", what="removed", name=self._edge(ends))
        for ends in new:
            if ends not in old:
                yield Change(area="edge", what="added", name=self._edge(ends))

    def _edge(self, ends: tuple[str, str]) -> str:
        return " -> ".join(map(self._end, ends))

    def _end(self, port: str) -> str:
        node, name = split_place(port)
        return f"{name!r} of {self._titles.get(node, node)}"

    def _service(self, pairs: Mapping[str, str]) -> Iterator[Change]:
        blocks = (self.old.service or ServiceBlock(), self.new.service or ServiceBlock())
        for side in ("inputs", "outputs"):
            before, after = ({port.name: port.port for port in getattr(b, side)} for b in blocks)
            before = {name: _moved(port, pairs) if port else "" for name, port in before.items()}
            for name in dict.fromkeys([*before, *after]):
                ends = (self._at(ports.get(name)) for ports in (before, after))
                yield from compared(f"web-service {side[:-1]}", repr(name), *ends)
        before, after = (_defaults(block) for block in blocks)
        for name in dict.fromkeys([*before, *after]):
            values = before.get(name), after.get(name)
            yield from compared("web-service parameter", repr(name), *values)

    def _at(self, port: str | None) -> str | None:
        return port if port is None else self._end(port) if port else "not connected"


def _by_id(version: ExportedExperiment) -> dict[str, Node]:
    return {node.id: node for node in version.graph.nodes}


def _likeness(nodes: Mapping[str, Node]) -> dict[str, str]:
    return {
        id: f"{node.label.strip().lower()}\n{family_of(node.module)}" for id, node in nodes.items()
    }


def _parameters(node: Node) -> dict[str, str]:
    return {item.name: _value(item) for item in node.parameters}


def _value(item: Parameter) -> str:
    if item.kind.lower() == "graphparametername":
        return f"set by web-service parameter {item.linked or item.value!r}"
    return described(item.value, shown_max=None)


def _assets_of(ports: Iterable[InputPort]) -> dict[tuple[str, Any], str]:
    return {(port.name, asset_kind): id for port in ports for asset_kind, id in assets_at(port)}


def _moved(port: str, pairs: Mapping[str, str]) -> str:
    """A port of the old graph as it is called in the new one."""
    node, name = split_place(port)
    return place(pairs.get(node, node), name)


def _defaults(block: ServiceBlock) -> dict[str, str]:
    items = block.document.get("Parameters")
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return {
        str(item.get("Name")): described(str(item.get("Value") or ""), shown_max=None)
        for item in found
    }
