"""RRS on the wire: both styles, details, swagger.json, limits and errors."""

from __future__ import annotations

import threading

import pytest
import requests

from tests.devstack.studio.client import Client
from tests.devstack.studio.test_bes import code


@pytest.mark.parametrize("kind", ["classic", "new"])
def test_a_table_is_scored(client: Client, kind: str) -> None:
    sample = client.sample("cancer", "scoring", kind)

    response = client.score(sample, client.rows("cancer", 2))

    output = response.json()["Results"]["output1"]
    assert output["type"] == "table"
    assert output["value"]["ColumnNames"][-2:] == ["Scored Labels", "Scored Probabilities"]
    assert output["value"]["ColumnTypes"][-2:] == ["Int32", "Double"]
    assert all(isinstance(cell, str) for row in output["value"]["Values"] for cell in row)
    assert len(output["value"]["Values"]) == 2


def test_without_details_there_are_values_only(client: Client) -> None:
    sample = client.sample("diabetes", "scoring", "new")

    response = client.score(sample, client.rows("diabetes"), details="false")

    assert {"Values"} == set(response.json()["Results"]["output1"]["value"])


def test_records_are_scored_to_records(client: Client) -> None:
    sample = client.sample("diabetes", "scoring", "classic")
    table = client.rows("diabetes", 2)
    records = [
        {name: float(cell) for name, cell in zip(table["ColumnNames"], row, strict=True)}
        for row in table["Values"]
    ]

    response = client.score(sample, records, format="swagger")

    answers = response.json()["Results"]["output1"]
    assert [row[0] for row in client.scores(sample, 2)] == [row["Scored Labels"] for row in answers]


def test_a_missing_cell_may_be_null(client: Client) -> None:
    sample = client.sample("cancer", "scoring", "new")
    table = client.rows("cancer", 1)
    table["Values"][0][0] = None

    value = client.score(sample, table).json()["Results"]["output1"]["value"]

    assert value["Values"][0][0] is None


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"ColumnNames": ["a"], "Values": [["1"]]}, ("BadUserArgument", "InputMismatchError")),
        (
            {"ColumnNames": ["a", "b"], "Values": [["1"]]},
            ("LibraryExecutionError", "TableSchemaColumnCountMismatch"),
        ),
        ({"ColumnNames": ["a", "a"], "Values": []}, ("BadUserArgument", "InputParseError")),
        ({"ColumnNames": ["a"], "Values": [[[]]]}, ("BadUserArgument", "InputParseError")),
        ({"ColumnNames": ["a"], "Values": 7}, ("BadUserArgument", "InputParseError")),
        ([1], ("BadUserArgument", "InputParseError")),
        ("rows", ("BadArgument", "RequestBodyInvalid")),
    ],
)
def test_a_wrong_table_is_refused_with_its_code(
    client: Client, table: object, expected: tuple[str, str]
) -> None:
    response = client.score(client.sample("cancer", "scoring", "new"), table)

    assert (400, *expected) == code(response)


def test_text_in_a_numeric_column_is_named(client: Client) -> None:
    table = client.rows("cancer", 1)
    table["Values"][0][0] = "wide"

    response = client.score(client.sample("cancer", "scoring", "new"), table)

    assert code(response) == (400, "BadUserArgument", "InputMismatchError")
    assert "'mean radius' holds 'wide'" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, "MissingRequestInput"),
        ({"Inputs": {"other": {}}}, "InvalidInputNames"),
        ({"Inputs": 3}, "RequestBodyInvalid"),
        ([], "RequestBodyInvalid"),
    ],
)
def test_a_wrong_body_is_refused_with_its_code(client: Client, body: object, expected: str) -> None:
    sample = client.sample("cancer", "scoring", "new")

    response = client.call(
        "POST",
        sample["api_location"] + "/execute",
        sample["api_key"],
        body,
        **{"api-version": "2.0"},
    )

    assert (400, "BadArgument", expected) == code(response)


