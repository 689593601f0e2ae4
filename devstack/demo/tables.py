"""The demo's datasets: tables that ship with scikit-learn, as CSV, whole and in bad shape."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

LABEL = "target"


@dataclass(frozen=True)
class Dataset:
    """Rows of text under named columns; the last column is the label."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def csv(self) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return text.getvalue().encode()

    def part(self, rows: Sequence[int]) -> Dataset:
        return replace(self, rows=tuple(self.rows[at] for at in rows))

    def features(self, at: int) -> dict[str, str]:
        """One row as a scoring request wants it: without its label."""
        return dict(zip(self.columns[:-1], self.rows[at][:-1], strict=True))


def cancer() -> Dataset:
    """Breast cancer (two classes): 569 rows, 30 measurements."""
    from sklearn.datasets import load_breast_cancer

    return _dataset(load_breast_cancer())


def diabetes() -> Dataset:
    """Diabetes progression (regression): 442 rows, 10 measurements."""
    from sklearn.datasets import load_diabetes

    return _dataset(load_diabetes())


def _dataset(loaded: object) -> Dataset:
    data, target = loaded.data, loaded.target  # type: ignore[attr-defined]
    names = tuple(str(name) for name in loaded.feature_names)  # type: ignore[attr-defined]
    rows = tuple(
        (*(repr(float(cell)) for cell in row), _label(float(label)))
        for row, label in zip(data, target, strict=True)
    )
    return Dataset((*names, LABEL), rows)


def _label(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def halves(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """Rows to train on (three of four) and rows that only the gate sees."""
    kept = [at for at in range(len(dataset.rows)) if at % 4]
    gate = [at for at in range(len(dataset.rows)) if not at % 4]
    return dataset.part(kept), dataset.part(gate)


def shuffled_labels(dataset: Dataset, seed: int) -> Dataset:
    """A broken export: every label stands beside somebody else's row."""
    labels = [row[-1] for row in dataset.rows]
    random.Random(seed).shuffle(labels)
    rows = tuple((*row[:-1], label) for row, label in zip(dataset.rows, labels, strict=True))
    return replace(dataset, rows=rows)


def blurred(dataset: Dataset, seed: int, share: float) -> Dataset:
    """A worn instrument: each measurement is off by up to `share` of its column's spread."""
    noise = random.Random(seed)
    spreads = [
        max(float(row[at]) for row in dataset.rows) - min(float(row[at]) for row in dataset.rows)
        for at in range(len(dataset.columns) - 1)
    ]
    rows = tuple(
        (
            *(
                repr(float(cell) + noise.uniform(-share, share) * spread)
                for cell, spread in zip(row[:-1], spreads, strict=True)
            ),
            row[-1],
        )
        for row in dataset.rows
    )
    return replace(dataset, rows=rows)
