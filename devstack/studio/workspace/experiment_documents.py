"""Experiments and snapshots as the workspace API shows them, in the shape of a captured one.

JobId and VersionId were seen in lists only by name; here both are the newest run's id (inferred).
A draft shows the node statuses of the last run for the nodes that are as they were then (inferred).
"""

from __future__ import annotations

from typing import Any

from devstack.studio.workspace.experiment_ids import date, etag_of
from devstack.studio.workspace.experiment_records import Content, Experiment, NodeRun, Run, Snapshot
from devstack.studio.workspace.history import History
from devstack.studio.workspace.output_access import OutputAccess


class ExperimentDocuments:
    """Writes experiments; reads the store only."""

    def __init__(self, history: History, access: OutputAccess) -> None:
        self._history = history
        self._access = access

    def header(self, experiment: Experiment) -> dict[str, Any]:
        """An experiment as lists have it: without graph, web service and node statuses."""
        return {
            "ExperimentId": experiment.id,
            "RunId": experiment.run,
            "ParentExperimentId": experiment.parent,
            "JobId": experiment.run,
            "VersionId": experiment.run,
            "IsArchived": False,
            "IsLeaf": True,
            "IsPartialRun": experiment.is_partial and not experiment.is_draft,
            "Creator": experiment.creator,
            "OriginalExperimentDocumentationLink": experiment.documentation,
            "Etag": etag_of(experiment.modified),
            "Status": self._status(experiment),
            **_content_header(experiment.content),
        }

    def experiment(self, experiment: Experiment, *, expired: bool = False) -> dict[str, Any]:
        """An experiment with its graph, web service and node statuses."""
        newest = self._history.newest(experiment)
        statuses = []
        if newest is not None:
            statuses = self._node_statuses(newest, experiment.content, expired=expired)
        return {**self.header(experiment), **_content(experiment.content), "NodeStatuses": statuses}

    def snapshot(self, snapshot: Snapshot, *, expired: bool = False) -> dict[str, Any]:
        """A snapshot with its graph, web service and node statuses."""
        run = self._history.run(snapshot.id)
        return {
            "ExperimentId": snapshot.id,
            "RunId": snapshot.id,
            "ParentExperimentId": snapshot.parent,
            "JobId": snapshot.id,
            "VersionId": snapshot.id,
            "IsArchived": False,
            "IsLeaf": False,
            "IsPartialRun": snapshot.is_partial,
            "Creator": snapshot.creator,
            "OriginalExperimentDocumentationLink": snapshot.documentation,
            "Etag": etag_of(snapshot.created),
            "Status": _status(run),
            **_content_header(snapshot.content),
            **_content(snapshot.content),
            "NodeStatuses": self._node_statuses(snapshot, snapshot.content, expired=expired),
        }

    def _status(self, experiment: Experiment) -> dict[str, Any]:
        if not experiment.is_draft and experiment.run:
            return _status(self._history.run(experiment.run))
        return {
            "StatusCode": "InDraft",
            "StatusDetail": "None",
            "CreationTime": date(experiment.created),
            "StartTime": None,
            "EndTime": None,
            "Metadata": None,
        }

    def _node_statuses(
        self, snapshot: Snapshot, content: Content, *, expired: bool
    ) -> list[dict[str, Any]]:
        ran = {node["Id"]: node for node in snapshot.content.graph.get("ModuleNodes") or ()}
        found = self._history.run(snapshot.id).nodes
        return [
            {
                "NodeId": node["Id"],
                "Status": _node_status(found[node["Id"]]),
                **self._access.endpoints(snapshot.workspace, found[node["Id"]], expired=expired),
            }
            for node in content.graph.get("ModuleNodes") or ()
            if node["Id"] in found and ran[node["Id"]] == node
        ]


def _status(run: Run) -> dict[str, Any]:
    return {
        "StatusCode": run.state,
        "StatusDetail": run.detail,
        "CreationTime": date(run.created),
        "StartTime": date(run.started),
        "EndTime": date(run.ended),
        "Metadata": None,
    }


def _node_status(node: NodeRun) -> dict[str, Any]:
    return {
        "StatusCode": node.state,
        "StatusDetail": node.detail,
        "CreationTime": date(node.created),
        "StartTime": date(node.started),
        "EndTime": date(node.ended),
        "Metadata": None,
    }


def _content_header(content: Content) -> dict[str, Any]:
    return {
        "Description": content.description,
        "Summary": content.summary,
        "Category": content.category,
        "Tags": [],
        "DisableNodesUpdate": True if content.disable_node_update else None,
    }


def _content(content: Content) -> dict[str, Any]:
    return {"Graph": content.graph, "WebService": content.web_service}
