"""Answers read piece by piece: deadlines per piece, breaking off, what is left behind."""

from __future__ import annotations

import hashlib
import socket
from time import monotonic
from typing import BinaryIO

import pytest

from alm.adapters.connections import Answer, Connections, Request, Site
from alm.adapters.http import Http
from alm.domain.errors import Misconfigured, Unavailable, Unknown
from tests.unit.studio.raw_server import RawServer, Script, answer, read_request, says

LARGE = bytes(range(256)) * (5 << 12)  # 5 MiB


def opened(connections: Connections, port: int, seconds: float = 5) -> Answer:
    site = Site("http", "127.0.0.1", port)
    return connections.open(Request("GET", site, "/model?sig=canary", {}), 5, seconds)


def content(answer: Answer) -> BinaryIO:
    assert answer.content is not None
    return answer.content


def begins(*pieces: bytes, hold: bool) -> Script:
    """Begin an answer, then close, or hold it open until the client goes."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        for piece in pieces:
            connection.sendall(piece)
        if hold:
            connection.recv(1)

    return script


def test_a_body_is_read_in_pieces_and_its_connection_used_again() -> None:
    connections = Connections()
    with RawServer(says(answer(LARGE))) as server:
        for _ in range(2):
            with content(opened(connections, server.port)) as file:
                digest, pieces = hashlib.sha256(), 0
                while piece := file.read(100_000):
                    digest.update(piece)
                    pieces += 1
            assert digest.digest() == hashlib.sha256(LARGE).digest()
            assert pieces == -(-len(LARGE) // 100_000)
        connections.close()

    assert server.accepted == 1


def test_a_body_in_chunks_is_read_to_its_end() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with RawServer(says(head + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")) as server:
        connections = Connections()
        with content(opened(connections, server.port)) as file:
            assert file.read() == b"hello world"
        connections.close()


def test_a_file_that_is_closed_before_its_end_leaves_no_connection_behind() -> None:
    connections = Connections()
    with RawServer(says(answer(LARGE))) as server:
        for _ in range(2):
            file = content(opened(connections, server.port))
            assert file.read(10) == LARGE[:10]
            file.close()
        connections.close()

    assert server.accepted == 2


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
    ],
)
def test_a_body_that_breaks_off_is_never_taken_for_whole(said: bytes) -> None:
    with RawServer(begins(said, hold=False)) as server:
        file = content(opened(Connections(), server.port))
        with file, pytest.raises(Unavailable, match="broke off") as raised:
            file.read()

    assert "canary" not in str(raised.value)


def test_a_body_that_stands_still_is_given_up() -> None:
    started = monotonic()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    with RawServer(begins(head, hold=True)) as server:
        file = content(opened(Connections(), server.port, seconds=0.2))
        with file, pytest.raises(Unavailable, match="broke off"):
            file.read()

    assert monotonic() - started < 3


def test_a_long_download_may_take_longer_than_one_deadline() -> None:
    def drips(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE))
        connection.settimeout(0.2)
        for start in range(0, len(LARGE), 1 << 20):
            try:
                connection.recv(1)  # waits: nothing comes
            except TimeoutError:
                connection.sendall(LARGE[start : start + (1 << 20)])

    with (
        RawServer(drips) as server,
        content(opened(Connections(), server.port, seconds=0.8)) as file,
    ):
        assert file.read() == LARGE


def test_no_answer_at_all_is_unknown() -> None:
    with RawServer(begins(hold=False)) as server, pytest.raises(Unknown):
        opened(Connections(), server.port)


def test_an_unwanted_answer_is_read_whole_so_that_it_can_be_told() -> None:
    said = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nNo."
    with RawServer(says(said + b"\n")) as server:
        connections = Connections()
        got = opened(connections, server.port)
        opened(connections, server.port)
        connections.close()

    assert (got.status, got.body, got.content) == (404, b"No.\n", None)
    assert server.accepted == 1


def test_only_allowed_hosts_are_read() -> None:
    with pytest.raises(Misconfigured, match="allowed hosts"):
        Http(["studio.test"]).open("https://elsewhere.test/x?sig=canary", headers={})
