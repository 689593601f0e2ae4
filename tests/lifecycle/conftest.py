"""One Azurite and one local Studio for all tests of the experiment pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from devstack.studio.studio import Studio, StudioOptions
from tests.contract.conftest import azurite as azurite
from tests.contract.studio.local_studio import LocalStudio
from tests.contract.studio.trained import train_two
from tests.contract.studio.waiting import HandClock
from tests.lifecycle.world import World


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory, azurite: str) -> Iterator[Studio]:
    host = azurite.partition("BlobEndpoint=http://")[2].partition("/")[0]
    options = StudioOptions(
        data=tmp_path_factory.mktemp("studio"),
        admin=True,
        with_samples=True,
        propagation_seconds=0.2,
        allowed_hosts=frozenset({host}),
    )
    with Studio(options) as running:
        yield running


@pytest.fixture(scope="session")
def local(studio: Studio) -> Iterator[LocalStudio]:
    """The same Studio with two models that answer differently."""
    found = LocalStudio(studio, HandClock(), studio.description())
    with found.blobs() as blobs:
        blobs.create_container("contract")
    train_two(found)
    yield found
    found.close_clients()


@pytest.fixture
def make(studio: Studio, azurite: str) -> Callable[..., World]:
    def made(**declared: Any) -> World:
        return World(studio, azurite, **declared)

    return made
