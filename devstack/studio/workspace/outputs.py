"""Outputs: what the nodes of experiments gave, as files by digest, and the cache of outputs.

A dataset is a CSV file, a trained model an `.iLearner`, a transform an `.itransform`, an untrained
learner a JSON file. The cache
answers what a node gave for the same module, parameters and inputs in the same workspace; it goes
with the last run that has the files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.studio.learning.assets import read_asset, write_asset
from devstack.studio.learning.failures import LearningFailure
from devstack.studio.learning.learners import LEARNERS, Learner
from devstack.studio.learning.tables import Table, read_table, write_table
from devstack.studio.learning.training import TrainedModel
from devstack.studio.learning.transforms import Transform
from devstack.studio.model_library import write_atomically
from devstack.studio.modules import DATASET, LEARNER, TRAINED_MODEL, TRANSFORM, Value
from devstack.studio.names import digest_of, digest_of_document
from devstack.studio.store import Store
from devstack.studio.workspace.experiment_records import CachedOutputs, OutputFile, Run

TEXT = "Text"


@dataclass(frozen=True)
class Written:
    """A file that is ready to be kept."""

    file: OutputFile
    content: bytes


class Outputs:
    """Keeps and reads the files; safe to use from many threads."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def keep(self, written: Written) -> OutputFile:
        """Keep a file. In the transaction that names it in a run, so that `forget` sees it."""
        path = self.path(written.file)
        if not path.exists():
            write_atomically(path, written.content)
        return written.file

    def load(self, file: OutputFile) -> Value:
        """The value in a file; raises LearningFailure when it cannot be read any more."""
        return decoded(file, self.path(file).read_bytes())

    def path(self, file: OutputFile) -> Path:
        """Where a file is."""
        return self.named(file.digest + file.extension)

    def named(self, name: str) -> Path:
        """Where the file with this digest and extension is."""
        return self._folder / name[:2] / name

    def remembered(self, key: str) -> Mapping[str, OutputFile] | None:
        """What the cache has for a key. Ask, and record the answer, in one transaction."""
        cached = self._store.get(CachedOutputs, key)
        if cached is None or not all(self.path(f).exists() for f in cached.outputs.values()):
            return None
        return cached.outputs

    def remember(self, key: str, outputs: Mapping[str, OutputFile]) -> None:
        """Put what a node gave into the cache."""
        self._store.put(key, CachedOutputs(key=key, outputs=dict(outputs)))

    def forget(self, files: Iterable[OutputFile]) -> None:
        """Delete those of these files that no run has any more, and what the cache says of them.

        Call it in the transaction that deletes the runs.
        """
        gone = {file.digest: file for file in files}
        for run in self._store.list(Run):
            for node in run.nodes.values():
                for file in node.files():
                    gone.pop(file.digest, None)
        for cached in self._store.list(CachedOutputs):
            if any(file.digest in gone for file in cached.outputs.values()):
                self._store.delete(CachedOutputs, cached.key)
        for file in gone.values():
            self.path(file).unlink(missing_ok=True)


def written(value: Value) -> Written:
    """What a port gave, as a file."""
    if isinstance(value, Table):
        return _written(DATASET, ".csv", write_table(value), value.metadata())
    if isinstance(value, TrainedModel):
        return _written(TRAINED_MODEL, ".ilearner", write_asset(value))
    if isinstance(value, Transform):
        return _written(TRANSFORM, ".itransform", write_asset(value))
    learner = {"learner": value.name, "parameters": dict(value.parameters)}
    return _written(LEARNER, ".json", json.dumps(learner, sort_keys=True).encode())


def written_text(text: str) -> Written:
    """A log, as a file."""
    return _written(TEXT, ".txt", text.encode("utf-8", "replace"))


def _written(
    kind: str, extension: str, content: bytes, metadata: dict[str, Any] | None = None
) -> Written:
    file = OutputFile(
        kind=kind,
        digest=digest_of(content),
        size=len(content),
        extension=extension,
        metadata=metadata or {},
    )
    return Written(file, content)


def cache_key(
    workspace_id: str, module: str, parameters: Mapping[str, str], inputs: Mapping[str, OutputFile]
) -> str:
    """What the outputs of a node depend on."""
    given = {port: [file.kind, file.digest, file.metadata] for port, file in inputs.items()}
    return digest_of_document([workspace_id, module, dict(parameters), given])


def decoded(file: OutputFile, content: bytes) -> Value:
    """The value that a file of ours holds."""
    if file.kind == DATASET:
        return read_table(content).with_metadata(file.metadata)
    if file.kind in (TRAINED_MODEL, TRANSFORM):
        return read_asset(content)
    if file.kind == LEARNER:
        document = json.loads(content)
        assert document["learner"] in LEARNERS, "we wrote the file"
        return Learner(document["learner"], document["parameters"])
    raise LearningFailure(f"a file of type {file.kind!r} cannot be used as an input")
