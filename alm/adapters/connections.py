"""Connections that are kept open and used again, with a total deadline for each exchange.

The deadline covers connecting, the TLS handshake, sending, and every byte of the answer: a service
that drips one byte a minute does not outlive it. (Looking a name up is the resolver's business and
bounded by its own settings.) An answer longer than allowed is not read to its end.

Why not `requests`: its timeouts start anew with every byte received, and a call costs it 0.41 ms of
CPU, urllib3's pool 0.17 ms, this 0.15 ms; a run makes a dozen calls and may spend 16 ms.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse
from io import BytesIO
from time import monotonic
from typing import BinaryIO, NamedTuple

from alm.adapters.redaction import without_query
from alm.adapters.streams import streamed
from alm.adapters.wire import Wire, dial, seconds_left, tunnel
from alm.domain.errors import Misconfigured, Unavailable, Unknown

IDLE_SECONDS_MAX = 50  # the shortest idle timeout of the front ends we talk to is a minute
IDLE_CONNECTIONS_MAX = 32  # per site: one for each worker thread
ANSWER_BYTES_MAX = 16 << 20  # definitions are up to 3 MB, scored tables a few
CHUNK_BYTES = 1 << 16
OPENED = 200  # the status of an answer whose body is worth streaming


class Site(NamedTuple):
    """Where a connection leads."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_default = self.port == (443 if self.scheme == "https" else 80)
        return f"{self.scheme}://{host}" + ("" if is_default else f":{self.port}")


@dataclass(frozen=True)
class Request:
    """What is asked. `target` is path and query; headers and body may hold secrets."""

    method: str
    site: Site
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    bytes_max: int = ANSWER_BYTES_MAX
    path_is_secret: bool = False

    @property
    def url(self) -> str:
        """Where it goes, as it may be shown: without the query, and without a secret path."""
        return f"{self.site}{'/…' if self.path_is_secret else without_query(self.target)}"


