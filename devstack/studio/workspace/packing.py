"""Packing: an experiment and the assets it names, written as one file into the storage account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from devstack.studio.accounts import BlobReference
from devstack.studio.context import Context
from devstack.studio.modules import GLOBAL_WORKSPACE
from devstack.studio.names import moment
from devstack.studio.workspace.credentials import without_credentials
from devstack.studio.workspace.experiment_graph import ExperimentGraph
from devstack.studio.workspace.experiment_records import Content, Packing
from devstack.studio.workspace.package_files import (
    FILE_BYTES_MAX,
    BadPackage,
    Manifest,
    PackageWriter,
    PackedAsset,
)
from devstack.studio.workspace.records import Asset

CONTAINER = "experimentpackages"

# How long the address of a package is good for: as long as results.
GRANT = timedelta(hours=24)
CLOCK_SKEW = timedelta(minutes=5)

Progress = Callable[[Packing], None]


class Packer:
    """Writes packages."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def assets(self, workspace_id: str, content: Content) -> list[Asset]:
        """The workspace's own assets that a graph names and that are there."""
        uses = ExperimentGraph(content.graph, content.web_service).assets()
        names = dict.fromkeys(use.asset for use in uses)
        found = (self._context.assets.get(workspace_id, name) for name in names)
        return [asset for asset in found if asset and asset.workspace != GLOBAL_WORKSPACE]

    def pack(self, activity: Packing, content: Content, progress: Progress) -> None:
        """Write the package of an experiment and note its address in the activity."""
        path = self._context.assets.temporary()
        try:
            self._write(path, activity, content, progress)
            if path.stat().st_size > FILE_BYTES_MAX:
                raise BadPackage(f"the package has more than {FILE_BYTES_MAX} bytes")
            activity.location = self._put(path, activity)
            activity.done += 1
        finally:
            path.unlink(missing_ok=True)

    def _write(self, path: Path, activity: Packing, content: Content, progress: Progress) -> None:
        experiment = {
            "Description": content.description,
            "Summary": content.summary,
            "Category": content.category,
            "DisableNodeUpdate": content.disable_node_update,
            "ExperimentGraph": content.graph,
            "WebService": content.web_service,
        }
        if activity.clear_credentials:
            experiment = without_credentials(experiment)
        packed: list[PackedAsset] = []
        with PackageWriter(path) as writer:
            for asset in self.assets(activity.workspace, content):
                packed.append(_packed(asset, len(packed) + 1))
                writer.add(packed[-1], self._context.assets.path(asset))
                activity.done, activity.pending = activity.done + 1, activity.pending - 1
                progress(activity)
            writer.finish(Manifest(experiment=experiment, assets=packed))

    def _put(self, path: Path, activity: Packing) -> str:
        account, now = self._context.account, moment(self._context.clock())
        grant = account.own_grant(now)
        self._context.transfer.create_container(account, CONTAINER, grant)
        relative = f"{CONTAINER}/{activity.id}.zip"
        place = BlobReference(account.base_location, relative, grant)
        self._context.transfer.put(place, path.read_bytes(), "application/zip")
        start = now - CLOCK_SKEW
        return place.url + account.read_grant(relative, start=start, expiry=now + GRANT)


def _packed(asset: Asset, number: int) -> PackedAsset:
    return PackedAsset(
        id=asset.id,
        kind=asset.kind,
        name=asset.name,
        data_type=asset.data_type,
        description=asset.description,
        uploaded_filename=asset.uploaded_filename,
        file=f"assets/{number}",
    )
