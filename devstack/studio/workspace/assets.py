"""Assets: datasets, trained models, transforms and custom modules, each with its versions.

Versions of an asset share a family; the newest is the latest. A name belongs to one family per kind
and workspace, whatever the case of its letters (inferred: clients look names up that way and fail
when they find two). Content is a file by its digest, shared by all assets that have it, and goes
with the last of them. Files are moved and streamed, never held in memory.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

from devstack.studio.errors import Detail, StudioError, not_found
from devstack.studio.modules import GLOBAL_WORKSPACE
from devstack.studio.names import new_id
from devstack.studio.store import Store
from devstack.studio.workspace.records import (
    Asset,
    AssetCount,
    AssetKind,
    AssetName,
    ContentUse,
    SchemaStatus,
    TableReport,
)


class AssetFacts(TypedDict, total=False):
    """What else is known of a new asset; the names are those of the record."""

    description: str
    owner: str
    origin: str
    experiment: str | None
    promoted_from: str | None
    upload_id: str | None
    uploaded_filename: str
    copied_from: str | None
    schema_status: SchemaStatus


class Assets:
    """Keeps assets and their content; safe to use from many threads.

    Assets of the global workspace (samples) can be read from every workspace.
    """

    def __init__(self, store: Store, folder: Path, clock: Callable[[], float]) -> None:
        self._store = store
        self._folder = folder
        self._clock = clock
        self._incoming = folder / "incoming"
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True)

    def temporary(self) -> Path:
        """A fresh path, on the disk where content is kept, for content that is being made.

        What is left there goes at the next start.
        """
        return self._incoming / new_id()

    def get(self, workspace_id: str, asset_id: str) -> Asset | None:
        """The asset with this id in the workspace or, for a global id, in the global one."""
        is_global = asset_id.startswith(GLOBAL_WORKSPACE + ".")
        owner = GLOBAL_WORKSPACE if is_global else workspace_id
        return self._store.get(Asset, f"{owner}/{asset_id}")

    def list(self, workspace_id: str, kind: AssetKind) -> Sequence[Asset]:
        """All versions of all assets of a kind that are the workspace's own, oldest first."""
        found = self._store.list(Asset, f"{workspace_id}/")
        return sorted((a for a in found if a.kind == kind), key=lambda asset: asset.number)

    def latest_of_all(self, workspace_id: str, kind: AssetKind) -> Sequence[Asset]:
        """The latest version of each asset, the samples' included: what lists show.

        Inferred from clients, which fail when a list has two versions of a family.
        """
        owners = (GLOBAL_WORKSPACE, workspace_id)
        return [asset for owner in owners for asset in self.list(owner, kind) if asset.is_latest]

    def family(self, workspace_id: str, family: str) -> Sequence[Asset]:
        """All versions of one asset, oldest first."""
        found = self._store.list(Asset, f"{workspace_id}/{workspace_id}.{family}.")
        return sorted(found, key=lambda asset: asset.number)

    def latest(self, workspace_id: str, family: str) -> Asset | None:
        """The newest version of a family."""
        found = self.family(workspace_id, family)
        return found[-1] if found else None

    def named(self, workspace_id: str, kind: AssetKind, name: str) -> Asset | None:
        """The latest version of the asset that has this name."""
        holder = self._store.get(AssetName, f"{workspace_id}/{kind}/{_folded(name)}")
        return self._store.get(Asset, holder.asset) if holder else None

    def add(
        self,
        workspace_id: str,
        kind: AssetKind,
        *,
        name: str,
        data_type: str,
        content: Path,
        family: str | None = None,
        **facts: Unpack[AssetFacts],
    ) -> Asset:
        """Keep an asset; its content file is moved in. Without `family` it begins one.

        Raises 409 when the name is taken by another family, 404 when the family is not there.
        """
        asset = Asset(
            kind=kind,
            id="",
            workspace=workspace_id,
            family=family or "",
            number=0,
            name=name,
            data_type=data_type,
            created=self._clock(),
            size=content.stat().st_size,
            digest=_digest_of_file(content),
            **facts,
        )
        return self._keep(asset, content)

    def sharing(self, digest: str) -> Sequence[Asset]:
        """All assets, of any workspace, that have this content."""
        uses = self._store.list(ContentUse, f"{digest}/")
        found = (self._store.get(Asset, use.asset) for use in uses)
        return [asset for asset in found if asset is not None]

    def change(self, asset: Asset) -> None:
        """Write an asset again unless it was deleted meanwhile."""
        with self._store.transaction():
            if self._store.get(Asset, asset.key) is not None:
                self._store.put(asset.key, asset)

    def path(self, asset: Asset) -> Path:
        """The file with the content of an asset."""
        return self._folder / asset.digest[:2] / asset.digest

    def delete_family(self, workspace_id: str, family: str) -> int:
        """Delete all versions of an asset, and content that nobody else has; how many they were."""
        found = self.family(workspace_id, family)
        self._delete(found)
        return len(found)

    def delete_workspace(self, workspace_id: str) -> None:
        """Delete all assets of a workspace."""
        self._delete(self._store.list(Asset, f"{workspace_id}/"))
        self._store.delete(AssetCount, workspace_id)

    def copy_into(self, asset: Asset, workspace_id: str) -> Asset:
        """The same content as an asset of another workspace, for packages.

        A copy of the same asset that is already there is used again; a name that is taken there
        gets a number (inferred: how Studio resolves this is not known).
        """
        if asset.workspace in (workspace_id, GLOBAL_WORKSPACE):
            return asset
        with self._store.transaction():
            asset = self._store.get(Asset, asset.key) or asset
            for own in self.list(workspace_id, asset.kind):
                if own.copied_from == asset.id and own.digest == asset.digest:
                    return own
            fresh = {
                "workspace": workspace_id,
                "family": "",
                "name": self._free_name(workspace_id, asset),
                "created": self._clock(),
                "copied_from": asset.id,
                "experiment": None,
                "promoted_from": None,
                "upload_id": None,
                "is_latest": True,
            }
            return self._keep(asset.model_copy(update=fresh), None)

    def _keep(self, asset: Asset, content: Path | None) -> Asset:
        """Give an asset number, family and id and write it; its content is moved in, or there."""
        workspace_id = asset.workspace
        with self._store.transaction():
            self._check_free(asset)
            number, family = self._next_number(workspace_id), asset.family or new_id()
            for older in self.family(workspace_id, family):
                if older.is_latest:
                    self._store.delete(AssetName, _name_key(older))
                    older.is_latest = False
                    self._store.put(older.key, older)
            asset = asset.model_copy(
                update={
                    "id": f"{workspace_id}.{family}.v1-default-{number}",
                    "family": family,
                    "number": number,
                }
            )
            if content is not None:
                self._take_in(content, asset)
            self._store.put(f"{asset.digest}/{asset.key}", ContentUse(asset=asset.key))
            self._store.put(_name_key(asset), AssetName(asset=asset.key))
            self._store.put(asset.key, asset)
        return asset

    def _check_free(self, asset: Asset) -> None:
        if asset.family:
            newest = self.latest(asset.workspace, asset.family)
            if newest is None or newest.kind != asset.kind:
                message = (
                    f"There is no {word(asset.kind)} of family {asset.family[:64]!r} in this "
                    "workspace."
                )
                raise not_found("ResourceNotFound", message)
        holder = self.named(asset.workspace, asset.kind, asset.name)
        if holder is not None and holder.family != asset.family:
            message = (
                f"A {word(asset.kind)} named {asset.name!r} is there already; give another name, "
                f"or FamilyId {holder.family!r} to make this its next version."
            )
            raise StudioError(409, "Conflict", message, [Detail("NameTaken", message, "Name")])

    def _free_name(self, workspace_id: str, asset: Asset) -> str:
        name, number = asset.name, 2
        while self.named(workspace_id, asset.kind, name):
            name, number = f"{asset.name} ({number})", number + 1
        return name

    def _next_number(self, workspace_id: str) -> int:
        count = self._store.get(AssetCount, workspace_id)
        number = count.last + 1 if count else 1
        self._store.put(workspace_id, AssetCount(last=number))
        return number

    def _take_in(self, content: Path, asset: Asset) -> None:
        kept = self.path(asset)
        if kept.exists():
            content.unlink()
            return
        kept.parent.mkdir(exist_ok=True)
        if content.parent != self._incoming:
            content = Path(shutil.move(content, self.temporary()))
        content.replace(kept)

    def _delete(self, found: Sequence[Asset]) -> None:
        with self._store.transaction():
            for asset in found:
                self._store.delete(Asset, asset.key)
                self._store.delete(ContentUse, f"{asset.digest}/{asset.key}")
                if asset.is_latest:
                    self._store.delete(AssetName, _name_key(asset))
        for asset in found:
            with self._store.transaction():
                if not self._store.list(ContentUse, f"{asset.digest}/", limit=1):
                    self._store.delete(TableReport, f"{asset.digest}/{asset.data_type}")
                    self.path(asset).unlink(missing_ok=True)


def _digest_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _name_key(asset: Asset) -> str:
    return f"{asset.workspace}/{asset.kind}/{_folded(asset.name)}"


def _folded(name: str) -> str:
    return name.strip().casefold()


def word(kind: AssetKind) -> str:
    """A kind of asset in words, for messages."""
    return kind.replace("_", " ")
