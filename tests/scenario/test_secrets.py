"""No secret is anywhere that the app writes to, after everything that happened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from tests.scenario.world import CANARY, Scene, World

READERS = 8
CONTAINERS = ("alm-ledger", "alm-runs", "alm-inbox", "alm-definitions")
SIGNATURE = re.compile(rb"sig(?:=|%3D)[A-Za-z0-9%+/]{8}", re.IGNORECASE)
LEAKING_TEXT = b"https://lake.example/rows.csv"  # what a planted signature stands behind
SHORTEST = 12  # what is shorter would be found by chance


def secrets(world: World) -> dict[str, str]:
    """Every key of the stack by its name."""
    addresses = world.stack.addresses
    found = {name: str(addresses[name]) for name in ("workspace_token", "arm_token")}
    found["host_master_key"] = str(addresses["host_master_key"])
    found |= {f"API key of {role}": str(key) for role, key in addresses["api_keys"].items()}
    for name in ("storage_connection_string", "connection_string"):
        keys = re.findall(r"(?:AccountKey|SharedAccessKey)=([^;]+)", str(addresses[name]))
        found |= {f"key in {name}": key for key in keys}
    found |= {f"key of {name}": key for name, key in _endpoint_keys(world)}
    return {**found, "canary": CANARY}


def _endpoint_keys(world: World) -> Iterator[tuple[str, str]]:
    scoring = [target for model in world.models.values() for target in model.targets]
    for target in scoring:
        yield target.name, world.studio.execution_key(target)
    for sample in world.stack.addresses["samples"]:
        yield f"{sample['name']} {sample['role']}", str(sample["api_key"])


def written(world: World) -> Iterator[tuple[str, bytes]]:
    """Everything that the app wrote for people and for itself, and every log."""
    data = Path(str(world.stack.addresses["data"]))
    for file in (*(data / "logs").iterdir(), *(data / "servicebus").rglob("*")):
        if file.is_file():
            yield str(file.relative_to(data)), file.read_bytes()
    storage = str(world.stack.addresses["storage_connection_string"])
    with BlobServiceClient.from_connection_string(storage) as service:
        for name in CONTAINERS:
            yield from _blobs(service, name)
        for name in ("alm-versions", "alm-jobs"):
            yield from _blobs(service, name, ".json")


def _blobs(service: Any, container: str, ending: str = "") -> Iterator[tuple[str, bytes]]:
    client = service.get_container_client(container)
    found = [b for b in client.list_blobs(include=["metadata"]) if b.name.endswith(ending)]

    def read(blob: Any) -> tuple[str, bytes]:
        content = client.download_blob(blob.name).readall()
        return f"{container}/{blob.name}", content + str(blob.metadata).encode()

    with ThreadPoolExecutor(READERS) as readers:
        yield from readers.map(read, found)


@pytest.mark.last
def test_no_secret_is_written_anywhere(scene: Scene) -> None:
    wanted = secrets(scene.world)
    assert all(len(secret) >= SHORTEST for secret in wanted.values()), wanted.keys()

    found, details = [], 0
    for place, content in written(scene.world):
        details += LEAKING_TEXT in content
        found += [f"{name} in {place}" for name, key in wanted.items() if key.encode() in content]
        found += [f"a signature in {place}" for _ in SIGNATURE.findall(content)]

    assert [] == found
    if "broken" in scene.world.models:
        assert details, "the details that a secret was planted in were not seen at all"
