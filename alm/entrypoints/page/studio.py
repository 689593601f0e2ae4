"""Studio's experiments, seen with the app's own access: history, snapshots, differences.

Parameters are not shown: they may hold credentials. If Studio cannot be reached, that is said where
its part would be, and the rest stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from alm.bootstrap import App
from alm.domain.difference import describe
from alm.domain.drafts import graph_of
from alm.domain.errors import AlmError, Misconfigured, NotFound, Refused
from alm.domain.experiment import Experiment, StudioWorkspace
from alm.domain.family import SEPARATOR
from alm.domain.graph.comparing import diff
from alm.domain.nearest import shown
from alm.domain.run_history import label
from alm.domain.studio_ids import moment, taken
from alm.entrypoints.page.answers import Answer
from alm.entrypoints.page.asking import Ask
from alm.entrypoints.page.rendering import page
from alm.entrypoints.studio import finding
from alm.entrypoints.studio.nodes import node_rows
from alm.studio_ports import Workspace

HISTORY_MAX = 20  # snapshots: each is one call, one after the other
EXPERIMENTS_MAX = 200
T = TypeVar("T")


@dataclass(frozen=True)
class Bench:
    """A workspace that declarations name, and by which of them."""

    workspace: StudioWorkspace
    models: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """An experiment or a snapshot in a list."""

    id: str
    name: str
    state: str
    at: datetime | None
    creator: str
    locked: bool


def show(ask: Ask) -> Answer:
    """The workspaces that declarations name, and the experiments of each."""
    found = benches(ask.app)
    rooms = [(bench, *_tried(partial(_experiments, ask.app, bench))) for bench in found]
    return page(ask, "studio.html", "Studio", {"rooms": rooms}, every=0)


def show_experiment(ask: Ask) -> Answer:
    """An experiment, or a snapshot of one: its run history and its modules."""
    bench, room = _room(ask)

    def look() -> tuple[Experiment, list[Shown]]:
        first = room.experiment(ask.values["experiment"])
        return first, [told(one) for one in finding.walk(room, first, HISTORY_MAX)]

    seen, wrong = _tried(look)
    view: dict[str, object] = {"bench": bench, "wrong": wrong}
    if seen is not None:
        found, history = seen
        view |= {"experiment": told(found), "summary": found.summary, "history": history}
        view["nodes"] = node_rows(found)
    title = seen[0].name if seen else ask.values["experiment"]
    return page(ask, "experiment.html", title, view, every=0)


def show_difference(ask: Ask) -> Answer:
    """What is different between two experiments or snapshots, named by `a` and `b`."""
    bench, room = _room(ask)
    names = [ask.query.get(side, "") for side in ("a", "b")]
    if not all(names):
        raise Refused("name two experiments or snapshots to compare: choose an old and a new one")

    def look() -> tuple[list[Shown], list[str]]:
        old, new = (room.experiment(name) for name in names)
        called = finding.names(room, graph_of(old), graph_of(new))
        return [told(old), told(new)], describe(diff(old, new, called), ids=False)

    seen, wrong = _tried(look)
    sides, lines = seen or ([], [])
    view = {"bench": bench, "wrong": wrong, "sides": sides, "lines": lines}
    return page(ask, "difference.html", "Difference", view, every=0)


def benches(app: App) -> list[Bench]:
    """The workspaces that declarations name. Of a family one member is looked at."""
    found: dict[StudioWorkspace, list[str]] = {}
    seen: set[str] = set()
    for model in app.declarations.models():
        declared = model.partition(SEPARATOR)[0]
        if declared in seen:
            continue
        seen.add(declared)
        try:
            workspace = app.ports.models.resolve(model).studio
        except Misconfigured:
            continue
        if workspace is not None:
            found.setdefault(workspace, []).append(declared)
    return [Bench(workspace, tuple(models)) for workspace, models in found.items()]


def told(experiment: Experiment) -> Shown:
    """An experiment as the run history shows it."""
    status = experiment.status
    at = taken(experiment.id) if experiment.is_snapshot else None
    return Shown(
        id=experiment.id,
        name=experiment.name,
        state=label(experiment),
        at=at or moment(status.ended or status.started or status.created),
        creator=experiment.creator,
        locked=experiment.is_snapshot,
    )


def _experiments(app: App, bench: Bench) -> list[Shown]:
    listed = app.ports.studio.workspace(bench.workspace).experiments()
    return sorted((told(one) for one in listed), key=lambda one: one.name.lower())[:EXPERIMENTS_MAX]


def _room(ask: Ask) -> tuple[Bench, Workspace]:
    """The workspace of an address: one that a declaration names, and no other."""
    wanted = ask.values["workspace"]
    bench = next((b for b in benches(ask.app) if b.workspace.workspace == wanted), None)
    if bench is None:
        raise NotFound(f"no declaration names the workspace {shown(wanted)}; Studio lists those")
    return bench, ask.app.ports.studio.workspace(bench.workspace)


def _tried(look: Callable[[], T]) -> tuple[T | None, str]:
    """What was seen, or why nothing could be."""
    try:
        return look(), ""
    except AlmError as error:
        return None, str(error)
