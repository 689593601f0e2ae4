"""The model library: what web services are made of besides modules, the last used in memory.

Trained models, transformations and datasets, by the digest of their files.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path

from devstack.studio.learning.assets import Asset, read_asset
from devstack.studio.learning.tables import Table, read_table
from devstack.studio.names import digest_of

# Models held in memory; a model has a few megabytes at most.
LOADED_MAX = 64

# Digests of datasets begin with this: bytes that are a transformation can be read as CSV as well.
TABLE_MARK = "table-"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(temporary).replace(path)


class ModelLibrary:
    """Keeps `.iLearner`, `.itransform` and CSV files and reads them; safe for many threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: OrderedDict[str, Asset | Table] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, content: bytes) -> str:
        """Keep a model and return its digest; raises BadModel when it cannot be read."""
        digest = digest_of(content)
        self._remember(digest, self._in_memory(digest) or read_asset(content))
        return self._keep(digest, content)

    def add_table(self, content: bytes) -> str:
        """Keep a dataset and return its digest; raises BadTable when it cannot be read."""
        digest = TABLE_MARK + digest_of(content)
        self._remember(digest, self._in_memory(digest) or read_table(content))
        return self._keep(digest, content)

    def get(self, digest: str) -> Asset | Table:
        """What has this digest; raises FileNotFoundError when it was never added."""
        found = self._in_memory(digest)
        if found is None:
            found = self._read(digest)
            self._remember(digest, found)
        return found

    def content(self, digest: str) -> bytes:
        """The bytes of the model with this digest."""
        return self._path(digest).read_bytes()

    def _read(self, digest: str) -> Asset | Table:
        content = self._path(digest).read_bytes()
        return read_table(content) if digest.startswith(TABLE_MARK) else read_asset(content)

    def _keep(self, digest: str, content: bytes) -> str:
        path = self._path(digest)
        if not path.exists():
            write_atomically(path, content)
        return digest

    def _path(self, digest: str) -> Path:
        extension = "csv" if digest.startswith(TABLE_MARK) else "ilearner"
        return self._folder / digest.removeprefix(TABLE_MARK)[:2] / f"{digest}.{extension}"

    def _in_memory(self, digest: str) -> Asset | Table | None:
        with self._lock:
            model = self._loaded.get(digest)
            if model is not None:
                self._loaded.move_to_end(digest)
            return model

    def _remember(self, digest: str, model: Asset | Table) -> None:
        with self._lock:
            self._loaded[digest] = model
            self._loaded.move_to_end(digest)
            while len(self._loaded) > LOADED_MAX:
                self._loaded.popitem(last=False)
