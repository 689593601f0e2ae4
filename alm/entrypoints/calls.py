"""What goes in and out of the API: calls, orders that were let through, answers. Values only."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alm.bootstrap import App
from alm.domain.errors import Refused
from alm.entrypoints.access import Role

TITLES = {
    400: "Refused",
    401: "Not recognised",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Not as things stand",
    413: "Too large",
    502: "A service refused",
    503: "Not now",
}
ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
RETRY_SECONDS = 5
BODY_BYTES_MAX = 64 << 10  # of an order; scoring calls carry rows
_PLAIN = re.compile(r"[A-Za-z0-9@][A-Za-z0-9@:._-]*")


@dataclass(frozen=True)
class Call:
    """One HTTP request. Header names are in lower case; path has no prefix and no query."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    status: int
    body: object
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {**ALWAYS, **self.extra}

    @property
    def media_type(self) -> str:
        return "application/problem+json" if self.status >= 400 else "application/json"

    @property
    def text(self) -> str:
        return json.dumps(self.body, default=str)


@dataclass(frozen=True)
class Order:
    """A call that was let through: the values of its path, what it asks, and by whom.

    id: names the order; made of the idempotency key where one was given.
    """

    values: Mapping[str, str]
    query: Mapping[str, str]
    document: Mapping[str, Any]
    by: str
    id: str


Handler = Callable[[App, Order], Answer]


@dataclass(frozen=True)
class Route:
    """One line of the API's map. takes: fields of the body, and parameters of the query."""

    method: str
    path: str
    role: Role
    handler: Handler
    takes: tuple[str, ...] = ()
    body_bytes_max: int = BODY_BYTES_MAX

    def match(self, path: str) -> dict[str, str] | None:
        """The values in a path, if it is this route's. Raises Refused for a broken one."""
        return path_values(self.path, path)


def path_values(template: str, path: str) -> dict[str, str] | None:
    """The values in a path that has the form of a template. Raises Refused for a broken one."""
    found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), path)
    return {name: decoded(part) for name, part in found.groupdict().items()} if found else None


def encoded(value: str) -> str:
    """A name as one segment of a path, whatever is in it.

    Hosts decode a path before we see it, and not all in the same way (`%2F` may stay or not): what
    is not plain travels as `~` and base64.
    """
    if _PLAIN.fullmatch(value):
        return value
    return "~" + base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")


def decoded(segment: str) -> str:
    """The name in a segment. One that is percent-encoded came decoded but for its slashes."""
    if not segment.startswith("~"):
        return re.sub("%2f", "/", segment, flags=re.IGNORECASE)
    text = segment[1:]
    try:
        whole = text + "=" * (-len(text) % 4)
        return base64.b64decode(whole, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Refused(
            "a part of the path begins with ~ and is not base64 of UTF-8; percent-encode the name, "
            "or write ~ and its base64url"
        ) from error


def problem(status: int, detail: str, **extra: str) -> Answer:
    """A problem document (RFC 9457): what failed and what to do."""
    document = {"type": "about:blank", "status": status, "title": TITLES.get(status, "Failed")}
    return Answer(status, {**document, "detail": detail}, extra)
