"""The nearest known word: error messages say what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

WORDS_COMPARED_MAX = 500  # 0.1 ms each: a storm of typos must not cost more than the work
WORDS_LISTED_MAX = 12
WORD_LENGTH_MAX = 120


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Find the known word most like `word`; "" if none is like it."""
    candidates = list(islice(known, WORDS_COMPARED_MAX))
    return next(iter(get_close_matches(word[:WORD_LENGTH_MAX], candidates, 1, cutoff)), "")


def suggestion(word: str, known: Iterable[str]) -> str:
    """What to say about an unknown word: the one probably meant, else those there are."""
    words = list(islice(known, WORDS_COMPARED_MAX))
    near = nearest(word, words)
    if near:
        return f"did you mean {near!r}?"
    listed = ", ".join(sorted(words)[:WORDS_LISTED_MAX])
    more = ", …" if len(words) > WORDS_LISTED_MAX else ""
    return f"known: {listed}{more}" if words else "there are none"


def printable(text: str) -> str:
    """A text with everything escaped that a terminal would not simply print."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_lines(text: str) -> str:
    """The same of a text of several lines."""
    return "\n".join(map(printable, text.split("\n")))


def shown(value: str) -> str:
    """Repeat a stranger's text in a message: quoted, printable characters only, cut short."""
    cut = value if len(value) <= WORD_LENGTH_MAX else value[:WORD_LENGTH_MAX] + "…"
    return repr(cut)


def plural(count: int, one: str, many: str = "") -> str:
    """A number and its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
