"""The API or the page over doubles, behind real HTTP; paths come as the Functions host has them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from alm.entrypoints import page
from alm.entrypoints.api import responding
from alm.entrypoints.api.calls import Call
from devstack.host.routes import parse_route
from tests.unit.entrypoints.app_world import AppWorld


class ApiServer:
    """Serves until the `with` ends. after: called with each answered call, to move the world on."""

    people: Any = responding  # who answers, and where
    route = parse_route("api/{*path}")

    def __init__(self, world: AppWorld) -> None:
        self.world = world
        self.after: Callable[[Call, Any], None] = lambda _call, _answer: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/api"

    def __enter__(self) -> ApiServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def log_message(self, *_: object) -> None:
                return

            def _answer(self) -> None:
                url = urlsplit(self.path)
                found = server.route.match(url.path)
                if found is None:
                    self.send_error(404)
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                query = dict(parse_qsl(url.query))
                call = Call(self.command, found.get("path", ""), headers, query, body)
                answer = server.people.respond(server.world.app, call)
                server.after(call, answer)
                text = answer.text
                content = text if isinstance(text, bytes) else text.encode()
                self.send_response(answer.status)
                self.send_header("Content-Type", f"{answer.media_type}; charset=utf-8")
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        return Handler


class PageServer(ApiServer):
    """The page, at the root."""

    people = page
    route = parse_route("{*path}")
