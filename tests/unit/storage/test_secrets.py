"""No key, signature or leave is ever logged, or told in an error or what caused it."""

from __future__ import annotations

import base64
import logging
import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from alm.adapters.blob import AzureBlobs
from alm.adapters.ledgers import BlobLedgers
from alm.adapters.storage_transport import CarefulRetry, StorageTransport, client_options
from alm.domain.errors import AlmError
from alm.domain.ledger import Ledger
from tests.doubles.storage import EPOCH, FixedClock
from tests.unit.studio.raw_server import RawServer, Script, read_request

KEY = base64.b64encode(b"canary-of-the-account-key").decode()
SAS = "?sv=2021-08-06&se=2026-01-06&sr=b&sp=r&sig=canaryOfTheLeave%3D"
CANARIES = (KEY, "canary", "Canary", "SharedKey account:")


def account(port: int) -> str:
    place = f"BlobEndpoint=http://127.0.0.1:{port}/account"
    return f"DefaultEndpointsProtocol=http;AccountName=account;AccountKey={KEY};{place}"


def quoting(status: bytes) -> Script:
    """Refuses, and quotes all of the request in its answer, as storage does when debugging."""

    def script(connection: socket.socket) -> None:
        while request := read_request(connection):
            body = b"<Error><Code>canary, quoted</Code><Message>canary "
            body += base64.b64encode(request) + request.replace(b"<", b"").replace(b"&", b";")
            body += (
                b"</Message><AuthenticationErrorDetail>canary</AuthenticationErrorDetail></Error>"
            )
            head = b"HTTP/1.1 %s canary\r\nContent-Type: application/xml\r\n" % status
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    return script


def closing(connection: socket.socket) -> None:
    read_request(connection)


@contextmanager
def storage(script: Script) -> Iterator[AzureBlobs]:
    transport = StorageTransport()
    with RawServer(script) as server:
        yield AzureBlobs.from_connection_string(
            account(server.port),
            FixedClock(),
            storage_hosts=[f"localhost:{server.port}"],
            options=client_options(transport, retry=CarefulRetry(pause_seconds=0)),
        )
        transport.close()


def everything_told(blobs: AzureBlobs) -> str:
    """What each call that fails tells, with its causes."""
    host = blobs.location("datasets/a.csv").replace("127.0.0.1", "localhost")
    grant = blobs.grant("datasets/a.csv", "write", EPOCH + timedelta(hours=1))
    calls: list[Callable[[], object]] = [
        lambda: blobs.get("datasets/a.csv"),
        lambda: blobs.put("datasets/a.csv", b"1"),
        lambda: blobs.delete("datasets/a.csv"),
        lambda: list(blobs.list("datasets")),
        lambda: blobs.fetch(host, SAS),
        lambda: blobs.fetch(host + SAS),
        lambda: blobs.fetch("https://elsewhere.example/a" + SAS),
        lambda: blobs.fetch("ftp://[" + SAS),
        lambda: BlobLedgers(blobs).put(Ledger(model="churn"), ""),
        lambda: blobs.ensure_containers(),
    ]
    told = [repr(blobs), repr(grant)]
    for call in calls:
        with pytest.raises(AlmError) as raised:
            call()
        told += traceback.format_exception(raised.value)
    return "\n".join(told)


@pytest.mark.parametrize(
    "script",
    [quoting(b"403 Forbidden"), quoting(b"500 Broken"), quoting(b"400 Bad Request"), closing],
    ids=["denied", "broken", "refused", "closing"],
)
def test_no_secret_is_told_or_logged(script: Script, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)

    with storage(script) as blobs:
        told = everything_told(blobs)

    for canary in CANARIES:
        assert canary not in told
        assert canary not in caplog.text
