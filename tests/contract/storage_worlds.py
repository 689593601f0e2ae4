"""Storage as the contract suite sees it: the doubles, and the adapters over Azurite."""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import uuid4

from alm.adapters.blob import AzureBlobs
from alm.adapters.clock import SystemClock
from alm.adapters.ledgers import BlobLedgers
from alm.adapters.records import BlobRecords
from alm.adapters.storage_transport import CarefulRetry, StorageTransport, client_options
from alm.adapters.versions import BlobVersions
from alm.domain.errors import Denied
from alm.ports import Blobs, Grant, Ledgers, Records, Versions
from tests.doubles.storage import (
    FixedClock,
    MemoryBlobs,
    MemoryLedgers,
    MemoryRecords,
    MemoryVersions,
)

TODAY = datetime(2026, 1, 5, 12, tzinfo=UTC)


class StorageWorld(Protocol):
    """What a test may use. `clock` is that of the records; `path` names a blob nobody else uses."""

    blobs: Blobs
    ledgers: Ledgers
    versions: Versions
    records: Records
    clock: FixedClock

    def path(self, name: str) -> str: ...

    def now(self) -> datetime:
        """The time by which grants expire."""
        ...

    def use(self, url: str, content: bytes | None = None) -> bytes:
        """Read, or write, as a service does that was given a URL with a leave. Raises Denied."""
        ...

    def expired(self, path: str) -> Grant:
        """A grant to read that has expired."""
        ...

    def elsewhere(self, content: bytes, *, expired: bool = False) -> tuple[str, str]:
        """A file on another, allowed host: its URL, and the leave to read it."""
        ...

    def close(self) -> None: ...


class MemoryWorld:
    """The doubles."""

    host = "other.blob.core.windows.net"

    def __init__(self) -> None:
        self.clock = FixedClock(TODAY)
        self.blobs = MemoryBlobs(self.clock, storage_hosts=[self.host])
        self.ledgers = MemoryLedgers()
        self.versions = MemoryVersions(self.blobs)
        self.records = MemoryRecords(self.clock)

    def path(self, name: str) -> str:
        return f"datasets/{uuid4().hex}/{name}"

    def now(self) -> datetime:
        return self.clock.now()

    def use(self, url: str, content: bytes | None = None) -> bytes:
        return self.blobs.used(url, content)

    def expired(self, path: str) -> Grant:
        grant = self.blobs.grant(path, "read", self.now() + timedelta(minutes=1))
        self.clock.advance(120)
        return grant

    def elsewhere(self, content: bytes, *, expired: bool = False) -> tuple[str, str]:
        url = f"https://{self.host}/models/{uuid4().hex}.ilearner"
        self.blobs.foreign[url] = (content, "?sig=good")
        return url, "?sig=old" if expired else "?sig=good"

    def close(self) -> None: ...


class AzuriteWorld:
    """The adapters. Another host is the same Azurite under its other name, `localhost`."""

    def __init__(self, connection_string: str) -> None:
        port = connection_string.partition("BlobEndpoint=http://127.0.0.1:")[2].partition("/")[0]
        self.host = f"localhost:{port}"
        self.clock = FixedClock(TODAY)
        self._text = connection_string
        self.transport = StorageTransport()
        self.blobs = azure_blobs(connection_string, self.transport, storage_hosts=[self.host])
        self.blobs.ensure_containers()
        self.ledgers = BlobLedgers(self.blobs)
        self.versions = BlobVersions(self.blobs)
        self.records = BlobRecords(self.blobs, self.clock)

    def path(self, name: str) -> str:
        return f"datasets/{uuid4().hex}/{name}"

    def now(self) -> datetime:
        return datetime.now(UTC)

    def use(self, url: str, content: bytes | None = None) -> bytes:
        method = "GET" if content is None else "PUT"
        headers = {} if content is None else {"x-ms-blob-type": "BlockBlob"}
        request = urllib.request.Request(url, data=content, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                assert error.code == 403, error.read()
            raise Denied(f"{error.code}") from None

    def expired(self, path: str) -> Grant:
        return self._an_hour_ago().grant(path, "read", self.now() - timedelta(minutes=30))

    def elsewhere(self, content: bytes, *, expired: bool = False) -> tuple[str, str]:
        path = self.path("model.ilearner")
        self.blobs.put(path, content)
        until = self.now() + timedelta(minutes=30)
        grant = self.expired(path) if expired else self.blobs.grant(path, "read", until)
        return grant.location.replace("127.0.0.1", "localhost"), grant.sas

    def close(self) -> None:
        for container in ("alm-runs", "alm-inbox", "alm-ledger", "alm-definitions"):
            for blob in list(self.blobs.list(container)):
                self.blobs.delete(blob.path)
        self.transport.close()

    def _an_hour_ago(self) -> AzureBlobs:
        clock = FixedClock(self.now() - timedelta(hours=1))
        options = client_options(self.transport)
        return AzureBlobs.from_connection_string(self._text, clock, options=options)


def azure_blobs(
    connection_string: str, transport: StorageTransport, *, storage_hosts: list[str] | None = None
) -> AzureBlobs:
    """The adapter, with short pauses between attempts."""
    options = client_options(transport, retry=CarefulRetry(pause_seconds=0.01))
    return AzureBlobs.from_connection_string(
        connection_string,
        SystemClock(),
        storage_hosts=storage_hosts or (),
        options=options,
    )
