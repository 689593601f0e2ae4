"""Queues: the rules of delivery, locks, settlement and dead letters. No sockets, no disk.

Every rule takes the time from the clock it was given and tells the journal what changed. Nothing
here scans all messages to send, lock, settle or expire one.
"""

import heapq
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devstack.servicebus.backlog import Backlog
from devstack.servicebus.context import Consumer, Context, QueueConfig
from devstack.servicebus.errors import NO_MESSAGE, NOT_ALLOWED, LockLost, Refused
from devstack.servicebus.message import Message, State, with_application_properties
from devstack.servicebus.timers import Timer

if TYPE_CHECKING:
    from devstack.servicebus.sessions import Session

DEAD_LETTER_SUFFIX = "/$deadletterqueue"


@dataclass(slots=True, eq=False)
class Lock:
    """A message in somebody's hands. `delivery_id` is for the consumer to use."""

    token: bytes  # a little-endian GUID, which is also the delivery tag
    message: Message
    queue: "Queue"
    consumer: Consumer | None
    until: int
    timer: Timer | None = None
    session: "Session | None" = None
    delivery_id: int = -1


class Queue(Backlog):
    """A queue without sessions; also every dead-letter sub-queue, which has no one of its own."""

    def __init__(
        self, config: QueueConfig, number: int, context: Context, dead_letters: "Queue | None"
    ) -> None:
        super().__init__(config, number, context, sendable=dead_letters is not None)
        self.dead_letters = dead_letters
        self.locks: dict[bytes, Lock] = {}
        self.consumers: OrderedDict[Consumer, None] = OrderedDict()  # those with credit
        self._ready: list[int] = []  # a heap of sequence numbers, some of them stale

    # --- delivery ------------------------------------------------------------------------------

    def subscribe(self, consumer: Consumer) -> None:
        """Let a consumer that has credit take part."""
        self.consumers[consumer] = None
        self._context.wake(self)

    def unsubscribe(self, consumer: Consumer) -> None:
        """Stop delivering to a consumer. Its locks stay until they expire."""
        self.consumers.pop(consumer, None)

    def pump(self) -> None:
        """Deliver what is ready to those with credit, in turn."""
        while self.consumers:
            consumer = next(iter(self.consumers))
            if not consumer.can_take():
                del self.consumers[consumer]
                continue
            message = self._next_ready(self._ready)
            if message is None:
                return
            self.consumers.move_to_end(consumer)
            self._deliver(message, consumer, None)

    def _make_ready(self, message: Message) -> None:
        heapq.heappush(self._ready, message.sequence)
        self._context.wake(self)

    def _next_ready(self, ready: list[int]) -> Message | None:
        message = self._first_ready(ready)
        if message is not None:
            heapq.heappop(ready)
        return message

    def _first_ready(self, ready: list[int]) -> Message | None:
        while ready:
            message = self.messages.get(ready[0])
            if message is not None and message.lock is None and message.state is State.ACTIVE:
                return message
            heapq.heappop(ready)
        return None

    def _deliver(self, message: Message, consumer: Consumer, session: "Session | None") -> None:
        if consumer.settles_on_send:
            self._remove(message)
            consumer.deliver(message, None)
        else:
            consumer.deliver(message, self._lock(message, consumer, session))

    def _lock(self, message: Message, consumer: Consumer | None, session: "Session | None") -> Lock:
        token = self._context.token()
        lock = Lock(token, message, self, consumer, 0, session=session)
        self.locks[token] = message.lock = lock
        self._hold_lock(lock)
        return lock

    def _hold_lock(self, lock: Lock) -> None:
        """Let the lock run until it expires; counted from now."""
        if lock.timer is not None:
            self._context.timers.cancel(lock.timer)
        lock.until = self._context.clock.now() + self.config.lock_ms
        lock.timer = self._context.timers.at(lock.until, self._lock_expired, lock)

    # --- settlement ----------------------------------------------------------------------------

    def lock_of(self, token: bytes) -> Lock:
        """Return the lock with this token. Raises LockLost."""
        lock = self.locks.get(token)
        if lock is None:
            raise LockLost
        return lock

    def renew(self, lock: Lock) -> int:
        """Give a lock its full duration again; return until when."""
        self._require(lock)
        self._hold_lock(lock)
        return lock.until

    def complete(self, lock: Lock) -> None:
        """Delete a locked message. Raises LockLost, as all settlements do."""
        self._unlock(lock)
        self._remove(lock.message)

    def abandon(self, lock: Lock) -> None:
        """Count a failed delivery and make the message available again, or dead-letter it."""
        self._unlock(lock)
        self._failed(lock.message)

    def release(self, lock: Lock) -> None:
        """Make a message available again as if it had not been delivered."""
        self._unlock(lock)
        self._give_back(lock.message)

    def defer(self, lock: Lock) -> None:
        """Set a message aside, to be received by its sequence number only."""
        self._unlock(lock)
        message = lock.message
        message.state = State.DEFERRED
        self.deferred[message.sequence] = message
        self._context.journal.update(self.number, message)

    def dead_letter(self, lock: Lock, reason: str | None, description: str | None) -> None:
        """Move a message to the dead-letter sub-queue."""
        if self.dead_letters is None:
            raise Refused(NOT_ALLOWED, "a dead-letter queue has no dead-letter queue of its own")
        self._unlock(lock)
        self._bury(lock.message, reason, description)

    def _require(self, lock: Lock) -> None:
        if self.locks.get(lock.token) is not lock:
            raise LockLost

    def _unlock(self, lock: Lock) -> None:
        self._require(lock)
        del self.locks[lock.token]
        lock.message.lock = None
        if lock.timer is not None:
            self._context.timers.cancel(lock.timer)

    def _failed(self, message: Message) -> None:
        message.delivery_count += 1
        limit = self.config.delivery_count_max
        if self.dead_letters is not None and message.delivery_count >= limit:
            description = f"Message could not be consumed after {limit} delivery attempts."
            self._bury(message, "MaxDeliveryCountExceeded", description)
            return
        self._context.journal.update(self.number, message)
        self._give_back(message)

    def _give_back(self, message: Message) -> None:
        if message.expires and message.expires <= self._context.clock.now():
            self._expired(message)
        elif message.state is State.ACTIVE:
            self._make_ready(message)

    def _lock_expired(self, lock: Lock) -> None:
        self._unlock(lock)
        if lock.consumer is not None:
            lock.consumer.lost(lock)
        self._failed(lock.message)

    # --- expiry and dead letters ---------------------------------------------------------------

    def _expired(self, message: Message) -> None:
        message.timer = None
        if message.lock is not None:
            return  # looked at again when it is unlocked
        if self.config.dead_letter_on_expiry:
            self._bury(message, "TTLExpiredException", "The message expired and was dead lettered.")
        else:
            self._remove(message)

    def _bury(self, message: Message, reason: str | None, description: str | None) -> None:
        assert self.dead_letters is not None
        self._remove(message)
        why = {"DeadLetterReason": reason, "DeadLetterErrorDescription": description}
        given = {name: text for name, text in why.items() if text is not None}
        if given:
            message.bare = with_application_properties(message.bare, given)
        self.dead_letters.take_dead_letter(message)

    def take_dead_letter(self, message: Message) -> None:
        """Store what the main queue gave up; it keeps its delivery count and never expires."""
        message.origin = message.origin or message.sequence
        message.sequence, message.state = self._next_sequence(), State.ACTIVE
        message.expires, message.ttl = 0, None
        self._store(message)
        self._make_ready(message)

    # --- by sequence number --------------------------------------------------------------------

    def receive_deferred(
        self, sequences: Sequence[int], *, session_id: str | None = None, delete: bool = False
    ) -> list[tuple[Message, Lock | None]]:
        """Lock (or delete) and return deferred messages, all or, raising Refused, none."""
        found = []
        for sequence in dict.fromkeys(sequences):
            message = self.deferred.get(sequence)
            if message is None or message.lock is not None:
                raise Refused(NO_MESSAGE, f"no deferred message has sequence number {sequence}")
            if session_id not in (None, message.session_id):
                raise Refused(NO_MESSAGE, f"session {session_id!r} has no message {sequence}")
            found.append(message)
        if delete:
            for message in found:
                self._remove(message)
            return [(message, None) for message in found]
        return [(message, self._lock(message, None, None)) for message in found]

    @property
    def active(self) -> int:
        """How many messages are neither deferred, scheduled nor locked."""
        waiting = len(self.messages) - len(self.deferred) - len(self.scheduled)
        return waiting - sum(1 for lock in self.locks.values() if not lock.message.state)
