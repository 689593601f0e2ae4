"""Builds of the engine: the shipped one, and ones from which a safeguard was taken.

A build without a safeguard is made from the shipped source: one exact piece of text that occurs
once is replaced while the modules are imported anew. The app itself knows nothing of it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import alm
import alm.engine
import alm.engine.upkeep
from alm.ports import Ports

ROOT = Path(alm.__file__).parent.parent
RULES = ("alm.engine", "alm.stages", "alm.pipelines", "alm.domain.transitions", "alm.domain.smoke")
"""What is imported anew. Values and ports stay the same, so that worlds can be shared."""


@dataclass(frozen=True)
class Engine:
    """The two ways into an engine."""

    handle: Callable[..., None]
    sweep: Callable[[Ports, str, str], None]


SHIPPED = Engine(alm.engine.handle, alm.engine.upkeep.sweep)


@dataclass(frozen=True)
class Edit:
    """In `file`, `text` (which occurs once) becomes `instead`."""

    file: str
    text: str
    instead: str

    def occurrences(self) -> int:
        return (ROOT / self.file).read_text().count(self.text)


def build(edits: Iterable[Edit]) -> Engine:
    """Import the engine anew with these edits, beside the shipped one."""
    by_file: dict[str, list[Edit]] = {}
    for edit in edits:
        assert edit.occurrences() == 1, (
            f"{edit.file}: {edit.text!r} occurs {edit.occurrences()} times"
        )
        by_file.setdefault(str(ROOT / edit.file), []).append(edit)
    kept = {name: module for name, module in sys.modules.items() if _is_alm(name)}
    finder = _Finder(by_file)
    for name in kept:
        if _is_anew(name):
            del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        engine = importlib.import_module("alm.engine")
        upkeep = importlib.import_module("alm.engine.upkeep")
        assert not finder.unused(), f"not imported: {finder.unused()}"
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_alm(name)]:
            del sys.modules[name]
        sys.modules.update(kept)
    return Engine(engine.handle, upkeep.sweep)


def _is_alm(name: str) -> bool:
    return name == "alm" or name.startswith("alm.")


def _is_anew(name: str) -> bool:
    """Packages are imported anew too: they hold their modules as attributes."""
    return name in ("alm", "alm.domain") or any(
        name == rule or name.startswith(rule + ".") for rule in RULES
    )


class _Finder(MetaPathFinder):
    def __init__(self, edits: dict[str, list[Edit]]) -> None:
        self._edits = edits
        self._used: set[str] = set()

    def unused(self) -> list[str]:
        return sorted(set(self._edits) - self._used)

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _is_alm(fullname):
            return None
        spec = PathFinder.find_spec(fullname, path, target)  # type: ignore[arg-type]
        if spec is not None and spec.origin in self._edits:
            self._used.add(spec.origin)
            spec.loader = _Editing(fullname, spec.origin, self._edits[spec.origin])
        return spec


class _Editing(SourceFileLoader):
    def __init__(self, name: str, path: str, edits: list[Edit]) -> None:
        super().__init__(name, path)
        self._edits = edits

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path).read_text()
        for edit in self._edits:
            source = source.replace(edit.text, edit.instead)
        return compile(source, self.path, "exec")
