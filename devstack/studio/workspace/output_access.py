"""Access to outputs: their addresses in experiment records, raw bytes, and files for promotion.

An experiment's own id stands for its newest run that had the node as a part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devstack.studio.errors import StudioError, not_found
from devstack.studio.modules import DATASET
from devstack.studio.web import Request, Response
from devstack.studio.workspace.experiment_ids import SNAPSHOT_ID
from devstack.studio.workspace.experiment_records import NodeRun, OutputFile, Run, Snapshot
from devstack.studio.workspace.history import History
from devstack.studio.workspace.outputs import Outputs
from devstack.studio.workspace.shared_access import SharedAccess
from devstack.studio.workspace.table_reports import (
    report_on,
    schema_document,
    visualization_document,
)

FILE, VISUALIZATION, SCHEMA = "output", "output-visualization", "output-schema"


class OutputAccess:
    """Finds outputs by experiment, node and port."""

    def __init__(self, history: History, outputs: Outputs, shared: SharedAccess) -> None:
        self._history = history
        self._outputs = outputs
        self._shared = shared
        shared.open_with(FILE, self._open)
        shared.open_with(VISUALIZATION, lambda key: self._report(key, VISUALIZATION))
        shared.open_with(SCHEMA, lambda key: self._report(key, SCHEMA))

    def download(self, request: Request) -> Response:
        """Answer `GET experiments/{exp}/outputdata/{node}/{port}` with the bytes of the output."""
        parts = request.parts
        with self._history.store.transaction():
            path = self.path(parts["ws"], parts["exp"], parts["node"], parts["port"])
            content = path.read_bytes()
        return Response(200, content=content, content_type="application/octet-stream")

    def path(self, workspace_id: str, experiment_id: str, node_id: str, port: str) -> Path:
        """The file that a port gave; raises 404 that says what is not there (yet)."""
        path = self._outputs.path(self.file(workspace_id, experiment_id, node_id, port))
        if not path.exists():
            raise _no_output(f"The output {port!r} of node {node_id!r} was deleted.")
        return path

    def file(self, workspace_id: str, experiment_id: str, node_id: str, port: str) -> OutputFile:
        """What is known of the output of a port; raises 404 as `path` does."""
        with self._history.store.transaction():
            node = self._node(self._runs(workspace_id, experiment_id), experiment_id, node_id)
        if node.state != "Finished":
            message = f"Node {node_id[:100]!r} has no outputs: it is {node.state}."
            raise _no_output(message + (f" {node.detail}" if node.state == "Failed" else ""))
        if port not in node.outputs:
            message = f"Node {node_id!r} has no output {port[:100]!r} (it has "
            raise _no_output(message + f"{sorted(node.outputs)}).")
        return node.outputs[port]

    def endpoints(self, workspace_id: str, node: NodeRun, *, expired: bool) -> dict[str, Any]:
        """The four parts of a node's status that hold addresses."""

        def endpoint(kind: str, name: str, file: OutputFile | None) -> Mapping[str, Any] | None:
            if file is None:
                return None
            key = file.digest + file.extension
            size = file.size if kind == FILE else 0
            return self._shared.endpoint(
                workspace_id, kind, key, name=name, size=size, has_ended=expired
            )

        tables = {port: file for port, file in node.outputs.items() if file.kind == DATASET}
        return {
            "StandardErrorEndpoint": endpoint(FILE, "stderr", node.errors),
            "StandardOutEndpoint": endpoint(FILE, "stdout", node.log),
            "OutputEndpoints": [endpoint(FILE, port, file) for port, file in node.outputs.items()],
            "MetadataOutputEndpoints": {
                port: [
                    {"Key": key, "Value": endpoint(kind, key, file)}
                    for key, kind in (("visualization", VISUALIZATION), ("schema", SCHEMA))
                ]
                for port, file in tables.items()
            },
        }

    def _runs(self, workspace_id: str, experiment_id: str) -> list[Run]:
        """The runs that an id stands for, newest first."""
        if SNAPSHOT_ID.fullmatch(experiment_id):
            return [self._history.run(self._history.snapshot(workspace_id, experiment_id).id)]
        experiment = self._history.experiment(workspace_id, experiment_id)
        found: list[Snapshot] = list(self._history.snapshots(experiment.id))
        return [self._history.run(snapshot.id) for snapshot in found]

    def _node(self, runs: list[Run], experiment_id: str, node_id: str) -> NodeRun:
        for run in runs:
            if node_id in run.nodes:
                return run.nodes[node_id]
        if not runs:
            raise _no_output(f"Experiment {experiment_id!r} has no outputs: it was not run yet.")
        raise _no_output(f"Experiment {experiment_id!r} ran no node {node_id[:100]!r}.")

    def _open(self, key: str) -> Path | None:
        path = self._outputs.named(key)
        return path if path.exists() else None

    def _report(self, key: str, kind: str) -> dict[str, Any] | None:
        path = self._open(key)
        if path is None:
            return None
        report = report_on(path, "Dataset")
        return schema_document(report) if kind == SCHEMA else visualization_document(report)


def _no_output(message: str) -> StudioError:
    return not_found("OutputNotFound", message)
