"""Assets below the wire: families, names, shared content, copies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.studio.errors import StudioError
from devstack.studio.store import Store
from devstack.studio.workspace.assets import Assets
from devstack.studio.workspace.records import Asset

HERE, THERE = "a" * 32, "b" * 32


@pytest.fixture
def assets(tmp_path: Path) -> Iterator[Assets]:
    store = Store(tmp_path / "studio.db")
    yield Assets(store, tmp_path / "assets", clock=lambda: 1_000.0)
    store.close()


def added(
    assets: Assets, name: str, content: bytes, workspace: str = HERE, family: str | None = None
) -> Asset:
    file = assets.temporary()
    file.write_bytes(content)
    return assets.add(
        workspace, "dataset", name=name, data_type="GenericCSV", content=file, family=family
    )


def test_a_new_version_becomes_the_latest_of_its_family(assets):
    first = added(assets, "census", b"old")

    second = added(assets, "census", b"new", family=first.family)

    versions = assets.family(HERE, first.family)
    assert [(first.id, False), (second.id, True)] == [(a.id, a.is_latest) for a in versions]
    assert assets.latest(HERE, first.family) == second
    assert b"new" == assets.path(second).read_bytes()


def test_a_name_taken_by_another_family_is_refused(assets):
    added(assets, "census", b"one")

    with pytest.raises(StudioError, match="'census' is there already") as refused:
        added(assets, "census", b"two")

    assert 409 == refused.value.status


def test_a_family_that_is_not_there_is_refused(assets):
    with pytest.raises(StudioError, match="no dataset of family") as refused:
        added(assets, "census", b"one", family="f" * 32)

    assert 404 == refused.value.status


def test_content_goes_with_the_last_asset_that_has_it(assets):
    one, two = added(assets, "one", b"same"), added(assets, "two", b"same", THERE)
    assert assets.path(one) == assets.path(two)

    assets.delete_family(HERE, one.family)
    assert assets.path(two).exists()

    assets.delete_workspace(THERE)
    assert not assets.path(two).exists()
    assert [] == assets.list(THERE, "dataset")


def test_a_copy_that_is_there_already_is_used_again(assets):
    source = added(assets, "census", b"rows")

    copy = assets.copy_into(source, THERE)

    assert (THERE, "census", source.digest) == (copy.workspace, copy.name, copy.digest)
    assert copy == assets.copy_into(source, THERE)
    assert b"rows" == assets.path(source).read_bytes()


def test_a_copy_under_a_taken_name_gets_a_number(assets):
    added(assets, "census", b"other", THERE)

    copy = assets.copy_into(added(assets, "census", b"rows"), THERE)

    assert "census (2)" == copy.name


def test_a_renamed_version_frees_the_old_name(assets):
    first = added(assets, "census", b"one")
    file = assets.temporary()
    file.write_bytes(b"two")
    assets.add(
        HERE, "dataset", name="people", data_type="GenericCSV", content=file, family=first.family
    )

    again = added(assets, "Census", b"three")

    assert first.family != again.family
    with pytest.raises(StudioError, match="'PEOPLE' is there already"):
        added(assets, "PEOPLE", b"four")
