"""Outputs: what the nodes of experiments gave, as files by digest, and the cache of outputs.

A dataset is a CSV file, a trained model an `.iLearner`, an untrained learner a JSON file. The cache
answers what a node gave for the same module, parameters and inputs in the same workspace; it goes
with the last run that has the files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from devstack.studio.learning.failures import LearningFailure
from devstack.studio.learning.ilearner import read_model, write_model
from devstack.studio.learning.learners import LEARNERS, Learner
from devstack.studio.learning.tables import ScoredBy, Table, read_table, write_table
from devstack.studio.learning.training import TrainedModel
from devstack.studio.model_library import write_atomically
from devstack.studio.modules import DATASET, LEARNER, TRAINED_MODEL, Value
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
    kind, extension, content = encoded(value)
    by = value.scored_by if isinstance(value, Table) else None
    scored_by = json.loads(json.dumps(asdict(by))) if by else None
    return _written(kind, extension, content, scored_by)


def written_text(text: str) -> Written:
    """A log, as a file."""
    return _written(TEXT, ".txt", text.encode("utf-8", "replace"), None)


def _written(
    kind: str, extension: str, content: bytes, scored_by: dict[str, Any] | None
) -> Written:
    file = OutputFile(
        kind=kind,
        digest=digest_of(content),
        size=len(content),
        extension=extension,
        scored_by=scored_by,
    )
    return Written(file, content)


def cache_key(
    workspace_id: str, module: str, parameters: Mapping[str, str], inputs: Mapping[str, OutputFile]
) -> str:
    """What the outputs of a node depend on."""
    given = {
        port: [file.kind, file.digest, file.scored_by] for port, file in sorted(inputs.items())
    }
    return digest_of_document([workspace_id, module, dict(parameters), given])


def encoded(value: Value) -> tuple[str, str, bytes]:
    """A value as its type, the extension of its file and the bytes of its file."""
    if isinstance(value, Table):
        return DATASET, ".csv", write_table(value)
    if isinstance(value, TrainedModel):
        return TRAINED_MODEL, ".ilearner", write_model(value)
    learner = {"learner": value.name, "parameters": dict(value.parameters)}
    return LEARNER, ".json", json.dumps(learner, sort_keys=True).encode()


def decoded(file: OutputFile, content: bytes) -> Value:
    """The value that a file of ours holds."""
    if file.kind == DATASET:
        table = read_table(content)
        return Table(table.columns, table.rows, _scored_by(file))
    if file.kind == TRAINED_MODEL:
        return read_model(content)
    if file.kind == LEARNER:
        document = json.loads(content)
        assert document["learner"] in LEARNERS, "we wrote the file"
        return Learner(document["learner"], document["parameters"])
    raise LearningFailure(f"a file of type {file.kind!r} cannot be used as an input")


def _scored_by(file: OutputFile) -> ScoredBy | None:
    if file.scored_by is None:
        return None
    by = file.scored_by
    return ScoredBy(by["task"], by["label"], tuple(by["classes"]))
