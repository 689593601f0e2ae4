"""Chooses which endpoint serves a scoring call: by version, by alias, or by weight.

Several endpoints of a web service hold several versions of a model; which of them a caller gets
is decided here, outside of Studio. A key (a customer, a session) always gets the same endpoint,
and keeps it where weights change as far as they allow: only the share that must move does.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from pydantic import Field

from alm.domain.errors import Refused
from alm.domain.frozen import Frozen
from alm.domain.nearest import shown, suggestion


class Choice(Frozen):
    """An endpoint that may serve; aliases such as champion, previous, candidate.

    weight: its share of the calls, in relation to the others'; 0: none that is not asked for.
    """

    target: str = Field(min_length=1)
    version: str = ""
    aliases: tuple[str, ...] = ()
    weight: float = Field(default=1, ge=0, le=1e9, allow_inf_nan=False)


def choose(
    choices: Sequence[Choice], *, key: str = "", version: str = "", alias: str = ""
) -> Choice:
    """The endpoint for one call. key: what always gets the same one.

    Of several with the wanted version or alias, and where neither is wanted, weights decide; if
    all that are wanted have weight 0, they share alike.
    Raises Refused if there is none, or if both a version and an alias are wanted.
    """
    if version and alias:
        raise Refused(f"version {shown(version)} and alias {shown(alias)}: ask for one of them")
    if not choices:
        raise Refused("there is no endpoint to choose from; deploy one, and declare it")
    if version:
        found = [choice for choice in choices if choice.version == version]
        return _share(found or _refuse("version", version, choices), key)
    if alias:
        found = [choice for choice in choices if alias in choice.aliases]
        return _share(found or _refuse("alias", alias, choices), key)
    if not any(choice.weight for choice in choices):
        raise Refused(f"every endpoint has weight 0: {_listed(choices)}; give one a weight")
    return _share(choices, key)


def _share(choices: Sequence[Choice], key: str) -> Choice:
    """The one that comes first for this key when each draws a number, the heavier the smaller."""
    weighted = [choice for choice in choices if choice.weight] or [
        choice.model_copy(update={"weight": 1.0}) for choice in choices
    ]
    best = min(weighted, key=lambda choice: (_draw(key, choice), choice.target))
    return next(choice for choice in choices if choice.target == best.target)


def _draw(key: str, choice: Choice) -> float:
    text = f"{len(key)}:{key}:{choice.target}".encode("utf-8", "surrogatepass")
    number = int.from_bytes(hashlib.sha256(text).digest()[:8])
    return -math.log((number + 1) / (2**64 + 1)) / choice.weight


def _refuse(what: str, wanted: str, choices: Sequence[Choice]) -> Sequence[Choice]:
    known = [choice.version for choice in choices]
    if what == "alias":
        known = [alias for choice in choices for alias in choice.aliases]
    words = sorted({word for word in known if word})
    raise Refused(
        f"no endpoint has {what} {shown(wanted)}: {suggestion(wanted, words)} "
        f"There is {_listed(choices)}"
    )


def _listed(choices: Sequence[Choice]) -> str:
    words = [
        f"{choice.target} ({', '.join([choice.version or 'no version', *choice.aliases])})"
        for choice in choices
    ]
    return ", ".join(words[:12]) + (f" and {len(words) - 12} more" if len(words) > 12 else "")
