"""A Studio workspace in memory: experiments that run, assets, packages, deployments.

Deterministic and without threads: what Studio does in the background is done after it was looked
at a number of times. Any graph is taken whose assets are there, unless `refuses` says why not.
Faults are put on operations by name (`create`, `run`, `promote`, …), before or after the effect.

    studio = DoubleStudio(clock)
    workspace = studio.workspace(declared)
    workspace.run_looks = 3
    workspace.fails_runs = "Train Model: the label column is missing"
    workspace.fail("promote", Unknown("lost"), after=True)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from alm.domain.errors import NotFound
from alm.domain.experiment import (
    Activity,
    Draft,
    Graph,
    StudioWorkspace,
    WorkspaceFacts,
    WorkspaceUser,
)
from alm.domain.web_services import Document
from alm.ports import Clock
from tests.doubles.workspace_assets import DoubleAssets, named_in
from tests.doubles.workspace_experiments import DoubleExperiments, Kept


@dataclass
class _Doing:
    """An activity: what it will have done after so many looks."""

    activity: Activity
    looks: int
    effect: Callable[[], Activity]


@dataclass
class Package:
    """An experiment with its assets, on its way to another workspace."""

    draft: Draft
    source: DoubleAssets


@dataclass
class DeployedService:
    """A classic web service that was deployed; deployments: the snapshots it served, in order."""

    id: str
    name: str
    experiment: str
    deployments: list[str] = field(default_factory=list)


class DoubleWorkspace(DoubleExperiments):
    """A workspace. See `studio_ports.Workspace`.

    activity_looks: how often one looks until an activity has ended. fails_activities: what those
    that end now fail with, "" if they end well. packages: shared by workspaces between which one
    copies. module_ids: what `modules` tells. services: what was deployed, by id.
    """

    def __init__(
        self,
        clock: Clock,
        workspace: str = "d" * 32,
        *,
        packages: dict[str, Package] | None = None,
    ) -> None:
        super().__init__(clock, workspace)
        self.packages = {} if packages is None else packages
        self.kind = "PaidStandard"
        self.module_ids: list[str] = []
        self.activity_looks = 1
        self.fails_activities = ""
        self.services: dict[str, DeployedService] = {}
        self._doing: dict[str, _Doing] = {}

    def facts(self) -> WorkspaceFacts:
        facts = WorkspaceFacts(id=self.workspace, name="double", kind=self.kind)
        return self._do("facts", lambda: facts)

    def users(self) -> list[WorkspaceUser]:
        owner = WorkspaceUser(email="owner@double.test", name="Owner", role="Owner", state="Active")
        return self._do("users", lambda: [owner])

    def modules(self) -> list[str]:
        return self._do("modules", lambda: list(self.module_ids))

    def pack(self, experiment_id: str) -> Activity:
        return self._do("pack", lambda: self._pack(experiment_id))

    def packing(self, activity: str) -> Activity:
        return self._do("packing", lambda: self._followed(activity))

    def unpack(self, location: str, *, region: str = "", gallery: str = "") -> Activity:
        return self._do("unpack", lambda: self._unpack(location))

    def unpacking(self, activity: str) -> Activity:
        return self._do("unpacking", lambda: self._followed(activity))

    def deploy(self, experiment_id: str, *, update: bool) -> Activity:
        return self._do("deploy", lambda: self._deploy(experiment_id, update))

    def deploying(self, activity: str) -> Activity:
        return self._do("deploying", lambda: self._followed(activity))

    def definition(self, experiment_id: str) -> Document:
        return self._do("definition", lambda: self._definition(experiment_id))

    def _pack(self, experiment_id: str) -> Activity:
        kept = self._kept(experiment_id)

        def effect() -> Activity:
            location = f"https://double.blob.core.windows.net/packages/{self._new()}?sig=double"
            self.packages[location] = Package(kept.draft, self)
            return Activity(id="", done=True, location=location)

        return self._begin(effect)

    def _unpack(self, location: str) -> Activity:
        def effect() -> Activity:
            package = self.packages.get(location)
            if package is None:
                return Activity(id="", done=False, failed="Failed: there is no package there")
            graph = package.draft.graph
            for name in sorted(set(named_in(graph))):
                graph = _replaced(graph, name, self._copied(package.source, name))
            return Activity(
                id="",
                done=True,
                experiment=self._create(package.draft.model_copy(update={"graph": graph})),
            )

        return self._begin(effect)

    def _copied(self, source: DoubleAssets, name: str) -> str:
        asset = source.whole(name)
        for own in self._latest(asset.kind):
            if own.name == asset.name:
                return own.id
        return self.put_asset(asset.kind, asset.name, source.contents[name])

    def _deploy(self, experiment_id: str, update: bool) -> Activity:
        if ".s-id." in experiment_id:
            raise NotFound(f"deploy {experiment_id}: snapshots are not deployed")
        kept = self._finished(experiment_id)
        service = kept.service if update and kept.service else self._new()

        def effect() -> Activity:
            kept.service = service
            deployed = DeployedService(service, kept.draft.name, kept.id)
            self.services.setdefault(service, deployed).deployments.append(kept.run)
            return Activity(id="", done=True, service=service, endpoint=service)

        return self._begin(effect, Activity(id="", done=False, service=service, endpoint=service))

    def _definition(self, experiment_id: str) -> Document:
        kept = self._finished(experiment_id)
        graph = {"nodes": {node.id: {"type": "asset"} for node in kept.draft.graph.nodes}}
        properties = {"title": kept.draft.name, "packageType": "Graph", "package": graph}
        return {"location": "", "properties": properties}

    def _gone(self, kept: Kept) -> None:
        self.services.pop(kept.service, None)

    def _begin(self, effect: Callable[[], Activity], begun: Activity | None = None) -> Activity:
        shown = (begun or Activity(id="", done=False)).model_copy(update={"id": self._new()})
        self._doing[shown.id] = _Doing(shown, self.activity_looks, effect)
        return shown

    def _followed(self, activity: str) -> Activity:
        if activity not in self._doing:
            raise NotFound(f"read activity {activity}: there is none; check its id")
        doing = self._doing[activity]
        doing.looks -= 1
        if doing.looks == -1:
            done = (
                doing.activity.model_copy(update={"failed": self.fails_activities})
                if self.fails_activities
                else doing.effect().model_copy(update={"id": activity})
            )
            doing.activity = done
        return doing.activity


class DoubleStudio:
    """Finds doubles by declaration; packages go from one to the other. See `studio_ports.Studio`.

    Workspaces are told apart by their ids alone.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.packages: dict[str, Package] = {}
        self.workspaces: dict[str, DoubleWorkspace] = {}

    def workspace(self, workspace: StudioWorkspace) -> DoubleWorkspace:
        name = workspace.workspace
        if name not in self.workspaces:
            made = DoubleWorkspace(self.clock, name, packages=self.packages)
            self.workspaces[name] = made
        return self.workspaces[name]


def _replaced(graph: Graph, old: str, new: str) -> Graph:
    """A graph with one asset in place of another."""
    return Graph.model_validate_json(json.dumps(graph.document).replace(old, new))
