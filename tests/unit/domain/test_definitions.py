"""Definitions are kept without secrets, carried elsewhere, and compared with what is deployed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from alm.domain.canonical import canonical_json
from alm.domain.definition_comparing import compare
from alm.domain.definition_fit import Storage, fit
from alm.domain.definitions import (
    as_version,
    new_name,
    read_definition,
    resources,
    versioned,
    with_hosting,
    with_model,
)
from alm.domain.difference import describe
from alm.domain.errors import Refused
from alm.domain.secret_texts import WITHHELD
from alm.domain.web_services import Plan, Resource
from tests.unit.domain.studio_definitions import MODEL_URI, PLAN, definition, edge, table
from tests.unit.domain.studio_graphs import training

OTHER_MODEL = "https://other.blob.core.windows.net/versions/census-v2.ilearner"
EUROPE = Plan(id=PLAN, name="plan", region="West Europe")
STORAGE = Storage(name="accteu", region="westeurope")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=10,
)
KEYS = ("assets", "package", "parameters", "input", "output", "storageAccount", "diagnostics")


def pascal(value: Any) -> Any:
    """The same document with every key beginning with a capital."""
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: pascal(item) for key, item in value.items()}
    return [pascal(item) for item in value] if isinstance(value, list) else value


def changed(at: tuple[Any, ...], value: Any) -> dict[str, Any]:
    one = definition()
    part = one["properties"]
    for key in at[:-1]:
        part = part[key]
    part[at[-1]] = value
    return one


def deployable(**properties: Any) -> dict[str, Any]:
    return with_model(definition(**properties), "Census Model", OTHER_MODEL, "?sig=abcdefgh")


def test_what_the_service_writes_and_secrets_are_not_kept():
    kept = versioned(changed(("keys",), {"primary": "s3cret", "secondary": "s3cret"}))

    assert {"location", "tags", "properties"} == kept.keys()
    assert not {"createdOn", "modifiedOn", "provisioningState", "swaggerLocation", "keys"} & (
        kept["properties"].keys()
    )
    assert {"uri": MODEL_URI, "credentials": WITHHELD} == (
        kept["properties"]["assets"]["asset2"]["locationInfo"]
    )
    assert "s3cret" not in json.dumps(kept)


@pytest.mark.parametrize(
    "other",
    [
        definition(provisioningState="Provisioning", modifiedOn="2018", keys={"primary": "x"}),
        definition(storageAccount={"name": "acct", "key": "s3cret"}),
        changed(
            ("assets", "asset2", "locationInfo"),
            {"uri": f"{MODEL_URI}?sv=2015&sig=abcdefgh1234", "credentials": ""},
        ),
        {**definition(), "name": "other", "id": "other"},
    ],
)
def test_the_same_service_is_the_same_bytes(other: dict[str, Any]):
    assert canonical_json(versioned(definition())) == canonical_json(versioned(other))


def test_kept_and_read_is_a_fixed_point():
    content = canonical_json(versioned(definition()))

    assert content == canonical_json(versioned(read_definition(content)))


def test_keys_are_read_in_any_case_and_names_stay_as_they_are():
    one = definition()
    one["properties"]["assets"] = {"Asset1": {"NAME": "x", "Type": "Resource"}}
    one["properties"]["input"] = table("Input", {"Title": {"Type": "String"}})

    kept = versioned({"Location": "x", "PROPERTIES": one["properties"]})

    assert {"Asset1": {"name": "x", "type": "Resource"}} == kept["properties"]["assets"]
    columns = kept["properties"]["input"]["properties"]["Input"]["properties"]
    assert {"Title": {"type": "String"}} == columns


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{}", "has no properties"),
        (b'{"properties": 7}', "has no properties"),
        (json.dumps(training()).encode(), "this is an exported experiment"),
        (b'{"location": "a", "Location": "b"}', "'Location' twice, in different case"),
        (b"\x00" * 20_000_000, "more than the"),
        (b"[]", "it is a list"),
    ],
)
def test_what_is_no_definition_is_refused(content: bytes, why: str):
    with pytest.raises(Refused, match=why):
        read_definition(content)


@pytest.mark.parametrize("shape", [lambda value: value, pascal])
def test_trained_models_are_found_in_any_case(shape):
    asset = {"name": "m", "type": "resource", "locationInfo": {"uri": MODEL_URI + "?sig=s3cret"}}

    found = resources(shape({"properties": {"assets": {"a": asset, "b": {"type": "Module"}}}}))

    assert (Resource(name="m", location=MODEL_URI),) == found


@pytest.mark.parametrize("name", ["Census Model", "Census Model [trained model]"])
@pytest.mark.parametrize("sas", ["sv=1&sig=x", "?sv=1&sig=x", SecretStr("sv=1&sig=x")])
def test_a_model_is_put_in_by_its_name(name: str, sas: Any):
    one = with_model(definition(), name, OTHER_MODEL, sas)

    asset = one["properties"]["assets"]["asset2"]
    assert {"uri": OTHER_MODEL, "credentials": "?sv=1&sig=x"} == asset["locationInfo"]
    assert {"Results dataset": {"type": "Dataset"}} == asset["outputPorts"]
    assert definition()["properties"]["assets"]["asset1"] == one["properties"]["assets"]["asset1"]


@pytest.mark.parametrize(
    ("name", "location", "why"),
    [
        ("Censu Model", OTHER_MODEL, "no trained model 'Censu Model': did you mean 'Census Model'"),
        ("Score Model", OTHER_MODEL, "no trained model 'Score Model'"),
        ("Census Model", "models/m.ilearner", "'models/m.ilearner' is not the address"),
        ("Census Model", OTHER_MODEL + "?sig=s3cret", "its signature apart"),
        ("Census Model", "aml://module/x", "is not the address"),
    ],
)
def test_a_model_that_cannot_be_put_in_is_refused(name: str, location: str, why: str):
    with pytest.raises(Refused, match=why) as caught:
        with_model(definition(), name, location)

    assert "s3cret" not in str(caught.value)


def test_hosting_elsewhere_leaves_out_what_the_old_service_says():
    one = with_hosting(
        definition(keys={"primary": "x"}),
        storage_account="accteu",
        storage_key=SecretStr("k"),
        plan=PLAN,
        location="West Europe",
    )

    assert {"location", "tags", "properties"} == one.keys()
    assert "West Europe" == one["location"]
    assert {"name": "accteu", "key": "k"} == one["properties"]["storageAccount"]
    assert {"id": PLAN} == one["properties"]["commitmentPlan"]
    assert "createdOn" not in one["properties"]
    assert "keys" not in one["properties"]


def test_each_api_version_has_its_own_shape_of_parameters():
    old, new = definition(year=2016, parameters={"p": "1"}), definition(parameters={"p": "1"})

    there = as_version(old, "2017-01-01")
    back = as_version(new, "2016-05-01-preview")

    nodes = there["properties"]["package"]["nodes"]
    assert {"Append score columns": {"value": "True"}} == nodes["n2"]["parameters"]
    assert {"p": {"value": "1"}} == there["properties"]["parameters"]
    nodes = back["properties"]["package"]["nodes"]
    assert {"Append score columns": "True"} == nodes["n2"]["parameters"]
    assert compare(old, definition(parameters={"p": "1"})).is_empty


@pytest.mark.parametrize("year", [2016, 2017])
def test_a_definition_that_fits_has_no_reason_against_it(year: int):
    one = with_model(definition(year=year), "Census Model", OTHER_MODEL, "?sig=abcdefgh")

    assert [] == fit(one, EUROPE, STORAGE, "westeurope")
    assert [] == fit(one, EUROPE, Storage(name="abc"), "West Europe")


def with_parameter(value: Any) -> dict[str, Any]:
    one = deployable()
    one["properties"]["package"]["nodes"]["n2"]["parameters"] = {"Account Key": value}
    return one


@pytest.mark.parametrize(
    ("one", "plan", "storage", "region", "why"),
    [
        (deployable(), EUROPE, STORAGE, "Japan East",
         "plan 'plan' is in West Europe and the service would be in Japan East; take a plan in"),
        (deployable(), EUROPE, STORAGE, "", "no region is named"),
        (deployable(), Plan(id="plan", name="plan", region="West Europe"), STORAGE, "West Europe",
         "'plan' is not the id of a web service plan"),
        (deployable(), EUROPE, None, "West Europe", "no storage account is named"),
        (deployable(), EUROPE, Storage(name=""), "West Europe", "no storage account is named"),
        (deployable(), EUROPE, Storage(name="https://a"), "West Europe", "3 to 24 lower-case"),
        (deployable(), EUROPE, Storage(name="acct", region="Japan East"), "West Europe",
         "storage account 'acct' is in Japan East"),
        (deployable(readOnly=True), EUROPE, STORAGE, "West Europe", "says readOnly"),
        (deployable(packageType="Code"), EUROPE, STORAGE, "West Europe", "packageType is 'Code'"),
        (deployable(payloadsInBlobStorage=True), EUROPE, STORAGE, "West Europe",
         "is kept in a blob"),
        (definition(assets={}), EUROPE, STORAGE, "West Europe", "it has no trained model"),
        (definition(assets={}), EUROPE, STORAGE, "West Europe",
         "node 'n2' uses asset 'asset1', which is not there"),
        (deployable(package={}), EUROPE, STORAGE, "West Europe", "its package has no nodes"),
        (deployable(package={"nodes": {"a": {}}, "edges": [edge("a", None, "b", None)]}),
         EUROPE, STORAGE, "West Europe", "an edge names node 'b'"),
        (versioned(definition()), EUROPE, STORAGE, "West Europe",
         "the leave to read trained model 'Census Model [trained model]' was withheld"),
        (versioned(with_parameter("s3cret")), EUROPE, STORAGE, "West Europe",
         "the value of 'Account Key' of node 'n2' was withheld"),
        (versioned(with_parameter({"value": "s3cret"})), EUROPE, STORAGE, "West Europe",
         "the value of 'Account Key' of node 'n2' was withheld"),
        (versioned(deployable(parameters={"Account Key": "s3cret"})), EUROPE, STORAGE,
         "West Europe", "global parameter 'Account Key' was withheld"),
    ],
)  # fmt: skip
def test_why_a_definition_cannot_be_deployed_there_is_told(one, plan, storage, region, why: str):
    reasons = fit(one, plan, storage, region)

    assert any(why in reason for reason in reasons), reasons


@pytest.mark.parametrize("name", ["a", "census-eu", "RetrainSamplePre.2016.8.17", "a" * 120, "a_1"])
def test_names_that_a_web_service_can_have(name: str):
    assert name == new_name(name)


@pytest.mark.parametrize("name", ["", "-a", ".", "a.", "a b", "größe", "a/b", "a" * 121, "a\n"])
def test_names_that_a_web_service_cannot_have(name: str):
    with pytest.raises(Refused, match="cannot be named"):
        new_name(name)


@pytest.mark.parametrize("shape", [lambda value: value, versioned])
def test_a_service_does_not_differ_from_its_kept_definition(shape):
    assert ["no difference"] == describe(compare(definition(), shape(definition())))


COLUMN = {"type": "Integer", "format": "Int32"}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ({**definition(), "location": "West Europe"},
         "hosting changed: region: South Central US -> West Europe"),
        (definition(storageAccount={"name": "b"}), "hosting changed: storage account: acct -> b"),
        (definition(commitmentPlan={"id": "p"}), f"hosting changed: web service plan: {PLAN} -> p"),
        (definition(title="x"), "setting changed: title: Census -> x"),
        (definition(readOnly=True), "setting added: readOnly: True"),
        (definition(realtimeConfiguration={"maxConcurrentCalls": 8}),
         "setting changed: concurrent calls: 4 -> 8"),
        (deployable(),
         "trained model changed: location of 'Census Model [trained model]': "
         f"{MODEL_URI} -> {OTHER_MODEL} [asset2]"),
        (changed(("package", "nodes", "n2", "parameters", "Append score columns"), "False"),
         "parameter changed: 'Append score columns' of 'Score Model': True -> False [n2]"),
        (changed(("package", "nodes", "n2", "parameters", "New"), {"value": "1"}),
         "parameter added: 'New' of 'Score Model': 1 [n2]"),
        (changed(("package", "edges"), definition()["properties"]["package"]["edges"][:2]),
         "edge removed: 'Scored dataset' of 'Score Model' -> web-service output 'output1'"),
        (changed(("package", "nodes", "n5"), {"inputId": "input2"}),
         "node added: web-service input 'input2' [n5]"),
        (changed(("assets", "asset3"), {"name": "Split", "type": "Module"}),
         "module added: 'Split' [asset3]"),
        (changed(("parameters",), {"p": {"value": "1"}}),
         "value of global parameter added: 'p': 1"),
        (changed(("package", "graphParameters"), {"p": {"type": "Int", "links": []}}),
         "global parameter added: 'p': {\"links\": [], \"type\": \"Int\"}"),
        (definition(input=table("input1", {"age": {**COLUMN, "x-ms-isnullable": True}})),
         "input column changed: 'age' of 'input1': Integer (Int32) -> Integer (Int32), may be "
         "missing"),
        (definition(input=table("input1", {"age": COLUMN, "job": {"type": "String"}})),
         "input column added: 'job' of 'input1': String"),
        (definition(output=table("scores", {})), "web-service output removed: 'output1'"),
        (definition(output=table("scores", {})), "web-service output added: 'scores'"),
    ],
)  # fmt: skip
def test_each_difference_is_a_line_that_names_it(new: dict[str, Any], expected: str):
    assert expected in describe(compare(definition(), new))


def test_the_order_of_columns_is_a_difference_for_rows_without_names():
    old = definition(input=table("input1", {"a": COLUMN, "b": COLUMN}))
    new = definition(input=table("input1", {"b": COLUMN, "a": COLUMN}))

    assert ["input columns' order changed: 'input1': a, b -> b, a"] == describe(compare(old, new))


def test_nodes_and_assets_with_other_numbers_are_the_same():
    text = json.dumps(definition())
    for old, new in [("n1", "m4"), ("n2", "n1"), ("asset1", "asset9"), ("asset2", "asset1")]:
        text = text.replace(f'"{old}"', f'"{new}"')

    assert ["no difference"] == describe(compare(definition(), json.loads(text)))


@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.sampled_from(KEYS), JSON)
def test_no_shape_makes_them_fail_in_another_way(properties: Any, key: str, value: Any):
    one = {"location": value, "properties": properties}
    two = definition(**{key: value})

    for a, b in ((one, two), (two, one), (one, one)):
        try:
            assert isinstance(describe(compare(a, b)), list)
            assert isinstance(fit(a, EUROPE, STORAGE, "x"), list)
            assert isinstance(resources(b), tuple)
            assert isinstance(as_version(a, "2016-05-01-preview"), dict)
        except Refused as error:
            assert "twice" in str(error)
