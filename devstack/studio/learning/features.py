"""Features: from the cells of a table to the matrix that a learner takes.

Numeric columns: a missing value becomes the mean of the training rows, then all are scaled to mean
0 and deviation 1. Other columns, and those marked as categorical: one matrix column per category
seen in training; a category never seen, or a missing cell, is all zeros. Columns marked as no
feature are left out. What was learned is plain JSON and travels in the model file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from devstack.studio.learning.failures import BadTable
from devstack.studio.learning.tables import (
    CATEGORICAL,
    NO_FEATURE,
    Cell,
    Table,
    is_numeric,
    number,
    present,
)

# More categories than this make the matrix wider than it is worth; the commonest are kept.
CATEGORIES_MAX = 100


class Feature(BaseModel):
    """One column as the model takes it."""

    model_config = ConfigDict(frozen=True)

    name: str
    numeric: bool
    mean: float = 0.0
    scale: float = 1.0
    categories: tuple[str, ...] = ()


def learn_features(table: Table, label: str) -> tuple[Feature, ...]:
    """Describe every column but the label; columns without any value are left out."""
    described = [
        _describe(name, cells, categorical=table.marked(name, CATEGORICAL))
        for name in table.columns
        if name != label
        and not table.marked(name, NO_FEATURE)
        and present(cells := table.column(name))
    ]
    if not described:
        raise BadTable(f"the dataset has no column with values besides the label {label!r}")
    return tuple(described)


def matrix(table: Table, features: Sequence[Feature]) -> np.ndarray:
    """The features of each row as numbers; raises BadTable for a column that is not there."""
    missing = [feature.name for feature in features if feature.name not in table.columns]
    if missing:
        names = ", ".join(repr(name) for name in missing)
        raise BadTable(f"the model needs columns that the dataset does not have: {names}")
    if not table.rows:
        return np.zeros((0, sum(len(f.categories) if not f.numeric else 1 for f in features)))
    return np.hstack([_encode(feature, table.column(feature.name)) for feature in features])


def _describe(name: str, cells: Sequence[Cell], *, categorical: bool) -> Feature:
    if categorical or not is_numeric(cells):
        counted = Counter(present(cells)).most_common()
        kept = sorted(sorted(counted, key=lambda item: (-item[1], item[0]))[:CATEGORIES_MAX])
        return Feature(name=name, numeric=False, categories=tuple(value for value, _ in kept))
    values = np.array([float(cell) for cell in present(cells)])
    deviation = float(values.std())
    return Feature(name=name, numeric=True, mean=float(values.mean()), scale=deviation or 1.0)


def _encode(feature: Feature, cells: Sequence[Cell]) -> np.ndarray:
    if feature.numeric:
        values = [_numeric_cell(feature, cell) for cell in cells]
        return ((np.array(values) - feature.mean) / feature.scale).reshape(-1, 1)
    places = {category: place for place, category in enumerate(feature.categories)}
    encoded = np.zeros((len(cells), len(places)))
    for row, cell in enumerate(cells):
        if cell in places:
            encoded[row, places[cell]] = 1.0
    return encoded


def _numeric_cell(feature: Feature, cell: Cell) -> float:
    if cell is None:
        return feature.mean
    value = number(cell)
    if value is None:
        raise BadTable(f"column {feature.name!r} holds {cell[:60]!r}, which is not a number")
    return value
