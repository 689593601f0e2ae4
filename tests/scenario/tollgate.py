"""Tollgate: the app's way to storage, so that a test can stop it at a call of its choice.

A reverse proxy for plain HTTP. Every call passes, but for those that a test holds: such a call
waits, before storage sees it or after storage did it, until the test lets it go or drops it.
"""

from __future__ import annotations

import re
import threading
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
SECONDS_MAX = 60
NOT_PASSED_ON = ("connection", "keep-alive", "transfer-encoding", "content-length")


class Hold:
    """One call to be held. `caught` is set once it is there."""

    def __init__(self, method: str, path: str, *, after: bool, skip: int) -> None:
        self.after = after
        self.caught = threading.Event()
        self.dropped = False
        self._method = method
        self._path = re.compile(path)
        self._left = skip
        self._ended = threading.Event()

    def __str__(self) -> str:
        return f"{self._method} {self._path.pattern}"

    def takes(self, method: str, path: str) -> bool:
        """Whether this is the call; asked under the tollgate's lock."""
        if self.caught.is_set() or method != self._method or not self._path.search(path):
            return False
        self._left -= 1
        if self._left >= 0:
            return False
        self.caught.set()
        return True

    def wait(self) -> bool:
        """Hold the call; True if it is to go on."""
        self._ended.wait(SECONDS_MAX)
        return not self.dropped

    def let_go(self) -> None:
        self._ended.set()

    def drop(self) -> None:
        """The caller gets no answer; a call held before storage saw it is never made."""
        self.dropped = True
        self._ended.set()


class Tollgate(ThreadingHTTPServer):
    """Listens from the start; `port` is where."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, storage_port: int) -> None:
        super().__init__((HOST, 0), _Passage)
        self.storage_port = storage_port
        self.port = int(self.server_address[1])
        self._holds: list[Hold] = []
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def hold(self, method: str, path: str, *, after: bool = False, skip: int = 0) -> Hold:
        """Hold the first call whose path matches, but for `skip` of them."""
        hold = Hold(method, path, after=after, skip=skip)
        with self._lock:
            self._holds.append(hold)
        return hold

    def held(self, method: str, path: str) -> Hold | None:
        with self._lock:
            return next((hold for hold in self._holds if hold.takes(method, path)), None)

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers that go away are what this is for."""

    def close(self) -> None:
        for hold in self._holds:
            hold.drop()
        self.shutdown()
        self.server_close()


class _Passage(BaseHTTPRequestHandler):
    """One connection of a caller."""

    protocol_version = "HTTP/1.1"
    server: Tollgate

    def _pass(self) -> None:
        hold = self.server.held(self.command, self.path.partition("?")[0])
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if hold is not None and not hold.after and not hold.wait():
            self.close_connection = True
            return
        connection = HTTPConnection(HOST, self.server.storage_port, timeout=SECONDS_MAX)
        try:
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            self.close_connection = True  # as if storage were away: it is
            return
        finally:
            connection.close()
        if hold is not None and hold.after and not hold.wait():
            self.close_connection = True
            return
        self._answer(answer, content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815 - names of the library

    def _answer(self, answer: HTTPResponse, content: bytes) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in NOT_PASSED_ON:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else len(content)
        if answer.status not in (204, 304) and length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the queries hold signatures."""