@dataclass(frozen=True)
class Answer:
    """What was answered, whatever the status. Header names are in lower case.

    content: the body of one that is read piece by piece; `body` is then empty.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    request: Request
    content: BinaryIO | None = field(default=None, repr=False)


class Transport:
    """What makes an exchange; tests pass their own.

    Raises Unavailable if the request was certainly not sent, Unknown if it may have been.
    """

    def exchange(self, request: Request, seconds: float) -> Answer:
        raise NotImplementedError

    def open(self, request: Request, seconds: float, piece_seconds: float) -> Answer:
        """An exchange whose body, if its status is 200, is read piece by piece.

        piece_seconds: within which each mebibyte of it must arrive.
        """
        answer = self.exchange(request, seconds)
        if answer.status != OPENED:
            return answer
        return replace(answer, body=b"", content=BytesIO(answer.body))

    def close(self) -> None:
        """Let go of what is kept."""


class Connections(Transport):
    """Keeps connections per site; any number of threads may use it.

    proxy: `host:port` through which TLS sites are reached; the environment is never asked for one.
    tls: makes the TLS settings, once, when the first TLS site is called.
    """

    def __init__(
        self, *, proxy: str = "", tls: Callable[[], ssl.SSLContext] = ssl.create_default_context
    ) -> None:
        self._proxy = proxy
        self._tls_made: ssl.SSLContext | None = None
        self._tls = tls
        self._lock = threading.Lock()
        self._idle: dict[Site, deque[_Connection]] = {}

    def exchange(self, request: Request, seconds: float) -> Answer:
        with self._asked(request, seconds) as (connection, response):
            answer = _answer(response, request, _read(response, request))
        self._give_back(request.site, connection, response)
        return answer

    def open(self, request: Request, seconds: float, piece_seconds: float) -> Answer:
        with self._asked(request, seconds) as (connection, response):
            opened = response.status == OPENED
            answer = _answer(response, request, b"" if opened else _read(response, request))
        if not opened:
            self._give_back(request.site, connection, response)
            return answer
        ended = partial(self._give_back, request.site, connection, response)
        content = streamed(connection.wire, response, request.url, piece_seconds, ended)
        return replace(answer, content=content)

    @contextmanager
    def _asked(
        self, request: Request, seconds: float
    ) -> Iterator[tuple[_Connection, HTTPResponse]]:
        """A connection on which this was asked, and what begins to be answered."""
        deadline = monotonic() + seconds
        connection = self._take(request.site) or self._open(request.site, deadline)
        connection.wire.deadline = deadline
        try:
            connection.request(request.method, request.target, request.body, request.headers)
            with _closed_if_failing(connection.getresponse()) as response:
                yield connection, response
        except (OSError, HTTPException) as error:
            connection.close()
            raise Unknown(
                f"no complete answer from {request.site} within {seconds:g} s "
                f"({_seen(error)}): the request may have taken effect; look before repeating it"
            ) from error
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close what is idle; connections in use are closed when they are given back unusable."""
        for idle in list(self._idle.values()):
            while idle:
                idle.pop().close()

    def _take(self, site: Site) -> _Connection | None:
        idle = self._idle.get(site)
        while idle:
            try:
                connection = idle.pop()
            except IndexError:
                return None
            if connection.is_fresh():
                return connection
            connection.close()
        return None

    def _give_back(self, site: Site, connection: _Connection, response: HTTPResponse) -> None:
        idle = self._idle.setdefault(site, deque())
        is_read = response.isclosed() and not response.will_close
        response.close()
        if not is_read or len(idle) >= IDLE_CONNECTIONS_MAX:
            connection.close()
            return
        connection.idle_since = monotonic()
        idle.append(connection)

    def _open(self, site: Site, deadline: float) -> _Connection:
        try:
            return _Connection(site, self._connect(site, deadline))
        except ssl.SSLCertVerificationError as error:
            raise Misconfigured(
                f"{site} shows a certificate that cannot be verified "
                f"({error.verify_message}); correct the host name, or the trusted authorities"
            ) from error
        except (OSError, HTTPException) as error:
            raise Unavailable(
                f"cannot connect to {site} ({_seen(error)}): nothing was sent; "
                "check that the service runs and that its name resolves"
            ) from error

    def _connect(self, site: Site, deadline: float) -> socket.socket:
        if site.scheme == "http":
            return dial(site.host, site.port, deadline)
        plain = (
            tunnel(self._proxy, site.host, site.port, deadline)
            if self._proxy
            else dial(site.host, site.port, deadline)
        )
        try:
            plain.settimeout(seconds_left(deadline))
            return self._context().wrap_socket(plain, server_hostname=site.host)
        except BaseException:
            plain.close()
            raise

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls_made is None:
                self._tls_made = self._tls()
            return self._tls_made


class _Connection(HTTPConnection):
    """One open connection; it is never reopened."""

    auto_open = 0

    def __init__(self, site: Site, plain: socket.socket) -> None:
        super().__init__(site.host, site.port)
        self.default_port = 443 if site.scheme == "https" else 80
        self.wire = Wire(plain)
        self.sock = self.wire
        self.idle_since = 0.0

    def is_fresh(self) -> bool:
        """Whether it was idle briefly, and the other side neither closed it nor said anything."""
        if self.sock is None or monotonic() - self.idle_since > IDLE_SECONDS_MAX:
            return False
        watch = select.poll()
        watch.register(self.wire.plain, select.POLLIN)
        return not watch.poll(0)


@contextmanager
def _closed_if_failing(response: HTTPResponse) -> Iterator[HTTPResponse]:
    """It keeps the socket open, even of a connection that is closed already."""
    try:
        yield response
    except BaseException:
        response.close()
        raise


def _answer(response: HTTPResponse, request: Request, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body, request)


def _read(response: HTTPResponse, request: Request) -> bytes:
    if response.length is not None and response.length <= request.bytes_max:
        return response.read()
    pieces: list[bytes] = []
    size = 0
    while size <= request.bytes_max and (piece := response.read(CHUNK_BYTES)):
        pieces.append(piece)
        size += len(piece)
    if size > request.bytes_max:
        raise Misconfigured(
            f"{request.method} {request.site} answered more than {request.bytes_max} bytes, "
            "which is not what was asked for; check the URL, or ask for less at once"
        )
    return b"".join(pieces)


def _seen(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
