"""Where the APIs of a workspace are."""

from __future__ import annotations

import pytest

from alm.domain.errors import Misconfigured
from alm.domain.experiment import StudioWorkspace
from alm.domain.regions import management_address, studio_address

ID = "a" * 32


@pytest.mark.parametrize(
    ("region", "studio", "management"),
    [
        ("South Central US", "studioapi.azureml.net", "management.azureml.net"),
        ("west europe", "europewest.studioapi.azureml.net", "europewest.management.azureml.net"),
        ("SouthEastAsia", "asiasoutheast.studioapi.azureml.net",
         "asiasoutheast.management.azureml.net"),
        ("japan-east", "japaneast.studioapi.azureml.net", "japaneast.management.azureml.net"),
        ("Germany Central", "germanycentral.studioapi.azureml.de",
         "germanycentral.management.azureml.de"),
        ("West Central US", "uswestcentral.studioapi.azureml.net",
         "uswestcentral.management.azureml.net"),
        ("Integration Test", "studioapi.azureml-int.net", "management.azureml-int.net"),
    ],
)  # fmt: skip
def test_a_region_names_its_hosts(region: str, studio: str, management: str) -> None:
    workspace = StudioWorkspace(workspace=ID, region=region)

    assert studio_address(workspace) == f"https://{studio}/api"
    assert management_address(workspace) == f"https://{management}"


def test_an_unknown_region_is_told_with_those_there_are() -> None:
    workspace = StudioWorkspace(workspace=ID, region="Norway East")

    for address in (studio_address, management_address):
        with pytest.raises(Misconfigured, match=r"'Norway East'.*South Central US.*Japan East"):
            address(workspace)


@pytest.mark.parametrize(
    ("declared", "used"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/api"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/api"),
        ("https://studio.azureml.net/api/", "https://studio.azureml.net/api"),
        ("https://proxy.test/studio/api", "https://proxy.test/studio/api"),
    ],
)
def test_declared_addresses_count_more_than_the_region(declared: str, used: str) -> None:
    workspace = StudioWorkspace(
        workspace=ID, region="Norway East", studio=declared, management="https://m.test/"
    )

    assert studio_address(workspace) == used
    assert management_address(workspace) == "https://m.test"
