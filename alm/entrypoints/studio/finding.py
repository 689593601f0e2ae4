"""Finds what people name: experiments, assets, web services by id or by name.

A name that several have is refused with their ids; one that nothing has, with what is near.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from alm.domain.drafts import graph_of
from alm.domain.errors import Denied, NotFound, Refused
from alm.domain.experiment import Asset, AssetKind, Experiment, Graph
from alm.domain.graph.references import WORDS, Known, Reference, references
from alm.domain.nearest import shown, suggestion
from alm.domain.studio_ids import asset_id
from alm.domain.web_services import ClassicWebService
from alm.studio_ports import ClassicServices, Workspace

KINDS: tuple[AssetKind, ...] = ("dataset", "trained_model", "transform")


class Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def experiment(workspace: Workspace, wanted: str) -> Experiment:
    """The experiment or snapshot of that id, or the experiment of that name, whole.

    `wanted@2` is the second newest snapshot of it.
    """
    name, at, place = wanted.rpartition("@")
    if at and place.isdecimal() and int(place) > 0:
        listed = [] if _is_id(name) else workspace.experiments()
        if wanted not in [one.name for one in listed]:
            return _snapshot(workspace, experiment(workspace, name), int(place))
    if _is_id(wanted):
        return workspace.experiment(wanted)
    return workspace.experiment(one(workspace.experiments(), wanted, "experiment").id)


def walk(workspace: Workspace, first: Experiment, limit: int) -> Iterator[Experiment]:
    """An experiment and the snapshots of its runs, newest first.

    Each names the one before it: Studio's own list of the history has no published address. Which
    of RunId and ParentExperimentId names what is followed in both (inferred from captures); a
    snapshot that is gone ends the walk.
    """
    seen, due = {first.id}, deque([first])
    while due and limit > 0:
        found = due.popleft()
        limit -= 1
        yield found
        for name in (found.run, found.previous):
            if ".s-id." in name and name not in seen and limit > 0:
                seen.add(name)
                try:
                    due.append(workspace.experiment(name))
                except NotFound:
                    continue


def editable(workspace: Workspace, wanted: str, doing: str) -> Experiment:
    """An experiment that may be changed. Raises Refused for a snapshot: it is locked."""
    found = experiment(workspace, wanted)
    if found.is_snapshot:
        raise Refused(
            f"{found.id} is a snapshot of a run of {found.name!r}: it is locked, nothing can "
            f"{doing} it; make an experiment of it first: "
            f"alm experiment save-as {found.id} --name NAME"
        )
    return found


def asset(workspace: Workspace, kind: AssetKind, wanted: str) -> Asset:
    """The asset of that id, or the newest version of the one of that name."""
    if asset_id(wanted) is not None:
        return workspace.asset(kind, wanted)
    versions = workspace.assets(kind)
    found = one([version for version in versions if version.is_latest], wanted, WORDS[kind])
    return workspace.asset(kind, found.id)


def asset_or_none(workspace: Workspace, kind: AssetKind, name: str) -> Asset | None:
    """The newest version of the asset of that name; None: the name is free."""
    versions = [found for found in workspace.assets(kind) if found.is_latest]
    return next((found for found in versions if found.name == name), None)


def service(classic: ClassicServices, wanted: str) -> ClassicWebService:
    """The classic web service of that id, or of that name."""
    return one(classic.services(), wanted, "web service")


def one(items: Iterable[N], wanted: str, what: str) -> N:
    """The one with this id or name. Raises NotFound for none, Refused for several."""
    listed = list(items)
    rules: tuple[Callable[[N], bool], ...] = (
        lambda item: item.id == wanted,
        lambda item: item.name == wanted,
        lambda item: item.name.strip().lower() == wanted.strip().lower(),
    )
    for rule in rules:
        found = [item for item in listed if rule(item)]
        if len(found) > 1:
            ids = ", ".join(item.id for item in found[:8])
            raise Refused(f"{len(found)} {what}s are named {shown(wanted)}; name one by id: {ids}")
        if found:
            return found[0]
    near = suggestion(wanted, [item.name for item in listed])
    raise NotFound(f"there is no {what} {shown(wanted)} in the workspace: {near}")


def known(workspace: Workspace, *graphs: Graph) -> Known:
    """What graphs in a workspace may refer to.

    Lists show the newest version of each asset; older ones that these graphs name are asked for.
    """
    found: dict[AssetKind, dict[str, Asset]] = {
        kind: {one.id: one for one in workspace.assets(kind)} for kind in KINDS
    }
    for reference in (one for graph in graphs for one in references(graph)):
        kind = reference.kind
        if kind != "module" and reference.id not in found[kind]:
            older = _older(workspace, kind, reference.id)
            found[kind] |= {older.id: older} if older else {}
    return Known(
        datasets=tuple(found["dataset"].values()),
        trained_models=tuple(found["trained_model"].values()),
        transforms=tuple(found["transform"].values()),
        modules=tuple(workspace.modules()),
    )


def names(workspace: Workspace, *graphs: Graph) -> dict[str, str]:
    """What the assets that graphs use are called in a workspace, by id."""
    there = known(workspace, *graphs)
    used = {one.id for graph in graphs for one in references(graph)}
    listed = (*there.datasets, *there.trained_models, *there.transforms)
    return {one.id: one.name for one in listed if one.id in used}


def _is_id(wanted: str) -> bool:
    return ".f-id." in wanted or ".s-id." in wanted


def _snapshot(workspace: Workspace, found: Experiment, place: int) -> Experiment:
    snapshots = [one for one in walk(workspace, found, place + 1) if one.is_snapshot]
    if len(snapshots) < place:
        raise NotFound(
            f"{found.name!r} has {len(snapshots)} snapshots, none is @{place}; "
            "alm experiment history lists them"
        )
    return snapshots[place - 1]


def _older(workspace: Workspace, kind: AssetKind, name: str) -> Asset | None:
    """A version that lists do not show; None: there is none (or it is another workspace's)."""
    try:
        return workspace.asset(kind, name)
    except (NotFound, Denied):
        return None


def assets_of(found: Experiment) -> list[Reference]:
    """The assets that an experiment uses; no modules."""
    return [one for one in references(graph_of(found)) if one.kind != "module"]
