"""A small HTTP/1.1 server: requests and answers as values, routes as a table, keep-alive.

Nothing here knows Studio. Handlers run on a thread per connection; whatever a handler raises that
is not a StudioError is answered with 500 and its envelope, never with a traceback.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from devstack.studio.errors import Detail, StudioError, bad_argument, internal_error

log = logging.getLogger(__name__)

# RRS payloads and definitions; blobs are read as streams with a limit of their own.
BODY_BYTES_MAX = 16 * 1024 * 1024

METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"})

# A connection that says nothing for this long is closed.
IDLE_SECONDS_MAX = 120


@dataclass
class Request:
    """What was asked. `parts` holds what the route's pattern named."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    stream: BufferedIOBase
    length: int
    raw_path: str = ""
    raw_query: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    unread: int = 0
    effects: frozenset[str] = frozenset()
    notes: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """A header's value, "" when it is not there."""
        return self.headers.get(name.lower(), "")

    def body(self) -> bytes:
        """All of the body; raises 413 when it is larger than Studio takes."""
        if self.length > BODY_BYTES_MAX:
            message = f"The request has {self.length} bytes, at most {BODY_BYTES_MAX} are taken."
            raise StudioError(413, "BadArgument", message, [Detail("RequestBodyInvalid", message)])
        return self.read(self.length)

    def read(self, size: int) -> bytes:
        """Up to `size` more bytes of the body."""
        content = self.stream.read(min(size, self.unread))
        self.unread -= len(content)
        return content

    def json(self) -> Any:
        """The body as JSON; raises BadArgument when it is empty or not JSON."""
        content = self.body()
        if not content.strip():
            raise bad_argument("RequestIsEmpty", "The request has no body.")
        try:
            return json.loads(content.decode("utf-8-sig"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise bad_argument("RequestBodyInvalid", f"The body is not JSON: {error}") from error

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object."""
        document = self.json()
        if not isinstance(document, dict):
            raise bad_argument("RequestBodyInvalid", "The body is not a JSON object.")
        return document

    def bearer(self) -> str:
        """The token of the Authorization header, "" when there is none."""
        scheme, _, token = self.header("authorization").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


@dataclass
class Response:
    """What is answered. A body of a type other than bytes is written as JSON."""

    status: int = 200
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    content_type: str = "application/json; charset=utf-8"
    send_file: Callable[[BufferedIOBase], None] | None = None
    file_bytes: int = 0

    def body(self) -> bytes:
        """The bytes to send, when they are not streamed."""
        if self.content is not None:
            return self.content
        return b"" if self.document is None else json.dumps(self.document).encode()


Handler = Callable[[Request], Response]


class DropConnection(Exception):
    """End the connection without an answer."""


@dataclass(frozen=True)
class Route:
    """A method and a pattern such as `/workspaces/{ws}/webservices`, matched without case."""

    method: str
    pattern: str
    handler: Handler
    name: str = ""


class Router:
    """Finds the route of a request. Each `{part}` matches one non-empty path segment."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [(_compiled(route.pattern), route) for route in routes]

    def find(self, request: Request) -> Route:
        """The route, with the request's parts filled in; raises 404 or 405."""
        other_method = False
        for pattern, route in self._routes:
            match = pattern.fullmatch(request.path)
            if match and route.method in (request.method, "*"):
                request.parts = match.groupdict()
                return route
            other_method = other_method or match is not None
        if other_method:
            raise StudioError(405, "MethodNotAllowed", f"{request.method} is not possible here.")
        raise StudioError(404, "NotFound", "There is no such address.")


def _compiled(pattern: str) -> re.Pattern[str]:
    names = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(pattern))
    rest = re.sub(r"\\\{(\w+):rest\\\}", r"(?P<\1>.*)", names)
    return re.compile(rest + "/?", re.IGNORECASE)


class WebServer:
    """Listens on 127.0.0.1, answers with `answer`; start and stop it once each."""

    def __init__(self, port: int, answer: Handler) -> None:
        self._server = _Server(("127.0.0.1", port), _handler(answer))
        self.port = int(self._server.server_address[1])
        serve = partial(self._server.serve_forever, poll_interval=0.05)
        self._thread = threading.Thread(target=serve, name="studio-http", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and close every connection."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.close_connections()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    # Forty jobs and a hundred callers may connect at once.
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("connection_ended", exc_info=True)

    def close_connections(self) -> None:
        with self._lock:
            sockets = list(self._open)
        for connection in sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("connection_was_closed")


def _handler(answer: Handler) -> type[BaseHTTPRequestHandler]:
    class Connection(_Connection):
        respond = staticmethod(answer)

    return Connection


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "LocalStudio"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_SECONDS_MAX
    respond: Handler

    def _answer(self) -> None:
        request = self._request()
        try:
            response = self._checked_response(request)
        except DropConnection:
            self.close_connection = True
            return
        if request.unread:
            self.close_connection = True
        self._send(request, response)

    def __getattr__(self, name: str) -> object:
        """The base class asks for `do_{METHOD}`; every method of METHODS has the same answer."""
        if name.removeprefix("do_") in METHODS:
            return self._answer
        raise AttributeError(name)

    def _request(self) -> Request:
        url = urlsplit(self.path)
        length = self.headers.get("content-length", "0")
        size = int(length) if length.isascii() and length.isdigit() else 0
        return Request(
            method=self.command,
            path=unquote(url.path, errors="replace"),
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            stream=self.rfile,
            length=size,
            raw_path=url.path,
            raw_query=url.query,
            unread=size,
        )

    def _checked_response(self, request: Request) -> Response:
        try:
            if request.header("transfer-encoding"):
                self.close_connection = True
                raise StudioError(411, "BadArgument", "Send a Content-Length.")
            return type(self).respond(request)
        except StudioError as error:
            return Response(error.status, error.document())
        except (DropConnection, ConnectionError):
            raise
        except Exception:
            log.exception("request_failed", extra={"path": request.path})
            failure = internal_error("UnknownError", "Local Studio could not handle the request.")
            return Response(failure.status, failure.document())

    def _send(self, request: Request, response: Response) -> None:
        body = response.body()
        length = response.file_bytes if response.send_file else len(body)
        self.send_response(response.status)
        self.send_header("x-ms-request-id", str(uuid.uuid4()))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if body or response.send_file:
            self.send_header("Content-Type", response.content_type)
        if response.status not in (204, 304) and "Content-Length" not in response.headers:
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if request.method != "HEAD" and response.status not in (204, 304):
            if response.send_file:
                response.send_file(self.wfile)
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        log.debug("http", extra={"request": format % args})
