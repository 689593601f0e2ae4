"""What endpoints say of themselves has every element that clients were generated from.

Source: the swagger document of a real endpoint; names, order of elements aside, are facts of it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from alm.adapters.answers import object_of
from tests.contract.studio.local_studio import LocalStudio
from tests.contract.studio.service_worlds import publish

OPERATIONS = {
    ("/swagger.json", "get"): ("getSwaggerDocument", "200"),
    ("/execute?api-version=2.0&format=swagger", "post"): ("execute", "200"),
    ("/jobs?api-version=2.0", "post"): ("submitjob", "200"),
    ("/jobs/{jobId}?api-version=2.0", "get"): ("getjobstatus", "200"),
    ("/jobs/{jobId}?api-version=2.0", "delete"): ("canceljob", "204"),
    ("/jobs/{jobId}/start?api-version=2.0", "post"): ("startjob", "204"),
}
DEFINITIONS = {
    "ExecutionRequest", "ExecutionResults", "BatchExecutionRequest", "AzureBlobDataReference",
    "BatchExecutionStatus", "GlobalParameters", "ExecutionInputs", "ExecutionOutputs",
    "BatchInputs", "BatchOutputs",
}  # fmt: skip
STATES = ["NotStarted", "Running", "Failed", "Cancelled", "Finished"]
REFERENCE = {"BaseLocation", "ConnectionString", "RelativeLocation", "SasBlobToken"}


def described(studio: LocalStudio, role: str) -> dict[str, Any]:
    """The swagger document of a sample's endpoint."""
    sample = studio.sample(role, "classic", endpoint="default")
    client = studio.services().classic(studio.classic(sample["web_service_id"], "default"))
    document = object_of(client.execution.send("GET", "/swagger.json"), doing="read")
    studio.close_clients()
    return dict(document)


@pytest.fixture(params=["scoring", "training"])
def document(request: pytest.FixtureRequest, studio: LocalStudio) -> dict[str, Any]:
    return described(studio, request.param)


def test_the_head_says_what_it_is_and_where(document: dict[str, Any], studio: LocalStudio) -> None:
    info = document["info"]
    assert (document["swagger"], info["version"]) == ("2.0", "2.0")
    assert {"title", "description", "x-endpoint-name", "x-endpoint-description"} <= info.keys()
    assert info["description"] == "No description provided for this web service."
    assert info["x-endpoint-name"] == "default"
    assert document["host"] == studio.url.partition("//")[2], "the port is written"
    assert document["basePath"].startswith(f"/workspaces/{studio.description['workspace_id']}/")
    assert document["consumes"] == document["produces"] == ["application/json"]


def test_every_operation_is_there_by_its_name(document: dict[str, Any]) -> None:
    found = {
        (path, verb): (operation["operationId"], next(iter(operation["responses"])))
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    }
    assert found == OPERATIONS


def test_only_the_description_itself_needs_no_key(document: dict[str, Any]) -> None:
    open_ones = [
        path
        for path, verbs in document["paths"].items()
        for operation in verbs.values()
        if "security" not in operation
    ]
    assert open_ones == ["/swagger.json"]
    key = document["securityDefinitions"]["api_key"]
    assert (key["type"], key["name"], key["in"]) == ("apiKey", "Authorization", "header")


def test_every_definition_is_there_and_every_reference_leads_to_one(
    document: dict[str, Any],
) -> None:
    definitions = document["definitions"]
    assert definitions.keys() >= DEFINITIONS
    assert {f"#/definitions/{name}" for name in definitions} >= set(_references(document))
    assert definitions["AzureBlobDataReference"]["properties"].keys() == REFERENCE
    status = definitions["BatchExecutionStatus"]["properties"]
    assert status.keys() == {"StatusCode", "Results", "Details"}
    assert status["StatusCode"]["enum"] == STATES


def test_each_table_has_its_columns_and_ports_are_lists_of_its_rows(
    document: dict[str, Any],
) -> None:
    definitions = document["definitions"]
    for side in ("ExecutionInputs", "ExecutionOutputs"):
        for name, port in definitions[side].get("properties", {}).items():
            assert port == {"type": "array", "items": {"$ref": f"#/definitions/{name}Item"}}
            assert definitions[f"{name}Item"]["type"] == "object"
    for name in definitions["BatchOutputs"]["properties"].values():
        assert name == {"$ref": "#/definitions/AzureBlobDataReference"}


def test_the_example_can_be_sent_as_it_is(document: dict[str, Any]) -> None:
    example = document["definitions"]["ExecutionRequest"]["example"]
    assert example.keys() == {"Inputs", "GlobalParameters"}
    assert (
        example["Inputs"].keys() == document["definitions"]["ExecutionInputs"]["properties"].keys()
    )
    json.dumps(example, allow_nan=False)


def test_a_model_is_put_out_by_batch_jobs_only(studio: LocalStudio) -> None:
    definitions = described(studio, "training")["definitions"]

    assert "output1" in definitions["BatchOutputs"]["properties"]
    assert "output1" not in definitions["ExecutionOutputs"]["properties"]
    kinds = {one["type"] for one in definitions["GlobalParameters"]["properties"].values()}
    assert kinds <= {"integer", "number", "string", "boolean"}


def test_the_record_of_an_endpoint_names_the_address_of_its_description(
    studio: LocalStudio,
) -> None:
    service = publish(studio, 0)
    record = studio.lifecycle().classic_services(studio.workspace()).endpoint(service, "default")
    client = studio.services().classic(studio.classic(service, "default"))

    document = object_of(client.execution.send("GET", "/swagger.json"), doing="read")
    studio.close_clients()

    assert record.api_location == f"{studio.url}{document['basePath']}"


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for item in value.values() for ref in _references(item)]
    if isinstance(value, list):
        return [ref for item in value for ref in _references(item)]
    return []
