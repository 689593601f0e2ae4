"""Differences between two versions of something, for people and for programs.

A difference is a list of changes, each at something that has a name; ids are told second. Values
are free of secrets: who makes a difference has withheld them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from alm.domain.frozen import Frozen
from alm.domain.nearest import printable

SHOWN_MAX = 160  # of a value in a line
What = Literal["added", "removed", "changed"]


class Change(Frozen):
    """One change. area: what kind of thing; name: which one; old, new: its values, if it has any.

    id: by which programs find it.
    """

    area: str
    what: What
    name: str
    id: str = ""
    old: str = ""
    new: str = ""


class Difference(Frozen):
    """What is different between an old and a new version, in a stable order."""

    changes: tuple[Change, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.changes

    @property
    def document(self) -> dict[str, Any]:
        """As JSON: the changes, and how many there are of each kind."""
        counts = Counter(f"{change.area} {change.what}" for change in self.changes)
        changes = [change.model_dump(mode="json") for change in self.changes]
        return {"changes": changes, "counts": dict(sorted(counts.items()))}


def describe(difference: Difference) -> list[str]:
    """A difference as lines that people read; one line if there is none."""
    return [_line(change) for change in difference.changes] or ["no difference"]


def compared(area: str, name: str, old: object, new: object, *, id: str = "") -> tuple[Change, ...]:
    """The change from one value to another; nothing if they are the same. None: not there."""
    if old == new:
        return ()
    what: What = "added" if old is None else "removed" if new is None else "changed"
    before, after = ("" if value is None else str(value) for value in (old, new))
    return (Change(area=area, what=what, name=name, id=id, old=before, new=after),)


def match(
    old: Mapping[str, str], new: Mapping[str, str], *, by_likeness: bool = False
) -> dict[str, str]:
    """Which old thing became which new one: by id, else by what it is like.

    old, new: what things are like (label, kind), by id. Several that are alike are taken in order.
    by_likeness: ids are numbers in a list and say little; what is alike goes before the same id.
    """
    pairs = {id: id for id in old if id in new and old[id] == new[id]}
    for rule in (_alike, _same_id) if by_likeness else (_same_id, _alike):
        left = {id: like for id, like in old.items() if id not in pairs}
        taken = set(pairs.values())
        pairs |= rule(left, {id: like for id, like in new.items() if id not in taken})
    return pairs


def _same_id(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    return {id: id for id in old if id in new}


def _alike(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    waiting: dict[str, deque[str]] = {}
    for id, like in new.items():
        waiting.setdefault(like, deque()).append(id)
    return {id: waiting[like].popleft() for id, like in old.items() if waiting.get(like)}


def _line(change: Change) -> str:
    text = f"{change.area} {change.what}: {change.name}"
    if change.what == "changed" and _is_long(change.old, change.new):
        text += f": {_lines(change.old, change.new)}"
    elif change.what == "changed" and (change.old or change.new):
        text += f": {_short(change.old)} -> {_short(change.new)}"
    elif change.old or change.new:
        text += f": {_short(change.old or change.new)}"
    return printable(f"{text} [{change.id}]" if change.id else text)


def _is_long(*values: str) -> bool:
    return any(len(value) > SHOWN_MAX or "\n" in value for value in values)


def _short(value: str) -> str:
    cut = value if len(value) <= SHOWN_MAX else value[:SHOWN_MAX] + "…"
    return cut or "(empty)"


def _lines(old: str, new: str) -> str:
    """How many lines of a long text are others, and the first of them."""
    before, after = Counter(old.splitlines()), Counter(new.splitlines())
    gone, came = list((before - after).elements()), list((after - before).elements())
    examples = [f"{sign} {_short(line.strip())}" for sign, line in _first(gone, came)]
    counts = f"{len(gone)} lines removed, {len(came)} added"
    if not examples:
        return "its lines are in another order"
    return counts + " (" + "; ".join(examples) + ")"


def _first(gone: Iterable[str], came: Iterable[str]) -> list[tuple[str, str]]:
    pairs = [("-", line) for line in gone if line.strip()][:1]
    return pairs + [("+", line) for line in came if line.strip()][:1]
