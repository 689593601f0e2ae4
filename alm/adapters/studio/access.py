"""Where a service is and the secret for it, kept until the service no longer takes it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from alm.adapters.connections import Answer
from alm.adapters.http import Http

_REFUSED = (401, 403)
_GONE = 404  # an endpoint that was deleted and made anew answers elsewhere


@dataclass(frozen=True)
class Access:
    """A base URL and the bearer secret that goes with it."""

    url: str
    secret: SecretStr


class AccessSource(Protocol):
    def get(self) -> Access: ...

    def renewed(self, refused: Access, status: int) -> Access | None:
        """Another access, after `refused` got that status; None if there is no other."""
        ...


class NamedAccess:
    """A URL that is declared, with a secret that is asked for by name each time."""

    def __init__(
        self, url: str, secret: Callable[[], SecretStr], forget: Callable[[], None]
    ) -> None:
        self._url = url.rstrip("/")
        self._secret = secret
        self._forget = forget

    def get(self) -> Access:
        return Access(self._url, self._secret())

    def renewed(self, refused: Access, status: int) -> Access | None:
        if status not in _REFUSED:
            return None
        self._forget()
        access = self.get()
        return access if access != refused else None


class FoundAccess:
    """A URL and key that a management record holds: looked up once, and again when refused."""

    def __init__(self, look_up: Callable[[], Access]) -> None:
        self._look_up = look_up
        self._found: Access | None = None
        self._lock = threading.Lock()

    def get(self) -> Access:
        found = self._found
        if found is not None:
            return found
        with self._lock:  # one look-up for all that wait
            if self._found is None:
                self._found = self._look_up()
            return self._found

    def found(self, access: Access) -> None:
        """Take what somebody read for another reason."""
        self._found = access

    def renewed(self, refused: Access, status: int) -> Access | None:
        if status not in (*_REFUSED, _GONE):
            return None
        with self._lock:
            if self._found == refused:
                self._found = self._look_up()
            return self._found if self._found != refused else None


class Caller:
    """Calls one service below its base URL, in JSON; a refused secret is looked up again, once."""

    def __init__(self, http: Http, source: AccessSource) -> None:
        self.http = http
        self._source = source

    def send(
        self, method: str, path: str, *, json_body: object = None, empty_body: bool = False
    ) -> Answer:
        """One call; the answer, whatever its status. Raises as `Http.send`.

        The deadline covers the look-up of URL and secret. empty_body: say that nothing follows, as
        a POST without content must.
        """
        body = b"" if empty_body else None
        if json_body is not None:
            body = json.dumps(json_body, allow_nan=False).encode()
        with self.http.within():
            access = self._source.get()
            answer = self._send(access, method, path, body)
            if answer.status not in (*_REFUSED, _GONE):
                return answer
            other = self._source.renewed(access, answer.status)
            return self._send(other, method, path, body) if other else answer

    def _send(self, access: Access, method: str, path: str, body: bytes | None) -> Answer:
        headers = {
            "Authorization": f"Bearer {access.secret.get_secret_value()}",
            "Accept": "application/json",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self.http.send(method, access.url + path, headers=headers, body=body)
