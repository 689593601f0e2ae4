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
    """Calls one service below its base URL, in JSON; a refused secret is looked up again, once.

    token_header: a header that carries the secret as well, bare.
    """

    def __init__(self, http: Http, source: AccessSource, *, token_header: str = "") -> None:
        self.http = http
        self._source = source
        self._token_header = token_header

    def send(
        self,
        method: str,
        path: str,
        *,
        json_body: object = None,
        content: bytes | None = None,
        empty_body: bool = False,
    ) -> Answer:
        """One call; the answer, whatever its status. Raises as `Http.send`.

        The deadline covers the look-up of URL and secret. content: bytes sent as they are, without
        a type. empty_body: say that nothing follows, as a POST without content must.
        """
        body, kind = content, ""
        if json_body is not None or empty_body:
            text = "" if json_body is None else json.dumps(json_body, allow_nan=False)
            body, kind = text.encode(), "application/json"

        def send(access: Access) -> Answer:
            headers = self._headers(access, kind)
            return self.http.send(method, access.url + path, headers=headers, body=body)

        return self._with_access(send)

    def open(self, path: str) -> Answer:
        """A GET whose answer is read piece by piece. Raises as `Http.open`."""

        def open_at(access: Access) -> Answer:
            headers = {**self._headers(access, ""), "Accept": "*/*"}
            return self.http.open(access.url + path, headers=headers)

        return self._with_access(open_at)

    def _with_access(self, call: Callable[[Access], Answer]) -> Answer:
        with self.http.within():
            access = self._source.get()
            answer = call(access)
            if answer.status not in (*_REFUSED, _GONE):
                return answer
            other = self._source.renewed(access, answer.status)
            return call(other) if other else answer

    def _headers(self, access: Access, kind: str) -> dict[str, str]:
        secret = access.secret.get_secret_value()
        headers = {"Authorization": f"Bearer {secret}", "Accept": "application/json"}
        if self._token_header:
            headers[self._token_header] = secret
        if kind:
            headers["Content-Type"] = kind
        return headers
