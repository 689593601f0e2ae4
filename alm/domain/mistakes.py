"""Mistakes in declarations: where, what and what to do; told all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from alm.domain.errors import Misconfigured

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
    """A finding, and where it is written. column: from 1; 0 where only the line is known."""

    file: str
    line: int
    place: Place
    what: str
    remedy: str
    column: int = 0

    @property
    def told(self) -> str:
        """What is wrong, with the field's name."""
        return f"{field(self.place)}: {self.what}"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.told}; {self.remedy}"


class Mistaken(Misconfigured):
    """Declarations are wrong; holds every mistake, in the order of files and lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = in_order(mistakes)
        super().__init__(told(self.mistakes))


def field(place: Place) -> str:
    """A place as people write it: `targets[1].service.endpoint`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "declaration"


def in_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """Mistakes in the order of files and lines, each once."""
    listed = sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line))
    return tuple(dict.fromkeys(listed))


def told(mistakes: Iterable[Mistake]) -> str:
    """All mistakes, one a line, in the order of files and lines."""
    unique = in_order(mistakes)
    count = len(unique)
    begin = "1 mistake" if count == 1 else f"{count} mistakes"
    return f"{begin} in the declarations:\n" + "\n".join(f"  {mistake}" for mistake in unique)
