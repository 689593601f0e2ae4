"""What looks at the app's surroundings see: queues, and tokens of its identity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class QueueFacts:
    """What could be seen of a queue; None: not seen.

    duplicate_seconds: 0 where it does not look for duplicates. dead: messages in its dead-letter
    queue, at least. unseen: why not all could be seen.
    """

    name: str
    sessions: bool | None = None
    duplicate_seconds: float | None = None
    lock_seconds: float | None = None
    deliveries_max: int | None = None
    partitioned: bool | None = None
    dead: int | None = None
    may_send: bool | None = None
    may_receive: bool | None = None
    unseen: str = ""


@dataclass(frozen=True)
class TokenFacts:
    """Whose token it is, by which credential, in which tenant, until when."""

    who: str
    credential: str
    tenant: str
    expires: datetime
