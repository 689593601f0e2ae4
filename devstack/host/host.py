"""The host: one worker, and a listener for each trigger of the app."""

import asyncio
import contextlib
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path

from devstack.host.admin import Admin
from devstack.host.blobs import BlobFunction, BlobListener
from devstack.host.broker import BrokerConnection, parse_address
from devstack.host.clock import Clock
from devstack.host.errors import ConfigError, StorageError
from devstack.host.functions import (
    BlobTrigger,
    Function,
    HttpTrigger,
    ServiceBusTrigger,
    TimerTrigger,
    read_functions,
)
from devstack.host.host_json import HostOptions, read_host_json
from devstack.host.http_functions import HttpFunction, HttpListener
from devstack.host.http_server import Request, Response
from devstack.host.invoker import Invoker
from devstack.host.keys import Keys, keep_keys
from devstack.host.queues import QueueFunction, QueueListener
from devstack.host.receipts import Receipts
from devstack.host.settings import Settings
from devstack.host.storage import Storage, development_account, parse_connection_string
from devstack.host.timers import ScheduleStatus, TimerFunction, TimerListener
from devstack.host.worker_process import WorkerOptions, WorkerProcess

_CREATE_SECONDS_MAX = 5.0


def report(line: str) -> None:
    """Write one line for the person at the terminal."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@dataclass(frozen=True)
class HostConfig:
    """Where the app is, where the host keeps its own state, and the app's settings."""

    app: Path
    data: Path
    settings: Settings
    verbose: bool = False
    drain_seconds: float = 5.0


class Host:
    """Start it, await `failed`, stop it."""

    def __init__(self, config: HostConfig) -> None:
        self._config = config
        self.options: HostOptions = read_host_json(config.app / "host.json")
        config.data.mkdir(parents=True, exist_ok=True)
        self.keys: Keys = keep_keys(config.data / "keys.json")
        self.clock = Clock()
        self.failed = asyncio.Event()
        self.worker = WorkerProcess(
            WorkerOptions(
                config.app,
                config.settings.values,
                self.options.function_timeout_seconds,
                config.verbose,
            ),
            report,
        )
        self._invoker = Invoker(self.worker, report, verbose=config.verbose)
        self._receipts = Receipts(config.data / "receipts.sqlite")
        self._connections: dict[str, BrokerConnection] = {}
        self._storages: dict[str, Storage] = {}
        self._queues: list[QueueListener] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the worker and all listeners.

        Raises IndexingError if the app cannot be imported, ConfigError if it cannot be hosted.
        """
        functions = read_functions(
            await self.worker.start(), self._config.settings, self.options.route_prefix
        )
        self._check_service_bus(functions)
        self._blobs = self._blob_listener(functions)
        self._http = HttpListener(
            [HttpFunction(f.name, t) for f in functions if isinstance(t := f.trigger, HttpTrigger)],
            self._invoker,
            self.keys,
            homepage=not _is_true(self._config.settings.values, "AzureWebJobsDisableHomepage"),
        )
        self._admin = Admin(functions, self._invoker, self._blobs, self.clock, self.keys)
        await self._create_containers()
        self._listen("blobs", self._blobs.run())
        self._start_queues(functions)
        self._start_timers(functions)

    async def handle(self, request: Request) -> Response:
        """Answer one HTTP request."""
        if self._admin.owns(request.path):
            return await self._admin.handle(request)
        return await self._http.handle(request)

    def _check_service_bus(self, functions: list[Function]) -> None:
        triggers = [t for f in functions if isinstance(t := f.trigger, ServiceBusTrigger)]
        if not triggers:
            return
        options = self.options.service_bus
        if not all(t.auto_complete is not False for t in triggers) or (
            not options.auto_complete_messages
        ):
            raise ConfigError(
                ["autoCompleteMessages is false, but Python functions cannot settle; make it true"]
            )
        limit = self.options.function_timeout_seconds
        if limit is None or limit > options.max_auto_lock_renewal_seconds:
            report(
                "functionTimeout exceeds maxAutoLockRenewalDuration: a long call loses its lock "
                "and its message is delivered again while it still runs"
            )
        if options.max_concurrent_calls_per_session > 1 and any(t.sessions for t in triggers):
            report("maxConcurrentCallsPerSession: the local host serves one message at a time")

    def _blob_listener(self, functions: list[Function]) -> BlobListener:
        return BlobListener(
            [
                BlobFunction(f.name, t, self._storage(t.connection))
                for f in functions
                if isinstance(t := f.trigger, BlobTrigger)
            ],
            self._invoker,
            self._receipts,
            self.options.blobs,
            poison=self._host_storage(),
            report=report,
        )

    def _storage(self, connection: str) -> Storage:
        text = self._config.settings.connection(connection)
        try:
            return self._storages.setdefault(text, Storage(parse_connection_string(text)))
        except ValueError as error:
            raise ConfigError([f"connection {connection!r}: {error}"]) from error

    def _host_storage(self) -> Storage:
        if self._config.settings.values.get("AzureWebJobsStorage"):
            return self._storage("AzureWebJobsStorage")
        return Storage(development_account(10000, 10001))  # asked only when a blob is poison

    async def _create_containers(self) -> None:
        try:
            await asyncio.wait_for(self._blobs.create_containers(), _CREATE_SECONDS_MAX)
        except (StorageError, TimeoutError) as error:
            report(f"blob storage does not answer yet ({error}); trying on")

    def _start_queues(self, functions: list[Function]) -> None:
        for function in functions:
            trigger = function.trigger
            if isinstance(trigger, ServiceBusTrigger):
                listener = QueueListener(
                    QueueFunction(
                        function.name,
                        trigger.queue,
                        trigger.sessions,
                        self._connection(trigger.connection),
                    ),
                    self._invoker,
                    self.options.service_bus,
                    report,
                )
                self._queues.append(listener)
                self._listen(function.name, listener.run())

    def _connection(self, name: str) -> BrokerConnection:
        text = self._config.settings.connection(name)
        if text not in self._connections:
            try:
                host, port = parse_address(text)
            except ValueError as error:
                raise ConfigError([f"connection {name!r}: {error}"]) from error
            self._connections[text] = BrokerConnection(host, port, report)
        return self._connections[text]

    def _start_timers(self, functions: list[Function]) -> None:
        statuses = ScheduleStatus(self._config.data / "timers.json")
        for function in functions:
            if isinstance(function.trigger, TimerTrigger):
                timer = TimerFunction(function.name, function.trigger)
                listener = TimerListener(timer, self._invoker, self.clock, statuses, report)
                self._listen(function.name, listener.run())

    def _listen(self, name: str, listening: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(listening, name=name)
        task.add_done_callback(self._listener_ended)
        self._tasks.append(task)

    def _listener_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            report(f"listener {task.get_name()} broke: {type(error).__name__}: {error}")
            self.failed.set()

    async def stop(self) -> None:
        """Take nothing new, let running calls end, then end the worker."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(q.drain(self._config.drain_seconds) for q in self._queues))
        await self.worker.drain(self._config.drain_seconds)
        for connection in self._connections.values():
            with contextlib.suppress(OSError):
                await connection.close()
        if hasattr(self, "_blobs"):
            await self._blobs.stop()
            self._admin.close()
        await self.worker.stop()
        self._receipts.close()


def _is_true(settings: dict[str, str], name: str) -> bool:
    return settings.get(name, "").lower() == "true"
