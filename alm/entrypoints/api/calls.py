"""What goes in and out of the API: calls, orders that were let through, answers. Values only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from pydantic import BaseModel

from alm.bootstrap import App
from alm.domain.errors import Refused
from alm.entrypoints.access import Role
from alm.entrypoints.api.asks import Asked, Nothing
from alm.entrypoints.api.problems import Kind

ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
KEPT = "private, no-cache"  # of what has an ETag: it may be kept, and is asked for each time
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
    """What is answered. seed: of what else its ETag is made, beside its text."""

    status: int
    body: object
    extra: Mapping[str, str] = field(default_factory=dict)
    seed: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {**ALWAYS, **self.extra}

    @property
    def media_type(self) -> str:
        return "application/problem+json" if self.status >= 400 else "application/json"

    @cached_property
    def text(self) -> str:
        return "" if self.status == 304 else json.dumps(self.body, default=str)

    @property
    def etag(self) -> str:
        """A strong one: another text, or another seed, has another."""
        content = f"{self.seed}\n{self.text}".encode()
        return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


T = TypeVar("T", bound=Asked)


@dataclass(frozen=True)
class Order:
    """A call that was let through: the values of its path, what it asks, and by whom.

    id: names the order; made of the idempotency key where one was given. key: that one, or "".
    caller: tells callers of one name apart, as keys are theirs.
    """

    values: Mapping[str, str]
    asked: Asked
    by: str
    id: str
    key: str = ""
    caller: str = ""

    def asks(self, kind: type[T]) -> T:
        """What is asked, as the route says it is."""
        assert isinstance(self.asked, kind)
        return self.asked


Handler = Callable[[App, Order], Answer]
Closing = Callable[[App, Order, datetime | None], None]


@dataclass(frozen=True)
class Route:
    """One line of the API's map.

    answers: the type of the body of a good answer, `statuses` what it may have. takes: parameters
    of the query (GET) or fields of the body. changes: it changes something. closing: the last part
    of a change, done after its answer is on record, and again when the call is repeated; it is
    given the time of that record.
    """

    method: str
    path: str
    role: Role
    handler: Handler
    answers: Any
    takes: type[Asked] = Nothing
    statuses: tuple[int, ...] = (200,)
    body_bytes_max: int = BODY_BYTES_MAX
    changes: bool = False
    closing: Closing | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.takes.model_fields)

    def match(self, path: str) -> dict[str, str] | None:
        """The values in a path, if it is this route's. Raises Refused for a broken one."""
        return path_values(self.path, path)


def path_values(template: str, path: str) -> dict[str, str] | None:
    """The values in a path that has the form of a template. Raises Refused for a broken one."""
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template.replace(".", r"\."))
    found = re.fullmatch(pattern, path)
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


def shown(status: int, value: object, seed: str = "", **extra: str) -> Answer:
    """An answer made of the classes of `answers`."""
    return Answer(status, _plain(value), extra, seed)


def _plain(value: object) -> object:
    match value:
        case BaseModel():
            return value.model_dump(mode="json", by_alias=True)
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case _:
            return value


def problem(kind: Kind, detail: str, more: Mapping[str, str] | None = None, **extra: str) -> Answer:
    """A problem document (RFC 9457): what failed and what to do. more: its other members."""
    document = {"type": kind.type, "status": kind.status, "title": kind.title, "detail": detail}
    return Answer(kind.status, {**document, **(more or {})}, extra)
