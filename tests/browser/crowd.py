"""The page over doubles behind real HTTP: ten thousand managed models, and hostile records."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from alm.entrypoints import page
from alm.entrypoints.api.calls import Call
from alm.entrypoints.overview import OVERVIEW
from tests.browser.person import Place
from tests.unit.entrypoints.app_world import KEYS, AppWorld

COUNT = 10_000
SHOPS = 9_000  # of them are members of a family
EVERY_HELD, EVERY_FAILED, EVERY_UNKNOWN = 1000, 333, 2500
SCRIPT = "<script>alert('run')</script>"
PICTURE = "<img src=x onerror=\"alert('run')\">"


def overview(world: AppWorld) -> bytes:
    """The document of a sweep that found ten thousand managed models."""
    now = world.clock.now()
    models = {name(number): _entry(number, (now - timedelta(minutes=number)).isoformat())
              for number in range(COUNT)}  # fmt: skip
    return json.dumps({"at": now.isoformat(), "inbox": 3, "models": models}).encode()


def name(number: int) -> str:
    return f"shops--s{number:05}" if number < SHOPS else f"single-{number:05}"


def _entry(number: int, at: str) -> dict[str, str]:
    entry = {"state": "idle", "run": f"{name(number)}.r3", "champion": "v2", "finished": at}
    entry |= {"last_result": "failed" if number % EVERY_FAILED == 1 else "ok"}
    if number < SHOPS:
        entry["family"] = "shops"
    if number % EVERY_UNKNOWN == 2:
        entry |= {"unknown": "1", "unknown_targets": "eu"}
    if number % EVERY_HELD == 0:
        entry |= {"state": "held", "stage": "patch", "pipeline": "retrain", "began": at}
    return entry


def furnish(world: AppWorld) -> None:
    """The overview, and a run whose every text was written by somebody hostile."""
    world.blobs.put(OVERVIEW, overview(world))
    at = world.clock.now().isoformat()
    entry = {"n": 1, "stage": "begin", "outcome": "failed", "at": at, "why": f"{SCRIPT}{PICTURE}"}
    blob = {"container": "datasets", "name": f"churn/{PICTURE}.csv", "etag": "x", "size": 4}
    trigger = {"id": SCRIPT, "pipeline": "retrain", "source": "dataset", "at": at, "by": PICTURE}
    world.ended(
        "failed",
        why=f'{SCRIPT}{PICTURE}"><svg onload=alert(2)>',
        history=[entry],
        triggers=[{**trigger, "blob": blob}],
    )


@contextmanager
def serving(folder: Path) -> Iterator[Place]:
    """Serve the page of a furnished world until the `with` ends."""
    world = AppWorld(folder)
    furnish(world)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(world))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield Place(f"http://127.0.0.1:{server.server_port}", KEYS)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(world: AppWorld) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None:
            return

        def _answer(self) -> None:
            url = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            query = dict(parse_qsl(url.query))
            call = Call(self.command, url.path.strip("/"), headers, query, body)
            answer = page.respond(world.app, call)
            text = answer.text
            content = text if isinstance(text, bytes) else text.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", f"{answer.media_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            for header, value in answer.headers.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(content)

    return Handler
