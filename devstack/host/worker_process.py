"""The host's end of the worker: start it, call functions in it, restart it when it dies.

A call ends in a value: Returned, Raised, or Lost when the worker died under it. A call that
outlives `functionTimeout` ends the whole worker, as in Azure: the other calls in it are lost too.
"""

import asyncio
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.host import frames
from devstack.host.errors import IndexingError
from devstack.host.outcomes import Call, Lost, Outcome, Raised, Returned

_START_SECONDS_MAX = 60.0  # Azure's limit, imports included
_BACK_OFF_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
_END_SECONDS_MAX = 2.0
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class WorkerOptions:
    """Where the app is and what its process gets."""

    app: Path
    environment: Mapping[str, str]
    timeout_seconds: float | None
    verbose: bool = False


class _Link(asyncio.Protocol):
    """One worker's socket: futures by call id."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        self.indexed: asyncio.Future[list[dict[str, Any]]] = (
            asyncio.get_running_loop().create_future()
        )
        self.calls: dict[str, asyncio.Future[Outcome]] = {}
        self._buffer = frames.FrameBuffer()
        self._on_end = on_end
        self.answered = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for header, body in self._buffer.feed(data):
            self._take(header, body)

    def _take(self, header: frames.Header, body: bytes) -> None:
        match header["kind"]:
            case "indexed":
                self.indexed.set_result(header["functions"])
            case "broken":
                self.indexed.set_exception(IndexingError(header["message"], header["details"]))
            case "result":
                self.answered = True
                future = self.calls.pop(header["id"], None)
                if future is not None and not future.done():
                    future.set_result(_outcome(header, body))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.indexed.done():
            self.indexed.set_exception(IndexingError("the worker died while importing the app"))
        self._on_end()

    def send(self, header: frames.Header, body: bytes) -> None:
        assert self.transport is not None
        for chunk in frames.encode(header, body):
            self.transport.write(chunk)


def _outcome(header: frames.Header, body: bytes) -> Outcome:
    if header["ok"]:
        return Returned(header["response"], body)
    return Raised(header["error_type"], header["error"], header["details"])


class WorkerProcess:
    """One worker after another; `ready` is set while one takes calls."""

    def __init__(self, options: WorkerOptions, report: Callable[[str], None]) -> None:
        self._options = options
        self._report = report
        self._link: _Link | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._reason = ""
        self._failures = 0
        self._stopping = False
        self.ready = asyncio.Event()
        self.restarts = 0
        self.descriptions: list[dict[str, Any]] = []

    @property
    def pid(self) -> int | None:
        """The process id of the present worker."""
        return self._process.pid if self._process is not None else None

    @property
    def running(self) -> int:
        """How many calls are under way."""
        return len(self._link.calls) if self._link is not None else 0

    async def start(self) -> list[dict[str, Any]]:
        """Start the worker and return what it indexed. Raises IndexingError."""
        parent, child = socket.socketpair()
        with child:
            self._process = self._spawn(child)
        parent.setblocking(False)
        loop = asyncio.get_running_loop()
        _, link = await loop.create_connection(lambda: _Link(self._ended), sock=parent)
        try:
            descriptions = await asyncio.wait_for(asyncio.shield(link.indexed), _START_SECONDS_MAX)
        except TimeoutError as error:
            self._end_process()
            raise IndexingError(
                f"importing the app took more than {_START_SECONDS_MAX:.0f} s, Azure's limit; "
                "import less"
            ) from error
        self._link = link
        self.descriptions = descriptions
        self.ready.set()
        return descriptions

    def _spawn(self, child: socket.socket) -> subprocess.Popen[bytes]:
        environment = dict(self._options.environment)
        paths = [str(_PACKAGE_ROOT), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        command = [sys.executable, "-m", "devstack.host.worker"]
        command += [str(child.fileno()), str(self._options.app)]
        return subprocess.Popen(
            command + (["verbose"] if self._options.verbose else []),
            cwd=self._options.app,
            env=environment,
            pass_fds=(child.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
        )

    async def call(self, call: Call) -> tuple[str, Outcome]:
        """Call a function once a worker is ready; return the call's id and how it ended."""
        while (link := self._link) is None:
            await self.ready.wait()
        call_id = str(uuid.uuid4())
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        link.calls[call_id] = future
        header = {
            "kind": "invoke",
            "id": call_id,
            "function": call.function,
            "input": call.source,
            "metadata": call.metadata,
            "trace_parent": f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-00",
        }
        limit = self._options.timeout_seconds
        alarm = None if limit is None else loop.call_later(limit, self._outlived, link, call)
        try:
            link.send(header, call.body)
            return call_id, await future
        finally:
            link.calls.pop(call_id, None)
            if alarm is not None:
                alarm.cancel()

    def _outlived(self, link: _Link, call: Call) -> None:
        if link is self._link:
            self._reason = (
                f"function {call.function!r} outlived functionTimeout "
                f"({self._options.timeout_seconds:g} s)"
            )
            self._end_process()

    def _ended(self) -> None:
        """The socket is gone: fail what ran, start the next worker."""
        link, self._link = self._link, None
        self.ready.clear()
        if link is None:
            return  # it never got ready: whoever started it knows
        self._failures = 0 if link.answered else self._failures + 1
        reason = self._reason or "the worker process died"
        self._reason = ""
        for future in list(link.calls.values()):
            if not future.done():
                future.set_result(Lost(reason))
        if not self._stopping:
            self._restarting = asyncio.ensure_future(self._restart(reason))

    async def _restart(self, reason: str) -> None:
        await self._reap()
        while not self._stopping:
            self._report(f"worker restarts: {reason}")
            await asyncio.sleep(_BACK_OFF_SECONDS[min(self._failures, len(_BACK_OFF_SECONDS) - 1)])
            self.restarts += 1
            before = [d["raw_bindings"] for d in self.descriptions]
            try:
                descriptions = await self.start()
            except IndexingError as error:
                self._failures += 1
                reason = f"{error}\n{error.details}".rstrip()
                await self._reap()
                continue
            if [d["raw_bindings"] for d in descriptions] != before:
                self._report("the app's decorators changed; restart the host to apply them")
            return

    def kill(self) -> None:
        """End the present worker at once; the next one starts by itself."""
        self._reason = "it was asked to"
        self._end_process()

    def _end_process(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    async def _reap(self) -> None:
        process = self._process
        if process is None:
            return
        try:
            await asyncio.to_thread(process.wait, _END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    async def drain(self, seconds: float) -> None:
        """Wait until no call is under way, not longer than `seconds`."""
        if self._link is not None and self._link.calls:
            await asyncio.wait(list(self._link.calls.values()), timeout=seconds)

    async def stop(self) -> None:
        """End the worker; calls under way are lost."""
        self._stopping = True
        if self._restarting is not None:
            self._restarting.cancel()
        if self._link is not None and self._link.transport is not None:
            self._link.transport.close()  # the worker ends when its socket does
        await self._reap()
