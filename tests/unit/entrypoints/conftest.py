"""What the tests of the entry points start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.entrypoints.app_world import AppWorld


@pytest.fixture
def world(tmp_path: Path) -> AppWorld:
    return AppWorld(tmp_path / "managed_models")
