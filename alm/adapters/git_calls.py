"""The calls of Git's smart protocol over HTTP, made by `http.Http` for dulwich's client."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus

from dulwich.client import AbstractHttpGitClient, find_capability
from dulwich.protocol import CAPABILITY_FETCH, CAPABILITY_FILTER, CAPABILITY_THIN_PACK
from dulwich.refs import Ref

from alm.adapters.answers import expect
from alm.adapters.connections import Answer
from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.adapters.redaction import redacted
from alm.domain.errors import Misconfigured, NotFound, Unavailable, Unknown
from alm.domain.source_control import Repository

SAID_MAX = 500  # of what a server says; errors travel in documents that must stay small
USER_AGENT = "git/2 (azure-studio-alm)"  # some hosts speak Git only to what calls itself git
_REFUSED = (401, 403)


class GitCalls:
    """Calls below the URL of one repository, with its token, which is looked up when used."""

    def __init__(self, repository: Repository, http: Http, identity: Identity) -> None:
        self._repository = repository
        self._http = http
        self._identity = identity
        self._sent: tuple[str, ...] = ()

    def client(self) -> GitClient:
        """A client for one exchange."""
        return GitClient(self._repository.url, self.send)

    def send(self, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """One call. A token that is refused is looked up again, once: it may have been renewed.

        Raises Denied, Misconfigured (no such repository), Unavailable, Unknown.
        """
        assert url.startswith(self._repository.url.rstrip("/") + "/"), "another place"
        token = self._token()
        answer = self._call(url, headers, body, token)
        name = self._repository.token
        if answer.status in _REFUSED and name is not None:
            self._identity.forget(name)
            renewed = self._token()
            if renewed != token:
                answer = self._call(url, headers, body, renewed)
        try:
            if answer.status != HTTPStatus.OK:  # it may quote what was sent
                answer = replace(
                    answer, body=self._redacted(answer.body.decode("utf-8", "replace"))
                )
            return expect(answer, 200, doing=f"use the repository {self._repository.url}")
        except NotFound as error:
            raise Misconfigured(
                f"there is no repository at {self._repository.url}, or the token does not show it; "
                "correct the URL, or give the token's owner the right to read and write it"
            ) from error

    def _call(self, url: str, headers: Mapping[str, str], body: bytes | None, token: str) -> Answer:
        method = "GET" if body is None else "POST"
        given = {**headers, "Authorization": token} if token else headers
        return self._http.send(method, url, headers=given, body=body)

    def told(self, said: Iterable[bytes], reason: str) -> str:
        """What a server said on the side, and its reason, as one line without secrets."""
        remarks = b"".join(said).decode("utf-8", "replace")
        return redacted(" ".join(f"{remarks} {reason}".split()), *self._sent)[:SAID_MAX]

    def _redacted(self, text: str) -> bytes:
        return redacted(text, *self._sent).encode()

    def _token(self) -> str:
        if self._repository.token is None:
            return ""
        secret = self._identity.secret(self._repository.token).get_secret_value()
        if self._repository.auth == "bearer":
            self._sent = (secret,)
            return f"Bearer {secret}"
        pair = base64.b64encode(f"{self._repository.user}:{secret}".encode()).decode("ascii")
        self._sent = (pair, secret)
        return f"Basic {pair}"


Send = Callable[[str, Mapping[str, str], bytes | None], Answer]


class GitClient(AbstractHttpGitClient):
    """dulwich's side of the protocol, for one exchange.

    was_posted: a push was sent, whatever came of it. leaves_out: the server can leave objects out
    of what it sends (partial clones); known once it has said what it can do.
    """

    def __init__(self, url: str, send: Send) -> None:
        super().__init__(url)
        self._send = send
        self.was_posted = False
        self.leaves_out = False

    def _negotiate_upload_pack_capabilities(
        self, server_capabilities: set[bytes]
    ) -> tuple[set[bytes], dict[Ref, Ref], bytes | None]:
        """No thin packs, whose deltas are against what may not be here, where we may choose.

        In the old protocol version the server may insist on them; it is not told then what is here.
        """
        if self.protocol_version == 2:
            self._fetch_capabilities.discard(CAPABILITY_THIN_PACK)
        given = super()._negotiate_upload_pack_capabilities(server_capabilities)
        found = find_capability(given[0], CAPABILITY_FETCH, CAPABILITY_FILTER)
        self.leaves_out = self.protocol_version == 2 and found is not None
        return given

    def _http_request(  # type: ignore[override]
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> tuple[_Response, Callable[[int], bytes]]:
        body = data if isinstance(data, bytes) or data is None else b"".join(data)
        given = {name: value for name, value in (headers or {}).items() if name != "Content-Length"}
        pushes = url.endswith("/git-receive-pack")
        self.was_posted = self.was_posted or pushes
        try:
            answer = self._send(url, {"User-Agent": USER_AGENT, **given}, body)
        except Unknown as error:
            if pushes:
                raise
            raise Unavailable(f"{error} (nothing was pushed yet)") from error
        kind = answer.headers.get("content-type", "")
        if not kind.startswith("application/x-git-"):
            raise Misconfigured(
                f"{url.partition('?')[0]} answered {kind or 'without a content type'}, as no Git "
                "server does; correct the URL (it may want `.git` at its end)"
            )
        content = io.BytesIO(answer.body)
        return _Response(kind), content.read


class _Response:
    """What dulwich looks at of an answer."""

    redirect_location = ""

    def __init__(self, content_type: str) -> None:
        self.content_type = content_type

    def close(self) -> None:
        """The answer was read whole."""
