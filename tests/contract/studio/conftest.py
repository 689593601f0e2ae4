"""One local Studio for all contract tests, and the worlds they are run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.studio.deployer_worlds import (
    DoubleDeployerWorld,
    LocalEndpointWorld,
    LocalServiceWorld,
    LocalServiceWorld2016,
)
from tests.contract.studio.local_studio import LocalStudio, local_studio
from tests.contract.studio.service_worlds import (
    DoubleClassicWorld,
    DoubleNewWorld,
    LocalClassicWorld,
    LocalNewWorld,
    LocalNewWorld2016,
)
from tests.contract.studio.studio_worlds import (
    ClassicTargetWorld,
    ClassicTraining,
    NewTargetWorld,
    NewTargetWorld2016,
    NewTraining,
)
from tests.contract.studio.trained import train_two
from tests.contract.studio.workspace_worlds import DoubleWorkspaceWorld, StudioWorkspaceWorld
from tests.contract.studio.worlds import (
    DoubleTargetWorld,
    DoubleTrainingWorld,
)

DOUBLES = (
    DoubleWorkspaceWorld,
    DoubleTrainingWorld,
    DoubleTargetWorld,
    DoubleWorkspaceWorld,
    DoubleClassicWorld,
    DoubleNewWorld,
    DoubleDeployerWorld,
)


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStudio]:
    folder: Path = tmp_path_factory.mktemp("studio")
    with local_studio(folder) as local:
        train_two(local)
        yield local


def _world(request: pytest.FixtureRequest, make: Callable[..., object]) -> Iterator[object]:
    if make in DOUBLES:
        yield make()
        return
    local = request.getfixturevalue("studio")
    yield make(local)
    local.heal()
    local.close_clients()


@pytest.fixture(params=[DoubleTrainingWorld, ClassicTraining, NewTraining])
def training(request: pytest.FixtureRequest) -> Iterator[object]:
    yield from _world(request, request.param)


@pytest.fixture(params=[DoubleTargetWorld, ClassicTargetWorld, NewTargetWorld, NewTargetWorld2016])
def world(request: pytest.FixtureRequest) -> Iterator[object]:
    yield from _world(request, request.param)


@pytest.fixture(params=[DoubleWorkspaceWorld, StudioWorkspaceWorld])
def lab(request: pytest.FixtureRequest) -> Iterator[object]:
    yield from _world(request, request.param)


@pytest.fixture(params=[DoubleClassicWorld, LocalClassicWorld])
def classic(request: pytest.FixtureRequest) -> Iterator[object]:
    yield from _world(request, request.param)


@pytest.fixture(params=[DoubleNewWorld, LocalNewWorld, LocalNewWorld2016])
def new(request: pytest.FixtureRequest) -> Iterator[object]:
    yield from _world(request, request.param)


@pytest.fixture(
    params=[DoubleDeployerWorld, LocalEndpointWorld, LocalServiceWorld, LocalServiceWorld2016]
)
def beside(request: pytest.FixtureRequest) -> Iterator[object]:
    yield from _world(request, request.param)
