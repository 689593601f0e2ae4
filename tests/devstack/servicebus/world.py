"""Queues without sockets or disk: a clock that stands still, a journal in memory."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from devstack.servicebus.context import Context, QueueConfig
from devstack.servicebus.encoding import binary, described
from devstack.servicebus.entities import Lock, Queue
from devstack.servicebus.message import DATA, Message, parse
from devstack.servicebus.sections import encode_message
from devstack.servicebus.sessions import Session, SessionQueue
from devstack.servicebus.timers import Clock, Timers


class MemoryJournal:
    """Keeps what a journal on disk would hold, so that tests can compare it with the queue."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], tuple[int, int]] = {}  # state and delivery count
        self.reserved: dict[int, int] = {}
        self.seen: dict[int, str] = {}
        self.states: dict[tuple[int, str], bytes] = {}

    def insert(self, queue: int, message: Message) -> None:
        self.rows[queue, message.sequence] = int(message.state), message.delivery_count

    def update(self, queue: int, message: Message) -> None:
        assert (queue, message.sequence) in self.rows
        self.insert(queue, message)

    def delete(self, queue: int, sequence: int) -> None:
        del self.rows[queue, sequence]

    def reserve(self, queue: int, sequence: int) -> None:
        self.reserved[queue] = sequence

    def remember(self, queue: int, key: str, expires: int) -> int:
        row = max(self.seen, default=0) + 1
        self.seen[row] = key
        return row

    def forget(self, row: int) -> None:
        del self.seen[row]

    def session(self, queue: int, session_id: str, state: bytes | None, updated: int) -> None:
        if state is None:
            self.states.pop((queue, session_id), None)
        else:
            self.states[queue, session_id] = state


class Taker:
    """A consumer with as much credit as the test says."""

    def __init__(self, credit: int = 1, *, settles_on_send: bool = False) -> None:
        self.credit = credit
        self.settles_on_send = settles_on_send
        self.got: list[Message] = []
        self.locks: list[Lock] = []
        self.lost_locks: list[Lock] = []
        self.session: Session | None = None
        self.sessions_lost: list[str] = []

    def can_take(self) -> bool:
        return self.credit > 0

    def deliver(self, message: Message, lock: Lock | None) -> None:
        self.credit -= 1
        self.got.append(message)
        if lock is not None:
            self.locks.append(lock)

    def lost(self, lock: Lock) -> None:
        self.lost_locks.append(lock)

    def granted(self, session: Session) -> None:
        self.session = session

    def session_lost(self, session: Session) -> None:
        self.session = None
        self.sessions_lost.append(session.id)


class World:
    """One queue with its dead-letter sub-queue, and time that moves when told."""

    def __init__(self, **settings: Any) -> None:
        self.seconds = 1_000_000.0
        self.clock = Clock(lambda: self.seconds)
        self.timers = Timers()
        self.journal = MemoryJournal()
        self._woken: dict[Queue, None] = {}
        self.context = Context(self.clock, self.timers, self.journal, self._wake)
        config = replace(QueueConfig("q"), **settings)
        self.dead_letters = Queue(QueueConfig("q/$DeadLetterQueue"), 1, self.context, None)
        kind: Callable[..., Queue] = SessionQueue if config.requires_session else Queue
        self.queue: Any = kind(config, 2, self.context, self.dead_letters)

    def _wake(self, queue: Queue) -> None:
        self._woken[queue] = None

    def settle(self) -> None:
        while self._woken:
            queue, _ = self._woken.popitem()
            queue.pump()

    def send(self, *messages: Message) -> list[int]:
        sequences: list[int] = self.queue.send(messages)
        self.settle()
        return sequences

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.timers.fire(self.clock.now())
        self.settle()

    def take(self, taker: Taker, *, credit: int = 1, queue: Queue | None = None) -> list[Message]:
        """Give a consumer credit and return what it gets."""
        before = len(taker.got)
        taker.credit = credit
        (queue or self.queue).subscribe(taker)
        self.settle()
        return taker.got[before:]

    def take_session(self, taker: Taker, *, credit: int = 1) -> list[Message]:
        """Give the holder of a session credit and return what it gets."""
        before = len(taker.got)
        taker.credit = credit
        self.queue.subscribe_session(taker.session)
        self.settle()
        return taker.got[before:]

    def now_ms(self) -> int:
        return self.clock.now()


def text(body: str, **fields: Any) -> Message:
    """A message as the broker parses it."""
    properties: dict[str, object] = {
        "message_id": fields.pop("message_id", None),
        "group_id": fields.pop("session_id", None),
    }
    message = parse(encode_message(properties, {}, described(DATA, binary(body.encode()))))
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def body_of(message: Message) -> str:
    """The text of a message that `text` made."""
    marker = message.bare.rindex(b"\x00\x53\x75\xa0")
    return message.bare[marker + 5 :].decode()


def bodies(messages: list[Message]) -> list[str]:
    return [body_of(message) for message in messages]
