"""The worker: one child process that holds the app. Started by the host, never by hand.

Reads calls from a socket, runs plain functions in a thread pool and `async` ones on one event loop,
writes each answer when it is there. When the socket ends, so does the process: no host, no worker.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from devstack.host import arguments, frames, indexing
from devstack.host.errors import IndexingError

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class _Channel:
    """The worker's end of the socket pair."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._socket = socket.socket(fileno=descriptor)
        self._reader: BinaryIO = self._socket.makefile("rb")
        self._sending = threading.Lock()

    def send(self, header: frames.Header, body: bytes = b"") -> None:
        with self._sending:
            for chunk in frames.encode(header, body):
                self._socket.sendall(chunk)

    def receive(self) -> tuple[frames.Header, bytes] | None:
        return frames.read_frame(self._reader)


class _Worker:
    def __init__(self, channel: _Channel, functions: dict[str, indexing.IndexedFunction]) -> None:
        self._channel = channel
        self._functions = functions
        self._threads = ThreadPoolExecutor(_thread_count(), thread_name_prefix="function")
        self._loop: asyncio.AbstractEventLoop | None = None

    def serve(self) -> None:
        """Take calls until the host is gone."""
        while (frame := self._channel.receive()) is not None:
            header, body = frame
            function = self._functions.get(header["function"])
            if function is None:
                self._send_failure(header["id"], LookupError(f"no function {header['function']!r}"))
            elif function.is_async:
                asyncio.run_coroutine_threadsafe(
                    self._run_async(function, header, body), self._event_loop()
                )
            else:
                self._threads.submit(self._run, function, header, body)

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, daemon=True).start()
        return self._loop

    def _run(self, function: indexing.IndexedFunction, header: frames.Header, body: bytes) -> None:
        try:
            result = function.call(**arguments.build(function, header, body))
            self._send_success(header["id"], arguments.answer(function, result))
        except BaseException as error:  # noqa: BLE001 - whatever the app raises is its answer
            self._send_failure(header["id"], error)

    async def _run_async(
        self, function: indexing.IndexedFunction, header: frames.Header, body: bytes
    ) -> None:
        try:
            result = await function.call(**arguments.build(function, header, body))
            self._send_success(header["id"], arguments.answer(function, result))
        except BaseException as error:  # noqa: BLE001 - whatever the app raises is its answer
            self._send_failure(header["id"], error)

    def _send_success(self, call: str, answer: tuple[frames.Header, bytes]) -> None:
        response, body = answer
        self._channel.send({"kind": "result", "id": call, "ok": True, "response": response}, body)

    def _send_failure(self, call: str, error: BaseException) -> None:
        self._channel.send(
            {
                "kind": "result",
                "id": call,
                "ok": False,
                "error_type": type(error).__name__,
                "error": str(error),
                "details": "".join(traceback.format_exception(error)),
            }
        )


def _thread_count() -> int:
    configured = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    return int(configured) if configured.isdecimal() else min(32, (os.cpu_count() or 1) + 4)


def _index(channel: _Channel, directory: Path) -> dict[str, indexing.IndexedFunction] | None:
    try:
        functions = indexing.load(directory)
    except IndexingError as error:
        channel.send({"kind": "broken", "message": str(error), "details": ""})
    except BaseException as error:  # noqa: BLE001 - an import may raise anything; the host prints it
        details = "".join(traceback.format_exception(error))
        message = f"{type(error).__name__}: {error}"
        channel.send({"kind": "broken", "message": message, "details": details})
    else:
        descriptions: list[dict[str, Any]] = [f.description for f in functions.values()]
        channel.send({"kind": "indexed", "functions": descriptions})
        return functions
    return None


def main(descriptor: int, directory: Path, *, verbose: bool) -> None:
    """Index the app in `directory` and serve the host at the other end of `descriptor`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the host's to handle
    logging.basicConfig(level=logging.INFO, format=_LOG_FORMAT, stream=sys.stderr)
    if not verbose:
        logging.getLogger("azure").setLevel(logging.WARNING)  # a line per request and connection
    channel = _Channel(descriptor)
    try:
        functions = _index(channel, directory)
        if functions is not None:
            _Worker(channel, functions).serve()
    except OSError:  # the host is gone in the middle of a sentence
        pass
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # calls that still run must not keep the process


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), verbose=sys.argv[3:] == ["verbose"])
