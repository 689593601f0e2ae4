"""Differences between two versions of something, for people and for programs.

A difference is a list of changes, each at something that has a name; ids are told second. Values
are free of secrets: who makes a difference has withheld them.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, Literal

from alm.domain.frozen import Frozen
from alm.domain.nearest import printable

SHOWN_MAX = 160  # of a value in a line
ALIKE_MIN = 4  # changes that are told together; three lines are read at a glance
NAMES_MAX = 5  # of a list
LIST_MIN = 3  # names; a sentence has a comma or two
What = Literal["added", "removed", "changed"]


class Change(Frozen):
    """One change. area: what kind of thing; name: which one; old, new: its values, if it has any.

    id: by which programs find it; old_id, new_id: what the values name, where that has an id.
    """

    area: str
    what: What
    name: str
    id: str = ""
    old: str = ""
    new: str = ""
    old_id: str = ""
    new_id: str = ""


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


def describe(difference: Difference, *, ids: bool = True) -> list[str]:
    """A difference as lines that people read; one line if there is none.

    The same change of many things of one kind, such as columns, is one line. ids: told as well,
    where names do not tell things apart.
    """
    groups = (list(group) for _, group in groupby(difference.changes, _sameness))
    lines = (
        [_many(group)]
        if len(group) >= ALIKE_MIN and _of(group[0].name)
        else [_line(change, ids) for change in group]
        for group in groups
    )
    return [line for some in lines for line in some] or ["no difference"]


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


def _sameness(change: Change) -> tuple[str, ...]:
    return (change.area, change.what, _of(change.name), change.old, change.new)


def _of(name: str) -> str:
    """What a thing belongs to: `'input1'` of `'age' of 'input1'`; "" for one by itself."""
    return name.rpartition(" of ")[2] if " of " in name else ""


def _many(changes: list[Change]) -> str:
    first = changes[0]
    names = [change.name.rpartition(" of ")[0] for change in changes]
    some = ", ".join(names[:NAMES_MAX]) + (", …" if len(names) > NAMES_MAX else "")
    name = f"{len(names)} of {_of(first.name)} ({some})"
    return printable(f"{first.area} {first.what}: {name}{_values(first)}")


def _line(change: Change, ids: bool) -> str:
    id = f" [{change.id}]" if ids and change.id else ""
    return printable(f"{change.area} {change.what}: {change.name}{_values(change)}{id}")


def _values(change: Change) -> str:
    old, new = change.old, change.new
    if not (old or new):
        return ""
    if change.what != "changed":
        return f": {_short(old or new)}"
    if not _is_long(old, new):
        return f": {_short(old)} -> {_short(new)}"
    return f": {_lists(old, new) or _lines(old, new)}"


def _is_long(*values: str) -> bool:
    return any(len(value) > SHOWN_MAX or "\n" in value for value in values)


def _short(value: str) -> str:
    cut = value if len(value) <= SHOWN_MAX else value[:SHOWN_MAX] + "…"
    return cut or "(empty)"


def _lists(old: str, new: str) -> str:
    """How two long lists of names differ; "" where they are no lists."""
    before, after = ([_item(part) for part in text.split(", ")] for text in (old, new))
    if min(len(before), len(after)) < LIST_MIN or "\n" in old + new:
        return ""
    gone, came = (
        list((Counter(before) - Counter(after)).elements()),
        list((Counter(after) - Counter(before)).elements()),
    )
    told = [f"{sign} {_some(items)}" for sign, items in (("-", gone), ("+", came)) if items]
    return "; ".join(told) or f"the same {len(after)}, in another order"


def _item(text: str) -> str:
    """A name in a list, without the word before the first: `columns 'age'`."""
    return re.sub(r"^[a-z]+ (?=')", "", text)


def _some(items: list[str]) -> str:
    more = f" and {len(items) - NAMES_MAX} more" if len(items) > NAMES_MAX else ""
    return ", ".join(items[:NAMES_MAX]) + more


def _lines(old: str, new: str) -> str:
    """How many lines of a long text are others, and the first of them."""
    before, after = Counter(old.splitlines()), Counter(new.splitlines())
    gone, came = list((before - after).elements()), list((after - before).elements())
    examples = [f"{sign} {_short(line.strip())}" for sign, line in _first(gone, came)]
    counts = f"{len(gone)} {'line' if len(gone) == 1 else 'lines'} removed, {len(came)} added"
    if not examples:
        return "its lines are in another order"
    return counts + " (" + "; ".join(examples) + ")"


def _first(gone: Iterable[str], came: Iterable[str]) -> list[tuple[str, str]]:
    pairs = [("-", line) for line in gone if line.strip()][:1]
    return pairs + [("+", line) for line in came if line.strip()][:1]
