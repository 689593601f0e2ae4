"""One socket with a deadline that covers every byte sent and received, and how to open one."""

from __future__ import annotations

import io
import socket
from http.client import HTTPException, HTTPResponse
from time import monotonic


class Wire:
    """A socket as `http.client` uses one, that gives up at `deadline`."""

    def __init__(self, plain: socket.socket) -> None:
        self.plain = plain
        self.deadline = 0.0

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self.plain.settimeout(seconds_left(self.deadline))
            rest = rest[self.plain.send(rest) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(Reader(self))

    def close(self) -> None:
        self.plain.close()


class Reader(io.RawIOBase):
    """The receiving side of a wire. It keeps the socket open until it is closed itself."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._raw = wire.plain.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        self._wire.plain.settimeout(seconds_left(self._wire.deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def dial(host: str, port: int, deadline: float) -> socket.socket:
    """Connect to the first address that answers; all of them share the deadline."""
    failure: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(seconds_left(deadline))
            plain.connect(address)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return plain
        except OSError as error:
            plain.close()
            failure = error
    raise failure


def tunnel(proxy: str, host: str, port: int, deadline: float) -> socket.socket:
    """Connect to a host through `proxy` (`host:port`)."""
    proxy_host, _, proxy_port = proxy.rpartition(":")
    wire = Wire(dial(proxy_host, int(proxy_port), deadline))
    wire.deadline = deadline
    authority = f"{host}:{port}"
    try:
        wire.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode("ascii"))
        response = HTTPResponse(wire, method="CONNECT")  # type: ignore[arg-type]
        response.begin()
        response.close()
        if response.status != 200:
            raise HTTPException(f"proxy {proxy} answered {response.status} to CONNECT {authority}")
        return wire.plain
    except BaseException:
        wire.close()
        raise


def seconds_left(deadline: float) -> float:
    """Raises TimeoutError if there are none."""
    seconds = deadline - monotonic()
    if seconds <= 0:
        raise TimeoutError("the deadline has passed")
    return seconds
