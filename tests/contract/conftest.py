"""One Azurite and one broker for all contract tests."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from devstack import plans
from devstack.azurite import connection_string
from devstack.part import Part
from devstack.plans import StackOptions
from devstack.ports import choose
from tests.contract.storage_worlds import AzuriteWorld, MemoryWorld, StorageWorld

START_SECONDS_MAX = 30


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its connection string."""
    ports = choose({})
    options = StackOptions(data=tmp_path_factory.mktemp("azurite"))
    part = Part(plans.azurite_plan(options, ports), lambda name, code: None)
    try:
        part.wait_ready(time.monotonic() + START_SECONDS_MAX)
        yield connection_string(plans.storage_ports(ports))
    finally:
        part.end()
        part.join(START_SECONDS_MAX)


@pytest.fixture(params=[MemoryWorld, AzuriteWorld])
def storage(request: pytest.FixtureRequest) -> Iterator[StorageWorld]:
    world: StorageWorld
    if request.param is MemoryWorld:
        world = MemoryWorld()
    else:
        world = AzuriteWorld(request.getfixturevalue("azurite"))
    yield world
    world.close()
