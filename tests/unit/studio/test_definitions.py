"""Definitions as documents: in any case, in both forms, without what must not be sent or kept."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from alm.adapters.studio import definitions
from alm.domain.errors import Misconfigured

READ: dict[str, Any] = {
    "Id": "/subscriptions/s/x",
    "Name": "churn",
    "Type": "Microsoft.MachineLearning/webServices",
    "etag": "1",
    "Location": "West Europe",
    "Tags": {"team": "a"},
    "Properties": {
        "PackageType": "Graph",
        "CreatedOn": "2026-01-01T00:00:00Z",
        "ModifiedOn": "2026-01-01T00:00:00Z",
        "ProvisioningState": "Succeeded",
        "SwaggerLocation": "https://x/swagger.json",
        "Keys": {"Primary": "primary-key"},
        "StorageAccount": {"Name": "acct", "Key": "storage-key"},
        "Parameters": {"Seed": {"Value": "7"}},
        "Assets": {
            "m": {
                "Name": "m",
                "Type": "Resource",
                "LocationInfo": {"Uri": "https://a/m", "Credentials": "?sig=grant"},
            }
        },
        "Package": {"Nodes": {"n": {"AssetId": "m", "Parameters": {"p": {"Value": 3}}}}},
        "PayloadsInBlobStorage": False,
    },
}


def test_what_is_read_only_is_not_sent() -> None:
    sent = definitions.to_send(READ, "2017-01-01")

    assert sent.keys() == {"Location", "Tags", "properties"}
    assert {name.lower() for name in sent["properties"]} & {
        "createdon",
        "modifiedon",
        "provisioningstate",
        "swaggerlocation",
    } == set()
    assert sent["properties"]["StorageAccount"] == {"Name": "acct", "Key": "storage-key"}


def test_nothing_that_is_given_is_changed() -> None:
    before = copy.deepcopy(READ)

    definitions.to_send(READ, "2016-05-01-preview")
    definitions.without_keys(READ)

    assert before == READ


@pytest.mark.parametrize("value", ["7", {"value": "7"}, {"Value": "7"}])
def test_parameters_are_sent_in_the_form_of_the_version(value: object) -> None:
    document = {"location": "x", "properties": {"packageType": "Graph", "parameters": {"s": value}}}

    new = definitions.to_send(document, "2017-01-01")["properties"]["parameters"]["s"]
    old = definitions.to_send(document, "2016-05-01-preview")["properties"]["parameters"]["s"]

    assert definitions.text_at({"s": new}, "s", "value") == "7"
    assert old == "7"


def test_parameters_of_nodes_are_sent_in_that_form_too() -> None:
    old = definitions.to_send(READ, "2016-05-01-preview")["properties"]

    assert old["package"]["nodes"]["n"]["parameters"] == {"p": "3"}
    assert "PayloadsInBlobStorage" not in old


def test_an_encrypted_parameter_needs_the_newer_version() -> None:
    secret = {"value": "cipher", "certificateThumbprint": "AB12"}
    properties = {"packageType": "Graph", "parameters": {"key": secret}}
    document = {"location": "x", "properties": properties}

    assert definitions.to_send(document, "2017-01-01")["properties"]["parameters"]["key"] == secret
    with pytest.raises(Misconfigured, match="certificateThumbprint"):
        definitions.to_send(document, "2016-05-01-preview")


@pytest.mark.parametrize(
    ("document", "missing"),
    [
        ({}, "no location and no properties.packageType"),
        ({"location": "x", "properties": None}, "no properties.packageType"),
        ({"properties": {"packageType": "Graph"}}, "no location"),
    ],
)
def test_what_is_missing_is_told(document: dict[str, Any], missing: str) -> None:
    with pytest.raises(Misconfigured, match=f"the definition has {missing}:"):
        definitions.to_send(document, "2017-01-01")


def test_a_definition_is_kept_without_keys() -> None:
    kept = definitions.without_keys(READ)

    assert "primary-key" not in str(kept)
    assert "storage-key" not in str(kept)
    assert kept["properties"]["storageAccount"] == {"Name": "acct"}
    assert kept["properties"]["Assets"] == READ["Properties"]["Assets"]


def test_secrets_are_found_however_they_are_spelt() -> None:
    assert set(definitions.secrets_of(READ)) == {"primary-key", "storage-key", "?sig=grant"}
    assert definitions.secrets_of({}) == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("West Europe", "westeurope", True),
        ("West Europe", "WEST-EUROPE", True),
        ("West Europe", "North Europe", False),
    ],
)
def test_regions_are_compared_by_what_they_mean(one: str, other: str, same: bool) -> None:
    assert definitions.same_region(one, other) is same
