"""What azure-storage-blob raises, in our words. What the service said may quote a signature: only
its code is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
)

from alm.domain.errors import AlmError, Conflict, Denied, Misconfigured, NotFound, Unavailable
from alm.domain.errors import Unknown as Lost

CONFLICTS = (304, 409, 412)  # 304 and 412: a condition failed; 409: it exists, or is being changed
MIXED_UP = "InvalidBlockList"  # somebody else finished writing the same blob meanwhile
CODE_LENGTH_MAX = 64
SIGN_IN = "give the app a managed identity, or on a laptop sign in with `az login`"
ROLE = "give the app's identity the role Storage Blob Data Contributor"


@contextmanager
def told(doing: str, *, writes: bool = False, when_denied: str = ROLE) -> Iterator[None]:
    """Run one storage call; its failure is told as what `doing` names.

    writes: a lost answer leaves open whether it happened.
    """
    try:
        yield
    except HttpResponseError as error:
        raise _of_status(error, doing, writes, when_denied) from _without_text(error)
    except ServiceRequestError as error:  # nothing was sent
        raise Unavailable(f"{doing}: storage cannot be reached ({_seen(error)})") from error
    except AzureError as error:
        kind: type[AlmError] = Lost if writes else Unavailable
        raise kind(f"{doing}: storage gave no answer ({_seen(error)})") from error


def _of_status(error: HttpResponseError, doing: str, writes: bool, when_denied: str) -> AlmError:
    status = error.status_code or 0
    if isinstance(error, ClientAuthenticationError) and not status:
        return Denied(f"{doing}: no credential gives a token; {SIGN_IN}")
    seen = f"{doing}: storage answered {status} {_code(error)}"
    if isinstance(error, ClientAuthenticationError) or status in (401, 403):
        return Denied(f"{seen}; {when_denied}")
    if status == 404:
        return NotFound(f"{doing}: it does not exist")
    if status in CONFLICTS or _code(error) == MIXED_UP:
        return Conflict(f"{doing}: it changed, or exists already")
    if status in (429, 503):
        return Unavailable(f"{seen}; it is busy")
    if status >= 500 or not status:
        return Lost(seen) if writes else Unavailable(seen)
    return Misconfigured(f"{seen}; check the storage account and its address")


def _code(error: HttpResponseError) -> str:
    """The service's own code (`AuthenticationFailed`), or the meaning of the status."""
    code = getattr(error, "error_code", None)
    text = str(getattr(code, "value", code) or "")
    return text if text.isalpha() and len(text) <= CODE_LENGTH_MAX else str(error.reason or "")


def _without_text(error: HttpResponseError) -> HttpResponseError:
    """The cause as it may be logged: the original shows the answer, which may quote a signature."""
    return type(error)(f"{error.status_code} {_code(error)}")


def _seen(error: AzureError) -> str:
    """What our own transport said, which names no secret; of others only the kind."""
    inner = getattr(error, "inner_exception", None)
    return str(inner) if isinstance(inner, AlmError) else type(error).__name__
