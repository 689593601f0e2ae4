"""The model library: trained models and transformations by digest, the last used in memory."""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path

from devstack.studio.learning.assets import Asset, read_asset
from devstack.studio.names import digest_of

# Models held in memory; a model has a few megabytes at most.
LOADED_MAX = 64


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(temporary).replace(path)


class ModelLibrary:
    """Keeps `.iLearner` and `.itransform` files and reads them; safe to use from many threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: OrderedDict[str, Asset] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, content: bytes) -> str:
        """Keep a model and return its digest; raises BadModel when it cannot be read."""
        digest = digest_of(content)
        self._remember(digest, self._in_memory(digest) or read_asset(content))
        path = self._path(digest)
        if not path.exists():
            write_atomically(path, content)
        return digest

    def get(self, digest: str) -> Asset:
        """The model with this digest; raises FileNotFoundError when it was never added."""
        model = self._in_memory(digest)
        if model is None:
            model = read_asset(self._path(digest).read_bytes())
            self._remember(digest, model)
        return model

    def content(self, digest: str) -> bytes:
        """The bytes of the model with this digest."""
        return self._path(digest).read_bytes()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.ilearner"

    def _in_memory(self, digest: str) -> Asset | None:
        with self._lock:
            model = self._loaded.get(digest)
            if model is not None:
                self._loaded.move_to_end(digest)
            return model

    def _remember(self, digest: str, model: Asset) -> None:
        with self._lock:
            self._loaded[digest] = model
            self._loaded.move_to_end(digest)
            while len(self._loaded) > LOADED_MAX:
                self._loaded.popitem(last=False)
