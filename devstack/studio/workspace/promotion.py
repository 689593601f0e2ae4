"""Promotion: the output of an experiment's node becomes an asset of the workspace."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from devstack.studio.context import Context
from devstack.studio.errors import bad_argument
from devstack.studio.workspace.asset_requests import AssetRequest, OutputName
from devstack.studio.workspace.dataset_files import PROMOTED
from devstack.studio.workspace.records import Asset, AssetKind

# The file with what a port gave: workspace id, experiment id, node id, port. Raises StudioError
# when there is no such experiment, node, port, or nothing was given yet.
OpenOutput = Callable[[str, str, str, str], Path]

# The type that each kind of asset has in records, and the extension of files that can become it.
DATA_TYPES: Mapping[AssetKind, str] = {
    "dataset": PROMOTED,
    "trained_model": "ILearnerDotNet",
    "transform": "ITransformDotNet",
}
_EXTENSIONS: Mapping[AssetKind, str] = {
    "dataset": ".csv",
    "trained_model": ".ilearner",
    "transform": ".itransform",
}


class Promotion:
    """Makes assets of outputs."""

    def __init__(self, context: Context, open_output: OpenOutput) -> None:
        self._context = context
        self._open_output = open_output

    def promote(
        self, workspace_id: str, kind: AssetKind, asked: AssetRequest, output: OutputName
    ) -> Asset:
        """Make an asset of an output; raises 400 for a wrong type, 404, 409 for a taken name."""
        self._check_type(kind, asked.data_type)
        file = self._open_output(workspace_id, output.experiment, output.node, output.port)
        if file.suffix != _EXTENSIONS[kind]:
            message = f"output {output.port!r} is a {file.suffix} file, not a {_EXTENSIONS[kind]}."
            raise bad_argument("DataTypeNotSupported", message, "OutputName")
        content = self._context.assets.temporary()
        try:
            shutil.copyfile(file, content)
            return self._context.assets.add(
                workspace_id,
                kind,
                name=asked.name,
                data_type=DATA_TYPES[kind],
                content=content,
                family=asked.family,
                description=asked.description,
                owner=asked.owner or self._owner(workspace_id),
                origin="FromOutputPromotion",
                experiment=output.experiment,
                promoted_from=f"{output.experiment}.{output.node}.{output.port}",
                schema_status="Pending" if kind == "dataset" else "NotSupported",
            )
        finally:
            content.unlink(missing_ok=True)

    def _check_type(self, kind: AssetKind, data_type: str) -> None:
        if data_type and data_type.lower() != DATA_TYPES[kind].lower():
            message = f"DataTypeId must be {DATA_TYPES[kind]!r} here, not {data_type[:64]!r}."
            raise bad_argument("DataTypeNotSupported", message, "DataTypeId")

    def _owner(self, workspace_id: str) -> str:
        workspace = self._context.workspaces.get(workspace_id)
        return workspace.owner_email if workspace else ""
