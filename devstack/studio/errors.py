"""Studio's errors: an HTTP status, a code, and details with codes of their own.

The envelope is `{"error": {"code", "message", "details": [{"code", "target", "message"}]}}` for
every interface; Resource Manager uses the same with its own codes. A `StudioError` is an answer,
not a crash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Detail:
    """One thing that is wrong: which, and with what."""

    code: str
    message: str
    target: str = ""

    def document(self) -> dict[str, str]:
        """As it stands in the envelope."""
        return {"code": self.code, "target": self.target, "message": self.message}


class StudioError(Exception):
    """Refuse a request with a status and Studio's error envelope."""

    def __init__(
        self, status: int, code: str, message: str, details: Sequence[Detail] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = tuple(details)

    def document(self) -> Mapping[str, Any]:
        """The envelope."""
        details = [detail.document() for detail in self.details]
        return {"error": {"code": self.code, "message": self.message, "details": details}}


def bad_argument(code: str, message: str, target: str = "") -> StudioError:
    """400 BadArgument: something in the request is wrong."""
    detail = Detail(code, message, target)
    return StudioError(400, "BadArgument", f"Invalid argument provided. {message}", [detail])


def bad_user_argument(code: str, message: str, target: str = "") -> StudioError:
    """400 BadUserArgument: the inputs or parameters do not fit the web service."""
    detail = Detail(code, message, target)
    return StudioError(400, "BadUserArgument", f"Invalid argument provided. {message}", [detail])


def invalid_operation(code: str, message: str) -> StudioError:
    """400 InvalidOperation: it cannot be done in this state."""
    return StudioError(400, "InvalidOperation", message, [Detail(code, message)])


def unauthorized(code: str) -> StudioError:
    """401: the token or key is absent or wrong."""
    message = "The request is not authorized: the Authorization header has no valid token or key."
    return StudioError(401, "Unauthorized", message, [Detail(code, message)])


def not_found(code: str, message: str) -> StudioError:
    """404: the service, endpoint or job does not exist."""
    return StudioError(404, "NotFound", message, [Detail(code, message)])


def internal_error(code: str, message: str) -> StudioError:
    """500 InternalError: the web service itself cannot work."""
    return StudioError(500, "InternalError", message, [Detail(code, message)])


def unavailable(code: str, message: str) -> StudioError:
    """503 ServiceUnavailable: try again later."""
    return StudioError(503, "ServiceUnavailable", message, [Detail(code, message)])
