"""What the broker says no with.

Refused          a request that cannot be done: condition and description go to the client
  LockLost       the message lock is gone: expired, settled before, or lost in a restart
  SessionLost    the session lock is gone
ConfigError      the configuration file is wrong; lists every mistake
JournalInUse     another broker has this data folder open
"""

ARGUMENT = "com.microsoft:argument-error"
INTERNAL = "amqp:internal-error"
LINK_SIZE = "amqp:link:message-size-exceeded"
LOCK_LOST = "com.microsoft:message-lock-lost"
NOT_ALLOWED = "amqp:not-allowed"
NOT_FOUND = "amqp:not-found"
NOT_IMPLEMENTED = "amqp:not-implemented"
NO_MESSAGE = "com.microsoft:message-not-found"
QUOTA = "amqp:resource-limit-exceeded"
SESSION_LOST = "com.microsoft:session-lock-lost"
SESSION_TAKEN = "com.microsoft:session-cannot-be-locked"
TIMEOUT = "com.microsoft:timeout"


class Refused(Exception):
    """A request that cannot be done; `condition` is the protocol's word for why."""

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(f"{condition}: {description}")
        self.condition = condition
        self.description = description


class LockLost(Refused):
    """The lock on a message is gone."""

    def __init__(
        self,
        description: str = "the lock is no longer held: it expired or the message was settled",
        condition: str = LOCK_LOST,
    ) -> None:
        super().__init__(condition, description)


class SessionLost(LockLost):
    """The lock on a session is gone, and with it those on its messages."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"the lock on session {session_id!r} is no longer held", SESSION_LOST)


class NoSession(Refused):
    """No session became available in time."""

    def __init__(self) -> None:
        super().__init__(TIMEOUT, "no session became available in time")


class ConnectionLost(Exception):
    """The connection to the broker is gone; what was asked may or may not have happened."""


class ConfigError(Exception):
    """The configuration cannot be used; `mistakes` lists all that is wrong with it."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class JournalInUse(Exception):
    """Another broker has this data folder open."""
