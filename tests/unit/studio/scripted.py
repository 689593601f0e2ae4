"""A transport that answers as told, and a clock that is moved by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from alm.adapters.connections import Answer, Request, Transport
from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.adapters.studio.access import Caller, NamedAccess

KEY = "key-0123456789"
HOST = "https://studio.test"


class HandClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Scripted(Transport):
    """Answers each call with the next of its answers, or with what a function makes of it.

    An answer is `(status, document)` or `(status, document, headers)`; an exception is raised.
    """

    def __init__(self, *answers: object, by: Callable[[Request], object] | None = None) -> None:
        self._answers = list(answers)
        self._by = by
        self.requests: list[Request] = []

    def exchange(self, request: Request, seconds: float) -> Answer:
        self.requests.append(request)
        answer = self._by(request) if self._by else self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, tuple)
        status, document, headers = (*answer, {})[:3]
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return Answer(status, headers, b"" if document is None else body, request)

    @property
    def seen(self) -> list[str]:
        return [f"{request.method} {request.target}" for request in self.requests]

    def sent(self, number: int = -1) -> object:
        body = self.requests[number].body
        return json.loads(body) if body else None


def http(transport: Transport) -> Http:
    return Http(["studio.test", "arm.test"], transport=transport)


def caller(transport: Transport, path: str = "/workspaces/w/services/e") -> Caller:
    access = NamedAccess(HOST + path, lambda: SecretStr(KEY), lambda: None)
    return Caller(http(transport), access)


def identity(**environment: str) -> Identity:
    return Identity({"ALM_STUDIO_WORKSPACE_TOKEN": "token-0123456789", **environment}, HandClock())


def error(status: int, code: str, *details: str, message: str = "No.") -> tuple[int, object]:
    """An answer with the services' error envelope."""
    parts = [{"code": detail, "target": "t", "message": f"{detail}!"} for detail in details]
    return status, {"error": {"code": code, "message": message, "details": parts}}
