"""Secrets do not survive in what is kept; everything else does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alm.domain.canonical import canonical_json
from alm.domain.definitions import versioned
from alm.domain.errors import Refused
from alm.domain.exported import export
from alm.domain.secret_free import is_secret_name, withheld, without_secrets
from alm.domain.secret_texts import WITHHELD, without_secrets_in
from tests.unit.domain.studio_definitions import definition
from tests.unit.domain.studio_graphs import (
    IMPORT,
    INCOME,
    SCRIPT,
    document,
    experiment,
    node,
    training,
)

CANARIES = st.text("abcdefghijkXYZ0123456789", min_size=12, max_size=40).map("c4n4ry".__add__)
SAS = "sv=2015-04-05&sr=b&se=2026-01-01&sp=rl&sig={}%3D"
STORAGE_KEY = "Q" * 86 + "=="

TEXTS = [
    "https://acct.blob.core.windows.net/models/m.ilearner?" + SAS,
    "see <a href='https://acct.blob.core.windows.net/c/b?" + SAS + "'>it</a>",
    "?" + SAS,
    SAS,
    "https://studio/api/sharedaccess?workspaceId=w&signature={}&sharedAccessUri=https%3A%2F%2Fx",
    "https://x/api?workspaceId=w&sharedAccessUri=https%3A%2F%2Fa%2Fb%3Fsv%3D2015%26sig%3D{}",
    "https://host/function?code={}",
    "https://user:{}@host/path",
    "ftp://{}@host",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=core.windows.net",
    "Server=tcp:x.database.windows.net;Database=d;User ID=u;Password={} and more;Encrypt=True",
    'con <- "Driver=x;Pwd={};"',
    "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey={}",
    'password <- "{}"\nprint(1)',
    "api_key = '{}'",
    '{{"accountKey": "{}"}}',
    'headers["access_token"] = "{}"',
    "curl -H 'Authorization: Bearer {}'",
    "Authorization: bearer {}",
]

PLACES: list[tuple[str, Callable[[str], Any]]] = [
    ("an endpoint", lambda c: {"NodeStatuses": [{"OutputEndpoints": [{"AccessCredential": c}]}]}),
    ("a parameter", lambda c: {"ModuleParameters": [{"Name": "Account Key", "Value": c}]}),
    ("another", lambda c: {"ModuleParameters": [{"Name": "User password", "Value": c}]}),
    ("a third", lambda c: {"ModuleParameters": [{"Name": "Storage SAS URI", "Value": c}]}),
    ("a service parameter", lambda c: {
        "Parameters": [{
            "Name": "p", "Value": c,
            "ParameterDefinition": {"ParameterType": "Credential", "DefaultValue": c},
        }],
    }),
    ("a definition", lambda c: {"ParameterType": "Credential", "DefaultValue": c}),
    ("a workspace", lambda c: {"AuthorizationToken": {"PrimaryToken": c, "SecondaryToken": c}}),
    ("its storage", lambda c: {"UserStorageKey": c, "HDInsightStorageConnectionString": c}),
    ("the keys of a service", lambda c: {"properties": {"keys": {"primary": c, "secondary": c}}}),
    ("a storage account", lambda c: {"properties": {"storageAccount": {"name": "a", "key": c}}}),
    ("any case", lambda c: {"Properties": {"StorageAccount": {"Name": "a", "Key": c}}}),
    ("a location", lambda c: {"locationInfo": {"uri": "https://a/b", "credentials": c}}),
    ("a blob reference", lambda c: {"BaseLocation": "https://a/", "SasBlobToken": c}),
    ("a node of 2017", lambda c: {"parameters": {"Account Key": {"value": c}}}),
    ("a node of 2016", lambda c: {"parameters": {"Account Key": c}}),
    ("an encrypted value", lambda c: {"x": {"value": c, "certificateThumbprint": "abc"}}),
    ("a credential by its type", lambda c: {
        "properties": {
            "parameters": {"who knows": {"value": c}},
            "package": {
                "nodes": {"n": {"assetId": "a", "parameters": {"linked": c}}},
                "graphParameters": {
                    "who knows": {
                        "type": "Credential",
                        "links": [{"nodeId": "n", "parameterKey": "linked"}],
                    },
                },
            },
        },
    }),
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
@given(canary=CANARIES)
@settings(max_examples=20)
def test_no_secret_survives_in_a_text(text: str, canary: str):
    cleaned = without_secrets_in(text.format(canary))

    assert canary not in cleaned
    assert WITHHELD in cleaned
    assert cleaned == without_secrets_in(cleaned)


@pytest.mark.parametrize(("place", "build"), PLACES, ids=[name for name, _ in PLACES])
@given(canary=CANARIES)
@settings(max_examples=20)
def test_no_secret_survives_in_a_document(place: str, build: Callable[[str], Any], canary: str):
    cleaned = without_secrets(build(canary))

    assert canary not in json.dumps(cleaned)
    assert withheld(cleaned)
    assert cleaned == without_secrets(cleaned)


@given(CANARIES, st.sampled_from(TEXTS), st.sampled_from([build for _, build in PLACES]))
def test_no_secret_survives_in_an_export_or_a_kept_definition(canary, text, build):
    planted = text.format(canary)
    reader = node(7, IMPORT, planted, parameters={"Account Key": canary, "URL": planted})
    script = node(8, SCRIPT, "script", parameters={"R Script": f"x <- 1\n{planted}\ny <- 2"})
    one = document([reader, script], Summary=planted, NodeStatuses=[], Extra=build(canary))
    one["Graph"]["PublishInfo"] = build(canary)
    one["WebService"]["Parameters"] = [build(canary)]
    wsd = definition()
    wsd["tags"] = {"t": planted, "password": canary}
    wsd["properties"]["description"] = planted
    wsd["properties"]["assets"]["asset2"]["metadata"] = build(canary)

    assert canary.encode() not in canonical_json(export(experiment(one)))
    assert canary.encode() not in canonical_json(versioned(wsd))


@pytest.mark.parametrize("text", [STORAGE_KEY, f"x {STORAGE_KEY}", "eyJhbGciOi.eyJzdWIiOi.c2ln"])
def test_keys_and_tokens_are_known_by_their_form(text: str):
    assert without_secrets_in(text).replace("x ", "") == WITHHELD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "True",
        INCOME,
        "https://archive.example/data.csv?format=csv&rows=5",
        "password = read_password()",
        "connect(user, password=secret_of(vault), port=1)",
        'strsplit(x, token=",")',
        "t.test(x, sig=0.05)",
        "a ? b : c",
        "see https://x/y?a=1. Then sig",
        "codes=1&code",
        training()["Graph"]["SerializedClientData"],
        "Größe 'x' \"y\"",
    ],
)
def test_what_is_no_secret_stays(text: str):
    assert text == without_secrets_in(text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Account Key", True),
        ("accountKey", True),
        ("Password", True),
        ("User password", True),
        ("Access token", True),
        ("Storage SAS URI", True),
        ("Connection string", True),
        ("Key", True),
        ("Stratification key column", False),
        ("Join key columns for L", False),
        ("Random number seed", False),
        ("Split tokens on special characters", False),
        ("Credential column", False),
        ("Number of keys", False),
    ],
)
def test_the_name_of_a_parameter_tells_whether_it_is_a_credential(name: str, expected: bool):
    assert expected is is_secret_name(name)


@pytest.mark.parametrize(
    "value",
    [
        {"MetadataOutputEndpoints": {"x": [{"Key": "visualization", "Value": {"Name": "v"}}]}},
        {"properties": {"password": {"type": "String"}, "access_token": {"type": "String"}}},
        {"Name": "Use account key", "Value": "True"},
        {"Name": "Account Key", "Value": ""},
        {"Name": "Account Key", "Value": "shop", "ValueType": "GraphParameterName"},
        {"links": [{"nodeId": "n", "parameterKey": "Account Key"}]},
        {"CredentialContainer": "Inline", "keys": {"other": "x"}, "n": 1, "none": None},
    ],
)
def test_what_only_looks_like_a_secret_stays(value: dict[str, Any]):
    assert value == without_secrets(value)


def test_a_document_that_is_nested_to_hurt_is_refused():
    value: Any = "x"
    for _ in range(5000):
        value = {"a": [value]}

    with pytest.raises(Refused, match="nested more than"):
        without_secrets(value)


@pytest.mark.parametrize(
    "text",
    ["?" * 500_000, "sig=" * 200_000, "a://" * 200_000, 'password="' * 100_000, "?a&" * 200_000,
     "Pwd=" * 200_000, "Bearer " * 100_000, "eyJ." * 200_000, "eyJ-" * 200_000,
     "Q" * 1_000_000, "\\" * 500_000, "password=' " * 100_000 + '"'],
)  # fmt: skip
@pytest.mark.timeout(10)
def test_long_texts_take_no_long_time(text: str):
    assert isinstance(without_secrets_in(text), str)
