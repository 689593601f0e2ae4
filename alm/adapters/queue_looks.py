"""Looks at a Service Bus queue for the doctor: what it is, and who may send and receive.

Its properties are asked of the management API, where there is leave (Azure Service Bus Data
Owner). Where there is none, and on brokers that lack that API, links are opened and closed again,
which tells less: whether it is there and has sessions, how long it locks, what died. No message is
taken or sent; on a queue with sessions a session of the doctor's own, which is empty, is held for a
moment.
Source: refusals of links (`amqp:not-allowed`) as the service answers a receiver of the wrong kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.servicebus import ServiceBusClient, ServiceBusSubQueue
from azure.servicebus.exceptions import (
    MessagingEntityNotFoundError,
    ServiceBusAuthenticationError,
    ServiceBusAuthorizationError,
    ServiceBusError,
)
from azure.servicebus.management import ServiceBusAdministrationClient

from alm.domain.errors import AlmError, Denied, NotFound, Unavailable
from alm.domain.looks import QueueFacts

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

OWN_SESSION = "alm-doctor"
PEEKED_MAX = 100
SECONDS_MAX = 20
LOCK_SECONDS_MAX = 330.0  # five minutes is the longest; a broker's clock may be off by a little
EMULATOR = "UseDevelopmentEmulator=true"


class QueueLooks:
    """One namespace. admin: makes a client of the management API; None: there is none."""

    def __init__(
        self,
        connect: Callable[[], ServiceBusClient],
        admin: Callable[[], ServiceBusAdministrationClient] | None,
    ) -> None:
        self._connect = connect
        self._admin = admin

    @classmethod
    def of(cls, text: str, namespace: str, credential: TokenCredential | None) -> QueueLooks:
        ends: dict[str, Any] = {"retry_total": 0}
        if text:
            admin = None if EMULATOR.lower() in text.lower() else _admin_by(text, ends)
            return cls(lambda: ServiceBusClient.from_connection_string(text, **ends), admin)
        assert credential is not None
        return cls(
            lambda: ServiceBusClient(namespace, credential, **ends),
            lambda: ServiceBusAdministrationClient(namespace, credential, **ends),
        )

    def look(self, name: str) -> QueueFacts:
        """Everything that can be seen. Raises NotFound, Denied, Unavailable."""
        facts = QueueFacts(name)
        if self._admin is None:
            facts = replace(facts, unseen="this broker has no management API")
        else:
            try:
                facts = self.properties(name)
            except (Denied, Unavailable) as error:
                facts = replace(facts, unseen=str(error))
        with self._connect() as client:
            return self._tried(client, facts)

    def properties(self, name: str) -> QueueFacts:
        """What the management API tells. Raises NotFound, Denied, Unavailable."""
        assert self._admin is not None, "asked of namespaces that have the API"
        with _told(name), self._admin() as admin:
            queue: Any = admin.get_queue(name, timeout=SECONDS_MAX)
            counts: Any = admin.get_queue_runtime_properties(name, timeout=SECONDS_MAX)
        window = queue.duplicate_detection_history_time_window
        return QueueFacts(
            name,
            sessions=bool(queue.requires_session),
            duplicate_seconds=_seconds(window) if queue.requires_duplicate_detection else 0.0,
            lock_seconds=_seconds(queue.lock_duration),
            deliveries_max=queue.max_delivery_count,
            partitioned=bool(queue.enable_partitioning),
            dead=counts.dead_letter_message_count,
        )

    def _tried(self, client: ServiceBusClient, facts: QueueFacts) -> QueueFacts:
        """Open links as the app does: one to send, one to receive, one to what died."""
        name = facts.name
        facts = _received(client, replace(facts, may_send=_may_send(client, name)))
        if facts.dead is None and facts.may_receive:
            dead = ServiceBusSubQueue.DEAD_LETTER
            with _told(name), client.get_queue_receiver(name, sub_queue=dead) as receiver:
                facts = replace(facts, dead=len(receiver.peek_messages(PEEKED_MAX)))
        return facts


def _received(client: ServiceBusClient, facts: QueueFacts) -> QueueFacts:
    """Open a receiver of either kind; a queue refuses the one that it is not for."""
    name = facts.name
    for session in (OWN_SESSION, None):
        try:
            with _told(name), client.get_queue_receiver(name, session_id=session) as receiver:
                receiver.peek_messages(1)
                lock = receiver.session.locked_until_utc if session else None
        except _WrongKind:
            continue
        except Denied:
            return replace(facts, may_receive=False)
        seconds = facts.lock_seconds if facts.lock_seconds is not None else _left(lock)
        has = facts.sessions if facts.sessions is not None else session is not None
        return replace(facts, may_receive=True, sessions=has, lock_seconds=seconds)
    raise Unavailable(f"queue {name} takes no receiver of either kind; look at the namespace")


def _left(until: datetime | None) -> float | None:
    """How long a lock that was just taken lasts; None if that cannot be told."""
    if until is None:
        return None
    seconds = (until - datetime.now(UTC)).total_seconds()
    return float(round(seconds)) if 0 < seconds <= LOCK_SECONDS_MAX else None


class _WrongKind(AlmError):
    """The queue is not for this kind of receiver."""


def _may_send(client: ServiceBusClient, name: str) -> bool:
    try:
        with _told(name), client.get_queue_sender(name):
            return True
    except Denied:
        return False


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Run calls about a queue; what they raise is told in our words."""
    try:
        yield
    except (ResourceNotFoundError, MessagingEntityNotFoundError) as error:
        raise NotFound(f"queue {name} does not exist") from error
    except (ServiceBusAuthenticationError, ServiceBusAuthorizationError) as error:
        raise Denied(f"queue {name}: {type(error).__name__}") from error
    except HttpResponseError as error:
        kind: type[AlmError] = Denied if error.status_code in (401, 403) else Unavailable
        raise kind(f"the management API answered {error.status_code or 'nothing'}") from error
    except ServiceBusError as error:
        if "amqp:not-allowed" in str(error).lower():
            raise _WrongKind(name) from error
        raise Unavailable(f"queue {name} cannot be reached ({type(error).__name__})") from error
    except (AzureError, OSError, ValueError) as error:  # ValueError: its text may quote the key
        raise Unavailable(f"queue {name} cannot be reached ({type(error).__name__})") from error


def _admin_by(text: str, ends: dict[str, Any]) -> Callable[[], ServiceBusAdministrationClient]:
    return lambda: ServiceBusAdministrationClient.from_connection_string(text, **ends)


def _seconds(span: Any) -> float | None:
    return None if span is None else float(span.total_seconds())
