"""Declarations that change while the stack runs.

The app reads them when it starts. Its worker is started again when a file changed and the app would
accept all of them, as `func start` does for code.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from devstack import declarations
from devstack.stack import Stack


class Watched:
    """The folder that the app of a stack reads; it is looked at by one thread at a time.

    mistakes: what the app (its folder comes second) would not accept of a folder; "": nothing.
    """

    def __init__(
        self, stack: Stack, mistakes: Callable[[Path, Path], str] = declarations.mistakes
    ) -> None:
        self._stack = stack
        self._mistakes = mistakes
        self._folder = stack.options.declarations
        self._seen = declarations.state(self._folder)
        declarations.report(stack.options.data, self._seen, "")

    def look(self) -> str:
        """If files changed: have the app read them again. Says what was done, or what is wrong."""
        found = declarations.state(self._folder)
        if found == self._seen:
            return ""
        self._seen = found
        wrong = self._mistakes(self._folder, self._stack.options.app)
        if not wrong:
            self._stack.restart_worker()
        declarations.report(self._stack.options.data, found, wrong)
        if wrong:
            return f"{self._folder} changed, the app goes on with what it read before:\n{wrong}"
        return f"{self._folder} changed: the app has read it again"
