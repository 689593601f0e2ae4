"""HTTP calls to services: only to allowed hosts, never redirected, within a total deadline.

`Http.send` returns what was answered, whatever it is (`answers.py` says what it means), or raises
Unavailable if the call was certainly not made, and Unknown if its answer was lost.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from time import monotonic

from alm.adapters.answers import expect as expect  # what most calls go on with
from alm.adapters.call_telemetry import recorded
from alm.adapters.connections import ANSWER_BYTES_MAX, Answer, Connections, Request, Site, Transport
from alm.adapters.redaction import without_query
from alm.domain.errors import Misconfigured, Unavailable

log = logging.getLogger(__name__)

DEADLINE_SECONDS = 60.0  # shorter than functionTimeout (5 min), so that a call never outlives it
MODEL_DEADLINE_SECONDS = 180.0  # model files are up to hundreds of megabytes

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::(?P<port>\d{1,5}))?"
    r"(?P<target>/[!-~]*)?",
    re.IGNORECASE,
)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Http:
    """Calls services on `allowed_hosts` (`name`, `name:port`, `*.suffix`); https but on loopback.

    proxy: `host:port`; without one, none is used, whatever the environment says. answer_bytes_max:
    a longer answer is not read to its end.
    """

    def __init__(
        self,
        allowed_hosts: Iterable[str],
        *,
        transport: Transport | None = None,
        proxy: str = "",
        deadline_seconds: float = DEADLINE_SECONDS,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> None:
        self._allowed = tuple(host.lower() for host in allowed_hosts)
        self._checked: set[Site] = set()
        self._transport = transport or Connections(proxy=proxy)
        self.deadline_seconds = deadline_seconds
        self._answer_bytes_max = answer_bytes_max
        self._operation = threading.local()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        deadline_seconds: float | None = None,
        path_is_secret: bool = False,
    ) -> Answer:
        """Make one call and return the answer, whatever its status.

        path_is_secret: the URL itself is the key, as a webhook's is; it is shown without its path.
        Raises Misconfigured if the URL is none we may call, Unavailable if the call was certainly
        not made, Unknown if its answer was lost.
        """
        site, target = self._place(url)
        request = Request(
            method, site, target, headers, body, self._answer_bytes_max, path_is_secret
        )
        started = monotonic()
        left = self._seconds(request, deadline_seconds, started)
        answer = recorded(request, lambda: self._transport.exchange(request, left))
        if log.isEnabledFor(logging.DEBUG):
            seconds = round(monotonic() - started, 4)
            fields = {"method": method, "url": request.url, "status": answer.status}
            log.debug("http_call", extra={**fields, "seconds": seconds})
        return answer

    def open(self, url: str, *, headers: Mapping[str, str]) -> Answer:
        """Read a URL piece by piece: an answer 200 has its body in `content`, to be closed.

        The deadline covers asking, and then each mebibyte that is read. Raises as `send`; reading
        raises Unavailable if it breaks off.
        """
        site, target = self._place(url)
        request = Request("GET", site, target, headers)
        left = self._seconds(request, None, monotonic())
        return recorded(request, lambda: self._transport.open(request, left, self.deadline_seconds))

    @contextmanager
    def within(self, seconds: float | None = None) -> Iterator[None]:
        """One total deadline for all calls that this thread makes inside; the first one counts."""
        if getattr(self._operation, "until", None) is not None:
            yield
            return
        self._operation.until = monotonic() + (seconds or self.deadline_seconds)
        try:
            yield
        finally:
            self._operation.until = None

    def _seconds(self, request: Request, seconds: float | None, now: float) -> float:
        until: float | None = getattr(self._operation, "until", None)
        left = (seconds or self.deadline_seconds) if until is None else until - now
        if left <= 0:
            raise Unavailable(
                f"{request.method} {request.url} was not sent: the calls before it took all of the "
                "operation's time; it is tried again"
            )
        return min(left, seconds or left)

    def close(self) -> None:
        """Close the connections that are kept; calls may still be made."""
        self._transport.close()

    def _place(self, url: str) -> tuple[Site, str]:
        site, target = split(url)
        if site not in self._checked:
            self._check(site)
            self._checked.add(site)  # as many as there are allowed sites
        return site, target

    def _check(self, site: Site) -> None:
        if not any(_matches(site, pattern) for pattern in self._allowed):
            raise Misconfigured(
                f"{site} is not a host this app may call (allowed: {', '.join(self._allowed)}); "
                "add it to the allowed hosts, or correct the URL"
            )
        if site.scheme != "https" and site.host not in _LOOPBACK:
            raise Misconfigured(
                f"{site} is not called without TLS: keys would be readable; use https"
            )


@lru_cache(maxsize=1024)
def split(url: str) -> tuple[Site, str]:
    """A URL as site and target. Raises Misconfigured if it is not a plain http(s) URL."""
    match = _URL.fullmatch(url)
    if match is None or int(match["port"] or 1) > 65535:
        raise Misconfigured(
            f"{_place_only(url)!r} is not a URL that can be called; "
            "it must be https://host[:port]/path, without user name, spaces or fragment"
        )
    scheme = match["scheme"].lower()
    port = int(match["port"] or (443 if scheme == "https" else 80))
    target = (match["target"] or "/").partition("#")[0]
    return Site(scheme, match["host"].strip("[]").lower(), port), target


def _place_only(url: str) -> str:
    """Scheme and host of what may not even be a URL: the rest of it may be secret."""
    return re.sub(r"//[^/]*@", "//***@", "/".join(without_query(url).split("/")[:3]))[:200]


def _matches(site: Site, pattern: str) -> bool:
    if site.host == pattern:
        return True
    name, colon, port = pattern.rpartition(":")
    if not colon or not port.isdigit():
        name, port = pattern, ""
    if port and int(port) != site.port:
        return False
    if name.startswith("*."):
        return site.host.endswith(name[1:]) and len(site.host) > len(name) - 1
    return site.host == name
