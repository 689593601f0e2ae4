"""The HTTP server: OTLP in, JSON out.

    POST   /v1/traces, /v1/metrics, /v1/logs   protobuf, plain or gzip
    GET    /telemetry/traces                   one line per trace
    GET    /telemetry/spans?trace=             its spans
    GET    /telemetry/logs?trace=              its log records
    GET    /telemetry/metrics                  the last value of each series
    DELETE /telemetry                          forget everything

Source: OTLP specification, "OTLP/HTTP": an empty response message for what was taken, a
`google.rpc.Status` with the reason for what was not.
"""

import json
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from devstack.collector import decoding
from devstack.collector.store import Store

HOST = "127.0.0.1"
BODY_BYTES_MAX = 32 << 20  # unpacked; the exporters send some hundred spans at a time
_PROTOBUF = "application/x-protobuf"
_IDLE_SECONDS = 120
_GZIP = 16 + zlib.MAX_WBITS


class _Bad(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Collector:
    """A collector on 127.0.0.1; port 0 takes a free one."""

    def __init__(self, port: int = 0) -> None:
        self.store = Store()
        store = self.store

        class Connection(_Connection):
            kept = store

        self._server = ThreadingHTTPServer((HOST, port), Connection)
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_port}"

    def serve(self) -> None:
        """Serve until `close`, in this thread."""
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Stop serving; called from another thread."""
        self._server.shutdown()
        self._server.server_close()


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    kept: Store

    def do_POST(self) -> None:
        takes: dict[str, Callable[[bytes], None]] = {
            "/v1/traces": lambda body: self.kept.put_spans(list(decoding.spans_of(body))),
            "/v1/metrics": lambda body: self.kept.put_points(list(decoding.points_of(body))),
            "/v1/logs": lambda body: self.kept.put_records(list(decoding.logs_of(body))),
        }
        try:
            take = takes.get(urlsplit(self.path).path)
            body = self._body()
            if take is None:
                raise _Bad(404, f"there are: {', '.join(takes)}")
            take(body)
        except DecodeError as error:
            self._answer(400, _PROTOBUF, _why(f"the body is not what the path says: {error}"))
        except _Bad as bad:
            self._answer(bad.status, _PROTOBUF, _why(str(bad)))
        else:
            self._answer(200, _PROTOBUF, b"")  # a response message without fields

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        trace = parse_qs(parts.query).get("trace", [""])[0]
        tells: dict[str, Callable[[], object]] = {
            "/telemetry/traces": self.kept.traces,
            "/telemetry/spans": lambda: self.kept.spans(trace),
            "/telemetry/logs": lambda: self.kept.records(trace),
            "/telemetry/metrics": self.kept.points,
        }
        tell = tells.get(parts.path)
        if tell is None:
            self._json(404, {"error": f"there are: {', '.join(tells)}"})
        else:
            self._json(200, tell())

    def do_DELETE(self) -> None:
        if urlsplit(self.path).path != "/telemetry":
            self._json(404, {"error": "there is: DELETE /telemetry"})
            return
        self.kept.clear()
        self._json(200, {})

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            raise _Bad(
                413, f"the body's length is {length or 'not said'}; at most {BODY_BYTES_MAX}"
            )
        body = self.rfile.read(int(length))
        content, encoding = self.headers.get_content_type(), self.headers.get("Content-Encoding")
        if content != _PROTOBUF:
            raise _Bad(415, f"content type {content!r} is not taken; send {_PROTOBUF}")
        if encoding in (None, "identity", "none"):
            return body
        if encoding != "gzip":
            raise _Bad(415, f"encoding {encoding!r} is not taken; send gzip or none")
        return _unpacked(body)

    def _json(self, status: int, document: object) -> None:
        self._answer(status, "application/json", json.dumps(document).encode())

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""


def _unpacked(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        plain = unpacker.decompress(body, BODY_BYTES_MAX)
    except zlib.error as error:
        raise _Bad(400, f"the body is not gzip: {error}") from error
    if unpacker.unconsumed_tail:
        raise _Bad(413, f"the body unpacks to more than {BODY_BYTES_MAX} bytes")
    if not unpacker.eof:
        raise _Bad(400, "the body is cut off")
    return plain


def _why(text: str) -> bytes:
    return bytes(Status(code=3, message=text).SerializeToString())  # 3: INVALID_ARGUMENT
