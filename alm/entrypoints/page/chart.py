"""A metric over versions as a small drawing: where everything goes, as numbers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alm.entrypoints.page.telling import number

WIDTH, HEIGHT = 400, 150
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 26
POINTS_MAX = 60  # more could not be told apart; the table has all of them


@dataclass(frozen=True)
class Value:
    """A metric of one version."""

    version: str
    value: float
    champion: bool


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    label: str
    champion: bool


@dataclass(frozen=True)
class Rule:
    """A threshold of the gate as a level line."""

    y: float
    label: str


@dataclass(frozen=True)
class Chart:
    """What is drawn. line: the points of a polyline. described: the drawing in words."""

    name: str
    points: tuple[Point, ...]
    line: str
    low: str
    high: str
    first: str
    last: str
    described: str
    rules: tuple[Rule, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    foot: int = HEIGHT - BOTTOM


def chart(
    name: str, values: Sequence[Value], thresholds: Sequence[tuple[str, float]] = ()
) -> Chart | None:
    """Draw a metric, the oldest version first; None with fewer than two values."""
    shown = values[-POINTS_MAX:]
    if len(shown) < 2:
        return None
    levels = [each.value for each in shown]
    low, high = _bounds(levels, [level for _, level in thresholds])
    step = (WIDTH - LEFT - RIGHT) / (len(shown) - 1)
    points = tuple(
        Point(
            round(LEFT + at * step, 1),
            _y(each.value, low, high),
            f"{each.version}: {number(each.value)}",
            each.champion,
        )
        for at, each in enumerate(shown)
    )
    return Chart(
        name,
        points,
        " ".join(f"{point.x},{point.y}" for point in points),
        number(low),
        number(high),
        shown[0].version,
        shown[-1].version,
        _described(name, shown),
        tuple(
            Rule(_y(level, low, high), label) for label, level in thresholds if low <= level <= high
        ),
    )


def _bounds(levels: Sequence[float], thresholds: Sequence[float]) -> tuple[float, float]:
    """From where to where the axis goes; a threshold far off does not flatten the line.

    What never leaves 0 to 1, as most metrics of the gate, gets no axis beyond.
    """
    low, high = min(levels), max(levels)
    room = max((high - low) * 0.15, abs(high) * 0.01, 1e-9)
    near = [level for level in thresholds if low - 3 * room <= level <= high + 3 * room]
    foot, top = min([low, *near]) - room, max([high, *near]) + room
    return max(foot, 0) if low >= 0 else foot, min(top, 1) if high <= 1 else top


def _y(value: float, low: float, high: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)


def _described(name: str, shown: Sequence[Value]) -> str:
    best = max(shown, key=lambda each: each.value)
    worst = min(shown, key=lambda each: each.value)
    serving = [each.version for each in shown if each.champion]
    told = (
        f"{name} of {len(shown)} versions, from {shown[0].version} ({number(shown[0].value)}) to "
        f"{shown[-1].version} ({number(shown[-1].value)}); highest {number(best.value)} "
        f"({best.version}), lowest {number(worst.value)} ({worst.version})"
    )
    return told + (f"; in service: {', '.join(serving)}" if serving else "")
