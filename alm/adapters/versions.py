"""The version store in blob storage: immutable files and their manifests. See `ports.Versions`."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from functools import partial
from typing import BinaryIO, TypeVar, cast

from pydantic import ValidationError

from alm.adapters.blob import AzureBlobs
from alm.domain.errors import Conflict, Misconfigured, NotFound
from alm.domain.frozen import Frozen
from alm.domain.messages import describe
from alm.domain.versions import CONTAINER, InService, Manifest

READERS = 8
Kind = TypeVar("Kind", bound=Frozen)
HISTORY = "_served"  # no managed model has such a name


class BlobVersions:
    """Files `alm-versions/{model}/…ilearner`, manifests `alm-versions/{model}/{version}.json`,
    what was in service `alm-versions/_served/{model}/{time}-{run}.json`.
    """

    def __init__(self, blobs: AzureBlobs) -> None:
        self._blobs = blobs

    def put_file(self, path: str, content: BinaryIO, digest: str) -> None:
        """Keep a model file under its conventional name. The same content again is harmless.

        The digest is compared when the content ends, before any of it can be seen. Raises Conflict
        if the name holds other content, Misconfigured if the content has another digest.
        """
        file = cast("BinaryIO", Hashing(path, content, digest))
        try:
            self._blobs.put(path, file, if_absent=True, metadata={"digest": digest})
        except Conflict as error:
            kept = self._blobs.properties(path).metadata.get("digest")
            if kept != digest:
                raise Conflict(
                    f"{path} holds a file with the digest {kept or 'unknown'}, not {digest}; "
                    "versions are never overwritten"
                ) from error

    def put_manifest(self, manifest: Manifest) -> Manifest:
        content = manifest.model_dump_json().encode()
        try:
            self._blobs.put(_path(manifest.model, manifest.version), content, if_absent=True)
        except Conflict:
            return self.manifest(manifest.model, manifest.version)
        return manifest

    def manifest(self, model: str, version: str) -> Manifest:
        try:
            return self._read(_path(model, version))
        except NotFound as error:
            there = ", ".join(item.version for item in self.manifests(model)) or "none"
            raise NotFound(f"{model!r} has no version {version!r}; there are: {there}") from error

    def manifests(self, model: str) -> list[Manifest]:
        paths = [
            blob.path
            for blob in self._blobs.list(CONTAINER, f"{model}/")
            if blob.path.endswith(".json")
        ]
        with ThreadPoolExecutor(READERS) as readers:
            found = list(readers.map(self._read, paths))
        return sorted(found, key=lambda manifest: (manifest.created, manifest.version))

    def retire_file(self, manifest: Manifest) -> None:
        self._blobs.delete(manifest.file)

    def put_in_service(self, record: InService) -> None:
        stamp = record.at.astimezone(UTC).strftime("%Y%m%dt%H%M%S.%fZ")
        path = f"{CONTAINER}/{HISTORY}/{record.model}/{stamp}-{record.run}.json"
        self._blobs.put(path, record.model_dump_json().encode())

    def in_service(self, model: str) -> list[InService]:
        paths = [blob.path for blob in self._blobs.list(CONTAINER, f"{HISTORY}/{model}/")]
        with ThreadPoolExecutor(READERS) as readers:
            found = list(readers.map(partial(self._read_as, InService), paths))
        return sorted(found, key=lambda record: (record.at, record.run))

    def _read(self, path: str) -> Manifest:
        return self._read_as(Manifest, path)

    def _read_as(self, kind: type[Kind], path: str) -> Kind:
        try:
            return kind.model_validate_json(self._blobs.get(path))
        except ValidationError as error:
            raise Misconfigured(
                f"{path} cannot be read ({describe(error)}); restore an earlier version of that "
                "blob"
            ) from error


class Hashing:
    """A file that is refused at its end if it has another digest than it was to have."""

    def __init__(self, path: str, content: BinaryIO, digest: str) -> None:
        self._path = path
        self._content = content
        self._digest = digest
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        piece = self._content.read(size)
        self._hash.update(piece)
        if not piece:
            self._check()
        return piece

    def _check(self) -> None:
        seen = f"sha256:{self._hash.hexdigest()}"
        if seen != self._digest:
            raise Misconfigured(
                f"{self._path} was to have the digest {self._digest}, but what was read has "
                f"{seen}: the file was changed meanwhile; start the run again"
            )


def _path(model: str, version: str) -> str:
    return f"{CONTAINER}/{model}/{version}.json"
