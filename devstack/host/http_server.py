"""A small HTTP/1.1 server: keep-alive, chunked requests, bodies up to 100 MB, 127.0.0.1 only.

Each connection is a task of its own, so a slow answer holds up nobody else. Answers are not
streamed. A request that cannot be read is answered with its status and ends the connection.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

ADDRESS = "127.0.0.1"
BODY_BYTES_MAX = 100 * 1024 * 1024  # Azure's limit for a request
_HEAD_BYTES_MAX = 64 * 1024
_IDLE_SECONDS = 75.0
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")
_FORBIDDEN = ("\r", "\n", "\0")


@dataclass(frozen=True)
class Request:
    """One request; header names in lower case, the path still encoded."""

    method: str
    path: str
    query_string: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def query(self) -> dict[str, str]:
        """The query's values; several of one name are joined with commas, as in Azure."""
        values: dict[str, str] = {}
        for name, value in parse_qsl(self.query_string, keep_blank_values=True):
            values[name] = f"{values[name]},{value}" if name in values else value
        return values

    @property
    def url(self) -> str:
        """The whole address as the caller saw it."""
        target = f"{self.path}?{self.query_string}" if self.query_string else self.path
        return f"http://{self.headers.get('host', ADDRESS)}{target}"


@dataclass(frozen=True)
class Response:
    """One answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[Request], Awaitable[Response]]


class _Unreadable(Exception):
    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class HttpServer:
    """Listens once started; hands each request to `handler`."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.busy = 0

    async def start(self, port: int) -> int:
        """Listen on a port (0: a free one) and return it."""
        self._server = await asyncio.start_server(
            self._connected, ADDRESS, port, limit=_HEAD_BYTES_MAX
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def refuse(self) -> None:
        """Take no new connections."""
        if self._server is not None:
            self._server.close()

    async def stop(self) -> None:
        """End everything."""
        self.refuse()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the caller went away
        finally:
            self._connections.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; return whether the connection lives on."""
        head = await _read_head(reader)
        try:
            if isinstance(head, _Unreadable):
                raise head
            request, keep = _parse_head(head)
            body = await _read_body(request, reader, writer)
        except asyncio.LimitOverrunError:
            problem = _Unreadable(HTTPStatus.BAD_REQUEST, "a line of a chunked body is too long")
            await _refuse(problem, writer)
            return False
        except _Unreadable as problem:
            await _refuse(problem, writer)
            return False
        request = Request(request.method, request.path, request.query_string, request.headers, body)
        self.busy += 1
        try:
            response = await self._handler(request)
        finally:
            self.busy -= 1
        writer.write(_encode(response, request.method, keep))
        await writer.drain()
        return keep


async def _refuse(problem: _Unreadable, writer: asyncio.StreamWriter) -> None:
    writer.write(_encode(Response(problem.status, str(problem).encode()), "GET", False))
    await writer.drain()


async def _read_head(reader: asyncio.StreamReader) -> bytes | _Unreadable:
    try:
        return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _IDLE_SECONDS)
    except asyncio.LimitOverrunError:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return _Unreadable(status, f"the headers exceed {_HEAD_BYTES_MAX} bytes")


def _parse_head(head: bytes) -> tuple[Request, bool]:
    """Return the request without its body, and whether the caller wants to go on."""
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise _Unreadable(HTTPStatus.BAD_REQUEST, "not an HTTP/1.1 request")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise _Unreadable(HTTPStatus.BAD_REQUEST, "malformed header")
        name, value = name.lower(), value.strip()
        joint = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{joint}{value}" if name in headers else value
    target = urlsplit(words[1])
    wish = headers.get("connection", "").lower()
    keep = wish != "close" if words[2] == "HTTP/1.1" else wish == "keep-alive"
    return Request(words[0], target.path or "/", target.query, headers), keep


async def _read_body(
    request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bytes:
    encoding = request.headers.get("transfer-encoding", "").lower()
    length = request.headers.get("content-length")
    if encoding and length is not None:
        raise _Unreadable(HTTPStatus.BAD_REQUEST, "both Content-Length and Transfer-Encoding")
    if encoding not in ("", "chunked"):
        raise _Unreadable(HTTPStatus.NOT_IMPLEMENTED, f"Transfer-Encoding {encoding}")
    if length is not None and not length.isdecimal():
        raise _Unreadable(HTTPStatus.BAD_REQUEST, "Content-Length is not a number")
    size = int(length or 0)
    _check_size(size)
    if request.headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return await _read_chunks(reader) if encoding else await reader.readexactly(size)


def _check_size(size: int) -> None:
    if size > BODY_BYTES_MAX:
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        raise _Unreadable(status, f"the body exceeds {BODY_BYTES_MAX} bytes")


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        line = (await reader.readuntil(b"\r\n")).split(b";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(line):
            raise _Unreadable(HTTPStatus.BAD_REQUEST, "malformed chunk")
        size = int(line, 16)
        _check_size(len(body) + size)
        if size == 0:
            break
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
    return bytes(body)


def _encode(response: Response, method: str, keep: bool) -> bytes:
    headers = response.headers
    if any(mark in text for header in headers for text in header for mark in _FORBIDDEN):
        response = Response(500, b"the function returned a header with a line break")
        headers = ()
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    framing = ("content-length", "connection", "transfer-encoding")
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in framing]
    bodiless = response.status in (204, 304) or response.status < 200
    if not bodiless:
        lines.append(f"Content-Length: {len(response.body)}")
    lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
    head = "\r\n".join(lines).encode("latin-1", errors="replace") + b"\r\n\r\n"
    return head if bodiless or method == "HEAD" else head + response.body
