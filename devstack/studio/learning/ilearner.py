"""The `.iLearner` file: a trained model as bytes, never pickle.

    8 bytes   b"iLearner"
    4 bytes   version, big endian, 1
    4 bytes   length of the description, big endian
    ...       description: JSON (task, label, classes, features, learner)
    ...       the fitted estimator as skops writes it, with names and times made constant

The same model gives the same bytes, so a digest tells models apart. Reading trusts the constant
list TRUSTED_TYPES and what skops itself knows to be safe, never a list from the file, and accepts
only the estimators of `LEARNERS`, with the structure that `fitted` checks.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from devstack.studio.learning import libraries
from devstack.studio.learning.failures import BadModel
from devstack.studio.learning.features import Feature
from devstack.studio.learning.fitted import check_estimator
from devstack.studio.learning.learners import LEARNERS
from devstack.studio.learning.training import TrainedModel

MAGIC = b"iLearner"
VERSION = 1
_LENGTHS = struct.Struct(">II")

TRUSTED_TYPES = ("sklearn.tree._tree.Tree",)

# A model of ours has a few megabytes; what unpacks to more than this is not one.
FILE_BYTES_MAX = 256 * 1024 * 1024
UNPACKED_BYTES_MAX = 1024 * 1024 * 1024

# The time that every entry of the archive carries: the earliest that the format can express.
_CONSTANT_TIME = (1980, 1, 1, 0, 0, 0)


class Description(BaseModel):
    """What the file says about its model besides the estimator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learner: str
    task: str
    label: str
    classes: tuple[str, ...]
    features: tuple[Feature, ...]


def write_model(model: TrainedModel) -> bytes:
    """The bytes of an `.iLearner` file; the same model gives the same bytes."""
    libraries.load()
    import skops.io

    description = Description(
        learner=model.learner,
        task=model.task,
        label=model.label,
        classes=model.classes,
        features=model.features,
    )
    text = description.model_dump_json().encode()
    estimator = _constant(skops.io.dumps(model.estimator))
    return MAGIC + _LENGTHS.pack(VERSION, len(text)) + text + estimator


def read_model(content: bytes) -> TrainedModel:
    """The model in an `.iLearner` file; raises BadModel for any other bytes."""
    description, estimator = read_description(content)
    fitted = _estimator(estimator)
    width = sum(1 if f.numeric else len(f.categories) for f in description.features)
    check_estimator(description.learner, description.classes, width, fitted)
    return TrainedModel(
        description.learner,
        description.task,
        description.label,
        description.classes,
        description.features,
        fitted,
    )


def read_description(content: bytes) -> tuple[Description, bytes]:
    """What the file says about its model, and the bytes of the estimator; raises BadModel."""
    start = len(MAGIC) + _LENGTHS.size
    if len(content) > FILE_BYTES_MAX:
        raise BadModel(f"the file has {len(content)} bytes, at most {FILE_BYTES_MAX} are read")
    if len(content) < start or not content.startswith(MAGIC):
        raise BadModel("the file is not an .iLearner file: it does not begin with its mark")
    version, length = _LENGTHS.unpack(content[len(MAGIC) : start])
    if version != VERSION or start + length > len(content):
        raise BadModel(f"the .iLearner file is truncated or of another version ({version})")
    try:
        description = Description.model_validate_json(content[start : start + length])
    except ValidationError as error:
        raise BadModel(f"the description in the .iLearner file is wrong: {error}") from error
    kind = LEARNERS.get(description.learner)
    if kind is None or kind.task != description.task:
        raise BadModel(f"the .iLearner file is of an unknown learner {description.learner!r}")
    return description, content[start + length :]


def _estimator(content: bytes) -> Any:
    libraries.load()
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        _check_archive(content)
        return skops.io.loads(content, trusted=list(TRUSTED_TYPES))
    except UntrustedTypesFoundException as error:
        raise BadModel(f"the .iLearner file holds types that are not trusted: {error}") from error
    except (
        zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, EOFError, OSError,
        IndexError, ImportError, RecursionError, NotImplementedError, RuntimeError, AssertionError,
    ) as error:  # fmt: skip
        # skops reads what anybody may have written; these are what it raises on nonsense.
        raise BadModel(f"the estimator in the .iLearner file cannot be read: {error}") from error


def _check_archive(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > UNPACKED_BYTES_MAX:
        raise BadModel(f"the .iLearner file unpacks to {unpacked} bytes")


def _constant(archive: bytes) -> bytes:
    """The archive with ids counted from 0 instead of memory addresses, and without times."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(entries.pop("schema.json"))
    numbers: dict[int, int] = {}
    files: dict[str, str] = {}
    _renumber(schema, numbers, files)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for old, new in files.items():
            target.writestr(zipfile.ZipInfo(new, _CONSTANT_TIME), entries[old])
        written = json.dumps(schema, sort_keys=True).encode()
        target.writestr(zipfile.ZipInfo("schema.json", _CONSTANT_TIME), written)
    return packed.getvalue()


def _renumber(node: Any, numbers: dict[int, int], files: dict[str, str]) -> None:
    if isinstance(node, list):
        for item in node:
            _renumber(item, numbers, files)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("__id__"), int):
        node["__id__"] = numbers.setdefault(node["__id__"], len(numbers))
    if isinstance(node.get("file"), str):
        node["file"] = files.setdefault(node["file"], f"{len(files)}.npy")
    for value in _children(node):
        _renumber(value, numbers, files)


def _children(node: Mapping[str, Any]) -> list[Any]:
    return [value for _, value in sorted(node.items()) if isinstance(value, dict | list)]
