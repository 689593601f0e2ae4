"""One stack for all pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docs.playground import Playground


@pytest.fixture(scope="session")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    playground = Playground(tmp_path_factory.mktemp("docs"))
    yield playground
    playground.close()
