"""A webhook's receiver: keeps the notices or events that the app posts. Its address is a secret."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"


class Notices(ThreadingHTTPServer):
    """Listens from the start; takes only what is posted to its secret path."""

    daemon_threads = True

    def __init__(self, secret: str) -> None:
        super().__init__((HOST, 0), _Receiver)
        self.path = f"/notices/{secret}"
        self.url = f"http://{HOST}:{self.server_address[1]}{self.path}"
        self._kept: list[dict[str, Any]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def keep(self, notice: dict[str, Any]) -> None:
        self._kept.append(notice)

    def events(self, model: str) -> list[str]:
        """What was told of a managed model, oldest first: failed, held, rolled_back, drift …"""
        return [
            str(notice["type"]).removeprefix("alm.").removeprefix("run.")
            for notice in list(self._kept)
            if notice["data"]["model"] == model
        ]

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Receiver(BaseHTTPRequestHandler):
    server: Notices

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != self.server.path:
            self.send_error(404)
            return
        self.server.keep(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the path is secret."""
