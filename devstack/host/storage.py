"""Blob and queue storage over REST: just what the host needs, signed with the account key.

The SDK takes a millisecond of CPU per listed blob; a landing zone is listed twice a second, so this
reads the XML itself. Calls block: use them from a thread. Source: Blob and Queue service REST API,
version 2021-12-02.
"""

import base64
import hashlib
import hmac
import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qsl, quote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from devstack.host.errors import StorageError

API_VERSION = "2021-12-02"
_TIMEOUT_SECONDS = 30.0
_DEVELOPMENT_ACCOUNT = "devstoreaccount1"
# Published by Microsoft for the emulator; the same on every machine.
DEVELOPMENT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


@dataclass(frozen=True)
class StorageAccount:
    """Where an account is and its key, as its connection string says."""

    name: str
    key: bytes
    blob_endpoint: str
    queue_endpoint: str


@dataclass(frozen=True)
class Blob:
    """A blob as listed."""

    container: str
    name: str
    etag: str
    length: int
    content_type: str = ""
    last_modified: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def parse_connection_string(text: str) -> StorageAccount:
    """Read a storage connection string. Raises ValueError."""
    if text.strip().rstrip(";") == "UseDevelopmentStorage=true":
        return development_account(10000, 10001)
    pairs = (part.split("=", 1) for part in text.split(";") if "=" in part)
    values = {name.strip(): value.strip() for name, value in pairs}
    missing = [n for n in ("AccountName", "AccountKey", "BlobEndpoint") if not values.get(n)]
    if missing:
        raise ValueError(f"storage connection string has no {', '.join(missing)}")
    return StorageAccount(
        name=values["AccountName"],
        key=base64.b64decode(values["AccountKey"]),
        blob_endpoint=values["BlobEndpoint"].rstrip("/"),
        queue_endpoint=values.get("QueueEndpoint", "").rstrip("/"),
    )


def development_account(blob_port: int, queue_port: int) -> StorageAccount:
    """Return the emulator's account on the given ports."""
    return StorageAccount(
        name=_DEVELOPMENT_ACCOUNT,
        key=base64.b64decode(DEVELOPMENT_KEY),
        blob_endpoint=f"http://127.0.0.1:{blob_port}/{_DEVELOPMENT_ACCOUNT}",
        queue_endpoint=f"http://127.0.0.1:{queue_port}/{_DEVELOPMENT_ACCOUNT}",
    )


