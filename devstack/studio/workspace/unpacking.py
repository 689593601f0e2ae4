"""Unpacking: the assets of a package become assets of a workspace, its experiment a new one.

An asset that the workspace has already, the very one or an earlier copy of it, is used again. The
experiment names the assets by their new ids.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from devstack.studio.context import Context
from devstack.studio.learning.assets import read_asset
from devstack.studio.learning.failures import BadModel
from devstack.studio.learning.training import TrainedModel
from devstack.studio.names import digest_of
from devstack.studio.records import AssetSource
from devstack.studio.serving import reference_of
from devstack.studio.workspace.asset_swaps import with_assets
from devstack.studio.workspace.experiment_records import Content, Packing
from devstack.studio.workspace.experiment_requests import read_content
from devstack.studio.workspace.history import History
from devstack.studio.workspace.package_files import (
    FILE_BYTES_MAX,
    BadPackage,
    PackageReader,
    PackedAsset,
    open_package,
)
from devstack.studio.workspace.packing import Progress
from devstack.studio.workspace.records import Asset

# Names that are tried before an asset is refused because its name is taken.
NAMES_MAX = 1000

CheckAssets = Callable[[str, Content], None]
Inspect = Callable[[Asset], None]


class Unpacker:
    """Reads packages into workspaces."""

    def __init__(
        self, context: Context, history: History, check_assets: CheckAssets, inspect: Inspect
    ) -> None:
        self._context = context
        self._history = history
        self._check_assets = check_assets
        self._inspect = inspect

    def unpack(self, activity: Packing, progress: Progress) -> None:
        """Make what is in a package and note the new experiment in the activity.

        Raises BadPackage, TransferFailure or StudioError.
        """
        path = self._context.assets.temporary()
        try:
            self._fetch(activity.location, path)
            with open_package(path) as package:
                self._make(package, activity, progress)
        finally:
            path.unlink(missing_ok=True)

    def _fetch(self, uri: str, path: Path) -> None:
        content = self._context.transfer.fetch(reference_of(AssetSource(uri=uri)))
        if len(content) > FILE_BYTES_MAX:
            raise BadPackage(f"the package has more than {FILE_BYTES_MAX} bytes")
        path.write_bytes(content)

    def _make(self, package: PackageReader, activity: Packing, progress: Progress) -> None:
        content = read_content(package.manifest.experiment)
        if not content.description.strip():
            raise BadPackage("the experiment in the package has no name (Description)")
        activity.pending = 1 + len(package.manifest.assets)
        new_ids = {}
        for asset in package.manifest.assets:
            new_ids[asset.id] = self._asset(package, asset, activity.workspace).id
            activity.done, activity.pending = activity.done + 1, activity.pending - 1
            progress(activity)
        mapped = with_assets(content, new_ids)
        self._check_assets(activity.workspace, mapped)
        experiment = self._history.create(
            activity.workspace, mapped, documentation=activity.documentation
        )
        activity.experiment, activity.done = experiment.id, activity.done + 1

    def _asset(self, package: PackageReader, packed: PackedAsset, workspace_id: str) -> Asset:
        path = self._context.assets.temporary()
        try:
            package.extract(packed, path)
            _check_content(packed, path)
            with self._context.store.transaction():
                return self._existing(packed, path, workspace_id) or self._add(
                    packed, path, workspace_id
                )
        finally:
            path.unlink(missing_ok=True)

    def _existing(self, packed: PackedAsset, path: Path, workspace_id: str) -> Asset | None:
        digest = digest_of(path.read_bytes())
        for own in self._context.assets.list(workspace_id, packed.kind):
            if own.digest == digest and packed.id in (own.id, own.copied_from):
                return own
        return None

    def _add(self, packed: PackedAsset, path: Path, workspace_id: str) -> Asset:
        """Add the asset under its name, or under the first of its kind that is free (inferred)."""
        assets, name = self._context.assets, packed.name
        for number in range(2, NAMES_MAX):
            if assets.named(workspace_id, packed.kind, name) is None:
                break
            name = f"{packed.name} ({number})"
        added = assets.add(
            workspace_id,
            packed.kind,
            name=name,
            data_type=packed.data_type,
            content=path,
            description=packed.description,
            uploaded_filename=packed.uploaded_filename,
            copied_from=packed.id,
            schema_status="Pending" if packed.kind == "dataset" else "NotSupported",
        )
        if packed.kind == "dataset":
            self._inspect(added)
        return added


def _check_content(packed: PackedAsset, path: Path) -> None:
    if packed.kind == "module":
        raise BadPackage(f"asset {packed.name!r} is a custom module, which packages do not hold")
    try:
        if packed.kind != "dataset":
            found = read_asset(path.read_bytes())
            is_model = isinstance(found, TrainedModel)
            if is_model != (packed.kind == "trained_model"):
                raise BadPackage(f"asset {packed.name!r} is no {packed.kind.replace('_', ' ')}")
    except BadModel as error:
        raise BadPackage(f"asset {packed.name!r} cannot be used: {error}") from error
