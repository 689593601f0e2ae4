"""How rows become lines: columns side by side, each as wide as what is in it.

In a terminal no line is longer than it is wide: ids, addresses and keys, which are long and copied
whole, go below their row, and other columns fold at words, the widest first; with too many columns
for that, each cell is a line. Without a terminal nothing folds: a row is a line, for `grep`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from alm.domain.nearest import printable

ID = "id"
WHOLE = (ID, "api", "primary key", "secondary key")
GAP = 2
COLUMN_MIN = 8  # narrower ones are harder to read than lines that the terminal breaks

Cells = Sequence[str]


def print_table(console: Console, names: Cells, rows: Sequence[Cells]) -> None:
    """Print rows under the names of their columns."""
    for line in lines(console, names, rows, console.width if console.is_terminal else None):
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def lines(
    console: Console, names: Cells, rows: Sequence[Cells], width: int | None
) -> Iterator[Text]:
    """Rows as lines of at most `width`; None: as long as they are. console: folds words."""
    shown = [[_clean(cell, width is not None) for cell in row] for row in rows]
    below: list[int] = []
    if width is not None and _total(_widths(names, shown)) > width:
        below = [at for at, name in enumerate(names) if name in WHOLE and at > 0]
    head = _without(names, below)
    kept = [_without(row, below) for row in shown]
    widths = _narrowed(_widths(head, kept), _words(head, kept), width)
    if width is not None and _total(widths) > width:
        yield from _records(names, shown)
        return
    yield _line(head, widths, "bold")
    for row, whole in zip(kept, shown, strict=True):
        yield from (_line(part, widths) for part in _folded(console, row, widths))
        for at in (at for at in below if whole[at]):
            name = "" if names[at] == ID else f"{names[at]} "
            yield Text(f"  {name}{whole[at]}", "dim")


def _records(names: Cells, rows: Sequence[Cells]) -> Iterator[Text]:
    """Rows with more columns than a line can hold: a line for each cell."""
    widest = max(map(cell_len, names))
    for number, row in enumerate(rows, 1):
        yield Text(f"row {number}", "bold")
        for name, cell in zip(names, row, strict=True):
            yield _line(["", name, cell], [0, widest, cell_len(cell)])


def _clean(cell: str, may_break: bool) -> str:
    parts = [printable(part) for part in cell.split("\n")]
    return ("\n" if may_break else " ").join(parts)


def _without(row: Cells, places: Sequence[int]) -> Cells:
    return [cell for at, cell in enumerate(row) if at not in places]


def _widths(names: Cells, rows: Sequence[Cells]) -> list[int]:
    return [
        max(cell_len(part) for row in (names, *rows) for part in row[at].split("\n"))
        for at in range(len(names))
    ]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _words(names: Cells, rows: Sequence[Cells]) -> list[int]:
    """How wide the longest word of each column is."""
    return [
        max(cell_len(word) for row in (names, *rows) for word in [*row[at].split(), ""])
        for at in range(len(names))
    ]


def _narrowed(widths: list[int], words: list[int], width: int | None) -> list[int]:
    """Take from the widest column until the line fits; words are broken if nothing else is left."""
    found = list(widths)
    for least in (words, [COLUMN_MIN] * len(words)):
        while width is not None and _total(found) > width:
            wide = [at for at, size in enumerate(found) if size > max(least[at], COLUMN_MIN)]
            if not wide:
                break
            found[max(wide, key=lambda at: found[at])] -= 1
    return found


def _folded(console: Console, row: Cells, widths: Sequence[int]) -> Iterator[Cells]:
    """The lines that a row takes, each with a part of every cell."""
    cells = [_parts(console, cell, width) for cell, width in zip(row, widths, strict=True)]
    for at in range(max(map(len, cells), default=0)):
        yield [parts[at] if at < len(parts) else "" for parts in cells]


def _parts(console: Console, cell: str, width: int) -> list[str]:
    if cell_len(cell) <= width and "\n" not in cell:
        return [cell]
    wrapped = Text(cell).wrap(console, max(width, 1), overflow="fold")
    return [part.plain.rstrip() for part in wrapped] or [""]


def _line(cells: Cells, widths: Sequence[int], style: str = "") -> Text:
    padded = (
        cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)
    )
    return Text((" " * GAP).join(padded).rstrip(), style)
