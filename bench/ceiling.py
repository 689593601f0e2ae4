"""How many operations per second Azurite does by itself: the ceiling of everything on it.

Writes and reads of 2 KB by turns, over kept connections, each allowed by one grant on the
container, so that the client costs next to nothing.
"""

from __future__ import annotations

import http.client
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

CONTAINER = "bench"
CONTENT = b"x" * 2048  # as large as a small ledger
CONNECTIONS = 8
HEADERS = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2021-12-02"}


def operations_per_second(connection_string: str, seconds: float = 3.0) -> float:
    """Keep Azurite busy for so long; returns what it answered per second."""
    service = BlobServiceClient.from_connection_string(connection_string)
    container = service.get_container_client(CONTAINER)
    if not container.exists():
        container.create_container()
    sas = _leave(service)
    ends = time.monotonic() + seconds
    counts = [0] * CONNECTIONS
    workers = [
        threading.Thread(target=_work, args=(container.url, sas, ends, counts, place))
        for place in range(CONNECTIONS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    service.close()
    return sum(counts) / seconds


def _leave(service: Any) -> str:
    return generate_container_sas(
        service.account_name,
        CONTAINER,
        account_key=service.credential.account_key,
        permission=ContainerSasPermissions(read=True, write=True, create=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )


def _work(url: str, sas: str, ends: float, counts: list[int], place: int) -> None:
    site = urlsplit(url)
    connection = http.client.HTTPConnection(site.hostname or "", site.port, timeout=10)
    while time.monotonic() < ends:
        target = f"{site.path}/{place}-{counts[place] // 2 % 20}?{sas}"
        if counts[place] % 2:
            connection.request("GET", target)
        else:
            connection.request("PUT", target, CONTENT, HEADERS)
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (200, 201), answer.status
        counts[place] += 1
    connection.close()
