"""Blob path patterns: `datasets/{name}`, `in/{day}/{file}.csv`.

The first part is the container and holds no pattern. A capture takes anything but nothing, and
slashes too, as in Azure: `datasets/{name}` matches `datasets/2024/jan.csv`.
"""

import re
from dataclasses import dataclass

_CAPTURE = re.compile(r"\{([^{}]*)\}")
_CONTAINER = re.compile(r"\$root|(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class BlobPattern:
    """One container and the names in it that match."""

    text: str
    container: str
    names: re.Pattern[str]

    def match(self, container: str, name: str) -> dict[str, str] | None:
        """Return the captures if the blob matches, else None."""
        if container != self.container:
            return None
        found = self.names.fullmatch(name)
        return None if found is None else found.groupdict()


def parse_pattern(text: str) -> BlobPattern:
    """Read `container/name-pattern`. Raises ValueError."""
    container, slash, rest = text.partition("/")
    if not _CONTAINER.fullmatch(container):
        raise ValueError(
            f"path {text!r}: {container!r} is not a container name "
            "(3 to 63 lower-case letters, digits, hyphens; no pattern)"
        )
    if not slash or not rest:
        rest = "{name}"  # the whole container
    return BlobPattern(text, container, re.compile(_expression(rest, text), re.DOTALL))


def _expression(rest: str, text: str) -> str:
    parts: list[str] = []
    seen: set[str] = set()
    position = 0
    for capture in _CAPTURE.finditer(rest):
        name = capture[1]
        if not name.isidentifier() or name in seen:
            raise ValueError(f"path {text!r}: capture {name!r} is not a name, or is there twice")
        seen.add(name)
        parts += [re.escape(rest[position : capture.start()]), f"(?P<{name}>.+)"]
        position = capture.end()
    tail = rest[position:]
    if "{" in "".join(parts[::2]) + tail or "}" in tail:
        raise ValueError(f"path {text!r} has an unbalanced brace")
    return "".join([*parts, re.escape(tail)])
