"""What can go wrong, one class per decision of the caller.

    AlmError
    ├── Refused         the input is wrong: answer the sender, keep it in the inbox; never retried
    │   └── UnknownModel    no managed model has that name
    ├── Misconfigured   an operator must change a declaration or a service: the run fails
    ├── Denied          the service refused our identity (401, 403): the run fails
    ├── NotFound        the thing named does not exist (404, 204)
    ├── Conflict        somebody else wrote first (412, 409): read again, then decide
    ├── Unavailable     it certainly did not happen, and may later (refused connection, 503): retry
    └── Unknown         it may have happened (timeout, lost answer, 500): look, then retry

Every message names what failed, on what, what was seen and what to do.
"""

from __future__ import annotations


class AlmError(Exception):
    """Base of all errors this project raises on purpose."""


class Refused(AlmError):
    """The input cannot be accepted; `str(error)` tells its sender what to correct."""


class UnknownModel(Refused):
    """No managed model has the name that the input gives."""


class Misconfigured(AlmError):
    """A declaration, or the service it names, must be changed by an operator."""


class Denied(AlmError):
    """The service refused our identity or key."""


class NotFound(AlmError):
    """The named blob, job, endpoint or web service does not exist."""


class Conflict(AlmError):
    """A conditional write lost: the document changed since it was read."""


class Unavailable(AlmError):
    """The effect did not happen; the service may be able to do it later."""


class Unknown(AlmError):
    """The effect may or may not have happened: look before doing it again."""


TRANSIENT = (Unavailable, Unknown)
"""Errors that the engine answers with a retry."""