class Storage:
    """A small client; one connection per endpoint and thread."""

    def __init__(self, account: StorageAccount) -> None:
        self.account = account
        self._local = threading.local()

    def blob_url(self, container: str, name: str) -> str:
        """Return the address of a blob."""
        return f"{self.account.blob_endpoint}/{container}/{quote(name)}"

    def create_container(self, container: str) -> None:
        """Create a container; done if it is there."""
        url = f"{self.account.blob_endpoint}/{container}?restype=container"
        self._send("PUT", url, accept=(201, 409))

    def list_blobs(self, container: str) -> Iterator[Blob]:
        """Yield the blobs of a container, page by page; StorageError 404 if it is missing."""
        marker = ""
        while True:
            url = (
                f"{self.account.blob_endpoint}/{container}?restype=container&comp=list"
                f"&include=metadata&marker={quote(marker, safe='')}"
            )
            # our own storage, addressed by its owner's connection string
            page = ElementTree.fromstring(self._send("GET", url).body)  # noqa: S314
            yield from (_listed(container, element) for element in page.iter("Blob"))
            marker = page.findtext("NextMarker") or ""
            if not marker:
                return

    def find_blob(self, container: str, name: str) -> Blob | None:
        """Return a blob's properties, None if it does not exist."""
        answer = self._send("HEAD", self.blob_url(container, name), accept=(200, 404))
        if answer.status == 404:
            return None
        prefix = "x-ms-meta-"
        return Blob(
            container=container,
            name=name,
            etag=answer.headers.get("ETag", "").strip('"'),
            length=int(answer.headers.get("Content-Length", 0)),
            content_type=answer.headers.get("Content-Type", ""),
            last_modified=answer.headers.get("Last-Modified", ""),
            metadata={
                key.lower().removeprefix(prefix): value
                for key, value in answer.headers.items()
                if key.lower().startswith(prefix)
            },
        )

    def read_blob(self, container: str, name: str) -> bytes | None:
        """Return a blob's content, None if it does not exist."""
        answer = self._send("GET", self.blob_url(container, name), accept=(200, 404))
        return None if answer.status == 404 else answer.body

    def put_message(self, queue: str, text: str) -> None:
        """Add a message to a storage queue, which is created when missing."""
        if not self.account.queue_endpoint:
            raise StorageError(f"no QueueEndpoint in the connection string, queue {queue!r}")
        base = f"{self.account.queue_endpoint}/{queue}"
        encoded = escape(base64.b64encode(text.encode()).decode())
        document = f"<QueueMessage><MessageText>{encoded}</MessageText></QueueMessage>".encode()
        url = f"{base}/messages?messagettl=-1"
        if self._send("POST", url, document, accept=(201, 404)).status == 404:
            self._send("PUT", base, accept=(201, 204, 409))
            self._send("POST", url, document, accept=(201,))

    def peek_messages(self, queue: str) -> list[str]:
        """Return the first messages of a storage queue (at most 32), leaving them there."""
        base = f"{self.account.queue_endpoint}/{queue}"
        answer = self._send("GET", f"{base}/messages?peekonly=true&numofmessages=32")
        page = ElementTree.fromstring(answer.body)  # noqa: S314 - as above
        return [base64.b64decode(e.text or "").decode() for e in page.iter("MessageText")]

    def close(self) -> None:
        """Close the connections of the calling thread."""
        for connection in self._local.__dict__.values():
            connection.close()
        self._local.__dict__.clear()

    def _send(
        self, method: str, url: str, body: bytes = b"", *, accept: tuple[int, ...] = (200,)
    ) -> _Answer:
        parts = urlsplit(url)
        headers = {
            "x-ms-date": formatdate(usegmt=True),
            "x-ms-version": API_VERSION,
            "Content-Length": str(len(body)),
        }
        headers["Authorization"] = self._signature(method, url, headers, len(body))
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        try:
            answer = self._exchange(parts.netloc, method, target, body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise StorageError(f"{method} {parts.path}: no answer: {error}") from error
        if answer.status not in accept:
            said = answer.body[:300].decode(errors="replace")
            raise StorageError(f"{method} {parts.path}: {answer.status} {said}", answer.status)
        return answer

    def _exchange(
        self, netloc: str, method: str, target: str, body: bytes, headers: dict[str, str]
    ) -> _Answer:
        connections: dict[str, http.client.HTTPConnection] = self._local.__dict__
        reused = connections.get(netloc)
        connection = reused or http.client.HTTPConnection(netloc, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(method, target, body or None, headers)
            response = connection.getresponse()
            answer = _Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            connections.pop(netloc, None)
            if reused is None:
                raise
            return self._exchange(netloc, method, target, body, headers)  # it had gone stale
        connections[netloc] = connection
        return answer

    def _signature(self, method: str, url: str, headers: dict[str, str], length: int) -> str:
        """Sign with the account key. Source: "Authorize with Shared Key"."""
        parts = urlsplit(url)
        query = sorted(parse_qsl(parts.query, keep_blank_values=True))
        resource = f"/{self.account.name}{parts.path}"
        resource += "".join(f"\n{name.lower()}:{value}" for name, value in query)
        ours = "".join(f"{name}:{headers[name]}\n" for name in ("x-ms-date", "x-ms-version"))
        text = f"{method}\n\n\n{length or ''}" + "\n" * 9 + ours + resource
        digest = hmac.new(self.account.key, text.encode(), hashlib.sha256).digest()
        return f"SharedKey {self.account.name}:{base64.b64encode(digest).decode()}"


def _listed(container: str, element: ElementTree.Element) -> Blob:
    properties = element.find("Properties")
    metadata = element.find("Metadata")
    assert properties is not None
    return Blob(
        container=container,
        name=element.findtext("Name") or "",
        etag=(properties.findtext("Etag") or properties.findtext("ETag") or "").strip('"'),
        length=int(properties.findtext("Content-Length") or 0),
        content_type=properties.findtext("Content-Type") or "",
        last_modified=properties.findtext("Last-Modified") or "",
        metadata={item.tag: item.text or "" for item in metadata} if metadata is not None else {},
    )
