"""The messages of a queue: taking them in, duplicates, schedules, and what is kept for how long.

Nothing here knows who receives; `entities` and `sessions` say what happens to a message that is
ready and to one whose time is over.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from devstack.servicebus.context import Context, QueueConfig
from devstack.servicebus.duplicates import DuplicateWindow
from devstack.servicebus.errors import ARGUMENT, NO_MESSAGE, NOT_ALLOWED, QUOTA, Refused
from devstack.servicebus.message import Message, State

ID_CHARACTERS_MAX = 128  # of message and session ids, as in the cloud
SEQUENCE_BLOCK = 1000  # numbers reserved in the journal at a time; a crash skips the unused ones


class Backlog:
    """All messages of one queue by sequence number, which is also their order."""

    def __init__(
        self, config: QueueConfig, number: int, context: Context, *, sendable: bool
    ) -> None:
        self.config = config
        self.number = number
        self.sendable = sendable
        self.messages: dict[int, Message] = {}
        self.deferred: dict[int, Message] = {}
        self.scheduled: dict[int, Message] = {}
        self.size = 0
        self.last_sequence = 0
        self.duplicates: DuplicateWindow | None = None
        if config.duplicate_window_ms is not None:
            self.duplicates = DuplicateWindow(number, config.duplicate_window_ms, context.journal)
        self._context = context
        self._reserved = 0

    def _make_ready(self, message: Message) -> None:
        """Take note that a message can be delivered."""
        raise NotImplementedError

    def _expired(self, message: Message) -> None:
        """Deal with a message whose time to live is over."""
        raise NotImplementedError

    def send(self, messages: Sequence[Message]) -> list[int]:
        """Take all messages or, raising Refused, none; return their sequence numbers.

        A duplicate is taken and forgotten.
        """
        for message in messages:
            self._check(message)
        if self.size + sum(message.size for message in messages) > self.config.bytes_max:
            raise Refused(QUOTA, f"queue {self.config.name!r} is full; receive messages first")
        now = self._context.clock.now()
        return [self._take(message, now) for message in messages]

    def _check(self, message: Message) -> None:
        if not self.sendable:
            raise Refused(NOT_ALLOWED, "a dead-letter queue cannot be sent to")
        if self.config.requires_session and not message.session_id:
            raise Refused(NOT_ALLOWED, f"queue {self.config.name!r} needs a session id")
        for name, value in (("message", message.message_id), ("session", message.session_id)):
            if isinstance(value, str) and len(value) > ID_CHARACTERS_MAX:
                raise Refused(ARGUMENT, f"a {name} id has at most {ID_CHARACTERS_MAX} characters")

    def _take(self, message: Message, now: int) -> int:
        sequence = self._next_sequence()
        if self._is_duplicate(message, now):
            return sequence
        message.sequence = sequence
        if message.scheduled > now:
            message.state, message.enqueued = State.SCHEDULED, message.scheduled
            self._schedule(message)
            self._store(message)
        else:
            self._enqueue(message, now)
        return sequence

    def _is_duplicate(self, message: Message, now: int) -> bool:
        if self.duplicates is None or message.message_id is None:
            return False
        return not self.duplicates.first(message.message_id, now)

    def _schedule(self, message: Message) -> None:
        self.scheduled[message.sequence] = message
        message.timer = self._context.timers.at(message.scheduled, self._due, message)

    def _due(self, message: Message) -> None:
        """Enqueue a scheduled message as if it was sent now; it gets a new sequence number."""
        self._remove(message)
        message.sequence, message.state = self._next_sequence(), State.ACTIVE
        self._enqueue(message, self._context.clock.now())

    def _enqueue(self, message: Message, now: int) -> None:
        message.enqueued = now
        lifetimes = [ttl for ttl in (message.ttl, self.config.ttl_ms) if ttl is not None]
        if lifetimes:
            message.ttl = min(lifetimes)
            message.expires = now + message.ttl
        self._watch_expiry(message)
        self._store(message)
        self._make_ready(message)

    def _store(self, message: Message) -> None:
        self._hold(message)
        self._context.journal.insert(self.number, message)

    def _hold(self, message: Message) -> None:
        self.messages[message.sequence] = message
        self.size += message.size

    def _next_sequence(self) -> int:
        self.last_sequence += 1
        if self.last_sequence > self._reserved:
            self._reserved = self.last_sequence + SEQUENCE_BLOCK
            self._context.journal.reserve(self.number, self._reserved)
        return self.last_sequence

    def cancel_scheduled(self, sequences: Sequence[int]) -> None:
        """Drop scheduled messages, all or, raising Refused, none."""
        for sequence in sequences:
            if sequence not in self.scheduled:
                raise Refused(NO_MESSAGE, f"no scheduled message has sequence number {sequence}")
        for sequence in set(sequences):
            self._remove(self.scheduled[sequence])

    def _watch_expiry(self, message: Message) -> None:
        if message.expires:
            message.timer = self._context.timers.at(message.expires, self._expired, message)

    def _remove(self, message: Message) -> None:
        del self.messages[message.sequence]
        self.deferred.pop(message.sequence, None)
        self.scheduled.pop(message.sequence, None)
        self.size -= message.size
        if message.timer is not None:
            self._context.timers.cancel(message.timer)
            message.timer = None
        self._context.journal.delete(self.number, message.sequence)

    def peek(self, first: int, count: int, session_id: str | None = None) -> list[Message]:
        """Return up to `count` messages from sequence number `first` on, whatever their state."""
        return list(islice(self._from(first, session_id), count))

    def _from(self, first: int, session_id: str | None) -> Iterator[Message]:
        for sequence, message in self.messages.items():
            if sequence >= first and session_id in (None, message.session_id):
                yield message

    def restore(self, messages: Sequence[Message], last_sequence: int) -> None:
        """Take back what the journal kept, in order of sequence number."""
        self.last_sequence = self._reserved = last_sequence
        for message in messages:
            self._hold(message)
            if message.state is State.SCHEDULED:
                self._schedule(message)
                continue
            self._watch_expiry(message)
            if message.state is State.DEFERRED:
                self.deferred[message.sequence] = message
            else:
                self._make_ready(message)
