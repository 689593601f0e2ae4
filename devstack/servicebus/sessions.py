"""Queues with sessions: messages of one session go to one holder at a time, in order.

The next available session is the unlocked one whose oldest message came first; a heap finds it
without a scan. Whoever waits for one is woken by the message or the release that makes one free.
"""

import heapq
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from devstack.servicebus.context import Consumer, Context, QueueConfig
from devstack.servicebus.entities import Lock, Queue
from devstack.servicebus.errors import SESSION_TAKEN, Refused, SessionLost
from devstack.servicebus.message import Message, State
from devstack.servicebus.timers import Timer


class Session:
    """One session: its messages that are ready, its state, and who holds it."""

    __slots__ = (
        *("count", "holder", "id", "listed", "locked_until", "locks", "ready"),
        *("state", "timer", "updated"),
    )

    def __init__(self, session_id: str) -> None:
        self.id = session_id
        self.ready: list[int] = []  # a heap of sequence numbers, some of them stale
        self.count = 0  # messages, scheduled ones apart
        self.listed = 0  # the sequence number under which it is listed as available
        self.holder: Consumer | None = None
        self.locked_until = 0
        self.locks: dict[Lock, None] = {}
        self.state: bytes | None = None
        self.updated = 0
        self.timer: Timer | None = None


class StoredState(NamedTuple):
    """The state of a session as the journal kept it."""

    session_id: str
    state: bytes
    updated: int


