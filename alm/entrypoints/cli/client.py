"""A client of the API, for the command line and for scripts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import requests

from alm.entrypoints.access import KEY_HEADER
from alm.entrypoints.api.calls import encoded

SECONDS_MAX = 60
PAGES_MAX = 10_000  # more is a service that never ends its list
_NEXT = re.compile(r'<(\?[^>]+)>; rel="next"')


class ApiFailed(Exception):
    """The API refused a call, and says why and what to do."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"{why} (HTTP {status})")
        self.status = status


class ApiUnreachable(Exception):
    """Nothing answers at the API's address."""


class Client:
    """Calls the API at `url` with an API key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers[KEY_HEADER] = key.encode()
        self._session.trust_env = False

    @property
    def url(self) -> str:
        return self._url

    def get(self, *path: str, query: Mapping[str, str] | None = None) -> Any:
        """GET what a path names; each part is one segment, whatever is in it."""
        return _document(self._call("GET", path, query=query))

    def pages(self, *path: str, query: Mapping[str, str] | None = None) -> list[Any]:
        """GET a list, all of its pages."""
        rows: list[Any] = []
        following = ""
        for _ in range(PAGES_MAX):
            answer = self._call("GET", path, query=query, following=following)
            rows += _document(answer)
            found = _NEXT.search(answer.headers.get("Link", ""))
            if found is None:
                break
            following = found[1]
        return rows

    def post(self, *path: str, document: Mapping[str, object] | None = None) -> Any:
        return _document(self._call("POST", path, document=document or {}))

    def _call(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, str] | None = None,
        document: Mapping[str, object] | None = None,
        following: str = "",
    ) -> requests.Response:
        address = "/".join((self._url, *map(encoded, path)))
        try:
            answer = self._session.request(
                method,
                address + following,
                params=None if following else query,
                json=document,
                timeout=SECONDS_MAX,
                allow_redirects=False,
            )
        except (requests.RequestException, UnicodeError) as error:
            raise ApiUnreachable(
                f"{self._url} does not answer ({type(error).__name__}); start the app "
                "(`make dev`), or name another with --url or ALM_API_URL"
            ) from error
        if answer.status_code >= 300:
            raise ApiFailed(answer.status_code, _why(answer))
        return answer


def _document(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise ApiUnreachable(
            f"what answers at {answer.url.partition('?')[0]} is not the app's API; "
            "correct --url or ALM_API_URL (it ends in /api)"
        ) from error


def _why(answer: requests.Response) -> str:
    try:
        why = str(answer.json()["detail"])
        return f"{why}; give it with --key or ALM_API_KEY" if answer.status_code == 401 else why
    except (ValueError, KeyError, TypeError):
        said = " ".join(answer.text.split())[:200]
        return said or f"{answer.reason or 'no reason given'}; is --url right? It ends in /api"
