"""Mistakes in declarations: where, what and what to do; told all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Finding:
    """What is wrong at one place of a declaration, and what to do. `what` goes on from the place's
    name: "gate.compare: is …"."""

    place: Place
    what: str
    remedy: str


@dataclass(frozen=True)
class Mistake:
    """A finding, and where it is written."""

    file: str
    line: int
    place: Place
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {field(self.place)}: {self.what}; {self.remedy}"


def field(place: Place) -> str:
    """A place as people write it: `targets[1].service.endpoint`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "declaration"


def told(mistakes: Iterable[Mistake]) -> str:
    """All mistakes, one a line, in the order of files and lines."""
    unique = dict.fromkeys(sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line)))
    count = len(unique)
    begin = "1 mistake" if count == 1 else f"{count} mistakes"
    return f"{begin} in the declarations:\n" + "\n".join(f"  {mistake}" for mistake in unique)
