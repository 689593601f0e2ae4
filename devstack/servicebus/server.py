"""The broker: a TCP server around queues and their journal.

Within one turn of the event loop all frames that arrived are handled, then messages are delivered,
then everything is committed at once, and only then does any answer leave.
"""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from pathlib import Path

from devstack.servicebus.connection import Connection
from devstack.servicebus.context import Context, QueueConfig
from devstack.servicebus.entities import DEAD_LETTER_SUFFIX, Queue
from devstack.servicebus.errors import NOT_FOUND, NOT_IMPLEMENTED, ConfigError, Refused
from devstack.servicebus.sessions import SessionQueue
from devstack.servicebus.store import Store
from devstack.servicebus.timers import Clock, Timers

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
_SLEEP_SECONDS_MAX = 30  # wall clocks step (a laptop that slept); timers look at least this often


class Broker:
    """A broker that can be started in any event loop; `connection_string` says where it is."""

    def __init__(
        self, queues: Sequence[QueueConfig], data: Path, *, clock: Clock | None = None
    ) -> None:
        """Open the journal in `data`. Raises JournalInUse, ConfigError, sqlite3.Error."""
        self.container_id = f"devstack-{uuid.uuid4().hex[:12]}"
        self.connections: set[Connection] = set()
        self.dirty: set[Connection] = set()
        self.queues: dict[str, Queue] = {}
        self.failed: asyncio.Event = asyncio.Event()  # the journal cannot be written any more
        self.port = 0
        self._store = Store(data)
        self.context = Context(clock or Clock(), Timers(), self._store, self._wake)
        self._woken: dict[Queue, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._flushing = False
        self._stopped = False
        self._alarm: asyncio.TimerHandle | None = None
        self._server: asyncio.Server | None = None
        try:
            for config in queues:
                self.add(config)
        except BaseException:
            self._store.close()
            raise
        self._report_unknown()

    @property
    def connection_string(self) -> str:
        """What a client needs; the key is made up, tokens are not verified."""
        return (
            f"Endpoint=sb://{HOST}:{self.port};SharedAccessKeyName=RootManageSharedAccessKey;"
            "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
        )

    # --- life ----------------------------------------------------------------------------------

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one."""
        self._loop = asyncio.get_running_loop()
        self._server = await self._loop.create_server(lambda: Connection(self), HOST, port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._schedule_flush()

    async def stop(self) -> None:
        """Close every connection and the journal; harmless when repeated."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.abort()
        while self.connections:
            await asyncio.sleep(0)
        if self._server is not None:
            await self._server.wait_closed()
        if self._alarm is not None:
            self._alarm.cancel()
        self._loop = None
        if self._stopped:
            return
        self._stopped = True
        if self.failed.is_set():
            self._store.abandon()
        else:
            self._store.close()

    # --- queues --------------------------------------------------------------------------------

    def find(self, path: str) -> Queue:
        """Return the queue at a lower-case path. Raises Refused."""
        queue = self.queues.get(path)
        if queue is not None:
            return queue
        if "/subscriptions/" in path:
            raise Refused(NOT_IMPLEMENTED, "topics and subscriptions are not implemented")
        if "$transfer" in path:
            raise Refused(NOT_IMPLEMENTED, "transfer dead-letter queues are not implemented")
        known = ", ".join(sorted(name for name in self.queues if "$" not in name))
        raise Refused(NOT_FOUND, f"no queue is named {path!r}; there are: {known or 'none'}")

    def add(self, config: QueueConfig) -> None:
        """Open a queue and its dead-letter sub-queue, with what the journal kept of them."""
        name = config.name.lower()
        dead_config = QueueConfig(config.name + "/$DeadLetterQueue", lock_ms=config.lock_ms)
        dead_name = name + DEAD_LETTER_SUFFIX
        dead_number, dead_last = self._store.number_of(dead_name)
        dead_letters = Queue(dead_config, dead_number, self.context, None)
        number, last = self._store.number_of(name)
        kind = SessionQueue if config.requires_session else Queue
        queue = kind(config, number, self.context, dead_letters)
        self.queues[name], self.queues[dead_name] = queue, dead_letters
        dead_letters.restore(list(self._store.messages(dead_number)), dead_last)
        self._restore(queue, last)

    def _restore(self, queue: Queue, last_sequence: int) -> None:
        messages = list(self._store.messages(queue.number))
        if queue.config.requires_session and not all(message.session_id for message in messages):
            raise ConfigError(
                [
                    f"queue {queue.config.name!r}: RequiresSession: the data folder holds messages "
                    "without a session; receive them first, or choose another data folder"
                ]
            )
        queue.restore(messages, last_sequence)
        if isinstance(queue, SessionQueue):
            queue.restore_states(self._store.states(queue.number))
        if queue.duplicates is not None:
            for row, key, expires in self._store.seen(queue.number):
                queue.duplicates.restore(row, key, expires)

    def _report_unknown(self) -> None:
        unknown = [name for name in self._store.names() if name not in self.queues]
        if unknown:
            log.warning("queues_not_configured", extra={"queues": unknown})

    # --- the turn ------------------------------------------------------------------------------

    def request_flush(self, connection: Connection) -> None:
        """Have a connection's output sent at the end of this turn."""
        self.dirty.add(connection)
        self._schedule_flush()

    def pump_now(self) -> None:
        """Deliver what can be delivered."""
        while self._woken:
            queue, _ = self._woken.popitem()
            queue.pump()

    def advance_clock(self, milliseconds: int) -> None:
        """Move time forward; what is due then is done before anything else is answered."""
        self.context.clock.advance(milliseconds)
        self._schedule_flush()

    def _wake(self, queue: Queue) -> None:
        self._woken[queue] = None
        self._schedule_flush()

    def _schedule_flush(self) -> None:
        if not self._flushing and self._loop is not None:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _ring(self) -> None:
        self._alarm = None
        self._schedule_flush()

    def _flush(self) -> None:
        try:
            self.context.timers.fire(self.context.clock.now())
            self.pump_now()
            self._flushing = False
            self._store.commit()
        except Exception:  # noqa: BLE001 - whatever it is, disk and memory differ now: answer nobody
            self._give_up()
            return
        dirty, self.dirty = self.dirty, set()
        for connection in dirty:
            connection.flush()
        self._set_alarm()

    def _set_alarm(self) -> None:
        due = self.context.timers.next_due
        if due is None or self._loop is None:
            return
        delay = max(0.0, (due - self.context.clock.now() + 1) / 1000)
        when = self._loop.time() + min(delay, _SLEEP_SECONDS_MAX)
        if self._alarm is not None:
            if self._alarm.when() <= when:
                return
            self._alarm.cancel()
        self._alarm = self._loop.call_at(when, self._ring)

    def _give_up(self) -> None:
        """Close every connection without an answer, and end."""
        remedy = "free disk space if it is full, and start again"
        log.exception("broker_failed", extra={"remedy": remedy})
        for connection in list(self.connections):
            connection.abort()
        self.failed.set()
