"""Assets of a workspace: datasets, trained models, transforms; what is uploaded and promoted.

Source: Studio API, datasources, trainedmodels, transformmodules, resourceuploads, blobuploads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from alm.adapters.answers import expect, object_of
from alm.adapters.http import Http
from alm.adapters.studio.access import Caller
from alm.adapters.studio.asset_records import (
    PATHS,
    asset_of,
    came_from,
    promoting,
    registration,
)
from alm.adapters.studio.blocks import block_count, blocks, size_of
from alm.adapters.studio.workspace_calls import (
    WorkspaceCalls,
    accepted,
    checked,
    id_told,
    in_query,
)
from alm.domain.errors import (
    TRANSIENT,
    Denied,
    Misconfigured,
    NotFound,
    Refused,
    Unavailable,
    Unknown,
)
from alm.domain.experiment import Asset, AssetKind, Promotion, Upload

_DATA_TYPE = re.compile(r"[A-Za-z0-9.]{1,64}")


class AssetCalls(WorkspaceCalls):
    """The part of `studio_ports.Workspace` that is about assets.

    downloads: reads signed addresses, which may be on other hosts; it is given no token.
    """

    def __init__(self, caller: Caller, workspace: str, downloads: Http) -> None:
        super().__init__(caller, workspace)
        self._downloads = downloads

    def assets(self, kind: AssetKind) -> list[Asset]:
        doing = f"list the {kind}s of workspace {self.workspace}"
        records = self.records(f"/{PATHS[kind]}", doing=doing)
        return [asset_of(kind, record, doing=doing) for record in records]

    def asset(self, kind: AssetKind, asset_id: str) -> Asset:
        """One asset. That transforms can be read one by one is inferred from the other kinds."""
        doing = f"read {kind} {checked(asset_id, 'an asset')}"
        return asset_of(kind, self.record(f"/{PATHS[kind]}/{asset_id}", doing=doing), doing=doing)

    def modules(self) -> list[str]:
        doing = f"list the modules of workspace {self.workspace}"
        records = self.records("/modules", doing=doing)
        return [str(record["Id"]) for record in records if record.get("Id")]

    def download(self, asset: Asset) -> BinaryIO:
        """Read an asset at its signed address, without our token.

        Raises NotFound if it has none, Denied if its leave has ended (read the asset again),
        Misconfigured if the address leads to a host that is not allowed.
        """
        doing = f"download {asset.kind} {asset.id}"
        if not asset.download:
            raise NotFound(
                f"{doing}: Studio names no address for it; "
                "read the output that it was promoted from"
            )
        answer = self._downloads.open(asset.download, headers={"Accept": "*/*"})
        if answer.status in (401, 403):
            raise Denied(
                f"{doing}: {answer.request.url} answered {answer.status}; its leave has ended, or "
                "does not allow reading: read the asset again for a fresh address"
            )
        content = expect(answer, 200, doing=doing).content
        assert content is not None, "an answer 200 was opened"
        return content

    def upload(
        self, upload: Upload, content: BinaryIO, *, size: int | None = None, digest: str = ""
    ) -> str:
        """Upload a dataset in blocks, each within the deadline, and register it.

        Memory holds one block. Raises Unavailable if the upload broke off, Unknown if only the
        answer to the registration was lost, Refused if the content is empty, Conflict if it
        changed meanwhile or the name is taken.
        """
        doing = f"upload dataset {upload.name!r}"
        if not _DATA_TYPE.fullmatch(upload.data_type):
            raise Refused(f"{doing}: {upload.data_type[:80]!r} is not a data type of Studio")
        size = size_of(content) if size is None else size
        if size < 1:
            raise Refused(f"{doing}: the content is empty; a dataset has at least one row")
        with _nothing_registered(doing):
            upload_id = self._begin_upload(upload.data_type, doing)
            self._send_blocks(upload_id, upload.data_type, blocks(content, size, digest), size)
        document = registration(upload, upload_id)
        answer = self.change("POST", "/datasources", document, doing=doing)
        dataset = id_told(answer, doing=doing)
        if not dataset:
            raise Unknown(
                f"{doing}: Studio accepted it and did not tell its id; look for it by its name"
            )
        return dataset

    def delete_datasets(self, family: str) -> None:
        path = f"/datasources/family/{checked(family, 'a family')}"
        answer = self.caller.send("DELETE", self.path + path)
        if answer.status != 404:
            accepted(answer, doing=f"delete the datasets of family {family}")

    def promote(self, promotion: Promotion) -> str:
        """Make an output an asset. An answer without id is looked up by where it came from."""
        doing = f"promote {promotion.port!r} of node {promotion.node} as {promotion.name!r}"
        answer = self.change("POST", f"/{PATHS[promotion.kind]}", promoting(promotion), doing=doing)
        return id_told(answer, doing=doing) or self._promoted(promotion, doing)

    def _promoted(self, promotion: Promotion, doing: str) -> str:
        try:
            listed = self.assets(promotion.kind)
        except TRANSIENT as error:
            raise Unknown(f"{doing}: accepted, but its id is not known yet: {error}") from error
        found = [asset for asset in listed if came_from(asset, promotion)]
        return max(found, key=lambda asset: asset.number).id if found else ""

    def _begin_upload(self, data_type: str, doing: str) -> str:
        path = f"/resourceuploads{self.path}/?userStorage=true&dataTypeId={data_type}"
        answer = accepted(self.caller.send("POST", path, empty_body=True), doing=doing)
        upload_id = str(object_of(answer, doing=doing).get("Id") or "")
        if not upload_id:
            raise Misconfigured(
                f"{doing}: {answer.request.url} began an upload and told no Id for it; "
                "check that the URL is that of the Studio API"
            )
        return upload_id

    def _send_blocks(
        self, upload_id: str, data_type: str, pieces: Iterator[bytes], size: int
    ) -> None:
        count = block_count(size)
        rest = f"&uploadId={in_query(upload_id)}&dataTypeId={data_type}"
        for number, block in enumerate(pieces):
            query = f"?numberOfBlocks={count}&blockId={number}{rest}"
            answer = self.caller.send("POST", f"/blobuploads{self.path}/{query}", content=block)
            accepted(answer, doing=f"upload block {number + 1} of {count}")


@contextmanager
def _nothing_registered(doing: str) -> Iterator[None]:
    """Blocks alone are nothing that anybody sees: an answer that is lost here leaves no doubt."""
    try:
        yield
    except Unknown as error:
        raise Unavailable(f"{doing}: {error}; nothing was registered, upload it anew") from error
