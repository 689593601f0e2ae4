"""The state machine behind a pattern of blob names.

Reading a name visits each pair of state and position at most once: no name is slow to match.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

WITHIN, FIRST, REST = "within", "first", "rest"
"""Classes of characters: any but a slash; the first of a capture; its others."""

_ALPHANUMERIC = frozenset(string.ascii_letters + string.digits)
_CLASSES: Mapping[str, frozenset[str]] = {
    FIRST: _ALPHANUMERIC,
    REST: _ALPHANUMERIC | frozenset("._-"),
}


class Edge(NamedTuple):
    """Reading a character that `accepts` (itself, or a class by name) leads to state `to`."""

    accepts: str
    to: int
    capture: str = ""


Node = tuple[int, int]  # a state, and the position in the name


class Machine:
    """States and edges. While it is built, `here` is the state that what follows leads on from;
    at the end it is the one to end in.

    The way out of a state leads to a higher one than its loops do: higher is tried first.
    """

    def __init__(self) -> None:
        self.edges: list[list[Edge]] = [[]]
        self.captures: list[str] = []
        self.here = 0

    def literal(self, text: str) -> None:
        for character in text:
            self._step(character)

    def capture(self, name: str) -> None:
        self.captures.append(name)
        self._step(FIRST, name)
        self._add(Edge(REST, self.here, name))

    def star(self, *, whole: bool) -> None:
        """Any text within a segment; at least one character if it is the whole segment."""
        if whole:
            self._step(WITHIN)
        self._add(Edge(WITHIN, self.here))

    def any_depth(self, *, last: bool) -> None:
        """Any number of segments, each with its slash, lead back here; a last `**` ends in one."""
        start = self.here
        self._step(WITHIN)
        self._add(Edge(WITHIN, self.here))
        self._add(Edge("/", start))
        if not last:
            self.here = start

    def walk(self, name: str) -> dict[str, str] | None:
        """Find the preferred way through, depth first: what each capture holds; None if none."""
        came: dict[Node, tuple[Node, str]] = {}
        stack: list[tuple[Node, Node, str]] = [((0, 0), (0, 0), "")]
        while stack:
            node, before, capture = stack.pop()
            if node in came:
                continue
            came[node] = (before, capture)
            if node == (self.here, len(name)):
                return self._captured(name, node, came)
            stack += self._ways_on(node, name)
        return None

    def meets(self, other: Machine) -> bool:
        """Whether there is a name that both read to their end."""
        known = {(0, 0)}
        todo = [(0, 0)]
        while todo:
            states = todo.pop()
            if states == (self.here, other.here):
                return True
            new = set(_common_steps(self.edges[states[0]], other.edges[states[1]])) - known
            known |= new
            todo += new
        return False

    def _step(self, accepts: str, capture: str = "") -> None:
        self.edges.append([])
        self._add(Edge(accepts, len(self.edges) - 1, capture))
        self.here = len(self.edges) - 1

    def _add(self, edge: Edge) -> None:
        self.edges[self.here].append(edge)
        self.edges[self.here].sort(key=lambda leaving: leaving.to)

    def _ways_on(self, node: Node, name: str) -> Iterator[tuple[Node, Node, str]]:
        """The nodes after this one, the preferred one last (it is taken off the stack first)."""
        state, position = node
        if position < len(name):
            for edge in self.edges[state]:
                if _takes(edge.accepts, name[position]):
                    yield (edge.to, position + 1), node, edge.capture

    def _captured(
        self, name: str, node: Node, came: Mapping[Node, tuple[Node, str]]
    ) -> dict[str, str]:
        letters: dict[str, list[str]] = {capture: [] for capture in self.captures}
        while node[1] > 0:
            before, capture = came[node]
            if capture:
                letters[capture].append(name[before[1]])
            node = before
        return {capture: "".join(reversed(found)) for capture, found in letters.items()}


def _takes(accepts: str, character: str) -> bool:
    if accepts == WITHIN:
        return character != "/"
    return character in _CLASSES[accepts] if accepts in _CLASSES else character == accepts


def _share(one: str, other: str) -> bool:
    """Whether some character is accepted by both; all the classes share the letters."""
    if len(one) > 1:
        one, other = other, one
    return len(one) > 1 or _takes(other, one)


def _common_steps(one: Iterable[Edge], other: Iterable[Edge]) -> Iterator[tuple[int, int]]:
    others = tuple(other)
    return ((a.to, b.to) for a in one for b in others if _share(a.accepts, b.accepts))
