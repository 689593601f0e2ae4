"""A receiver on a session: waits for one, holds it, and loses it when its lock expires."""

from typing import TYPE_CHECKING

from devstack.servicebus.amqp_types import Long
from devstack.servicebus.attach_reply import AttachReply
from devstack.servicebus.errors import TIMEOUT, SessionLost
from devstack.servicebus.frames import AmqpError
from devstack.servicebus.links import OutgoingLink
from devstack.servicebus.sessions import Session, SessionQueue
from devstack.servicebus.timers import Timer

if TYPE_CHECKING:
    from devstack.servicebus.channel import Channel

WAIT_MS = 65_000  # how long an attach waits for a session if the client does not say
_TICKS_1970 = 621_355_968_000_000_000  # of 100 ns since the year 1, which .NET counts in
_TICKS_PER_MS = 10_000


class SessionLink(OutgoingLink):
    """An outgoing link whose attach is answered once it has a session."""

    def __init__(
        self, channel: "Channel", handle: int, queue: SessionQueue, reply: AttachReply
    ) -> None:
        super().__init__(channel, handle, queue, settled=reply.settled)
        self._sessions = queue
        self._reply = reply
        self._session: Session | None = None
        self._timer: Timer | None = None

    def accept(self, session_id: str) -> None:
        """Take the named session. Raises Refused if somebody else holds it."""
        self.granted(self._sessions.accept(session_id, self))

    def accept_next(self, wait_ms: int) -> None:
        """Take the next session that is free, or give up after `wait_ms`."""
        context = self.connection.broker.context
        self._timer = context.timers.at(context.clock.now() + wait_ms, self._gave_up, None)
        self._sessions.accept_next(self)

    def granted(self, session: Session) -> None:
        self._stop_timer()
        self._session = session
        ticks = _TICKS_1970 + session.locked_until * _TICKS_PER_MS
        self.connection.write(self._reply.accepted(session.id, Long(ticks)))
        self.resume()

    def session_lost(self, session: Session) -> None:
        self._session = None
        lost = SessionLost(session.id)
        self.channel.close_link(self.handle, AmqpError(lost.condition, lost.description))

    def resume(self) -> None:
        if self.credit > 0 and self._session is not None:
            self._sessions.subscribe_session(self._session)

    def closed(self) -> None:
        self.credit = 0
        self._stop_timer()
        self._sessions.stop_waiting(self)
        session, self._session = self._session, None
        if session is not None:
            self._sessions.release_session(session)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self.connection.broker.context.timers.cancel(self._timer)
            self._timer = None

    def _gave_up(self, _: object) -> None:
        self._timer = None
        self._sessions.stop_waiting(self)
        self.channel.links.pop(self.handle, None)
        error = AmqpError(TIMEOUT, "no session became available in time")
        self.connection.write(self._reply.refused(error))
