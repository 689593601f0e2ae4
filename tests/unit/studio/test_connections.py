"""Connections over real sockets: reuse, deadlines, and whether a failed call was sent."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from alm.adapters.connections import Answer, Connections, Request, Site
from alm.domain.errors import Misconfigured, Unavailable, Unknown
from tests.unit.studio.raw_server import RawServer, answer, read_request, says

OK = answer(b"{}")


def ask(
    connections: Connections,
    port: int,
    *,
    method: str = "GET",
    seconds: float = 5,
    bytes_max: int = 1 << 20,
    scheme: str = "http",
) -> Answer:
    site = Site(scheme, "127.0.0.1", port)
    headers = {"Authorization": "Bearer key-0123456789"}
    return connections.exchange(Request(method, site, "/a?b=c", headers, None, bytes_max), seconds)


@pytest.fixture
def connections() -> Connections:
    return Connections()


def test_an_answer_has_status_headers_in_lower_case_and_body(connections: Connections) -> None:
    with RawServer(says(answer(b"hello", b"X-Ms-Request-Id: 7"))) as server:
        got = ask(connections, server.port)
        connections.close()

    assert (got.status, got.headers["x-ms-request-id"], got.body) == (200, "7", b"hello")
    assert got.request.url == f"http://127.0.0.1:{server.port}/a"


def test_a_connection_is_used_again(connections: Connections) -> None:
    with RawServer(says(OK)) as server:
        for _ in range(5):
            ask(connections, server.port)
        connections.close()

    assert server.accepted == 1


def test_a_connection_that_the_service_closed_meanwhile_is_not_used_again(
    connections: Connections,
) -> None:
    with RawServer(says(OK, every_request=False)) as server:
        ask(connections, server.port)
        server._threads[-1].join(5)  # the service has closed by then
        again = ask(connections, server.port)
        connections.close()

    assert (again.status, server.accepted) == (200, 2)


def test_a_service_that_says_close_is_believed(connections: Connections) -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall there is"
    with RawServer(says(closing, every_request=False)) as server:
        bodies = [ask(connections, server.port).body for _ in range(2)]

    assert (bodies, server.accepted) == ([b"all there is"] * 2, 2)


def test_chunks_are_put_together(connections: Connections) -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    with RawServer(says(chunked)) as server:
        bodies = [ask(connections, server.port).body for _ in range(2)]
        connections.close()

    assert (bodies, server.accepted) == ([b"abcde"] * 2, 1)


def test_many_threads_share_the_connections(connections: Connections) -> None:
    with RawServer(says(OK)) as server:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ask(connections, server.port).status, range(200)))
        connections.close()

    assert answers == [200] * 200
    assert server.accepted <= 8


def test_a_refused_connection_was_not_sent(connections: Connections) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(Unavailable, match="nothing was sent"):
        ask(connections, port)


def test_a_name_that_does_not_resolve_was_not_sent(connections: Connections) -> None:
    site = Site("http", "no-such-name.invalid", 80)

    with pytest.raises(Unavailable, match=r"no-such-name\.invalid"):
        connections.exchange(Request("GET", site, "/", {}), 5)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
        b"not even HTTP\r\n\r\n",
    ],
)
def test_an_incomplete_answer_may_have_taken_effect(connections: Connections, said: bytes) -> None:
    with (
        RawServer(says(said, every_request=False)) as server,
        pytest.raises(Unknown, match="may have taken effect"),
    ):
        ask(connections, server.port, method="POST")


def test_a_silent_service_is_given_up_at_the_deadline(connections: Connections) -> None:
    with RawServer(says()) as server:
        began = monotonic()
        with pytest.raises(Unknown, match=r"within 0\.2 s"):
            ask(connections, server.port, seconds=0.2)

    assert 0.15 < monotonic() - began < 2


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_a_service_that_drips_bytes_does_not_outlive_the_deadline(
    connections: Connections, head: bytes
) -> None:
    def drip(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head)
        while not server.closed.wait(0.02):
            connection.sendall(b"H")

    with RawServer(drip) as server:
        began = monotonic()
        with pytest.raises(Unknown):
            ask(connections, server.port, seconds=0.3)

        assert 0.25 < monotonic() - began < 2


@pytest.mark.parametrize(
    "said",
    [
        answer(b"x" * 101),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"
        + b"x" * 101
        + b"\r\n0\r\n\r\n",
    ],
)
def test_an_answer_that_is_too_long_is_refused(connections: Connections, said: bytes) -> None:
    with (
        RawServer(says(said)) as server,
        pytest.raises(Misconfigured, match="more than 100 bytes"),
    ):
        ask(connections, server.port, bytes_max=100)


def test_an_unverified_certificate_is_never_accepted(tls: ssl.SSLContext) -> None:
    with (
        RawServer(says(OK), tls=tls) as server,
        pytest.raises(Misconfigured, match="certificate that cannot be verified"),
    ):
        ask(Connections(), server.port, scheme="https")


def test_a_service_without_tls_gets_nothing(connections: Connections) -> None:
    with (
        RawServer(lambda connection: connection.sendall(b"plain words, no TLS\r\n")) as server,
        pytest.raises(Unavailable, match="nothing was sent"),
    ):
        ask(connections, server.port, scheme="https")


def test_a_proxy_is_used_only_when_configured(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with RawServer(says(OK)) as server:
        got = ask(connections, server.port)
        connections.close()

    assert got.status == 200


def test_tls_goes_through_the_configured_proxy(tls_trusted: tuple[ssl.SSLContext, str]) -> None:
    server_tls, authority = tls_trusted
    with (
        RawServer(says(OK), tls=server_tls) as service,
        RawServer(lambda connection: forward(connection, service.port)) as proxy,
    ):
        connections = Connections(
            proxy=f"127.0.0.1:{proxy.port}",
            tls=lambda: ssl.create_default_context(cafile=authority),
        )
        got = ask(connections, service.port, scheme="https")
        connections.close()

    assert (got.status, proxy.accepted) == (200, 1)


def test_a_tls_connection_is_used_again(tls_trusted: tuple[ssl.SSLContext, str]) -> None:
    server_tls, authority = tls_trusted
    with RawServer(says(OK), tls=server_tls) as server:
        connections = Connections(tls=lambda: ssl.create_default_context(cafile=authority))
        statuses = [ask(connections, server.port, scheme="https").status for _ in range(3)]
        connections.close()

    assert (statuses, server.accepted) == ([200] * 3, 1)


def test_a_proxy_that_refuses_means_nothing_was_sent() -> None:
    with (
        RawServer(says(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")) as proxy,
        pytest.raises(Unavailable, match="answered 407 to CONNECT"),
    ):
        ask(Connections(proxy=f"127.0.0.1:{proxy.port}"), 1, scheme="https")


def forward(client: socket.socket, port: int) -> None:
    """A proxy's work: CONNECT, then bytes both ways."""
    assert read_request(client).startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % port)
    with socket.create_connection(("127.0.0.1", port)) as service:
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        back = threading.Thread(target=pump, args=(service, client), daemon=True)
        back.start()
        pump(client, service)
        back.join(5)


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):  # one side closes first
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
