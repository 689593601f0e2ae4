"""The thread that owns the Service Bus client: it alone opens links, sends and closes.

It takes all parcels that wait at the moment, joins those for one queue into batches, in order, and
settles each parcel with what became of it. A lost connection is opened again for as long as callers
wait; a parcel that its caller has given up is not sent any more.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from azure.servicebus import ServiceBusClient, ServiceBusSender
from azure.servicebus.exceptions import (
    MessageSizeExceededError,
    MessagingEntityDisabledError,
    MessagingEntityNotFoundError,
    ServiceBusAuthenticationError,
    ServiceBusAuthorizationError,
    ServiceBusError,
    ServiceBusQuotaExceededError,
    ServiceBusServerBusyError,
)

from alm.adapters.sdk_message import as_sdk
from alm.domain.errors import AlmError, Denied, Misconfigured, Refused, Unavailable, Unknown
from alm.ports import Outgoing

JOINED_MAX = 100  # parcels in one round; more would only make the first ones wait
LARGE_BYTES = 64 << 10  # a message of this size is looked at by itself: it may be too large
FIRST_PAUSE_SECONDS, PAUSE_SECONDS_MAX = 0.05, 1.0


@dataclass(eq=False)
class Parcel:
    """One caller's messages for one queue, and what became of them."""

    queue: str
    messages: Sequence[Outgoing]
    done: threading.Event = field(default_factory=threading.Event)
    error: AlmError | None = None
    abandoned: bool = False
    _begun: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def settle(self, error: AlmError | None = None) -> None:
        """Tell the caller: accepted, or why not."""
        self.error = error
        self.done.set()

    def begin(self) -> bool:
        """Say whether it may be sent now; from here on it may have been accepted."""
        with self._lock:
            self._begun = self._begun or not self.abandoned
            return not self.abandoned

    def abandon(self) -> bool:
        """Give it up; say whether it may have been accepted."""
        with self._lock:
            self.abandoned = True
            return self._begun


