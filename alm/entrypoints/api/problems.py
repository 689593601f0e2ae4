"""Problems: what the API answers when it cannot do what is asked (RFC 9457).

Each kind has a section in `docs/errors.md`, which says what to do; its `type` leads there.
"""

from __future__ import annotations

from dataclasses import dataclass

from alm.domain.errors import (
    AlmError,
    Denied,
    Misconfigured,
    NotFound,
    Refused,
    Unavailable,
    Unknown,
    UnknownModel,
)

DOCUMENT = "docs/errors.md"


@dataclass(frozen=True)
class Kind:
    """One kind of problem. name: its section in the document."""

    name: str
    status: int
    title: str

    @property
    def type(self) -> str:
        return f"{DOCUMENT}#{self.name}"


REFUSED = Kind("refused", 400, "Refused")
NOT_RECOGNISED = Kind("not-recognised", 401, "Not recognised")
NOT_ALLOWED = Kind("not-allowed", 403, "Not allowed")
NOT_FOUND = Kind("not-found", 404, "Not found")
UNKNOWN_MODEL = Kind("unknown-model", 404, "No such managed model")
NO_ROUTE = Kind("no-route", 404, "No such call")
WRONG_METHOD = Kind("wrong-method", 405, "Method not allowed")
CONFLICT = Kind("conflict", 409, "Not as things stand")
MISCONFIGURED = Kind("misconfigured", 409, "Declared or set up wrongly")
CHANGED = Kind("changed", 412, "Changed since you looked")
TOO_LARGE = Kind("too-large", 413, "Too large")
NOT_JSON = Kind("not-json", 415, "Not JSON")
KEY_REUSED = Kind("key-reused", 422, "The key belongs to another call")
FAILED = Kind("failed", 500, "The app failed")
DENIED = Kind("denied", 502, "A service refused")
UNAVAILABLE = Kind("unavailable", 503, "Not now")
UNCERTAIN = Kind("uncertain", 503, "Perhaps done")

KINDS = (
    *(REFUSED, NOT_RECOGNISED, NOT_ALLOWED, NOT_FOUND, UNKNOWN_MODEL, NO_ROUTE, WRONG_METHOD),
    *(CONFLICT, MISCONFIGURED, CHANGED, TOO_LARGE, NOT_JSON, KEY_REUSED, FAILED, DENIED),
    *(UNAVAILABLE, UNCERTAIN),
)
_OF: tuple[tuple[type[AlmError], Kind], ...] = (
    (UnknownModel, UNKNOWN_MODEL),
    (NotFound, NOT_FOUND),
    (Refused, REFUSED),
    (Denied, DENIED),
    (Unavailable, UNAVAILABLE),
    (Unknown, UNCERTAIN),
    (Misconfigured, MISCONFIGURED),
    (AlmError, CONFLICT),
)


def kind_of(error: AlmError) -> Kind:
    return next(kind for raised, kind in _OF if isinstance(error, raised))
