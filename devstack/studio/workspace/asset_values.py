"""Assets as the values that modules take at their input ports."""

from __future__ import annotations

from devstack.studio.learning.assets import read_asset
from devstack.studio.learning.failures import LearningFailure
from devstack.studio.modules import Value
from devstack.studio.workspace.assets import Assets
from devstack.studio.workspace.dataset_files import read_dataset
from devstack.studio.workspace.experiment_records import OutputFile
from devstack.studio.workspace.records import Asset


class AssetValues:
    """Reads the assets of one workspace."""

    def __init__(self, assets: Assets, workspace_id: str) -> None:
        self._assets = assets
        self._workspace_id = workspace_id

    def get(self, asset_id: str) -> Asset:
        """The asset; raises LearningFailure when it was deleted since the run was accepted."""
        asset = self._assets.get(self._workspace_id, asset_id)
        if asset is None:
            raise LearningFailure(f"asset {asset_id!r} is not in the workspace any more")
        return asset

    def file(self, asset_id: str, kind: str) -> OutputFile:
        """What identifies the content of an asset, for the cache."""
        asset = self.get(asset_id)
        return OutputFile(
            kind=f"{kind} {asset.data_type}", digest=asset.digest, size=asset.size, extension=""
        )

    def value(self, asset_id: str) -> Value:
        """The content of an asset; raises LearningFailure that names it."""
        asset = self.get(asset_id)
        try:
            return self._value(asset)
        except LearningFailure as error:
            raise LearningFailure(f"{_word(asset)} {asset.name!r}: {error}") from error
        except FileNotFoundError as error:
            raise LearningFailure(f"{_word(asset)} {asset.name!r} was deleted") from error

    def _value(self, asset: Asset) -> Value:
        if asset.kind == "dataset":
            return read_dataset(self._assets.path(asset), asset.data_type)
        if asset.kind in ("trained_model", "transform"):
            return read_asset(self._assets.path(asset).read_bytes())
        raise LearningFailure("this kind of asset cannot be used in an experiment")


def _word(asset: Asset) -> str:
    return asset.kind.replace("_", " ")
