"""What a queue needs from the world around it, so that its rules run without sockets or disk."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from devstack.servicebus.message import Message
from devstack.servicebus.timers import Clock, Timers

if TYPE_CHECKING:
    from devstack.servicebus.entities import Lock, Queue
    from devstack.servicebus.sessions import Session


class Journal(Protocol):
    """Takes note of every change; what it was told is on disk after the next commit."""

    def insert(self, queue: int, message: Message) -> None: ...
    def update(self, queue: int, message: Message) -> None: ...
    def delete(self, queue: int, sequence: int) -> None: ...
    def reserve(self, queue: int, sequence: int) -> None: ...
    def remember(self, queue: int, key: str, expires: int) -> int: ...
    def forget(self, row: int) -> None: ...
    def session(self, queue: int, session_id: str, state: bytes | None, updated: int) -> None: ...


class Consumer(Protocol):
    """Somebody who takes messages from a queue."""

    settles_on_send: bool  # receive and delete

    def can_take(self) -> bool:
        """Say whether there is credit left, and room to send."""

    def deliver(self, message: Message, lock: "Lock | None") -> None:
        """Send a message on; `lock` is None where it is gone from the queue already."""

    def lost(self, lock: "Lock") -> None:
        """Take note that a lock expired."""

    def granted(self, session: "Session") -> None:
        """Take a session that was waited for."""

    def session_lost(self, session: "Session") -> None:
        """Take note that the session's lock expired."""


_tokens = random.Random()  # seeded by the system: tokens from before a restart never match


def _random_token() -> bytes:
    return _tokens.getrandbits(128).to_bytes(16)


@dataclass(slots=True)
class Context:
    """Clock, timers, journal, lock tokens, and who is told that a queue has something to do."""

    clock: Clock
    timers: Timers
    journal: Journal
    wake: "Callable[[Queue], None]"
    token: Callable[[], bytes] = field(default=_random_token)


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """How one queue behaves. Durations are milliseconds."""

    name: str
    lock_ms: int = 60_000
    delivery_count_max: int = 10
    ttl_ms: int | None = None
    dead_letter_on_expiry: bool = False
    requires_session: bool = False
    duplicate_window_ms: int | None = None  # None: duplicates are not looked for
    bytes_max: int = 1024**3  # the smallest size a queue in the cloud can have
