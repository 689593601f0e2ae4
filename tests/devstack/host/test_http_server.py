"""The HTTP server, by the bytes on the wire."""

from __future__ import annotations

import asyncio

import pytest

from devstack.host.http_server import HttpServer, Request, Response


async def echo(request: Request) -> Response:
    text = f"{request.method} {request.path} {request.query_string} {request.body.decode()}"
    return Response(200, text.encode(), (("X-Cookies", request.headers.get("cookie", "")),))


async def _talk(sent: bytes, handler) -> bytes:
    server = HttpServer(handler)
    port = await server.start(0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    writer.write_eof()
    received = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    await server.stop()
    return received


def talk(sent: bytes, handler=echo) -> bytes:
    return asyncio.run(_talk(sent, handler))


def test_a_connection_serves_one_request_after_another():
    received = talk(b"GET /a HTTP/1.1\r\n\r\nGET /b?c=1 HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert b"GET /a" in received
    assert received.endswith(b"GET /b c=1 ")


def test_a_chunked_body_is_put_together():
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    received = talk(head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n")
    assert received.endswith(b"POST /  abcde")


def test_a_caller_who_asks_first_is_told_to_go_on():
    head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
    received = talk(head + b"Connection: close\r\n\r\nhi")
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


def test_cookies_are_joined_with_semicolons():
    received = talk(b"GET / HTTP/1.1\r\nCookie: a=1\r\nCookie: b=2\r\nConnection: close\r\n\r\n")
    assert b"X-Cookies: a=1; b=2\r\n" in received


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nspace : x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431),
    ],
)
def test_what_cannot_be_read_is_answered_and_ends_the_connection(sent, status):
    received = talk(sent)
    assert received.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in received


def test_a_header_with_a_line_break_is_not_passed_on():
    async def broken(request: Request) -> Response:
        return Response(200, b"", (("X", "a\r\nSet-Cookie: evil=1"),))

    received = talk(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", broken)
    assert received.startswith(b"HTTP/1.1 500 ")
    assert b"evil" not in received


def test_no_content_has_no_length():
    async def nothing(request: Request) -> Response:
        return Response(204)

    received = talk(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", nothing)
    assert received == b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
