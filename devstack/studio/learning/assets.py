"""Assets: the files that a graph can start from besides datasets, told apart by their content."""

from __future__ import annotations

from devstack.studio.learning.ilearner import read_model, write_model
from devstack.studio.learning.training import TrainedModel
from devstack.studio.learning.transforms import (
    Transform,
    is_transform,
    read_transform,
    write_transform,
)

Asset = TrainedModel | Transform


def read_asset(content: bytes) -> Asset:
    """The trained model or the transformation in a file; raises BadModel for any other bytes."""
    return read_transform(content) if is_transform(content) else read_model(content)


def write_asset(asset: Asset) -> bytes:
    """The file of a trained model or a transformation; the same asset gives the same bytes."""
    return write_transform(asset) if isinstance(asset, Transform) else write_model(asset)