class SessionQueue(Queue):
    """A queue whose messages all belong to sessions."""

    def __init__(
        self, config: QueueConfig, number: int, context: Context, dead_letters: Queue
    ) -> None:
        super().__init__(config, number, context, dead_letters)
        self.sessions: dict[str, Session] = {}
        self.waiting: OrderedDict[Consumer, None] = OrderedDict()  # for any session
        self._available: list[tuple[int, str]] = []  # a heap, some of its entries stale
        self._busy: dict[Session, None] = {}  # held sessions with something to deliver

    # --- accepting and releasing ---------------------------------------------------------------

    def accept(self, session_id: str, consumer: Consumer) -> Session:
        """Lock the named session, which need not have messages. Raises Refused if it is taken."""
        session = self._session(session_id)
        if session.holder is not None:
            raise Refused(SESSION_TAKEN, f"session {session_id!r} is locked by another receiver")
        self._grant(session, consumer)
        return session

    def accept_next(self, consumer: Consumer) -> None:
        """Have `consumer.granted` called as soon as a session with messages is free."""
        self.waiting[consumer] = None
        self._context.wake(self)

    def stop_waiting(self, consumer: Consumer) -> None:
        """Undo `accept_next`."""
        self.waiting.pop(consumer, None)

    def release_session(self, session: Session, *, failed: bool = False) -> None:
        """Give the session up. Its locked messages are free again, counted only if `failed`."""
        session.holder = None
        if session.timer is not None:
            self._context.timers.cancel(session.timer)
        for lock in list(session.locks):
            self._unlock(lock)
            if lock.consumer is not None:
                lock.consumer.lost(lock)
            if failed:
                self._failed(lock.message)
            else:
                self._give_back(lock.message)
        self._busy.pop(session, None)
        self._list(session)
        self._tidy(session)

    def renew_session(self, session: Session) -> int:
        """Give the session's lock its full duration again; return until when."""
        if session.holder is None:
            raise SessionLost(session.id)
        self._hold_session(session)
        return session.locked_until

    def held(self, session_id: str) -> Session:
        """Return a session that is locked by somebody. Raises SessionLost."""
        session = self.sessions.get(session_id)
        if session is None or session.holder is None:
            raise SessionLost(session_id)
        return session

    def set_state(self, session: Session, state: bytes | None) -> None:
        """Store or, with None, clear the state of a session."""
        session.state, session.updated = state, self._context.clock.now()
        self._context.journal.session(self.number, session.id, state, session.updated)

    def list_sessions(self, changed_after: int | None, skip: int, top: int) -> list[str]:
        """Return ids of sessions with messages or state, or of those whose state changed since."""
        if changed_after is None:
            ids = [session.id for session in self.sessions.values() if _has_content(session)]
        else:
            ids = [
                session.id
                for session in self.sessions.values()
                if session.state is not None and session.updated > changed_after
            ]
        return sorted(ids)[skip : skip + top]

    def _grant(self, session: Session, consumer: Consumer) -> None:
        session.holder = consumer
        self._hold_session(session)

    def _hold_session(self, session: Session) -> None:
        if session.timer is not None:
            self._context.timers.cancel(session.timer)
        session.locked_until = self._context.clock.now() + self.config.lock_ms
        session.timer = self._context.timers.at(
            session.locked_until, self._session_expired, session
        )
        for lock in session.locks:
            lock.until = session.locked_until

    def _session_expired(self, session: Session) -> None:
        holder = session.holder
        assert holder is not None
        self.release_session(session, failed=True)
        holder.session_lost(session)

    # --- delivery ------------------------------------------------------------------------------

    def subscribe(self, consumer: Consumer) -> None:
        raise AssertionError("sessions deliver to their holders; use subscribe_session")

    def subscribe_session(self, session: Session) -> None:
        """Deliver to the session's holder, who has credit."""
        self._busy[session] = None
        self._context.wake(self)

    def pump(self) -> None:
        """Hand free sessions to those who wait, then deliver within the held ones."""
        while self.waiting:
            session = self._next_available()
            if session is None:
                break
            consumer, _ = self.waiting.popitem(last=False)
            self._grant(session, consumer)
            consumer.granted(session)
        while self._busy:
            session, _ = self._busy.popitem()
            self._pump_session(session)

    def _pump_session(self, session: Session) -> None:
        holder = session.holder
        while holder is not None and holder.can_take():
            message = self._next_ready(session.ready)
            if message is None:
                return
            self._deliver(message, holder, session)

    def _next_available(self) -> Session | None:
        while self._available:
            sequence, session_id = heapq.heappop(self._available)
            session = self.sessions.get(session_id)
            if session is None or session.listed != sequence:
                continue
            session.listed = 0
            if session.holder is None and self._first_ready(session.ready) is not None:
                if session.ready[0] == sequence:
                    return session
                self._list(session)
        return None

    def _make_ready(self, message: Message) -> None:
        session = self._session_of(message)
        heapq.heappush(session.ready, message.sequence)
        if session.holder is not None:
            self.subscribe_session(session)
        elif not session.listed or message.sequence < session.listed:
            self._list(session)

    def _list(self, session: Session) -> None:
        """Enter a free session with messages into the heap, once per head."""
        if self._first_ready(session.ready) is None:
            return
        if session.listed != session.ready[0]:
            session.listed = session.ready[0]
            heapq.heappush(self._available, (session.listed, session.id))
        self._context.wake(self)

    # --- what belongs to a session -------------------------------------------------------------

    def _session(self, session_id: str) -> Session:
        session = self.sessions.get(session_id)
        if session is None:
            session = self.sessions[session_id] = Session(session_id)
        return session

    def _session_of(self, message: Message) -> Session:
        assert message.session_id
        return self._session(message.session_id)

    def _hold(self, message: Message) -> None:
        super()._hold(message)
        if message.state is not State.SCHEDULED:
            self._session_of(message).count += 1

    def _remove(self, message: Message) -> None:
        super()._remove(message)
        if message.state is not State.SCHEDULED:
            session = self._session_of(message)
            session.count -= 1
            self._tidy(session)

    def _tidy(self, session: Session) -> None:
        if session.holder is None and not session.locks and not _has_content(session):
            self.sessions.pop(session.id, None)

    def _hold_lock(self, lock: Lock) -> None:
        session = lock.session
        if session is None:  # a deferred message, locked by its sequence number
            session = lock.session = self._session_of(lock.message)
        session.locks[lock] = None
        lock.until = session.locked_until

    def _unlock(self, lock: Lock) -> None:
        super()._unlock(lock)
        assert lock.session is not None
        lock.session.locks.pop(lock, None)

    def renew(self, lock: Lock) -> int:
        """Renew the session's lock, which is the message's too."""
        self._require(lock)
        assert lock.session is not None
        return self.renew_session(lock.session)

    def restore_states(self, states: Sequence[StoredState]) -> None:
        """Take back the states that the journal kept."""
        for session_id, state, updated in states:
            session = self._session(session_id)
            session.state, session.updated = state, updated


def _has_content(session: Session) -> bool:
    return session.count > 0 or session.state is not None
