"""Paths of blobs (`container/name`), and the URLs they have. Names are data: they are checked."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, unquote, urlsplit

from alm.domain.errors import Refused

NAME_LENGTH_MAX = 1024  # the limit of blob storage

_CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}|\$(?:root|web|logs)")
_PORTS = {"https": 443, "http": 80}
_NO_SEGMENT = {"", ".", ".."}
_NO_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff\\\\]")


def split(path: str) -> tuple[str, str]:
    """Container and name of a path. Raises Refused for what cannot be a blob of ours."""
    container, _, name = path.partition("/")
    hostile = _NO_CHARACTER.search(name) or not _NO_SEGMENT.isdisjoint(name.split("/"))
    if hostile or len(name) > NAME_LENGTH_MAX or not _CONTAINER.fullmatch(container):
        raise Refused(
            f"{path[:200]!r} is not the path of a blob (container/name); names have at most "
            f"{NAME_LENGTH_MAX} characters, no control characters or backslashes, and no part that "
            "is empty, `.` or `..`"
        )
    return container, name


def encoded(path: str) -> str:
    """A path as part of a URL."""
    container, name = split(path)
    return f"{container}/{quote(name, safe='/~')}"


def path_below(base: str, url: str) -> str | None:
    """The path of a blob that `url` names in the account at `base`; None if it is another's."""
    account, place = urlsplit(base), urlsplit(url)
    if _site(account) != _site(place) or not place.path.startswith(account.path):
        return None
    return unquote(place.path.removeprefix(account.path))


def _site(place: SplitResult) -> tuple[str, str, int]:
    return place.scheme, place.hostname or "", place.port or _PORTS.get(place.scheme, 0)
