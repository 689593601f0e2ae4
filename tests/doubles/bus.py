"""A bus and a notifier in memory. They record what was sent; nothing is delivered.

bus = MemoryBus(queues=("alm-steps",), duplicate_detection=True)
bus.send([...])
bus.accepted("alm-steps")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from alm.domain.errors import AlmError, Misconfigured, Refused
from alm.ports import InboxItem, Notice, Outgoing, Records
from tests.doubles.faulty import Faulty

MESSAGE_BYTES_MAX = 256 * 1024  # of the Standard tier, which is the smallest


class MemoryBus(Faulty):
    """Records what was sent, in order. See `ports.Bus`.

    queues: the only ones there are; without any, every name is one. duplicate_detection: a message
    whose id the queue had before is accepted and dropped. sent: all that was handed over.
    """

    def __init__(self, queues: Iterable[str] = (), *, duplicate_detection: bool = False) -> None:
        super().__init__()
        self.queues = frozenset(queues)
        self.duplicate_detection = duplicate_detection
        self.sent: list[Outgoing] = []
        self._accepted: dict[str, list[Outgoing]] = {}
        self._ids: set[tuple[str, str]] = set()

    def send(self, messages: Sequence[Outgoing]) -> None:
        self._do("send", lambda: self._send(messages))

    def accepted(self, queue: str) -> list[Outgoing]:
        """What a queue holds, in the order it came."""
        return list(self._accepted.get(queue, ()))

    def _send(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            if self.queues and message.queue not in self.queues:
                raise Misconfigured(f"there is no queue {message.queue}; create it")
            if len(message.body) > MESSAGE_BYTES_MAX:
                raise Refused(f"a message to {message.queue} is larger than the queue takes")
        for message in messages:
            self._accept(message)

    def _accept(self, message: Outgoing) -> None:
        self.sent.append(message)
        seen = (message.queue, message.id)
        if self.duplicate_detection and seen in self._ids:
            return
        self._ids.add(seen)
        self._accepted.setdefault(message.queue, []).append(message)


class MemoryNotifier(Faulty):
    """Records notices; one that cannot be delivered is kept in the inbox. See `ports.Notifier`.

    `fail("deliver", Unavailable("away"))` lets the webhook be away.
    """

    def __init__(self, records: Records | None = None) -> None:
        super().__init__()
        self.records = records
        self.notices: list[Notice] = []
        self.delivered: list[Notice] = []

    def notify(self, notice: Notice) -> None:
        self.notices.append(notice)
        if not notice.webhook:
            return
        try:
            self._do("deliver", lambda: self.delivered.append(notice))
        except AlmError as error:
            self._keep(notice, str(error))

    def _keep(self, notice: Notice, why: str) -> None:
        if self.records is None:
            return
        item = InboxItem(
            id=f"notice:{notice.event}:{notice.model}:{notice.run}:{notice.digest or notice.why}",
            at=notice.at,
            source="notification",
            reason=f"the webhook did not take it: {why}",
            remedy="look at the webhook's address and receiver; then discard this item",
            payload=notice.why,
            model=notice.model,
            run=notice.run,
        )
        try:
            self.records.put_inbox(item)
        except AlmError:
            return


class MemoryWebhook(Faulty):
    """Keeps the events that were posted. See `ports.EventWebhook`; `fail("post", …)` lets it be
    away."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[Mapping[str, object]] = []

    def post(self, event: Mapping[str, object]) -> None:
        self._do("post", lambda: self.posted.append(event))
