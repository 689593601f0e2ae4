"""Export: a finished experiment as a web service definition (WSD), and the files it refers to.

The web service's inputs take the place of what fed their ports; what only they would have needed is
left out. Trained models, transforms and datasets at other ports become Resources: their files are
copied into the workspace's storage account, and the definition holds the address with a read grant.
Names of Resources other than models (`[transform]`, `[dataset]`) and the length of the grant are
inferred.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from devstack.studio.accounts import BlobReference
from devstack.studio.arm_paths import resource_id
from devstack.studio.context import Context
from devstack.studio.definitions import MODULE_URI
from devstack.studio.errors import StudioError, invalid_operation, not_found
from devstack.studio.jobs import OUTPUT_CONTAINER
from devstack.studio.learning.failures import LearningFailure
from devstack.studio.learning.tables import write_table
from devstack.studio.modules import module_named_by
from devstack.studio.names import moment
from devstack.studio.records import AssetSource
from devstack.studio.web import Request, Response
from devstack.studio.workspace.asset_values import AssetValues
from devstack.studio.workspace.dataset_files import read_dataset
from devstack.studio.workspace.experiment_ids import SNAPSHOT_ID
from devstack.studio.workspace.experiment_records import Snapshot
from devstack.studio.workspace.history import History
from devstack.studio.workspace.outputs import Outputs
from devstack.studio.workspace.records import Asset
from devstack.studio.workspace.service_graph import ServiceGraph, WebPort
from devstack.studio.workspace.wsd_schema import PortData, example_rows, table_schema

# How long the grants in a definition are good for; long, since definitions are kept in version
# control and deployed later.
GRANT = timedelta(days=365)
CLOCK_SKEW = timedelta(minutes=5)

# Asset kind: what follows its name in a definition, and the extension of its blob.
_RESOURCES: Mapping[str, tuple[str, str]] = {
    "trained_model": (" [trained model]", ".ilearner"),
    "transform": (" [transform]", ".itransform"),
    "dataset": (" [dataset]", ".csv"),
}


class WsdExport:
    """Makes definitions; changes nothing but the storage account."""

    def __init__(self, context: Context, history: History, outputs: Outputs) -> None:
        self._context = context
        self._history = history
        self._outputs = outputs

    def get(self, request: Request) -> Response:
        """Answer `GET experiments/{exp}/webservicedefinition`."""
        snapshot = self.finished(request.parts["ws"], request.parts["exp"])
        workspace = self._context.workspaces.get(snapshot.workspace)
        assert workspace is not None, "the token of the workspace was checked"
        group, _, name = workspace.resource.partition("/")
        subscription = self._context.identity.subscription_id
        place = resource_id(subscription, group, "workspaces", name)
        properties = self.properties(snapshot)
        document = {
            "location": workspace.region,
            "tags": {},
            "properties": {**properties, "machineLearningWorkspace": {"id": place}},
        }
        return Response(200, document)

    def finished(self, workspace_id: str, name: str) -> Snapshot:
        """The snapshot of an experiment's last run; raises 400 unless that has finished.

        An experiment that was saved since is a draft and refused; a snapshot's own id is taken.
        """
        if SNAPSHOT_ID.fullmatch(name):
            snapshot = self._history.snapshot(workspace_id, name)
            state: str = self._history.run(snapshot.id).state
        else:
            experiment = self._history.experiment(workspace_id, name)
            state, found = self._history.state(experiment), self._history.newest(experiment)
            if found is None:
                raise _not_finished(name, state)
            snapshot = found
        if state != "Finished":
            raise _not_finished(name, state)
        return snapshot

    def properties(self, snapshot: Snapshot, *, new_port_names: bool = False) -> dict[str, Any]:
        """The checked properties of a definition; raises 400 that says what is missing."""
        graph = ServiceGraph.of(snapshot.content, new_port_names=new_port_names)
        assets = self._assets(snapshot, graph)
        document = {
            "packageType": "Graph",
            "title": snapshot.content.description,
            "description": snapshot.content.summary,
            **self._ports(snapshot, graph),
            "assets": assets,
            "parameters": graph.parameter_values(),
            "package": graph.package(),
        }
        _check_text(document)
        return self._context.checked_properties(document)

    def _ports(self, snapshot: Snapshot, graph: ServiceGraph) -> dict[str, Any]:
        inputs = {port.name: self._input_data(snapshot, graph, port) for port in graph.inputs}
        outputs = {port.name: self._output_data(snapshot, port) for port in graph.outputs}
        try:
            return {
                "input": _ports({name: table_schema(found) for name, found in inputs.items()}),
                "output": _ports({name: table_schema(found) for name, found in outputs.items()}),
                "exampleRequest": {
                    "inputs": {name: example_rows(found) for name, found in inputs.items()},
                    "globalParameters": graph.parameter_defaults(),
                },
            }
        except LearningFailure as error:
            message = f"The columns of a web-service port cannot be told: {error}"
            raise invalid_operation("BadParameterValue", message) from error
        except FileNotFoundError as error:
            message = f"Experiment {snapshot.experiment} was deleted meanwhile."
            raise not_found("ExperimentNotFound", message) from error

    def _input_data(self, snapshot: Snapshot, graph: ServiceGraph, port: WebPort) -> PortData:
        """What fed the port that the web service's input feeds now."""
        use = graph.asset_at(port)
        if use is not None and use.kind == "dataset":
            asset = self._asset(snapshot, use.asset)
            return PortData(self._context.assets.path(asset), asset.data_type)
        edge = graph.edge_at(port)
        found = self._file(snapshot, edge.source, edge.source_port) if edge is not None else None
        if found is None:
            message = f"Web-service input {port.name!r} is at {port.place!r}, where no dataset was."
            raise invalid_operation("BadParameterValue", message)
        return found

    def _output_data(self, snapshot: Snapshot, port: WebPort) -> PortData | None:
        return self._file(snapshot, port.node, port.port)

    def _file(self, snapshot: Snapshot, node_id: str, port: str) -> PortData | None:
        """What a port gave in the run; None when it was no dataset. Raises 400 when it did not."""
        node = self._history.run(snapshot.id).nodes.get(node_id)
        if node is None or port not in node.outputs:
            message = f"Port {node_id}:{port} gave nothing in the last run; run the whole graph."
            raise invalid_operation("BadParameterValue", message)
        file = node.outputs[port]
        return PortData(self._outputs.path(file), "Dataset") if file.extension == ".csv" else None

    def _assets(self, snapshot: Snapshot, graph: ServiceGraph) -> dict[str, Any]:
        modules = {
            key: {
                "name": module_named_by(module_id) or module_id,
                "type": "Module",
                "locationInfo": {"uri": MODULE_URI + module_id},
            }
            for key, module_id in graph.modules().items()
        }
        resources = {
            key: self._resource(self._asset(snapshot, asset_id))
            for key, asset_id in graph.resources().items()
        }
        return {**modules, **resources}

    def _resource(self, asset: Asset) -> dict[str, Any]:
        suffix, _ = _RESOURCES[asset.kind]
        source = self._copied(asset)
        return {
            "name": asset.name + suffix,
            "type": "Resource",
            "locationInfo": {"uri": source.uri, "credentials": source.credentials},
            "outputPorts": {"Results dataset": {"type": "Dataset"}},
        }

    def _copied(self, asset: Asset) -> AssetSource:
        """The asset's file in the storage account; the same content has the same address."""
        account, now = self._context.account, moment(self._context.clock())
        name = f"{asset.digest[:32]}/{asset.digest[32:]}{_RESOURCES[asset.kind][1]}"
        relative = f"{OUTPUT_CONTAINER}/{name}"
        content = self._content(asset)
        own = BlobReference(account.base_location, relative, account.own_grant(now))
        self._context.transfer.put(own, content, "application/octet-stream")
        grant = account.read_grant(relative, start=now - CLOCK_SKEW, expiry=now + GRANT)
        return AssetSource(uri=own.url, credentials=grant)

    def _content(self, asset: Asset) -> bytes:
        """The bytes of a resource: datasets of every type become CSV."""
        path = self._context.assets.path(asset)
        if asset.kind != "dataset":
            return path.read_bytes()
        try:
            return write_table(read_dataset(path, asset.data_type))
        except LearningFailure as error:
            message = f"Dataset {asset.name!r} cannot be part of a web service: {error}."
            raise invalid_operation("BadParameterValue", message) from error

    def _asset(self, snapshot: Snapshot, asset_id: str) -> Asset:
        try:
            return AssetValues(self._context.assets, snapshot.workspace).get(asset_id)
        except LearningFailure as error:
            raise invalid_operation("BadParameterValue", f"The {error}.") from error


def _ports(tables: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": "", "description": "", "type": "object", "properties": dict(tables)}


def _check_text(document: Mapping[str, Any]) -> None:
    """Graphs are kept whatever text they hold; a definition is written as Unicode."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        message = "The experiment holds half a surrogate pair, which is no text."
        raise invalid_operation("BadParameterValue", message) from error


def _not_finished(name: str, state: str) -> StudioError:
    message = f"Experiment {name[:120]!r} is {state}; it must be Finished. Run it first."
    return invalid_operation("ExperimentNotFinished", message)
