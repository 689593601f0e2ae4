"""What `<queue>/$management` is asked: locks, peeks, schedules, deferred messages, session states.

Each operation takes the map of the request and returns the map of the response.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from devstack.servicebus.amqp_types import Array, CodecError, Long, Timestamp
from devstack.servicebus.entities import Lock, Queue
from devstack.servicebus.errors import (
    ARGUMENT,
    LOCK_LOST,
    NO_MESSAGE,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_IMPLEMENTED,
    SESSION_LOST,
    LockLost,
    Refused,
    SessionLost,
)
from devstack.servicebus.message import parse, render
from devstack.servicebus.sessions import Session, SessionQueue

if TYPE_CHECKING:
    from devstack.servicebus.connection import Connection

PEEK_MAX = 250  # messages per request, and
PEEK_BYTES_MAX = 512 * 1024  # bytes: an answer has to fit into memory and frames
ALL_SESSIONS = 253_402_300_800_000  # "changed after the year 9999" asks for all with content
_STATUS = {LOCK_LOST: 410, SESSION_LOST: 410, NO_MESSAGE: 404, NOT_FOUND: 404}
_STATUS |= {NOT_IMPLEMENTED: 501}
_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: status as in HTTP, and a map."""

    status: int
    description: str
    body: Any = field(default_factory=dict)
    condition: str | None = None

    @classmethod
    def refusal(cls, refusal: Refused) -> "Answer":
        """Return the response to what cannot be done."""
        status = _STATUS.get(refusal.condition, _BAD_REQUEST)
        return cls(status, refusal.description, None, refusal.condition)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, with what its operation needs around it."""

    queue: Queue
    connection: "Connection"
    body: dict[Any, Any]

    def value(self, name: str, kind: type, default: object = ...) -> Any:
        """Return an entry of the map. Raises Refused if it is missing or of another type."""
        value = self.body.get(name, default)
        if value is default and default is not ...:
            return default
        if not isinstance(value, kind):
            raise Refused(ARGUMENT, f"{name!r} is missing or not a {kind.__name__}")
        return value

    def values(self, name: str, kind: type) -> list[Any]:
        """Return an entry that is an array of one type."""
        values = self.value(name, list)
        if not all(isinstance(value, kind) for value in values):
            raise Refused(ARGUMENT, f"{name!r} is an array of {kind.__name__}")
        return list(values)

    def sessions(self) -> SessionQueue:
        """Return the queue as one with sessions."""
        if not isinstance(self.queue, SessionQueue):
            raise Refused(NOT_ALLOWED, f"queue {self.queue.config.name!r} has no sessions")
        return self.queue

    def session(self) -> Session:
        """Return the session that is named, which this connection must hold."""
        name = self.value("session-id", str)
        session = self.sessions().held(name)
        if getattr(session.holder, "connection", None) is not self.connection:
            raise SessionLost(name)
        return session

    def locks(self) -> list[Lock]:
        """Return the locks that are named. Raises LockLost if one is gone."""
        tokens = self.values("lock-tokens", uuid.UUID)
        locks = [self.queue.lock_of(token.bytes_le) for token in tokens]
        if len(set(tokens)) != len(tokens):
            raise LockLost  # the second use of a token finds the lock settled by the first
        return locks


def perform(queue: Queue, connection: "Connection", operation: object, body: object) -> Answer:
    """Do what a request asks. Raises Refused."""
    name = str(operation).removeprefix("com.microsoft:")
    action = _OPERATIONS.get(name)
    if action is None:
        raise Refused(NOT_IMPLEMENTED, f"operation {operation!r} is not implemented")
    if not isinstance(body, dict):
        raise Refused(ARGUMENT, "the body of a request is a map")
    return action(Request(queue, connection, body))


def _renew_lock(request: Request) -> Answer:
    times = [request.queue.renew(lock) for lock in request.locks()]
    return Answer(200, "OK", {"expirations": Array(Timestamp, times)})


def _peek(request: Request) -> Answer:
    first = request.value("from-sequence-number", int)
    count = min(request.value("message-count", int), PEEK_MAX)
    session_id = request.value("session-id", str, None)
    found: list[dict[str, object]] = []
    size = 0
    for message in request.queue.peek(first, max(count, 0), session_id):
        content = render(message)
        size += len(content)
        if found and size > PEEK_BYTES_MAX:
            break
        found.append({"message": content})
    if not found:
        return Answer(204, "No messages", None)
    return Answer(200, "OK", {"messages": found})


def _schedule(request: Request) -> Answer:
    messages = []
    for entry in request.values("messages", dict):
        content = entry.get("message")
        if not isinstance(content, bytes):
            raise Refused(ARGUMENT, "a message to schedule is binary")
        try:
            messages.append(parse(content))
        except CodecError as error:
            raise Refused(ARGUMENT, f"a message to schedule is malformed: {error}") from error
    sequences = request.queue.send(messages)
    return Answer(200, "OK", {"sequence-numbers": Array(Long, sequences)})


def _cancel(request: Request) -> Answer:
    request.queue.cancel_scheduled(request.values("sequence-numbers", int))
    return Answer(200, "OK")


def _receive_deferred(request: Request) -> Answer:
    if isinstance(request.queue, SessionQueue):
        session = request.session()
        session_id: str | None = session.id
    else:
        session_id = None
    found = request.queue.receive_deferred(
        request.values("sequence-numbers", int),
        session_id=session_id,
        delete=request.value("receiver-settle-mode", int, 1) == 0,
    )
    messages: list[dict[str, object]] = []
    for message, lock in found:
        if lock is None:
            messages.append({"lock-token": uuid.UUID(int=0), "message": render(message)})
            continue
        content = render(message, token=lock.token, locked_until=lock.until)
        messages.append({"lock-token": uuid.UUID(bytes_le=lock.token), "message": content})
    return Answer(200, "OK", {"messages": messages})


def _update_disposition(request: Request) -> Answer:
    if request.body.get("properties-to-modify"):
        raise Refused(NOT_IMPLEMENTED, "changing properties while settling is not implemented")
    queue = request.queue
    reason = request.value("deadletter-reason", str, None)
    description = request.value("deadletter-description", str, None)
    actions: dict[str, Callable[[Lock], None]] = {
        "completed": queue.complete,
        "abandoned": queue.abandon,
        "defered": queue.defer,  # spelt so by the protocol
        "suspended": lambda lock: queue.dead_letter(lock, reason, description),
    }
    status = request.value("disposition-status", str)
    if status not in actions:
        raise Refused(NOT_IMPLEMENTED, f"disposition {status!r} is not implemented")
    if status == "suspended" and queue.dead_letters is None:
        raise Refused(NOT_ALLOWED, "a dead-letter queue has no dead-letter queue of its own")
    if isinstance(queue, SessionQueue) and "session-id" in request.body:
        request.session()  # says that the session is lost rather than its message
    for lock in request.locks():
        actions[status](lock)
    return Answer(200, "OK")


def _renew_session(request: Request) -> Answer:
    until = request.sessions().renew_session(request.session())
    return Answer(200, "OK", {"expiration": Timestamp(until)})


def _get_state(request: Request) -> Answer:
    return Answer(200, "OK", {"session-state": request.session().state})


def _set_state(request: Request) -> Answer:
    state = request.value("session-state", bytes, None)
    if state is not None and len(state) > PEEK_BYTES_MAX // 2:
        raise Refused(ARGUMENT, "the state of a session has at most 256 KiB")
    request.sessions().set_state(request.session(), state)
    return Answer(200, "OK")


def _list_sessions(request: Request) -> Answer:
    since = request.value("last-updated-time", int)
    skip, top = request.value("skip", int, 0), request.value("top", int, 100)
    changed_after = None if since >= ALL_SESSIONS else since
    ids = request.sessions().list_sessions(changed_after, max(skip, 0), max(top, 0))
    if not ids:
        return Answer(204, "No sessions", None)
    return Answer(200, "OK", {"skip": skip + len(ids), "sessions-ids": Array(str, ids)})


_OPERATIONS: dict[str, Callable[[Request], Answer]] = {
    "renew-lock": _renew_lock,
    "peek-message": _peek,
    "schedule-message": _schedule,
    "cancel-scheduled-message": _cancel,
    "receive-by-sequence-number": _receive_deferred,
    "update-disposition": _update_disposition,
    "renew-session-lock": _renew_session,
    "get-session-state": _get_state,
    "set-session-state": _set_state,
    "get-message-sessions": _list_sessions,
}
