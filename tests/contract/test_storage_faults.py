"""The storage adapters when the network or the service fails: what is told, and how soon."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from alm.adapters import storage_transport
from alm.adapters.blob import AzureBlobs
from alm.adapters.ledgers import BlobLedgers
from alm.adapters.records import BlobRecords
from alm.adapters.storage_transport import StorageTransport
from alm.adapters.versions import BlobVersions
from alm.domain.errors import AlmError, Conflict, Misconfigured, NotFound, Unavailable, Unknown
from alm.domain.ledger import Ledger
from tests.contract.storage_worlds import TODAY, AzuriteWorld, azure_blobs
from tests.contract.tcp_proxy import TcpProxy
from tests.doubles.storage import FixedClock
from tests.unit.studio.raw_server import RawServer, Script, read_request

SECONDS_MAX = 1.0  # the deadline in these tests; what is told comes at most this much later


@pytest.fixture
def direct(azurite: str) -> Iterator[AzuriteWorld]:
    world = AzuriteWorld(azurite)
    yield world
    world.close()


@pytest.fixture
def proxy(azurite: str, direct: AzuriteWorld) -> Iterator[TcpProxy]:
    with TcpProxy(_port(azurite)) as proxy:
        yield proxy


@pytest.fixture
def blobs(azurite: str, proxy: TcpProxy) -> Iterator[AzureBlobs]:
    transport = StorageTransport()
    yield azure_blobs(_moved(azurite, proxy.port), transport)
    transport.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines short enough to wait for."""
    monkeypatch.setattr(storage_transport, "ATTEMPT_SECONDS", SECONDS_MAX / 2)
    monkeypatch.setattr(storage_transport, "CALL_SECONDS", SECONDS_MAX)
    monkeypatch.setattr(storage_transport, "FILE_SECONDS", SECONDS_MAX)


def _port(connection_string: str) -> int:
    return int(connection_string.partition("BlobEndpoint=http://127.0.0.1:")[2].partition("/")[0])


def _moved(connection_string: str, port: int) -> str:
    return connection_string.replace(f":{_port(connection_string)}/", f":{port}/")


@contextmanager
def scripted(azurite: str, script: Script) -> Iterator[AzureBlobs]:
    """The adapter before a server that answers as it is told to."""
    transport = StorageTransport()
    with RawServer(script) as server:
        yield azure_blobs(_moved(azurite, server.port), transport)
        transport.close()


def seconds_until_told(call: Callable[[], object], kind: type[AlmError]) -> float:
    began = time.monotonic()
    with pytest.raises(kind):
        call()
    return time.monotonic() - began


# lost answers


def test_a_write_whose_answer_is_lost_is_unknown_and_done(
    direct: AzuriteWorld, proxy: TcpProxy, blobs: AzureBlobs
):
    path = direct.path("a.csv")
    proxy.mode = "lose_answers"

    with pytest.raises(Unknown):
        blobs.put(path, b"content")

    assert direct.blobs.get(path) == b"content"
    assert proxy.answers_lost == 1


def test_a_write_if_absent_whose_answer_is_lost_is_no_conflict(
    direct: AzuriteWorld, proxy: TcpProxy, blobs: AzureBlobs
):
    path = direct.path("a.csv")
    proxy.lose(1)

    with pytest.raises(Unknown):
        blobs.put(path, b"content", if_absent=True)

    assert direct.blobs.get(path) == b"content"


def test_a_ledger_write_whose_answer_is_lost_is_unknown_and_done(
    direct: AzuriteWorld, proxy: TcpProxy, blobs: AzureBlobs
):
    ledger = Ledger(model=f"m-{uuid4().hex}", runs=1)
    proxy.lose(1)

    with pytest.raises(Unknown):
        BlobLedgers(blobs).put(ledger, "")

    assert direct.ledgers.get(ledger.model)[0] == ledger


def test_a_deletion_whose_answer_is_lost_is_unknown_and_done(
    direct: AzuriteWorld, proxy: TcpProxy, blobs: AzureBlobs
):
    path = direct.path("a.csv")
    direct.blobs.put(path, b"content")
    proxy.lose(1)

    with pytest.raises(Unknown):
        blobs.delete(path)

    with pytest.raises(NotFound):
        direct.blobs.get(path)


