"""What the tests of the commands about Studio start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.entrypoints.studio.desk_world import DeskWorld


@pytest.fixture
def desk(tmp_path: Path) -> DeskWorld:
    return DeskWorld(tmp_path)
