"""The broker's half of an attach: accepted with both ends echoed, or refused with neither."""

from dataclasses import dataclass
from typing import Any

from devstack.servicebus.amqp_types import Described, Symbol, UByte, UInt, ULong
from devstack.servicebus.frames import ATTACH, SOURCE, TARGET, AmqpError, detach, performative

SESSION_FILTER = Symbol("com.microsoft:session-filter")
LOCKED_UNTIL = Symbol("com.microsoft:locked-until-utc")
_SETTLED = 1


@dataclass(frozen=True, slots=True)
class AttachReply:
    """What the client asked for, and how to answer it."""

    channel: int
    name: str
    handle: int
    client_receives: bool
    sender_mode: int
    receiver_mode: int
    source: str | None
    target: str | None
    message_bytes_max: int

    @property
    def settled(self) -> bool:
        """Whether deliveries are settled as they are sent (receive and delete)."""
        return self.sender_mode == _SETTLED

    def accepted(self, session_id: str | None = None, locked_until: object = None) -> bytes:
        """Return the attach that opens the link."""
        session = session_id is not None
        source = [
            *(self.source, UInt(0), None, None, None, None, None),
            *({SESSION_FILTER: session_id} if session else None, None, None, None),
        ]
        target = [self.target, UInt(0), None, None, None, None, None]
        properties: dict[Any, Any] = {LOCKED_UNTIL: locked_until} if session else {}
        return self._attach(
            Described(ULong(SOURCE), source), Described(ULong(TARGET), target), properties
        )

    def refused(self, error: AmqpError) -> bytes:
        """Return the attach without ends and the detach that says why."""
        return self._attach(None, None, None) + detach(self.channel, self.handle, error)

    def _attach(
        self, source: Described | None, target: Described | None, properties: dict[Any, Any] | None
    ) -> bytes:
        return performative(
            *(self.channel, ATTACH, self.name, UInt(self.handle), not self.client_receives),
            *(UByte(self.sender_mode), UByte(self.receiver_mode), source, target, None, None),
            *(UInt(0) if self.client_receives else None, ULong(self.message_bytes_max)),
            *(None, None, properties),
        )
