"""The assets of a Studio workspace in memory. See `tests/doubles/workspace.py`."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from alm.domain.errors import Conflict, Misconfigured, NotFound, Refused
from alm.domain.experiment import Asset, AssetKind, Graph, Upload
from alm.ports import Clock
from tests.doubles.faulty import Faulty

DATA_TYPES: Mapping[AssetKind, str] = {
    "dataset": "Dataset",
    "trained_model": "ILearnerDotNet",
    "transform": "ITransformDotNet",
}


class DoubleAssets(Faulty):
    """Assets in families, with their content.

    contents: by asset id. schema_looks: how often a dataset is looked at before its schema is
    known.
    """

    def __init__(self, clock: Clock, workspace: str) -> None:
        super().__init__()
        self.clock = clock
        self.workspace = workspace
        self.contents: dict[str, bytes] = {}
        self.schema_looks = 1
        self._assets: dict[str, Asset] = {}
        self._looks: Counter[str] = Counter()

    def assets(self, kind: AssetKind) -> list[Asset]:
        return self._do("assets", lambda: self._latest(kind))

    def asset(self, kind: AssetKind, asset_id: str) -> Asset:
        return self._do("asset", lambda: self._look(kind, asset_id))

    def download(self, asset: Asset) -> BinaryIO:
        return self._do("download", lambda: self._open(asset))

    def upload(
        self, upload: Upload, content: BinaryIO, *, size: int | None = None, digest: str = ""
    ) -> str:
        return self._do("upload", lambda: self._upload(upload, content.read(), size, digest))

    def delete_datasets(self, family: str) -> None:
        self._do("delete_datasets", lambda: self._delete_family("dataset", family))

    def put_asset(
        self, kind: AssetKind, name: str, content: bytes = b"content", *, family: str = ""
    ) -> str:
        """An asset that somebody else made; returns its id."""
        asset = self._add(kind, name, content, family=family)
        self._assets[asset.id] = asset.model_copy(update={"schema_state": "Complete"})
        return asset.id

    def add_asset(self, asset: Asset, content: bytes) -> None:
        """Keep an asset as it is; the older ones of its family are no longer the latest."""
        for other in self._assets.values():
            if other.family == asset.family and other.is_latest:
                self._assets[other.id] = other.model_copy(update={"is_latest": False})
        self._assets[asset.id] = asset
        self.contents[asset.id] = content

    def whole(self, asset_id: str) -> Asset:
        """An asset of any kind, without counting the look."""
        return self._assets[asset_id]

    def missing(self, graph: Graph) -> list[str]:
        """The assets that a graph names and the workspace does not have."""
        return [name for name in named_in(graph) if name not in self._assets]

    def _add(
        self,
        kind: AssetKind,
        name: str,
        content: bytes,
        *,
        family: str = "",
        **facts: object,
    ) -> Asset:
        self._check_free(kind, name, family)
        number = len(self._assets) + 1
        family = family or hashlib.md5(f"{self.workspace}{number}".encode()).hexdigest()
        asset = Asset.model_validate(
            {
                "kind": kind,
                "id": f"{self.workspace}.{family}.v1-default-{number}",
                "family": family,
                "number": number,
                "name": name,
                "data_type": DATA_TYPES[kind],
                "created": self.clock.now(),
                "size": len(content),
                "schema_state": "Pending" if kind == "dataset" else "",
                **facts,
            }
        )
        self.add_asset(asset, content)
        return asset

    def _check_free(self, kind: AssetKind, name: str, family: str) -> None:
        if family and not any(a.family == family for a in self._of(kind)):
            raise NotFound(f"there is no {kind} of family {family}; give the id of one")
        holder = next((a for a in self._latest(kind) if a.name == name), None)
        if holder and holder.family != family:
            raise Conflict(f"a {kind} named {name!r} is there already; give its family")

    def _of(self, kind: AssetKind) -> list[Asset]:
        return [asset for asset in self._assets.values() if asset.kind == kind]

    def _latest(self, kind: AssetKind) -> list[Asset]:
        return [asset for asset in self._of(kind) if asset.is_latest]

    def _look(self, kind: AssetKind, asset_id: str) -> Asset:
        asset = self._assets.get(asset_id)
        if asset is None or asset.kind != kind:
            raise NotFound(f"read {kind} {asset_id}: there is none; check its id")
        self._looks[asset_id] += 1
        if asset.schema_state == "Pending" and self._looks[asset_id] > self.schema_looks:
            asset = asset.model_copy(update={"schema_state": "Complete"})
            self._assets[asset_id] = asset
        address = f"https://double.test/{asset_id}?signature=double" if kind == "dataset" else ""
        return asset.model_copy(update={"download": address})

    def _open(self, asset: Asset) -> BinaryIO:
        if not asset.download or asset.id not in self.contents:
            raise NotFound(f"download {asset.kind} {asset.id}: Studio names no address for it")
        return io.BytesIO(self.contents[asset.id])

    def _upload(self, upload: Upload, content: bytes, size: int | None, digest: str) -> str:
        if not content:
            raise Refused(f"upload dataset {upload.name!r}: the content is empty")
        seen = hashlib.sha256(content).hexdigest()
        if len(content) != (len(content) if size is None else size) or seen != (digest or seen):
            raise Conflict("the content changed while it was uploaded; nothing was registered")
        if not upload.name.strip():
            raise Misconfigured("a dataset needs a name; give one")
        facts = {"data_type": upload.data_type, "description": upload.description}
        return self._add("dataset", upload.name, content, family=upload.family, **facts).id

    def _delete_family(self, kind: AssetKind, family: str) -> None:
        for asset in self._of(kind):
            if asset.family == family:
                del self._assets[asset.id], self.contents[asset.id]


def named_in(graph: Graph) -> Iterable[str]:
    """The ids of the assets that the ports of a graph name."""
    for node in graph.nodes:
        for port in node.inputs:
            yield from filter(None, (port.dataset, port.trained_model, port.transform))
