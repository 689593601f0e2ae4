"""How a call of a function ended: values, not exceptions, for every listener decides on them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Returned:
    """The function returned; `response` and `body` are for HTTP."""

    response: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Raised:
    """The function raised."""

    error_type: str
    error: str
    details: str = ""


@dataclass(frozen=True)
class Lost:
    """The worker died, or was ended because the function outlived functionTimeout."""

    reason: str


Outcome = Returned | Raised | Lost


@dataclass(frozen=True)
class Call:
    """One call: the function's name, its input, its trigger metadata as {name: (type, value)}."""

    function: str
    source: dict[str, Any]
    metadata: dict[str, tuple[str, Any]] = field(default_factory=dict)
    body: bytes = b""
