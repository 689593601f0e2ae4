"""Uploads: files on their way to become assets, in one piece or in blocks.

Blocks may come in any order and more than once; the last of a number counts. A file is whole when
every block is there, and is registered once (inferred). Bytes go to disk as they come.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devstack.studio.context import Context
from devstack.studio.errors import Detail, StudioError, bad_argument, not_found
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.names import HEX_ID, new_id
from devstack.studio.web import Request, Response
from devstack.studio.workspace.dataset_files import UPLOADABLE
from devstack.studio.workspace.records import Upload

PIECE_BYTES = 1024 * 1024

# What modules of experiments can typically use; larger files are refused.
FILE_BYTES_MAX = 10 * 1024**3
BLOCKS_MAX = 50_000

# Files that nobody registered go when Studio starts, if they are older.
KEPT_SECONDS = 7 * 24 * 3600


class Uploads:
    """Serves `resourceuploads` and `blobuploads`, and hands whole files to those who register."""

    def __init__(self, context: Context, folder: Path) -> None:
        self._context = context
        self._store = context.store
        self._folder = folder
        self._registering: set[str] = set()
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep()

    def begin(self, request: Request) -> Response:
        """Take a whole file, or with an empty body begin one that comes in blocks."""
        upload = Upload(
            id=new_id(),
            workspace=request.parts["ws"],
            data_type=data_type_of(request.query.get("dataTypeId", "")),
            created=self._context.clock(),
            blocks=1 if request.length else 0,
        )
        if CHANGE_NOTHING not in request.effects:
            if request.length:
                self._receive(request, self._block(upload, 0))
            self._store.put(_key(upload), upload)
        return Response(200, self._document(upload))

    def block(self, request: Request) -> Response:
        """Take one block; raises 404 for an upload that is not there, 400 for a wrong number."""
        upload = self.find(request.parts["ws"], request.query.get("uploadId", ""))
        blocks = _whole_number(request, "numberOfBlocks", 1, BLOCKS_MAX)
        number = _whole_number(request, "blockId", 0, blocks - 1)
        if CHANGE_NOTHING in request.effects:
            return Response(200, self._document(upload))
        with self._store.transaction():
            upload = self.find(upload.workspace, upload.id)
            self._check_open(upload, blocks)
            upload.blocks = blocks
            self._store.put(_key(upload), upload)
        self._receive(request, self._block(upload, number))
        return Response(200, self._document(upload))

    def find(self, workspace_id: str, upload_id: str) -> Upload:
        """The upload with this id; raises 404."""
        found = None
        if HEX_ID.fullmatch(upload_id):
            found = self._store.get(Upload, f"{workspace_id}/{upload_id}")
        if found is None:
            message = f"There is no upload {upload_id[:64]!r} in this workspace; begin one."
            raise not_found("ResourceNotFound", message)
        return found

    @contextmanager
    def whole(self, upload: Upload) -> Iterator[Path]:
        """The whole file while it is being registered, in a place from where it can be moved.

        Raises 400 that names missing blocks, 409 when it is registered or being so.
        """
        self._claim(upload)
        joined = self._context.assets.temporary()
        try:
            self._join(upload, joined)
            yield joined
        finally:
            joined.unlink(missing_ok=True)
            with self._lock:
                self._registering.discard(upload.id)

    def registered(self, upload: Upload, asset_id: str) -> None:
        """Remember what a file was registered as; its blocks go."""
        upload.asset = asset_id
        self._store.put(_key(upload), upload)
        self._remove_blocks(upload)

    def delete_workspace(self, workspace_id: str) -> None:
        """Forget the uploads of a workspace."""
        for upload in self._store.list(Upload, f"{workspace_id}/"):
            self._forget(upload)

    def _claim(self, upload: Upload) -> None:
        with self._lock:
            known = self.find(upload.workspace, upload.id)
            if known.asset or upload.id in self._registering:
                what = f"as {known.asset}" if known.asset else "by another call"
                raise _conflict(f"Upload {upload.id!r} is registered {what}; upload the file again")
            self._registering.add(upload.id)

    def _join(self, upload: Upload, target: Path) -> None:
        missing = [n for n in range(upload.blocks) if not self._block(upload, n).exists()]
        if missing or not upload.blocks:
            shown = ", ".join(map(str, missing[:20])) or "all"
            message = f"Upload {upload.id!r} is not whole: blocks missing: {shown}; send them first"
            raise bad_argument("InvalidBlob", message, "UploadId")
        if upload.blocks == 1:
            target.hardlink_to(self._block(upload, 0))
            return
        with target.open("wb") as file:
            for number in range(upload.blocks):
                with self._block(upload, number).open("rb") as block:
                    shutil.copyfileobj(block, file, PIECE_BYTES)

    def _check_open(self, upload: Upload, blocks: int) -> None:
        if upload.asset is not None:
            raise _conflict(f"Upload {upload.id!r} is registered as {upload.asset}; begin another")
        if upload.blocks not in (0, blocks):
            message = f"numberOfBlocks was {upload.blocks} before, now it is {blocks}."
            raise bad_argument("BadParameterValue", message, "numberOfBlocks")

    def _receive(self, request: Request, target: Path) -> None:
        if request.length > FILE_BYTES_MAX:
            message = f"The file has {request.length} bytes, at most {FILE_BYTES_MAX} are taken."
            raise StudioError(413, "BadArgument", message, [Detail("RequestBodyInvalid", message)])
        incoming = self._context.assets.temporary()
        with incoming.open("wb") as file:
            while piece := request.read(PIECE_BYTES):
                file.write(piece)
        if request.unread:
            incoming.unlink()
            message = f"The body ended {request.unread} bytes too early."
            raise bad_argument("RequestBodyInvalid", message)
        incoming.replace(target)

    def _document(self, upload: Upload) -> dict[str, Any]:
        blocks = range(upload.blocks)
        is_whole = bool(blocks) and all(self._block(upload, n).exists() for n in blocks)
        return {
            "Id": upload.id,
            "DataTypeId": upload.data_type,
            "ContentType": "application/octet-stream",
            "Endpoint": None,
            "Committed": is_whole,
        }

    def _sweep(self) -> None:
        oldest = self._context.clock() - KEPT_SECONDS
        for upload in self._store.list(Upload):
            if upload.created < oldest:
                self._forget(upload)

    def _forget(self, upload: Upload) -> None:
        self._store.delete(Upload, _key(upload))
        self._remove_blocks(upload)

    def _remove_blocks(self, upload: Upload) -> None:
        for number in range(upload.blocks):
            self._block(upload, number).unlink(missing_ok=True)

    def _block(self, upload: Upload, number: int) -> Path:
        return self._folder / f"{upload.id}.{number}"


def data_type_of(name: str) -> str:
    """The data type with this name, in any case of its letters; raises BadArgument."""
    spelled = {known.lower(): known for known in UPLOADABLE}
    found = spelled.get(name.lower())
    if found is None:
        message = f"Data type {name[:64]!r} cannot be uploaded; use one of {', '.join(UPLOADABLE)}."
        raise bad_argument("DataTypeNotSupported", message, "dataTypeId")
    return found


def _key(upload: Upload) -> str:
    return f"{upload.workspace}/{upload.id}"


def _whole_number(request: Request, name: str, minimum: int, maximum: int) -> int:
    text = request.query.get(name, "")
    if not text.isdecimal() or len(text) > 9 or not minimum <= int(text) <= maximum:
        message = f"{name} must be a whole number from {minimum} to {maximum}, not {text[:20]!r}."
        raise bad_argument("BadParameterValue", message, name)
    return int(text)


def _conflict(message: str) -> StudioError:
    return StudioError(409, "Conflict", message + ".", [Detail("UploadRegistered", message)])
