"""HTTP routes: `models/{model}/versions/{number:int}`, `files/{*path}`, `runs/{id?}`.

Literals match in any case, as in ASP.NET.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

_PARAMETER = re.compile(
    r"\{(?P<catch_all>\*{0,2})(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"(?P<constraints>(?::[A-Za-z]+(?:\((?:[^()]|\([^()]*\))*\))?)*)"
    r"(?:=(?P<default>[^{}?]*))?(?P<optional>\?)?\}"
)
_CONSTRAINT = re.compile(r":([A-Za-z]+)(?:\(((?:[^()]|\([^()]*\))*)\))?")
Check = Callable[[str], bool]


def _int(low: int, high: int) -> Check:
    def check(value: str) -> bool:
        return bool(re.fullmatch(r"[+-]?\d+", value)) and low <= int(value) <= high

    return check


def _number(value: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value) is not None


def _date(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _length(argument: str) -> Check:
    bounds = [int(word) for word in argument.split(",")]
    return lambda value: bounds[0] <= len(value) <= bounds[-1]


def _range(argument: str) -> Check:
    low, high = (int(word) for word in argument.split(","))
    return _int(low, high)


def _regex(argument: str) -> Check:
    try:
        expression = re.compile(argument, re.IGNORECASE)
    except re.error as error:
        raise ValueError(str(error)) from error
    return lambda value: expression.search(value) is not None


_PLAIN: dict[str, Check] = {
    "int": _int(-(2**31), 2**31 - 1),
    "long": _int(-(2**63), 2**63 - 1),
    "bool": lambda value: value.lower() in ("true", "false"),
    "guid": lambda value: (
        re.fullmatch(r"[{(]?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}[)}]?", value, re.IGNORECASE)
        is not None
    ),
    "alpha": lambda value: re.fullmatch("[A-Za-z]*", value) is not None,
    "decimal": _number,
    "double": _number,
    "float": _number,
    "datetime": _date,
    "required": bool,
}
_WITH_ARGUMENT: dict[str, Callable[[str], Check]] = {
    "length": _length,
    "minlength": lambda argument: _length(f"{int(argument)},{2**31}"),
    "maxlength": lambda argument: _length(f"0,{int(argument)}"),
    "min": lambda argument: _int(int(argument), 2**63),
    "max": lambda argument: _int(-(2**63), int(argument)),
    "range": _range,
    "regex": _regex,
}


@dataclass(frozen=True)
class Segment:
    """One part of a route: a literal (`name` empty) or a parameter."""

    literal: str
    name: str = ""
    checks: tuple[Check, ...] = ()
    optional: bool = False
    default: str | None = None
    catch_all: bool = False


@dataclass(frozen=True)
class Route:
    """A path with parameters."""

    text: str
    segments: tuple[Segment, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """Return the parameters if the (still encoded) path matches, else None."""
        words = [_decode(word) for word in path.strip("/").split("/")] if path.strip("/") else []
        values: dict[str, str] = {}
        for position, segment in enumerate(self.segments):
            if segment.catch_all:
                rest = "/".join(words[position:])
                return values | ({segment.name: rest} if rest else {})
            if position >= len(words):
                if not (segment.optional or segment.default is not None):
                    return None
                if segment.default is not None:
                    values[segment.name] = segment.default
                continue
            if not _accepts(segment, words[position]):
                return None
            if segment.name:
                values[segment.name] = words[position]
        return values if len(words) <= len(self.segments) else None


def _decode(word: str) -> str:
    """Decode all but an encoded slash, which stays as it came (ASP.NET does the same)."""
    return "%2F".join(unquote(piece) for piece in re.split("%2[fF]", word))


def _accepts(segment: Segment, word: str) -> bool:
    if not segment.name:
        return segment.literal.lower() == word.lower()
    return bool(word) and all(check(word) for check in segment.checks)


def parse_route(text: str) -> Route:
    """Read a route template. Raises ValueError."""
    cut = _cut(text.strip("/"))
    segments = tuple(_segment(word, text) for word in cut)
    for earlier in segments[:-1]:
        if earlier.catch_all:
            raise ValueError(f"route {text!r}: a catch-all must be the last part")
    names = [segment.name for segment in segments if segment.name]
    if len(set(names)) < len(names):
        raise ValueError(f"route {text!r} names a parameter twice")
    return Route(text.strip("/"), segments)


def _cut(text: str) -> list[str]:
    """Split at slashes outside braces."""
    words, depth = [""], 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "/" and depth == 0:
            words.append("")
        else:
            words[-1] += character
    return words if text else []


def _segment(word: str, text: str) -> Segment:
    if "{" not in word and "}" not in word:
        if not word:
            raise ValueError(f"route {text!r} has an empty part")
        return Segment(word)
    match = _PARAMETER.fullmatch(word)
    if match is None:
        raise ValueError(
            f"route {text!r}: {word!r} is not a parameter; a part is either a literal or one "
            "{name}, {name:constraint}, {name?}, {name=default} or {*name}"
        )
    return Segment(
        "",
        name=match["name"],
        checks=tuple(_check(c[1], c[2], text) for c in _CONSTRAINT.finditer(match["constraints"])),
        optional=bool(match["optional"]),
        default=match["default"],
        catch_all=bool(match["catch_all"]),
    )


def _check(name: str, argument: str | None, text: str) -> Check:
    if argument is None and name in _PLAIN:
        return _PLAIN[name]
    if argument is not None and name in _WITH_ARGUMENT:
        try:
            return _WITH_ARGUMENT[name](argument)
        except ValueError as error:
            raise ValueError(f"route {text!r}: constraint {name}({argument}): {error}") from error
    known = ", ".join([*_PLAIN, *_WITH_ARGUMENT])
    raise ValueError(f"route {text!r}: constraint {name!r} is not known (known: {known})")
