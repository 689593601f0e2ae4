"""Sending to Service Bus. See `ports.Bus`.

The SDK's sender is not thread-safe and takes a second to open and close, so one thread of the
process owns it (`sender_thread.py`). Callers hand over their messages and wait until the broker has
accepted them. A thread that is stuck inside the SDK is replaced: its callers were told Unknown, the
next ones are not made to wait for it.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from azure.servicebus import ServiceBusClient

from alm.adapters.sender_thread import Parcel, SenderThread
from alm.domain.errors import AlmError, Misconfigured, Refused, Unavailable, Unknown
from alm.domain.messages import MESSAGE_ID_LENGTH_MAX
from alm.ports import Outgoing

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

ACCEPTED_SECONDS_MAX = 10.0


class ServiceBusBus:
    """Sends for every thread of the process; opens on the first message.

    queues: the only ones that may be sent to. accepted_seconds: how long a caller waits.
    """

    def __init__(
        self,
        connect: Callable[[], ServiceBusClient],
        queues: Iterable[str],
        *,
        accepted_seconds: float = ACCEPTED_SECONDS_MAX,
    ) -> None:
        self._connect = connect
        self._seconds = accepted_seconds
        self._queues = frozenset(queues)
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[Parcel | None] = queue.SimpleQueue()
        self._sender: SenderThread | None = None
        self._inherited: SenderThread | None = None
        mine = weakref.ref(self)
        atexit.register(_on, mine, ServiceBusBus.close)
        if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
            os.register_at_fork(after_in_child=lambda: _on(mine, ServiceBusBus._start_anew))

    @classmethod
    def from_connection_string(
        cls, text: str, queues: Iterable[str], *, accepted_seconds: float = ACCEPTED_SECONDS_MAX
    ) -> ServiceBusBus:
        """For the local stack only: the string holds a shared key."""
        return cls(
            lambda: ServiceBusClient.from_connection_string(text, retry_total=0),
            queues,
            accepted_seconds=accepted_seconds,
        )

    @classmethod
    def from_identity(
        cls, namespace: str, credential: TokenCredential, queues: Iterable[str]
    ) -> ServiceBusBus:
        """Send as `credential` to a namespace such as `name.servicebus.windows.net`."""
        return cls(lambda: ServiceBusClient(namespace, credential, retry_total=0), queues)

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Send all; returns after the broker accepted every one.

        Nothing is sent if a message is Refused (too large, an id over 128 characters) or
        Misconfigured (no such queue). Raises Unavailable if within 10 s nothing can have been
        accepted, Unknown if some may have been, Denied.
        """
        parcels = self._parcels(messages)
        sender = self._working()
        deadline = monotonic() + self._seconds
        for parcel in parcels:
            self._waiting.put(parcel)
        late = [p for p in parcels if not p.done.wait(max(0.0, deadline - monotonic()))]
        if late:
            raise self._given_up(late, sender, others=len(parcels) > len(late))
        for parcel in parcels:
            if parcel.error is not None:
                raise parcel.error

    def close(self) -> None:
        """Send what waits, then close. Harmless to repeat; a later send opens anew."""
        with self._lock:
            sender, self._sender = self._sender, None
        if sender is not None:
            self._waiting.put(None)
            sender.join(self._seconds)

    def _parcels(self, messages: Sequence[Outgoing]) -> list[Parcel]:
        groups: dict[str, list[Outgoing]] = {}
        for message in messages:
            self._check(message)
            groups.setdefault(message.queue, []).append(message)
        return [Parcel(name, group) for name, group in groups.items()]

    def _check(self, message: Outgoing) -> None:
        if message.queue not in self._queues:
            raise Misconfigured(
                f"{message.queue!r} is not a queue that this app sends to "
                f"({', '.join(sorted(self._queues))}); "
                "add it to ALM_REPLY_QUEUES if it is for answers"
            )
        if max(len(message.id), len(message.session or "")) > MESSAGE_ID_LENGTH_MAX:
            raise Refused(
                f"a message to {message.queue} has an id or a session of more than "
                f"{MESSAGE_ID_LENGTH_MAX} characters ({message.id[:40]!r}…); shorten it"
            )

    def _working(self) -> SenderThread:
        with self._lock:
            if self._sender is None or not self._sender.is_alive():
                self._sender = SenderThread(self._connect, self._waiting)
            return self._sender

    def _given_up(self, late: list[Parcel], sender: SenderThread, *, others: bool) -> AlmError:
        """What to tell a caller who has waited long enough."""
        since = sender.calling_since
        if since is not None and monotonic() - since > self._seconds / 2:
            self._replace(sender)
        begun = [parcel.abandon() for parcel in late]
        names = ", ".join(parcel.queue for parcel in late)
        seen = f"the broker did not accept messages to {names} within {self._seconds:g} s"
        if others or any(begun):
            return Unknown(f"{seen}; some may have been accepted")
        return Unavailable(f"{seen}: none was sent; check that the namespace can be reached")

    def _replace(self, stuck: SenderThread) -> None:
        with self._lock:
            if self._sender is stuck:
                self._sender = SenderThread(self._connect, self._waiting)
        stuck.replaced.set()

    def _start_anew(self) -> None:
        """In a child process: what it inherited is the parent's, and is neither used nor closed."""
        self._inherited, self._sender = self._sender, None
        self._lock = threading.Lock()
        self._waiting = queue.SimpleQueue()


def _on(mine: weakref.ref[ServiceBusBus], call: Callable[[ServiceBusBus], None]) -> None:
    bus = mine()
    if bus is not None:
        call(bus)
