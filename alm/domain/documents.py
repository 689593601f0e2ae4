"""Reads JSON documents that came from outside: files of a repository, answers saved by a tool.

Whatever is sent, the answer is an object or Refused with words that say what to do: too large,
not text, cut off, in conflict, nested too deep, ambiguous.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from alm.domain.errors import Refused
from alm.domain.nearest import shown

BYTES_MAX = 8 * 1024 * 1024  # a graph of a thousand modules, with the statuses of its nodes, is 6
DEPTH_MAX = 100  # Studio's documents are 12 deep
_CONFLICT = ("<<<<<<< ", "=======\n", ">>>>>>> ")


def read_object(content: bytes, what: str, *, bytes_max: int = BYTES_MAX) -> dict[str, Any]:
    """Read a JSON object; UTF-8 or UTF-16, with or without a byte order mark.

    what: how messages call the document. Raises Refused.
    """
    if len(content) > bytes_max:
        raise Refused(
            f"{what}: {len(content):,} bytes are more than the {bytes_max:,} that are read; "
            "is it the right file?"
        )
    text = _text(content, what)
    try:
        document = json.loads(text, parse_constant=_no_number, object_pairs_hook=_unambiguous)
        text.encode()
    except json.JSONDecodeError as error:
        raise Refused(f"{what}: {_why(error, text)}") from error
    except RecursionError as error:
        raise Refused(f"{what}: nested too deep for a document of Studio's") from error
    except ValueError as error:
        raise Refused(f"{what}: {error}") from error
    if not isinstance(document, dict):
        kind = "a list" if isinstance(document, list) else "a single value"
        raise Refused(f"{what}: it is {kind}, not an object; save one document to a file")
    _check_values(document, what)
    return document


def _text(content: bytes, what: str) -> str:
    try:
        return content.decode(json.detect_encoding(content)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Refused(
            f"{what}: not text at byte {error.start} ({error.reason}); save it as UTF-8"
        ) from error


def _why(error: json.JSONDecodeError, text: str) -> str:
    where = f"line {error.lineno}, column {error.colno}"
    if not text.strip():
        return "it is empty"
    if any(line.startswith(_CONFLICT) for line in text.splitlines(keepends=True)):
        return f"it has marks of a merge conflict ({where}); resolve the conflict first"
    if not text.rstrip().endswith(("}", "]")):
        seen = shown(text[:40])
        if text.lstrip().startswith("{"):
            return f"it is cut off ({error.msg}, {where}); export it again"
        return f"it is not JSON but begins with {seen}; give a file that was exported"
    return f"it is not JSON ({error.msg}, {where}); correct it, or export it again"


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number that JSON has; write null or a text")


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object from its pairs; a key that is there twice has two meanings."""
    document = dict(pairs)
    if len(document) < len(pairs):
        double = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"key {shown(double)} is there twice in one object; leave one")
    return document


def _check_values(document: Any, what: str) -> None:
    """No text that cannot be written again, nothing nested deeper than what we walk through."""
    level: list[Any] = [document]
    for _ in range(DEPTH_MAX):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
        for value in level:
            if isinstance(value, str) and not value.isascii() and _broken(value):
                raise Refused(f"{what}: {shown(value)} holds half a character; save it as UTF-8")
    raise Refused(f"{what}: nested more than {DEPTH_MAX} levels deep; no document of Studio's is")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else ()


def _broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
