"""Patterns of blob names: which managed model a landed file is for.

`sales/{shop}/*.csv`: `{name}` captures text of one path segment, `*` stands for any text within a
segment (at least one character where it is the whole segment), a segment `**` for any number of
segments; the rest is literal and case matters. Captures are as short as the rest allows, the
leftmost first.

Names of blobs are strangers' input: those with a `fault` match nothing, and none is slow to match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import islice
from typing import NamedTuple

from alm.domain.errors import Misconfigured, Refused
from alm.domain.nearest import WORD_LENGTH_MAX, WORDS_COMPARED_MAX, shown
from alm.domain.pattern_machine import Machine

NAME_LENGTH_MAX = 900  # Azure allows 1,024; version and job names add to it
PATTERN_LENGTH_MAX = 256
CAPTURE_LENGTH_MAX = 64
MODEL_CAPTURE = "model"  # `{model}` stands for the id of a managed model
MODEL_LENGTH_MAX = 90

NEAR = 0.6  # likeness, as difflib has it: below, naming a pattern would mislead

CAPTURED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # as `pattern_machine` reads captures
_CAPTURE_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_PIECE = re.compile(r"\{([^{}]*)\}|(\*+)|([^*{}]+)|([{}])")
_VARIABLE = re.compile(r"\{[^{}]*\}|\*+/?")
_SLUG_PIECE = re.compile(r"_[a-z_-]|--|[a-z0-9.-]")


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern. Equal if the text is equal."""

    text: str
    captures: tuple[str, ...] = field(compare=False)
    prefix: str = field(compare=False, repr=False)
    suffix: str = field(compare=False, repr=False)
    machine: Machine = field(compare=False, repr=False)

    def match(self, name: str) -> dict[str, str] | None:
        """What `name` has in place of each capture; None if it does not match."""
        if not (name.startswith(self.prefix) and name.endswith(self.suffix)) or fault(name):
            return None
        captured = self.machine.walk(name)
        if captured is None or any(too_long(*item) for item in captured.items()):
            return None
        return captured


def fault(name: str) -> str:
    """Why a blob of this name is never accepted; "" if it may be."""
    if not name:
        return "the name is empty"
    if len(name) > NAME_LENGTH_MAX:
        return f"the name has {len(name)} characters, {NAME_LENGTH_MAX} are allowed"
    if not name.isprintable():
        return "the name holds control or other invisible characters"
    bad = next((character for character in "\\?#" if character in name), "")
    if bad:
        return f"the name holds {bad!r}, which means something else in a path or URL"
    segments = name.split("/")
    if "" in segments:
        return "the name has an empty path segment"
    if "." in segments or ".." in segments:
        return "the name has a path segment '.' or '..'"
    return ""


def too_long(capture: str, value: str) -> bool:
    return len(value) > (MODEL_LENGTH_MAX if capture == MODEL_CAPTURE else CAPTURE_LENGTH_MAX)


def compile(pattern: str) -> Pattern:
    """Read a pattern.

    Raises Misconfigured saying what is wrong with it and what to write.
    """
    _check_text(pattern)
    machine = Machine()
    segments = pattern.split("/")
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "**":
            machine.any_depth(last=last)
            continue
        for piece in _pieces(pattern, segment):
            _build(machine, piece, whole=segment == "*")
        machine.literal("" if last else "/")
    if len(set(machine.captures)) < len(machine.captures):
        raise _wrong(pattern, "names a capture twice", "write * in the other place")
    literals = _VARIABLE.split(pattern)
    return Pattern(
        text=pattern,
        captures=tuple(machine.captures),
        prefix=literals[0],
        suffix=literals[-1],
        machine=machine,
    )


def overlap(one: Pattern, other: Pattern) -> bool:
    """Whether one blob name could match both (lengths of captures are not looked at)."""
    return (
        _one_begins_other(one.prefix, other.prefix)
        and _one_begins_other(one.suffix[::-1], other.suffix[::-1])
        and one.machine.meets(other.machine)
    )


