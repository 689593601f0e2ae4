"""The documentation as its readers meet it: pages, and the blocks in them. CONTRIBUTING.md says
what the words behind the three backticks mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^( *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True)
class Block:
    """What stands between two fences. info: the words behind the first one."""

    page: str
    line: int
    info: tuple[str, ...]
    text: str

    @property
    def language(self) -> str:
        return self.info[0] if self.info else ""

    @property
    def marks(self) -> tuple[str, ...]:
        return self.info[1:]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """One file of the documentation, by its name from the root of the project."""

    name: str
    text: str

    def blocks(self) -> list[Block]:
        return [
            Block(
                self.name,
                self.text.count("\n", 0, found.start()) + 1,
                tuple(found["info"].split()),
                _without_indent(found["text"], len(found[1])),
            )
            for found in _FENCE.finditer(self.text)
        ]

    def code(self) -> Iterator[str]:
        """What stands between single backticks, outside of blocks."""
        return (found[1] for found in _CODE.finditer(_FENCE.sub("", self.text)))


def pages() -> list[Page]:
    """Every page: README, CONTRIBUTING, what is below docs, the README of each example."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    found += sorted((ROOT / "docs").rglob("*.md")) + sorted((ROOT / "examples").rglob("*.md"))
    return [Page(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in found]


def page(name: str) -> Page:
    return Page(name, (ROOT / name).read_text(encoding="utf-8"))


def _without_indent(text: str, spaces: int) -> str:
    return "".join(line.removeprefix(" " * spaces) for line in text.splitlines(keepends=True))