def test_a_file_whose_last_answer_is_lost_is_unknown_and_whole(
    direct: AzuriteWorld, proxy: TcpProxy, blobs: AzureBlobs
):
    path = direct.path("model.ilearner")
    content = b"m" * (9 << 20)

    class Ending(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            piece = super().read(size)
            if not piece:
                proxy.lose(2)  # of the last block, which may be sent again, and of the commit
            return piece

    with pytest.raises(Unknown):
        blobs.put(path, Ending(content), if_absent=True)
    proxy.mode = "pass"

    try:
        assert direct.blobs.get(path) == content
    except NotFound:
        assert proxy.answers_lost == 1  # the last block's answer was lost: nothing is seen


@pytest.mark.parametrize("lost", [1, 2])
def test_a_read_whose_answer_is_lost_is_made_again(
    direct: AzuriteWorld, proxy: TcpProxy, blobs: AzureBlobs, lost: int
):
    path = direct.path("a.csv")
    direct.blobs.put(path, b"content")
    proxy.lose(lost)

    assert blobs.get(path) == b"content"


def test_a_read_that_is_never_answered_is_unavailable(
    direct: AzuriteWorld, proxy: TcpProxy, blobs: AzureBlobs
):
    path = direct.path("a.csv")
    direct.blobs.put(path, b"content")
    proxy.mode = "lose_answers"

    for read in (blobs.get, blobs.open, blobs.properties):
        with pytest.raises(Unavailable):
            read(path)
    with pytest.raises(Unavailable):
        list(blobs.list("datasets"))


def test_a_file_goes_on_after_an_answer_was_lost(
    direct: AzuriteWorld, proxy: TcpProxy, blobs: AzureBlobs
):
    path = direct.path("model.ilearner")
    direct.blobs.put(path, b"m" * (9 << 20))

    file = blobs.open(path)
    proxy.lose(1)

    assert file.read() == b"m" * (9 << 20)


def test_a_file_that_changes_while_it_is_read_is_a_conflict(direct: AzuriteWorld):
    path = direct.path("model.ilearner")
    direct.blobs.put(path, b"a" * (9 << 20))

    file = direct.blobs.open(path)
    direct.blobs.put(path, b"b" * (9 << 20))

    with pytest.raises(Conflict):
        file.read()


def test_records_say_nothing_when_a_run_in_flight_cannot_be_shown(
    proxy: TcpProxy, blobs: AzureBlobs
):
    proxy.mode = "lose_answers"

    BlobRecords(blobs, FixedClock(TODAY)).put_active("churn", "churn.r1", {"run": "churn.r1"})


# storage away


def test_storage_that_is_away_is_unavailable(azurite: str):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    blobs = azure_blobs(_moved(azurite, port), StorageTransport())
    records = BlobRecords(blobs, FixedClock(TODAY))

    calls: list[Callable[[], object]] = [
        lambda: blobs.get("datasets/a.csv"),
        lambda: blobs.open("datasets/a.csv"),
        lambda: blobs.put("datasets/a.csv", b""),
        lambda: blobs.put("datasets/a.csv", io.BytesIO(b"m" * (5 << 20)), if_absent=True),
        lambda: blobs.delete("datasets/a.csv"),
        lambda: list(blobs.list("datasets")),
        lambda: blobs.ensure_containers(),
        lambda: BlobLedgers(blobs).get("churn"),
        lambda: BlobLedgers(blobs).put(Ledger(model="churn"), ""),
        lambda: BlobVersions(blobs).manifests("churn"),
        lambda: records.runs(),
        lambda: records.run("churn.r1"),
        lambda: records.inbox(),
    ]
    for call in calls:
        with pytest.raises(Unavailable, match="cannot be reached"):
            call()


# what the service says


def answering(status: bytes, *headers: bytes, body: bytes = b"") -> Script:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers, b"", body]
    text = b"\r\n".join(lines)

    def script(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(text)

    return script


@pytest.mark.parametrize(
    ("status", "reading", "writing"),
    [
        (b"503 Server Busy", Unavailable, Unavailable),
        (b"429 Too Many Requests", Unavailable, Unavailable),
        (b"500 Internal Server Error", Unavailable, Unknown),
        (b"400 Bad Request", Misconfigured, Misconfigured),
        (b"302 Found", Misconfigured, Misconfigured),
        (b"409 Conflict", Conflict, Conflict),
    ],
)
def test_each_answer_is_told_by_what_the_caller_can_do(
    azurite: str, status: bytes, reading: type[AlmError], writing: type[AlmError]
):
    elsewhere = b"Location: http://127.0.0.1:1/other"
    with scripted(azurite, answering(status, elsewhere)) as blobs:
        with pytest.raises(reading):
            blobs.get("datasets/a.csv")
        with pytest.raises(writing):
            blobs.put("datasets/a.csv", b"")
        with pytest.raises(writing):
            blobs.put("datasets/a.csv", b"", if_absent=True)


def test_a_page_of_somebody_else_is_no_answer_of_storage(azurite: str):
    page = answering(b"200 OK", b"Content-Type: text/html", body=b"<html>Log in</html>")
    with scripted(azurite, page) as blobs:
        calls: list[Callable[[], object]] = [
            lambda: list(blobs.list("datasets")),
            lambda: blobs.get("datasets/a.csv"),
            lambda: blobs.properties("datasets/a.csv"),
            lambda: blobs.put("datasets/a.csv", b""),
        ]
        for call in calls:
            with pytest.raises(Misconfigured, match="not blob storage"):
                call()


def test_the_environments_proxy_is_not_used(direct: AzuriteWorld, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    path = direct.path("a.csv")
    direct.blobs.put(path, b"content")

    assert direct.blobs.get(path) == b"content"


def test_a_ledger_that_is_damaged_is_told_with_its_place(direct: AzuriteWorld):
    model = f"m-{uuid4().hex}"
    direct.blobs.put(f"alm-ledger/{model}.json", b'{"model": 7, "secret-canary": ')

    with pytest.raises(Misconfigured, match=f"alm-ledger/{model}.json"):
        direct.ledgers.get(model)


def test_a_damaged_record_hides_no_other(direct: AzuriteWorld):
    direct.records.put_ended("churn.r1", "2026-01-05", {"run": "churn.r1", "model": "churn"})
    for content in (b"{", b"[]", b'{"a": 1}', b"\xff"):
        direct.blobs.put(f"alm-runs/2026-01-05/{uuid4().hex}.json", content)
        direct.blobs.put(f"alm-inbox/2026-01-05/{uuid4().hex}.json", content)

    assert [each["run"] for each in direct.records.runs()] == ["churn.r1"]
    assert direct.records.inbox() == []


# deadlines


def trickling(head: bytes, *, pause: float = 0.05) -> Script:
    """Answers one byte at a time, for ever."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head)
        ended = threading.Event()
        while not ended.wait(pause):
            connection.sendall(b"x")

    return script


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-999999/1000000\r\n\r\n",
    ],
)
def test_every_call_ends_though_bytes_keep_trickling_in(azurite: str, head: bytes):
    with scripted(azurite, trickling(head)) as blobs:
        limit = 2 * SECONDS_MAX

        assert seconds_until_told(lambda: blobs.get("datasets/a"), Unavailable) < limit
        assert seconds_until_told(lambda: blobs.open("datasets/a"), Unavailable) < limit
        assert seconds_until_told(lambda: blobs.put("datasets/a", b""), Unknown) < limit


@pytest.mark.usefixtures("quick")
def test_every_call_ends_though_nothing_is_answered(
    direct: AzuriteWorld, proxy: TcpProxy, blobs: AzureBlobs
):
    path = direct.path("model.ilearner")
    direct.blobs.put(path, b"m" * (9 << 20))
    file = blobs.open(path)
    proxy.mode = "stall"
    large = io.BytesIO(b"m" * (9 << 20))

    calls: list[tuple[Callable[[], object], type[AlmError]]] = [
        (lambda: file.read(), Unavailable),
        (lambda: blobs.get(path), Unavailable),
        (lambda: blobs.properties(path), Unavailable),
        (lambda: list(blobs.list("datasets")), Unavailable),
        (lambda: blobs.folders("datasets"), Unavailable),
        (lambda: blobs.put(path, b""), Unknown),
        (lambda: blobs.put(path, large), Unknown),
        (lambda: blobs.delete(path), Unknown),
        (lambda: blobs.ensure_containers(), Unavailable),
    ]
    for call, kind in calls:
        assert seconds_until_told(call, kind) < 2 * SECONDS_MAX


def test_the_deadlines_are_those_that_are_promised():
    pauses = 2 * storage_transport.PAUSE_SECONDS_MAX

    assert storage_transport.CALL_SECONDS + pauses <= 60
    assert storage_transport.FILE_SECONDS + pauses <= 180
    assert storage_transport.ATTEMPT_SECONDS * 2 < storage_transport.CALL_SECONDS


def test_a_grant_needs_no_call(azurite: str):
    blobs = azure_blobs(_moved(azurite, 1), StorageTransport())

    grant = blobs.grant("datasets/a.csv", "read", TODAY + timedelta(days=1))

    assert "sig=" in grant.sas
