"""Package files: an experiment with its assets in one ZIP, written and read.

    package.json   format, version, the experiment as a request, and what is known of each asset
    assets/1 ...   the content of each asset

The form is ours (inferred: Studio's own is not public). Packages come from anywhere: sizes are
limited before and while anything is unpacked, and no name in a package becomes a path.
"""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from devstack.studio.workspace.experiment_requests import NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from devstack.studio.workspace.records import AssetKind

MANIFEST = "package.json"

# An experiment has as many assets as it has ports for them; a larger number is an attack.
ASSETS_MAX = 500
MANIFEST_BYTES_MAX = 16 * 1024 * 1024
UNPACKED_BYTES_MAX = 2 * 1024**3
# The file itself passes through memory on its way into the storage account.
FILE_BYTES_MAX = 512 * 1024**2

_PIECE_BYTES = 1024 * 1024


class BadPackage(Exception):
    """The bytes are not a package that can be unpacked; the message says why."""


class PackedAsset(BaseModel):
    """What a package says of an asset; `file` is the name of its content in the ZIP."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(min_length=1, max_length=NAME_CHARACTERS_MAX)
    kind: AssetKind
    name: str = Field(min_length=1, max_length=NAME_CHARACTERS_MAX)
    data_type: str = Field(max_length=64)
    description: str = Field(default="", max_length=TEXT_CHARACTERS_MAX)
    uploaded_filename: str = Field(default="", max_length=NAME_CHARACTERS_MAX)
    file: str = Field(max_length=32)


class Manifest(BaseModel):
    """`package.json`. `experiment` has the form of a request that creates it."""

    model_config = ConfigDict(frozen=True)

    format: Literal["local-studio-package"] = "local-studio-package"
    version: Literal[1] = 1
    experiment: dict[str, Any]
    assets: list[PackedAsset] = Field(default_factory=list, max_length=ASSETS_MAX)


class PackageWriter:
    """Writes a package; use it in `with`, add the assets, then `finish`."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)

    def __enter__(self) -> PackageWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def add(self, asset: PackedAsset, content: Path) -> None:
        """Add the content of an asset."""
        self._archive.write(content, asset.file)

    def finish(self, manifest: Manifest) -> None:
        """Add what the package says of itself."""
        self._archive.writestr(MANIFEST, json.dumps(manifest.model_dump()))


class PackageReader:
    """Reads a package; made by `open_package`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.manifest = _manifest(self._read(MANIFEST, MANIFEST_BYTES_MAX))

    def extract(self, asset: PackedAsset, target: Path) -> None:
        """Write the content of an asset into a file of our own; raises BadPackage."""
        with (
            _reading(asset.file),
            self._archive.open(asset.file) as source,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(source, file, _PIECE_BYTES)

    def _read(self, name: str, bytes_max: int) -> bytes:
        with _reading(name), self._archive.open(name) as source:
            content = source.read(bytes_max + 1)
        if len(content) > bytes_max:
            raise BadPackage(f"{name} has more than {bytes_max} bytes")
        return content


@contextmanager
def open_package(path: Path) -> Iterator[PackageReader]:
    """The package in a file while it is open; raises BadPackage."""
    with _reading("the package"):
        archive = zipfile.ZipFile(path)
    with archive:
        entries = archive.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        if len(entries) > ASSETS_MAX + 1 or unpacked > UNPACKED_BYTES_MAX:
            raise BadPackage(
                f"the package unpacks to {unpacked} bytes in {len(entries)} files; at most "
                f"{UNPACKED_BYTES_MAX} bytes in {ASSETS_MAX + 1} files are taken"
            )
        yield PackageReader(archive)


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, zlib.error, EOFError,
        ValueError, OSError,
    ) as error:  # fmt: skip
        # zipfile reads what anybody may have written; these are what it raises on nonsense.
        raise BadPackage(f"{name} cannot be read: {str(error)[:200]}") from error


def _manifest(content: bytes) -> Manifest:
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadPackage(f"{MANIFEST} is wrong at {where or 'its top'}: {first['msg']}") from error
