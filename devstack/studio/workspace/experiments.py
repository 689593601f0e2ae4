"""Experiments of the workspace API: list, get, create, save, run, delete.

A request says with IsDraft whether it saves or runs. The ParentExperimentId of a save or run is not
looked at: clients send the same stale one with a save and with the run that follows. An experiment
that names an asset which the workspace does not have is refused also as a draft: Studio's own
documentation says that nobody could open it (that it is refused, and not kept unreadable, is
inferred). What else keeps a graph from running is refused when it is run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from devstack.studio.context import Context
from devstack.studio.errors import StudioError, bad_argument, invalid_operation
from devstack.studio.faults import CHANGE_NOTHING, EXPIRE_SAS, FAIL_JOB
from devstack.studio.web import Request, Response
from devstack.studio.workspace.asset_swaps import with_newest_assets
from devstack.studio.workspace.experiment_documents import ExperimentDocuments
from devstack.studio.workspace.experiment_graph import ExperimentGraph
from devstack.studio.workspace.experiment_ids import SNAPSHOT_ID, etag_of, new_experiment_id
from devstack.studio.workspace.experiment_records import Content, Experiment, Snapshot
from devstack.studio.workspace.experiment_requests import read_content, refuse
from devstack.studio.workspace.history import History
from devstack.studio.workspace.running import RunQueue

Deleted = Callable[[Experiment], None]


class Experiments:
    """Serves `/workspaces/{ws}/experiments`; `deleted` takes away what hangs on an experiment."""

    def __init__(
        self,
        context: Context,
        history: History,
        runs: RunQueue,
        documents: ExperimentDocuments,
        deleted: Deleted,
    ) -> None:
        self._context = context
        self._store = context.store
        self._history = history
        self._runs = runs
        self._documents = documents
        self._deleted = deleted

    def list(self, request: Request) -> Response:
        """All experiments, without their graphs."""
        with self._store.transaction():
            found = self._history.experiments(request.parts["ws"])
            return Response(200, [self._documents.header(experiment) for experiment in found])

    def get(self, request: Request) -> Response:
        """One experiment, or a snapshot by its `s-id`."""
        workspace_id, name = request.parts["ws"], request.parts["exp"]
        expired = EXPIRE_SAS in request.effects
        with self._store.transaction():
            if SNAPSHOT_ID.fullmatch(name):
                snapshot = self._history.snapshot(workspace_id, name)
                return Response(200, self._documents.snapshot(snapshot, expired=expired))
            experiment = self._history.experiment(workspace_id, name)
            return Response(200, self._documents.experiment(experiment, expired=expired))

    def create(self, request: Request) -> Response:
        """Create an experiment, and run it when IsDraft is false."""
        document, workspace_id = request.json_object(), request.parts["ws"]
        content = read_content(document)
        if not content.description.strip():
            raise bad_argument("BadParameterValue", "Description is missing.", "Description")
        run = _is_run(document)
        if self._is_snapshot(workspace_id, document.get("ParentExperimentId")):
            content = with_newest_assets(content, self._context.assets, workspace_id)
        self._check(workspace_id, content, document)
        if CHANGE_NOTHING in request.effects:
            now = self._context.clock()
            answer = {"ExperimentId": new_experiment_id(workspace_id), "Etag": etag_of(now)}
            return Response(200, answer)
        with self._store.transaction():
            experiment = self._history.create(workspace_id, content)
            snapshot = self._take(experiment, document, request) if run else None
        return self._accepted(experiment, snapshot)

    def submit(self, request: Request) -> Response:
        """Save an experiment (IsDraft true) or run it (IsDraft false) as the request has it."""
        document, workspace_id = request.json_object(), request.parts["ws"]
        old = self._editable(request)
        content, run = read_content(document, old.content), _is_run(document)
        self._check(workspace_id, content, document)
        if CHANGE_NOTHING in request.effects:
            return self._accepted(old, None)
        with self._store.transaction():
            experiment = self._editable(request)
            content = read_content(document, experiment.content)
            self._history.save(experiment, content)
            snapshot = self._take(experiment, document, request) if run else None
        return self._accepted(experiment, snapshot)

    def delete(self, request: Request) -> Response:
        """Delete an experiment with its snapshots, outputs and classic web services."""
        with self._store.transaction():
            experiment = self._editable(request)
            if CHANGE_NOTHING not in request.effects:
                self.remove(experiment)
        return Response(200)

    def remove(self, experiment: Experiment) -> None:
        """Delete an experiment and what hangs on it. In the transaction that it was read in."""
        self._deleted(experiment)
        self._history.delete(experiment)

    def annotations(self, request: Request) -> Response:
        """The comments in a graph; local Studio keeps none."""
        name = request.parts["exp"]
        if SNAPSHOT_ID.fullmatch(name):
            self._history.snapshot(request.parts["ws"], name)
        else:
            self._history.experiment(request.parts["ws"], name)
        return Response(200, [])

    def check_assets(self, workspace_id: str, content: Content) -> None:
        """Refuse a graph that names assets which the workspace does not have; raises 400."""
        graph = ExperimentGraph(content.graph, content.web_service)
        refuse(
            [
                f"node {use.node!r}: port {use.port!r} names the {use.kind.replace('_', ' ')} "
                f"{use.asset!r}, which is not in this workspace"
                for use in graph.assets()
                if not self._has(workspace_id, use.asset, use.kind)
            ]
        )

    def _is_snapshot(self, workspace_id: str, name: Any) -> bool:
        if not isinstance(name, str) or not SNAPSHOT_ID.fullmatch(name):
            return False
        found = self._store.get(Snapshot, name)
        return found is not None and found.workspace == workspace_id

    def _has(self, workspace_id: str, asset_id: str, kind: str) -> bool:
        asset = self._context.assets.get(workspace_id, asset_id)
        return asset is not None and asset.kind == kind

    def _check(self, workspace_id: str, content: Content, document: Mapping[str, Any]) -> None:
        self.check_assets(workspace_id, content)
        if _is_run(document):
            nodes, is_partial = _part_to_run(content, document)
            graph = ExperimentGraph(content.graph, content.web_service)
            refuse(graph.mistakes(nodes if is_partial else None))

    def _editable(self, request: Request) -> Experiment:
        """The experiment that a request may change; raises 404, 400 for a snapshot, 412."""
        workspace_id, name = request.parts["ws"], request.parts["exp"]
        if SNAPSHOT_ID.fullmatch(name):
            snapshot = self._history.snapshot(workspace_id, name)
            raise _locked(snapshot)
        experiment = self._history.experiment(workspace_id, name)
        self._history.check_unchanged(experiment, request.header("if-match"))
        return experiment

    def _take(
        self, experiment: Experiment, document: Mapping[str, Any], request: Request
    ) -> Snapshot:
        nodes, is_partial = _part_to_run(experiment.content, document)
        fail_with = request.notes.get(FAIL_JOB, "")
        return self._history.take(experiment, nodes, is_partial=is_partial, fail_with=fail_with)

    def _accepted(self, experiment: Experiment, snapshot: Snapshot | None) -> Response:
        if snapshot is not None:
            self._runs.enqueue(snapshot)
        answer = {"ExperimentId": experiment.id, "Etag": etag_of(experiment.modified)}
        return Response(200, answer)


def _is_run(document: Mapping[str, Any]) -> bool:
    is_draft = document.get("IsDraft")
    if not isinstance(is_draft, bool):
        message = "IsDraft must be true (save) or false (run)."
        raise bad_argument("BadParameterValue", message, "IsDraft")
    return not is_draft


def _part_to_run(content: Content, document: Mapping[str, Any]) -> tuple[list[str], bool]:
    """The nodes to run, and whether that is a part: the marked ones and what they need.

    IsPartialRun false runs everything whatever is marked (inferred).
    """
    graph = ExperimentGraph(content.graph, content.web_service)
    marked = frozenset() if document.get("IsPartialRun") is False else graph.marked()
    wanted = graph.needed(marked or graph.nodes)
    return [name for name in graph.nodes if name in wanted], bool(marked)


def _locked(snapshot: Snapshot) -> StudioError:
    message = f"{snapshot.id} is a snapshot of a run and locked; change {snapshot.experiment}."
    return invalid_operation("ExperimentLocked", message)
