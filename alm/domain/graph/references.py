"""What a graph refers to but does not contain: datasets, trained models, transforms, modules.

An exported graph names them by id, and a workspace can only use it if it has them. `check` says
what is missing and what was probably meant, `remap` names others in their place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from alm.domain.experiment import Asset, Graph, InputPort
from alm.domain.frozen import Frozen
from alm.domain.graph.modules import kind, named
from alm.domain.nearest import WORD_LENGTH_MAX, WORDS_COMPARED_MAX
from alm.domain.studio_ids import family_of, version_of

Kind = Literal["dataset", "trained_model", "transform", "module"]
WORDS: Mapping[str, str] = {
    "dataset": "dataset",
    "trained_model": "trained model",
    "transform": "transform",
    "module": "module",
}
NEAREST_MAX = 5


@dataclass(frozen=True)
class Reference:
    """One use of something outside of the graph; port is "" for a module."""

    kind: Kind
    id: str
    node: str
    port: str = ""


class Known(Frozen):
    """What a workspace has: its assets as it lists them, and the ids of its modules.

    found: ids that were asked for one by one and are there. A workspace lists the latest versions
    only, so what `check` calls missing has to be asked for before it is called so.
    """

    datasets: tuple[Asset, ...] = ()
    trained_models: tuple[Asset, ...] = ()
    transforms: tuple[Asset, ...] = ()
    modules: tuple[str, ...] = ()
    found: tuple[str, ...] = ()

    def assets(self, kind: Kind) -> tuple[Asset, ...]:
        """The assets of a kind; modules are no assets."""
        return {
            "dataset": self.datasets,
            "trained_model": self.trained_models,
            "transform": self.transforms,
        }.get(kind, ())

    def ids(self, kind: Kind) -> frozenset[str]:
        if kind == "module":
            return frozenset(self.modules)
        return frozenset(asset.id for asset in self.assets(kind))

    def kind_of(self, asset_id: str) -> Kind | None:
        """What an id names here; None: nothing."""
        kinds: tuple[Kind, ...] = ("dataset", "trained_model", "transform", "module")
        return next((kind for kind in kinds if asset_id in self.ids(kind)), None)


class Candidate(Frozen):
    """Something that a workspace has and a graph may have meant."""

    id: str
    name: str = ""
    why: str


class Missing(Frozen):
    """Something that a graph needs and a workspace does not have.

    name: what it was called where the graph comes from, if that is known. nodes: who uses it.
    """

    kind: Kind
    id: str
    name: str = ""
    nodes: tuple[str, ...] = ()
    nearest: tuple[Candidate, ...] = ()

    def __str__(self) -> str:
        name = f" {self.name!r}" if self.name else ""
        remedy = "; the workspace has nothing like it"
        if self.nearest:
            best = self.nearest[0]
            others = ", ".join(f"{c.name!r} ({c.why}, {c.id})" for c in self.nearest)
            remedy = f"; near it: {others}: for the first, --map {self.id}={best.id}"
        return f"{WORDS[self.kind]}{name} {self.id} is missing, used by {self.users}{remedy}"

    @property
    def users(self) -> str:
        shown = ", ".join(self.nodes[:NEAREST_MAX])
        more = len(self.nodes) - NEAREST_MAX
        return shown + (f" and {more} more" if more > 0 else "")


def references(graph: Graph) -> tuple[Reference, ...]:
    """Everything outside that a graph names, in the order of its nodes and ports."""
    found = []
    for node in graph.nodes:
        found.append(Reference("module", node.module, node.id))
        for port in node.inputs:
            found += [Reference(kind, id, node.id, port.name) for kind, id in assets_at(port)]
    return tuple(found)


def assets_at(port: InputPort) -> tuple[tuple[Kind, str], ...]:
    """The assets that an input names; one at most in a sound graph."""
    pairs: tuple[tuple[Kind, str], ...] = (
        ("dataset", port.dataset),
        ("trained_model", port.trained_model),
        ("transform", port.transform),
    )
    return tuple((kind, id) for kind, id in pairs if id)


def check(graph: Graph, known: Known, names: Mapping[str, str] | None = None) -> list[Missing]:
    """Find what a graph needs and a workspace does not have.

    A module is there if a version of its family is: versions differ between workspaces.
    names: what assets are called where the graph comes from; with them, the like-named are found.
    """
    have: dict[Kind, frozenset[str]] = {
        kind: known.ids(kind) for kind in ("dataset", "trained_model", "transform", "module")
    }
    families = frozenset(family_of(module) for module in known.modules)
    found = frozenset(known.found)
    used: dict[tuple[Kind, str], list[str]] = {}
    for ref in references(graph):
        there = ref.id in have[ref.kind] or ref.id in found
        if not there and not (ref.kind == "module" and family_of(ref.id) in families):
            used.setdefault((ref.kind, ref.id), []).append(ref.node)
    labels = {node.id: named(node) for node in graph.nodes}
    return [
        _missing(kind, id, tuple(dict.fromkeys(labels[node] for node in nodes)), known, names or {})
        for (kind, id), nodes in used.items()
    ]


def version_notes(graph: Graph, known: Known) -> list[str]:
    """What to know about modules that a workspace has in another version than a graph names."""
    newest: dict[str, str] = {}
    for module in sorted(known.modules, key=version_of):
        newest[family_of(module)] = module
    have = frozenset(known.modules)
    notes = []
    for node in graph.nodes:
        other = newest.get(family_of(node.module))
        if node.module in have or other is None:
            continue
        word = "a newer" if version_of(other) > version_of(node.module) else "an older"
        notes.append(
            f"node {named(node)}: the workspace has {word} version of {kind(node)} "
            f"({version_of(other)} instead of {version_of(node.module)})"
        )
    return notes


def _missing(
    kind: Kind, id: str, nodes: tuple[str, ...], known: Known, names: Mapping[str, str]
) -> Missing:
    name = names.get(id, "")
    nearest = () if kind == "module" else _nearest(id, name, known.assets(kind))
    return Missing(kind=kind, id=id, name=name, nodes=nodes, nearest=nearest)


def _nearest(id: str, name: str, assets: Iterable[Asset]) -> tuple[Candidate, ...]:
    """Other versions of the family first, newest first; then the same name; then similar ones."""
    newest_first = sorted(assets, key=lambda asset: (asset.is_latest, asset.number), reverse=True)
    family = family_of(id)
    found: dict[str, Candidate] = {}
    for asset in newest_first:
        if family in (asset.family, family_of(asset.id)):
            why = f"version {max(asset.number, version_of(asset.id))} of the same family"
            found.setdefault(asset.id, Candidate(id=asset.id, name=asset.name, why=why))
    for name_there, asset in _by_name(name, newest_first):
        why = "the same name" if name_there == name else "a similar name"
        found.setdefault(asset.id, Candidate(id=asset.id, name=asset.name, why=why))
    names = {asset.name for asset in newest_first}
    if not found and len(names) == 1:  # worth telling, whatever it is called
        only = newest_first[0]
        found[only.id] = Candidate(id=only.id, name=only.name, why="the only one")
    return tuple(found.values())[:NEAREST_MAX]


def _by_name(name: str, newest_first: list[Asset]) -> list[tuple[str, Asset]]:
    """The newest version of each asset that is called like this, the most alike first."""
    newest: dict[str, Asset] = {}
    for asset in newest_first:
        newest.setdefault(asset.name, asset)
    words = list(newest)[:WORDS_COMPARED_MAX]
    close = get_close_matches(name[:WORD_LENGTH_MAX], words, NEAREST_MAX) if name else []
    same = [name] if name in newest else []
    return [(word, newest[word]) for word in dict.fromkeys([*same, *close])]
