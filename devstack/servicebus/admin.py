"""The admin port: time moved by request, and a look into the queues. JSON over HTTP on 127.0.0.1.

    POST /clock/advance {"seconds": 60}   moves the clock and does what is due then
    GET  /queues                          counts of every queue
    GET  /queues/{name}/messages          what is in a queue; ?count= up to 1000, ?from= a sequence
                                          number; a dead-letter sub-queue is {name}/$DeadLetterQueue

It is there for tests: it has no authentication, and a restart forgets how far the clock was moved.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from devstack.servicebus.delivery import plain
from devstack.servicebus.entities import Queue
from devstack.servicebus.errors import Refused
from devstack.servicebus.message import Message
from devstack.servicebus.server import HOST, Broker
from devstack.servicebus.sessions import SessionQueue

_BODY_BYTES_MAX = 64 * 1024
_READ_SECONDS = 10  # a client that never finishes its request is dropped
_PEEK_MAX = 1000
_SECONDS_MAX = 10 * 366 * 86_400
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes


class _Bad(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Admin:
    """The HTTP server of one broker."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._server: asyncio.Server | None = None
        self.url = ""

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one."""
        self._server = await asyncio.start_server(self._serve, HOST, port)
        self.url = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                call = await _read(reader)
            status, answer = 200, self._answer(call)
        except _Bad as error:
            status, answer = error.status, {"error": str(error)}
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        content = json.dumps(answer).encode()
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + content)
        writer.close()

    def _answer(self, call: _Call) -> object:
        parts = call.path.strip("/").split("/")
        if parts == ["clock", "advance"]:
            _only(call, "POST")
            return self._advance(call.body)
        if parts == ["queues"]:
            _only(call, "GET")
            names = sorted(name for name in self._broker.queues if "$" not in name)
            return {"queues": [_counts(self._broker.queues[name]) for name in names]}
        if parts[0] == "queues" and parts[-1] == "messages" and len(parts) > 2:
            _only(call, "GET")
            return self._messages("/".join(parts[1:-1]), call.query)
        raise _Bad(404, "there are: POST /clock/advance, GET /queues, GET /queues/{name}/messages")

    def _advance(self, body: bytes) -> object:
        try:
            seconds = json.loads(body)["seconds"]
        except (ValueError, KeyError, TypeError) as error:
            raise _Bad(400, 'the body is JSON such as {"seconds": 60}') from error
        if type(seconds) not in (int, float) or not 0 <= seconds <= _SECONDS_MAX:
            raise _Bad(400, f"seconds is a number from 0 to {_SECONDS_MAX}")
        self._broker.advance_clock(round(seconds * 1000))
        return {"now": _time(self._broker.context.clock.now())}

    def _messages(self, name: str, query: dict[str, list[str]]) -> object:
        try:
            queue = self._broker.find(unquote(name).lower())
        except Refused as refusal:
            raise _Bad(404, refusal.description) from refusal
        count = min(_number(query, "count", 100), _PEEK_MAX)
        found = queue.peek(_number(query, "from", 0), count)
        return {"messages": [_described(message) for message in found]}


async def _read(reader: asyncio.StreamReader) -> _Call:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError as error:
        raise _Bad(400, "the headers are too long") from error
    request_line, *lines = head.split("\r\n")
    words = request_line.split(" ")
    headers = {name.strip().lower(): value for name, _, value in (x.partition(":") for x in lines)}
    length = headers.get("content-length", "0").strip()
    if len(words) != 3 or not length.isdecimal() or int(length) > _BODY_BYTES_MAX:
        raise _Bad(400, "this is not an HTTP request, or its body is too long")
    target = urlsplit(words[1])
    body = await reader.readexactly(int(length))
    return _Call(words[0], target.path, parse_qs(target.query), body)


def _only(call: _Call, method: str) -> None:
    if call.method != method:
        raise _Bad(405, f"use {method}")


def _number(query: dict[str, list[str]], name: str, default: int) -> int:
    text = query.get(name, [str(default)])[0]
    if not text.isdecimal():
        raise _Bad(400, f"{name} is a number")
    return int(text)


def _counts(queue: Queue) -> dict[str, Any]:
    dead_letters = queue.dead_letters
    counts: dict[str, Any] = {
        "name": queue.config.name,
        "active": queue.active,
        "scheduled": len(queue.scheduled),
        "deferred": len(queue.deferred),
        "locked": len(queue.locks),
        "dead_letter": len(dead_letters.messages) if dead_letters is not None else 0,
        "bytes": queue.size,
    }
    if isinstance(queue, SessionQueue):
        held = sum(1 for session in queue.sessions.values() if session.holder is not None)
        counts["sessions"], counts["sessions_locked"] = len(queue.sessions), held
    return counts


def _described(message: Message) -> dict[str, Any]:
    message_id = plain(message.message_id)
    return {
        "sequence_number": message.sequence,
        "message_id": None if message_id is None else str(message_id),
        "session_id": message.session_id,
        "state": "locked" if message.lock is not None else message.state.name.lower(),
        "delivery_count": message.delivery_count,
        "enqueued_time": _time(message.enqueued),
        "scheduled_time": _time(message.scheduled),
        "expires_at": _time(message.expires),
        "bytes": message.size,
    }


def _time(milliseconds: int) -> str | None:
    if not milliseconds:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
    except (OverflowError, ValueError):
        return None  # beyond the year 9999
