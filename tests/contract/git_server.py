"""A Git server over HTTP with basic authentication, that can be told to misbehave."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from dulwich.errors import HookError
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import HTTPGitApplication

Reply = tuple[int, dict[str, str], bytes]
Application = Callable[[dict[str, Any]], Reply]
NAME = "/team/models.git"


class GitServer:
    """Serves one repository at `url`.

    requests, bytes_sent: how many of each kind, and how much was answered. before_push: called
    once, when a push has come in and was not looked at yet. lose_push_answer: the next push is
    done, and never answered. answers: a reply that is given to everything instead.
    """

    def __init__(self, application: Application, *, password: str) -> None:
        self.application = application
        self.password = password
        self.authorizations: set[str] = set()
        self.requests: Counter[str] = Counter()
        self.bytes_sent: Counter[str] = Counter()
        self.before_push: Callable[[], None] | None = None
        self.lose_push_answer = False
        self.answers: Reply | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}{NAME}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def reply(self, environ: dict[str, Any], authorization: str) -> Reply | None:
        """The answer to a request; None to hang up."""
        kind = environ["PATH_INFO"].rpartition("/")[2]
        self.requests[kind] += 1
        self.authorizations.add(authorization)
        if self.answers is not None:
            return self.answers
        scheme, _, given = authorization.partition(" ")
        expected = base64.b64encode(f"x-access-token:{self.password}".encode()).decode()
        if (scheme, given) not in (("Basic", expected), ("Bearer", self.password)):
            return 401, {"WWW-Authenticate": 'Basic realm="git"'}, b"who are you"
        if not environ["PATH_INFO"].startswith(NAME + "/"):
            return 404, {}, b"no such repository"
        return self._served(environ, kind == "git-receive-pack")

    def _served(self, environ: dict[str, Any], is_push: bool) -> Reply | None:
        before, self.before_push = self.before_push, None if is_push else self.before_push
        if is_push and before:
            before()
        reply = self.application(environ)
        self.bytes_sent[environ["PATH_INFO"].rpartition("/")[2]] += len(reply[2])
        if is_push and self.lose_push_answer:
            self.lose_push_answer = False
            return None
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["Content-Length"])))

            def _answer(self, body: bytes) -> None:
                path, _, query = self.path.partition("?")
                environ = {
                    "REQUEST_METHOD": self.command,
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": str(len(body)),
                    "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "wsgi.input": io.BytesIO(body),
                }
                reply = server.reply(environ, self.headers.get("Authorization", ""))
                if reply is None:
                    self.close_connection = True
                    return
                status, headers, content = reply
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


class DulwichApplication:
    """dulwich's own smart server: protocol version 0, no partial clones.

    refusal: what the update hook says to each push, where it is to refuse.
    """

    def __init__(self, path: Path) -> None:
        self._repo = Repo(str(path))
        self._application = HTTPGitApplication(DictBackend({NAME: self._repo}))

    def refuse(self, text: str) -> None:
        class Refusing:
            def execute(self, *args: object) -> None:
                raise HookError(text)

        self._repo.hooks["update"] = Refusing()

    def allow(self) -> None:
        del self._repo.hooks["update"]

    def __call__(self, environ: dict[str, Any]) -> Reply:
        head: list[Any] = []
        written = io.BytesIO()

        def start(status: str, headers: list[tuple[str, str]]) -> Callable[[bytes], int]:
            head[:] = [int(status.split()[0]), dict(headers)]
            return written.write

        rest = b"".join(self._application(environ, start))
        return head[0], head[1], written.getvalue() + rest

    def close(self) -> None:
        self._repo.close()


class GitApplication:
    """`git http-backend`: protocol version 2, partial clones, hooks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        for name in ("uploadpack.allowFilter", "http.receivepack"):
            run_git(path, "config", name, "true")

    def refuse(self, text: str) -> None:
        hook = self._path / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho '{text}' >&2\nexit 1\n")
        hook.chmod(0o755)

    def allow(self) -> None:
        (self._path / "hooks" / "pre-receive").unlink()

    def __call__(self, environ: dict[str, Any]) -> Reply:
        facts = {name: value for name, value in environ.items() if name != "wsgi.input"}
        facts |= {
            "PATH": os.environ["PATH"],
            "PATH_INFO": environ["PATH_INFO"].removeprefix(NAME),
            "GIT_PROJECT_ROOT": str(self._path),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "alm",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        facts["GIT_PROTOCOL"] = facts.pop("HTTP_GIT_PROTOCOL")
        done = subprocess.run(
            ["git", "http-backend"],
            input=environ["wsgi.input"].read(),
            env=facts,
            capture_output=True,
            check=True,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().split("\r\n")]
        headers = {name: value for name, _, value in lines}
        return int(headers.pop("Status", "200").split()[0]), headers, body

    def close(self) -> None:
        pass


def run_git(path: Path, *arguments: str) -> str:
    """What the real `git` says of a repository."""
    facts = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-C", str(path), *arguments], env=facts, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
