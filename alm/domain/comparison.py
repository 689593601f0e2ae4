"""Comparison: how much better a candidate is than a champion on the very same rows.

A paired bootstrap: the rows are drawn again with replacement, the same draw for both models, and
the difference of a metric over the draws gives its interval. The seed decides every draw, so that
a verdict can be computed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alm.domain import tables
from alm.domain.metrics import LOWER_IS_BETTER, ScoredRows, measure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 1000  # the ends of a 95 % interval then rest on 25 draws each
BLOCK_CELLS = 1 << 20  # draws are made in blocks of 8 MB, however many rows there are


@dataclass(frozen=True)
class Interval:
    """Where the difference of a metric lies; positive: the candidate is better.

    skipped: draws for which the metric has no value (such as AUC where one class was drawn only).
    None: no draw has one.
    """

    low: float | None
    high: float | None
    skipped: int


def differing_rows(candidate: ScoredRows, champion: ScoredRows) -> str:
    """Say why these are not the same rows, "" if count, labels and shared columns agree."""
    counts = len(candidate.given.rows), len(champion.given.rows)
    if counts[0] != counts[1]:
        return f"the candidate answered {counts[0]} rows and the champion {counts[1]}"
    for column in candidate.given.columns:
        if column not in champion.given.columns:
            continue
        pairs = zip(candidate.given.column(column), champion.given.column(column), strict=True)
        for place, (ours, theirs) in enumerate(pairs, start=1):
            if ours != theirs and tables.normalised(ours) != tables.normalised(theirs):
                return f"row {place} differs in {column!r} ({ours!r} and {theirs!r})"
    return ""


def intervals(
    candidate: ScoredRows,
    champion: ScoredRows,
    names: Sequence[str],
    *,
    confidence: float,
    seed: str,
) -> dict[str, Interval]:
    """The percentile interval of each metric's difference over `RESAMPLES` draws of the rows."""
    import numpy as np

    parts: dict[str, list[Floats]] = {name: [] for name in names}
    for counts in _draws(len(candidate.actual), seed):
        ours, theirs = measure(candidate, counts), measure(champion, counts)
        for name in names:
            missing = np.full(len(counts), np.nan)
            difference = ours.get(name, missing) - theirs.get(name, missing)
            parts[name].append(difference)
    return {name: _interval(name, np.concatenate(parts[name]), confidence) for name in names}


def better_by(name: str, candidate: float, champion: float) -> float:
    """The difference of a metric, turned so that positive means that the candidate is better."""
    return champion - candidate if name in LOWER_IS_BETTER else candidate - champion


def _interval(name: str, differences: Floats, confidence: float) -> Interval:
    import numpy as np

    valid = differences[np.isfinite(differences)]
    skipped = len(differences) - len(valid)
    if not len(valid):
        return Interval(None, None, skipped)
    turned = -valid if name in LOWER_IS_BETTER else valid
    low, high = np.quantile(turned, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high), skipped)


def _draws(rows: int, seed: str) -> Iterator[Floats]:
    """How often each row is drawn, in blocks of draws.

    The raw output of PCG64 is used, which numpy promises never to change; the methods of its
    generators come without that promise.
    """
    import numpy as np

    entropy = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:16])
    source = np.random.PCG64(entropy)
    block = max(1, min(RESAMPLES, BLOCK_CELLS // rows))
    for start in range(0, RESAMPLES, block):
        height = min(block, RESAMPLES - start)
        raw = source.random_raw((height * rows + 1) // 2)
        halves = np.concatenate([raw >> np.uint64(32), raw & np.uint64(0xFFFFFFFF)])
        places = (halves[: height * rows] * np.uint64(rows)) >> np.uint64(32)
        offsets = np.repeat(np.arange(height) * rows, rows)
        drawn = np.bincount(places.astype(np.intp) + offsets, minlength=height * rows)
        yield drawn.reshape(height, rows).astype(np.float64)
