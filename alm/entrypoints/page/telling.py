"""How times, numbers and states are told: pure functions, and the filters of the templates."""

from __future__ import annotations

from datetime import UTC, datetime

from alm.domain.nearest import plural

SYMBOLS = {
    "running": "▶", "held": "‖", "idle": "○", "new": "◌", "waiting": "…",
    "ok": "✓", "verified": "✓", "harvested": "✓", "accepted": "✓", "done": "✓", "Finished": "✓",
    "failed": "✕", "unwell": "✕", "unfit": "✕", "Failed": "✕", "rejected": "⊘", "refused": "⊘",
    "rolled_back": "↩", "displaced": "⇄", "drift": "⇄", "unknown": "?", "inconclusive": "?",
    "cancelled": "■", "Canceled": "■", "superseded": "»", "expired": "◷", "wait": "…", "hold": "‖",
    "retry": "↻", "in order": "✓", "serves it": "✓", "given back": "↩", "patched": "✓",
    "champion": "★", "candidate": "☆", "previous": "◁",
    "Running": "▶",
}  # fmt: skip
"""State is told by words and a symbol; colour only repeats it."""

KINDS = {
    "good": (
        "serves it",
        "ok",
        "verified",
        "harvested",
        "accepted",
        "done",
        "Finished",
        "champion",
        "yes",
    ),
    "bad": ("failed", "unwell", "unfit", "Failed", "unknown", "drift", "displaced", "expired"),
    "warn": ("held", "hold", "rolled_back", "rejected", "refused", "inconclusive", "retry"),
    "busy": ("running", "Running", "wait", "waiting"),
}
_KIND = {state: kind for kind, states in KINDS.items() for state in states}
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def moment(text: object) -> datetime | None:
    """A time of one of our documents, aware; None where it is missing or is none."""
    if isinstance(text, datetime):
        return text if text.tzinfo else text.replace(tzinfo=UTC)
    try:
        found = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return None if found is None else found if found.tzinfo else found.replace(tzinfo=UTC)


def span(seconds: float) -> str:
    """A duration in at most two units: `3 d 4 h`, `12 min 5 s`, `0.4 s`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s".replace(".0 s", " s")
    left, told = int(seconds), []
    for size, unit in _UNITS:
        if left >= size:
            told.append(f"{left // size} {unit}")
            left %= size
    if left and len(told) < 2:
        told.append(f"{left} s")
    return " ".join(told[:2])


def ago(at: datetime, now: datetime) -> str:
    """How long ago, roughly, or until: `3 min ago`, `in 2 h 5 min`."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1:
        return "just now"
    if seconds < 0:
        return f"in {span(int(-seconds))}"
    unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), (1, "s"))
    return f"{int(seconds // unit[0])} {unit[1]} ago"


def stamp(at: datetime) -> str:
    """A time as people read it, UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def machine(at: datetime) -> str:
    """A time for `<time datetime>`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: object) -> str:
    """A number to four digits; a dash where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def size(value: object) -> str:
    """A number of bytes."""
    if not isinstance(value, int) or value < 0:
        return "–"
    for limit, unit in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if value >= limit:
            return f"{value / limit:.1f} {unit}"
    return f"{value} B"


def words(state: str) -> str:
    """A state as it is read: `rolled back`."""
    return state.replace("_", " ")


def symbol(state: str) -> str:
    return SYMBOLS.get(state, "·")


def kind(state: str) -> str:
    """Which colour repeats a state: good, bad, warn, busy or plain."""
    return _KIND.get(state, "plain")


FILTERS = {
    "ago": ago, "kind": kind, "machine": machine, "moment": moment, "number": number,
    "plural": plural, "size": size, "span": span, "stamp": stamp, "symbol": symbol, "words": words,
}  # fmt: skip