def test_an_unknown_parameter_is_refused(client: Client) -> None:
    sample = client.sample("cancer", "scoring", "new")
    body = {"Inputs": {"input1": client.rows("cancer", 1)}, "GlobalParameters": {"x": 1}}

    response = client.call(
        "POST",
        sample["api_location"] + "/execute",
        sample["api_key"],
        body,
        **{"api-version": "2.0"},
    )

    assert code(response) == (400, "BadUserArgument", "UnexpectedParameter")


def test_a_training_service_is_refused(client: Client) -> None:
    sample = client.sample("cancer", "training", "classic")

    response = client.score(sample, client.rows("cancer", 1))

    assert code(response) == (400, "BadArgument", "WebServiceTypeInvalid")


def test_keys_and_versions_are_checked(client: Client) -> None:
    sample = client.sample("cancer", "scoring", "new")
    url = sample["api_location"] + "/execute"

    wrong_key = client.call("POST", url, "no", {}, **{"api-version": "2.0"})
    wrong_version = client.call("POST", url, sample["api_key"], {}, **{"api-version": "1.0"})
    other_id = client.call("POST", url.replace("/services/", "/services/0"), "no", {})

    assert code(wrong_key) == (401, "Unauthorized", "ScoreRequestUnauthorized")
    assert code(wrong_version) == (400, "BadArgument", "BadVersionCall")
    assert code(other_id) == (404, "NotFound", "WebServiceNotFound")


def test_a_body_that_is_too_large_is_refused_before_it_is_read(client: Client) -> None:
    sample = client.sample("cancer", "scoring", "new")
    headers = {"Authorization": f"Bearer {sample['api_key']}", "Content-Length": str(10**9)}

    response = requests.post(
        sample["api_location"] + "/execute?api-version=2.0", headers=headers, data=iter([b"{}"])
    )

    assert response.status_code in (411, 413)


def test_calls_over_the_limit_are_told_to_come_later(client: Client) -> None:
    sample = client.sample("cancer", "scoring", "classic", "ep2")
    client.manage(
        "PATCH",
        f"/{sample['web_service_id']}/endpoints/ep2",
        {"ThrottleLevel": "High", "MaxConcurrentCalls": 1},
    )
    table = client.rows("cancer", 500)
    begin, seen = threading.Barrier(12), list[tuple[int, str]]()

    def call() -> None:
        begin.wait()
        for _ in range(3):
            response = client.score(sample, table)
            name = response.json().get("error", {}).get("code", "")
            seen.append((response.status_code, name))

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.manage("PATCH", f"/{sample['web_service_id']}/endpoints/ep2", {"MaxConcurrentCalls": 20})

    assert (200, "") in seen
    assert (503, "ServiceUnavailable") in seen
    assert {(200, ""), (503, "ServiceUnavailable")} == set(seen)


@pytest.mark.parametrize("kind", ["classic", "new"])
@pytest.mark.parametrize("role", ["training", "scoring"])
def test_the_swagger_document_needs_no_key(client: Client, kind: str, role: str) -> None:
    sample = client.sample("cancer", role, kind)

    document = requests.get(sample["api_location"] + "/swagger.json").json()

    assert document["swagger"] == "2.0"
    assert sample["api_location"].endswith(document["basePath"])
    assert "/jobs/{jobId}/start?api-version=2.0" in document["paths"]
    definitions = document["definitions"]
    assert "mean radius" in definitions["input1Item"]["properties"]
    outputs = set(sample["outputs"])
    assert outputs == set(definitions["BatchOutputs"]["properties"])
    assert outputs - set(definitions["ExecutionOutputs"]["properties"]) == (
        {"output1"} if role == "training" else set()
    )
    if role == "training":
        seed = definitions["GlobalParameters"]["properties"]["Random seed"]
        assert (seed["type"], seed["default"]) == ("integer", 0)


def test_unknown_addresses_and_methods_have_the_envelope(client: Client) -> None:
    assert client.call("GET", "/nowhere", "x").json()["error"]["code"] == "NotFound"
    assert client.call("POST", "/workspaces/a/webservices", "x").status_code == 405
