"""A Studio with samples per module, on free ports, and what tests do with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.studio.studio import Studio, StudioOptions
from tests.devstack.studio.client import Client


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder: Path = tmp_path_factory.mktemp("studio")
    options = StudioOptions(data=folder, with_samples=True, admin=True, propagation_seconds=0)
    with Studio(options) as running:
        yield running


@pytest.fixture(scope="module")
def client(studio: Studio) -> Iterator[Client]:
    with Client(studio.description()) as connected:
        yield connected


@pytest.fixture(autouse=True)
def no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "client" in request.fixturenames:
        client: Client = request.getfixturevalue("client")
        client.admin("DELETE", "faults")
        client.admin("POST", "propagation", {"seconds": 0})