def nearest(name: str, patterns: Iterable[Pattern]) -> str:
    """The text of the pattern most like a name that matched none; "" if none is really near."""
    texts = islice((pattern.text for pattern in patterns), WORDS_COMPARED_MAX)

    def likeness(text: str) -> tuple[float, float]:
        return _alike(_folder(name), _folder(text)), _alike(name, text)

    best = max(texts, key=likeness, default="")
    return best if best and max(likeness(best)) >= NEAR else ""


def _folder(text: str) -> str:
    """The first folder: people group datasets by it, and what follows it is often invented."""
    return text.partition("/")[0]


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one[:WORD_LENGTH_MAX], other).ratio()


def slug(captures: Mapping[str, str]) -> str:
    """Name a member by its captures, in order; lower case, and `unslug` reads it back.

    A capital is written `_` and its small letter, `_` as `__`, a dash before another dash or at
    the end of a value as `_-`; `--` stands between values.
    """
    return "--".join(_spelled(value) for value in captures.values())


def unslug(text: str, names: Iterable[str]) -> dict[str, str]:
    """The captures that `slug` named. Raises Refused for what it can not have written."""
    values = [""]
    pieces = _SLUG_PIECE.findall(text)
    for piece in pieces:
        if piece == "--":
            values.append("")
        else:
            values[-1] += piece[1].upper() if len(piece) == 2 else piece
    wanted = tuple(names)
    captures = dict(zip(wanted, values, strict=False))
    possible = all(CAPTURED.fullmatch(value) for value in values)
    if not possible or len(values) != len(wanted) or slug(captures) != text:
        raise Refused(
            f"{shown(text)} does not name a member; it is made of {', '.join(wanted)}: small "
            "letters, digits, . and -, with -- between the parts and _ before a capital"
        )
    return captures


def _spelled(value: str) -> str:
    assert CAPTURED.fullmatch(value), value
    escaped = re.sub(r"[A-Z_]", lambda found: "_" + found.group().lower(), value)
    return re.sub(r"-(?=-|$)", "_-", escaped)


class _Piece(NamedTuple):
    capture: str
    star: str
    literal: str

    @property
    def variable(self) -> bool:
        return bool(self.capture or self.star)


def _pieces(pattern: str, segment: str) -> Iterator[_Piece]:
    before = _Piece("", "", "")
    for found in _PIECE.finditer(segment):
        if found.group(4):
            raise _wrong(pattern, f"has a lone {found.group(4)!r}", "write {name} for a capture")
        piece = _Piece(*(found.group(index) or "" for index in (1, 2, 3)))
        if found.group().startswith("{") and not _CAPTURE_NAME.fullmatch(piece.capture):
            raise _wrong(
                pattern,
                f"has the capture {found.group()}",
                "a capture's name is small letters, digits and _, at most 32, a letter first",
            )
        if len(piece.star) > 1:
            raise _wrong(pattern, f"has {piece.star} in a segment", "** must be a whole segment")
        if piece.variable and before.variable:
            raise _wrong(
                pattern,
                "has two variable parts side by side",
                "put literal text between them: where one ends would be a guess",
            )
        before = piece
        yield piece


def _check_text(pattern: str) -> None:
    if len(pattern) > PATTERN_LENGTH_MAX:
        raise _wrong(pattern, f"is longer than {PATTERN_LENGTH_MAX} characters", "shorten it")
    wrong = fault(pattern)
    if wrong:
        raise _wrong(
            pattern,
            f"can match nothing: {wrong}",
            "write the name as it is inside the container, without a leading or trailing /",
        )
    if "**/**" in pattern:
        raise _wrong(pattern, "has ** twice in a row", "one ** covers any number of segments")


def _wrong(pattern: str, what: str, remedy: str) -> Misconfigured:
    return Misconfigured(f"pattern {shown(pattern)} {what}; {remedy}")


def _build(machine: Machine, piece: _Piece, *, whole: bool) -> None:
    if piece.capture:
        machine.capture(piece.capture)
    elif piece.star:
        machine.star(whole=whole)
    else:
        machine.literal(piece.literal)


def _one_begins_other(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