class SenderThread:
    """One client, one sender per queue, one thread that uses them, until it is handed None.

    calling_since: since when it is inside the SDK (of `time.monotonic`). replaced: another thread
    has taken over; this one ends as soon as the SDK lets it.
    """

    def __init__(
        self,
        connect: Callable[[], ServiceBusClient],
        parcels: queue.SimpleQueue[Parcel | None],
    ) -> None:
        self.calling_since: float | None = None
        self.replaced = threading.Event()
        self._connect = connect
        self._parcels = parcels
        self._client: ServiceBusClient | None = None
        self._links: dict[str, ServiceBusSender] = {}
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="service-bus-sender", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        """Say whether it still takes parcels."""
        return self._thread.is_alive()

    def join(self, seconds: float) -> None:
        """Wait for its end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while not (self._ending or self.replaced.is_set()):
            groups: dict[str, list[Parcel]] = {}
            for parcel in self._waiting_now():
                groups.setdefault(parcel.queue, []).append(parcel)
            for name, parcels in groups.items():
                self._deliver(name, parcels)
        self._disconnect()

    def _waiting_now(self) -> list[Parcel]:
        """The parcels that wait at this moment; if there are none, the next one."""
        found: list[Parcel] = []
        parcel = self._parcels.get()
        while parcel is not None:
            found.append(parcel)
            if len(found) == JOINED_MAX:
                return found
            try:
                parcel = self._parcels.get_nowait()
            except queue.Empty:
                return found
        self._ending = True
        return found

    def _deliver(self, name: str, parcels: list[Parcel]) -> None:
        """Send parcels until each is accepted, refused, or given up by its caller."""
        pause = FIRST_PAUSE_SECONDS
        while parcels := [one for one in parcels if not (one.done.is_set() or one.abandoned)]:
            if not self._attempt(name, parcels):
                self.replaced.wait(pause)
                pause = min(2 * pause, PAUSE_SECONDS_MAX)
            if self.replaced.is_set():
                return

    def _attempt(self, name: str, parcels: list[Parcel]) -> bool:
        """Send parcels once; say whether the broker answered, whatever it was."""
        try:
            self._send(name, parcels)
        except (ServiceBusError, OSError) as error:
            answer = answer_of(name, error)
            if answer is None:
                self._disconnect()
            else:
                self._unlink(name)  # the broker answered: links to other queues are as good as ever
            return self._told(name, parcels, answer)
        except AlmError as error:
            settle(parcels, error)
        # the thread must outlive whatever the SDK's internals raise: else nobody sends again
        except Exception as error:  # noqa: BLE001
            self._disconnect()
            settle(parcels, Unknown(f"sending to {name}: {type(error).__name__}"))
        return True

    def _told(self, name: str, parcels: list[Parcel], answer: AlmError | None) -> bool:
        """Tell an answer to all it is meant for; of a message that is refused, find out whose."""
        waiting = [parcel for parcel in parcels if not parcel.done.is_set()]
        if isinstance(answer, Refused) and len(waiting) > 1:
            for parcel in waiting:
                self._deliver(name, [parcel])
        elif answer is not None:
            settle(waiting, answer)
        return answer is not None

    def _send(self, name: str, parcels: list[Parcel]) -> None:
        """Send parcels in as few transfers as they fit into; settle each as soon as it is known."""
        self.calling_since = monotonic()
        try:
            link = self._link(name)
            if len(parcels) == 1 and len(parcels[0].messages) == 1:
                self._send_alone(link, parcels[0])
                return
            load = Load(link)
            for parcel in parcels:
                if not load.takes(parcel):
                    parcel.settle(Refused(f"a message to {name} is larger than the queue takes"))
                elif parcel.begin():
                    load.add(parcel)
            load.send()
        finally:
            self.calling_since = None

    def _send_alone(self, link: ServiceBusSender, parcel: Parcel) -> None:
        """Send one message: a batch of one costs the SDK twice as much."""
        if parcel.begin():
            link.send_messages(as_sdk(parcel.messages[0]))
            parcel.settle()

    def _link(self, name: str) -> ServiceBusSender:
        if self._client is None:
            self._client = self._connected()
        if name not in self._links:
            self._links[name] = self._client.get_queue_sender(name)
            self._links[name].create_message_batch()  # opens it: until here nothing was sent
        return self._links[name]

    def _connected(self) -> ServiceBusClient:
        try:
            return self._connect()
        except ValueError as error:  # its text may quote the key
            raise Misconfigured(
                "the Service Bus connection cannot be read; correct ALM_SERVICEBUS"
            ) from error

    def _unlink(self, name: str) -> None:
        self._close(self._links.pop(name, None))

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        self._links.clear()
        self._close(client)

    def _close(self, one: ServiceBusClient | ServiceBusSender | None) -> None:
        if one is not None:
            self.calling_since = monotonic()
            close(one)
            self.calling_since = None


class Load:
    """What goes over one link: batches, filled in order, each sent when it is full."""

    def __init__(self, link: ServiceBusSender) -> None:
        self._link = link
        self._batch = link.create_message_batch()
        self._inside: list[Parcel] = []  # their last message is in this batch

    def takes(self, parcel: Parcel) -> bool:
        """Whether each message of a parcel can be sent: asked before any of them is."""
        return all(self._fits(one) for one in parcel.messages if len(one.body) > LARGE_BYTES)

    def add(self, parcel: Parcel) -> None:
        for message in parcel.messages:
            self._put(message)
        self._inside.append(parcel)

    def send(self) -> None:
        """Send what is in the batch; then the parcels that end in it are accepted."""
        if len(self._batch):
            self._link.send_messages(self._batch)
        for parcel in self._inside:
            parcel.settle()

    def _put(self, message: Outgoing) -> None:
        ready = as_sdk(message)
        try:
            self._batch.add_message(ready)
        except ValueError:  # it is full
            self.send()
            self._batch, self._inside = self._link.create_message_batch(), []
            self._batch.add_message(ready)

    def _fits(self, message: Outgoing) -> bool:
        try:
            self._link.create_message_batch().add_message(as_sdk(message))
        except ValueError:
            return False
        return True


def settle(parcels: Sequence[Parcel], error: AlmError) -> None:
    """Tell all who were not told yet."""
    for parcel in parcels:
        if not parcel.done.is_set():
            parcel.settle(error)


def answer_of(name: str, error: Exception) -> AlmError | None:
    """What the broker said, in our words; None if it said nothing that settles the matter.

    The SDK has no class of its own for `amqp:not-allowed`, it only quotes it.
    """
    match error:
        case MessageSizeExceededError():
            return Refused(f"a message to {name} is larger than the queue takes")
        case ServiceBusAuthenticationError() | ServiceBusAuthorizationError():
            return Denied(
                f"sending to {name}: {type(error).__name__}; give the app's identity the role "
                "Azure Service Bus Data Sender"
            )
        case MessagingEntityNotFoundError() | MessagingEntityDisabledError():
            return Misconfigured(f"queue {name} does not exist or is disabled; create or enable it")
        case ServiceBusQuotaExceededError() | ServiceBusServerBusyError():
            return Unavailable(f"queue {name} takes no more now ({type(error).__name__})")
        case ServiceBusError() if "amqp:not-allowed" in str(error).lower():
            return Refused(f"queue {name} does not take this message: {error}")
        case _:
            return None


def close(one: ServiceBusClient | ServiceBusSender) -> None:
    try:
        one.close()
    except (ServiceBusError, OSError):
        return
