"""Definitions exported from experiments: their schemas, and that they deploy and score the same."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
import requests

from devstack.studio.learning.tables import read_table
from tests.devstack.studio.client import Client
from tests.devstack.studio.experiment_client import (
    Lab,
    block,
    graph,
    line,
    module,
    scoring_graph,
    scoring_service,
    training_graph,
    training_service,
)
from tests.devstack.studio.test_deploying import deploy_new, endpoint, manage

PEOPLE = b"age,income,job,big\n39,1.5,clerk,3000000000\n50,2.5,,4000000000\n,3.5,nurse,5000000000\n"


@pytest.fixture(scope="module")
def lab(client: Client) -> Lab:
    return Lab(client)


def exported(lab: Lab, experiment: str) -> dict[str, Any]:
    response = lab.call("GET", f"experiments/{experiment}/webservicedefinition")
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def finished(lab: Lab, wanted: dict[str, Any], service: dict[str, Any], name: str) -> str:
    created = lab.create(wanted, name, WebService=service)
    document = lab.run(created)
    assert document["Status"]["StatusCode"] == "Finished", document["Status"]
    return created


def scored(lab: Lab, experiment: str, name: str, rows: Any, **parameters: str) -> list[Any]:
    """What the exported definition answers, published as a classic and deployed as a new one."""
    published = manage(
        lab,
        "PUT",
        f"/{experiment[-32:]}",
        {"Name": name, "Type": "Graph", "Definition": exported(lab, experiment)["properties"]},
    )
    assert published.ok, published.text
    classic = endpoint(lab, experiment[-32:])
    deploy_new(lab, experiment, name)
    new = lab.client.arm("GET", f"webServices/{name}").json()["properties"]
    key = lab.client.arm("GET", f"webServices/{name}/listKeys").json()["primary"]
    targets = [
        (classic["ApiLocation"], classic["PrimaryKey"]),
        (new["swaggerLocation"].removesuffix("/swagger.json"), key),
    ]
    return [execute(lab, *target, rows, parameters) for target in targets]


def execute(lab: Lab, url: str, key: str, rows: Any, parameters: dict[str, str]) -> Any:
    body = {"Inputs": {"input1": rows}, "GlobalParameters": parameters}
    query = {"api-version": "2.0", "details": "true"}
    response = lab.client.call("POST", url + "/execute", key, body, **query)
    assert response.status_code == 200, response.text
    return response.json()["Results"]["output1"]["value"]


def test_schemas_are_those_of_the_real_columns(lab: Lab) -> None:
    dataset = lab.dataset("people", PEOPLE)
    picked = {"Select Columns": "age,income,job,big"}
    wanted = graph([module("select-1", "Select Columns in Dataset", picked, Dataset=dataset)])
    wanted["ModuleNodes"][0]["ModuleParameters"][0]["Value"] = columns("age", "income", "big")
    service = block({"input1": "select-1:Dataset"}, {"output1": "select-1:Results dataset"})

    properties = exported(lab, finished(lab, wanted, service, "People"))["properties"]

    assert properties["input"]["properties"]["input1"]["properties"] == {
        "age": {"type": "Integer", "format": "Int32", "x-ms-isnullable": True},
        "income": {"type": "Number", "format": "Double", "x-ms-isnullable": False},
        "job": {"type": "String", "x-ms-isnullable": True},
        "big": {"type": "Integer", "format": "Int64", "x-ms-isnullable": False},
    }
    assert list(properties["output"]["properties"]["output1"]["properties"]) == [
        "age", "income", "big",
    ]  # fmt: skip
    assert properties["exampleRequest"]["inputs"] == {
        "input1": [["39", "1.5", "clerk", "3000000000"]]
    }


def columns(*names: str) -> str:
    """A column picker's parameter."""
    rules = [{"ruleType": "ColumnNames", "columns": list(names), "exclude": False}]
    return quote(json.dumps({"isFilter": True, "rules": rules}))


def test_a_definition_has_modules_resources_and_no_secrets_of_the_account(lab: Lab) -> None:
    dataset = lab.dataset("definition", line(2))
    training = finished(lab, training_graph(dataset), training_service(), "Definition training")
    model = lab.promote(training, "train-3", "Trained model", "Definition model")

    document = exported(
        lab, finished(lab, scoring_graph(dataset, model), scoring_service(), "Definition")
    )

    assert set(document) == {"location", "tags", "properties"}
    properties = document["properties"]
    assert {"storageAccount", "commitmentPlan"} & set(properties) == set()
    kinds = {asset["name"]: asset for asset in properties["assets"].values()}
    assert set(kinds) == {"Score Model", "Definition model [trained model]"}
    assert kinds["Score Model"]["locationInfo"]["uri"].startswith("aml://module/")
    place = kinds["Definition model [trained model]"]["locationInfo"]
    content = requests.get(place["uri"] + place["credentials"]).content
    assert content == lab.output(training, "train-3", "Trained model").content
    assert "sp=r&" in place["credentials"]
    assert lab.client.blobs.credential.account_key not in json.dumps(document)


def test_only_a_finished_experiment_is_exported(lab: Lab) -> None:
    dataset = lab.dataset("unfinished", line(2))
    draft = lab.create(training_graph(dataset), WebService=training_service())

    response = lab.call("GET", f"experiments/{draft}/webservicedefinition")

    assert response.status_code == 400
    assert "InDraft" in response.text


def test_a_snapshot_can_be_exported_after_the_experiment_went_on(lab: Lab) -> None:
    dataset = lab.dataset("old run", line(2))
    training = finished(lab, training_graph(dataset), training_service(), "Old run")
    before, run = exported(lab, training), lab.get(training)["RunId"]

    lab.submit(training, Description="Renamed")

    assert exported(lab, run)["properties"]["title"] == "Old run"
    assert before["properties"]["package"] == exported(lab, run)["properties"]["package"]


def test_a_model_a_transform_and_a_table_score_the_same_everywhere(lab: Lab) -> None:
    """A predictive experiment with one resource of each kind."""
    dataset = lab.dataset("three resources", b"x,y\n" + b"".join(
        f"{x},{2 * x}\n".encode() for x in range(1, 21)))  # fmt: skip
    lookup = lab.dataset("lookup", b"x\tbonus\n1\t10\n2\t20\n3\t30\n", "GenericTSV")
    normalize = {"Transformation method": "MinMax", "Columns to transform": columns("x")}
    training = finished(
        lab,
        graph(
            [
                module("normalize-1", "Normalize Data", normalize, Dataset=dataset),
                module("learner-2", "Linear Regression"),
                module("train-3", "Train Model", {"Label column": "y"}),
            ],
            ("learner-2:Untrained model", "train-3:Untrained model"),
            ("normalize-1:Transformed dataset", "train-3:Dataset"),
        ),
        block({}, {}),
        "Three training",
    )
    model = lab.promote(training, "train-3", "Trained model", "Three model")
    transform = promote_transform(lab, training, "normalize-1", "Three transform")
    join = {
        "Join key columns for L": columns("x"),
        "Join key columns for R": columns("x"),
        "Join type": "Left Outer Join",
        "Keep right key columns in joined table": "False",
    }
    predictive = finished(
        lab,
        graph(
            [
                module("join-1", "Join Data", join, Dataset1=dataset, Dataset2=lookup),
                module("apply-2", "Apply Transformation", Transformation=transform),
                module("score-3", "Score Model", Trained_model=model),
            ],
            ("join-1:Results dataset", "apply-2:Dataset"),
            ("apply-2:Transformed dataset", "score-3:Dataset"),
        ),
        block({"input1": "join-1:Dataset1"}, {"output1": "score-3:Scored dataset"}),
        "Three",
    )
    expected = read_table(lab.output(predictive, "score-3", "Scored dataset").content)
    rows = {"ColumnNames": ["x", "y"], "Values": [[str(x), str(2 * x)] for x in range(1, 21)]}

    answers = scored(lab, predictive, "three", rows)

    assert "bonus" in expected.columns
    for value in answers:
        assert value["ColumnNames"] == list(expected.columns)
        assert value["Values"] == expected.rows
    names = {asset["name"] for asset in exported(lab, predictive)["properties"]["assets"].values()}
    assert {
        "Three model [trained model]", "Three transform [transform]", "lookup [dataset]",
    } <= names  # fmt: skip
    shown = [item["Name"] for item in endpoint(lab, predictive[-32:])["Resources"]]
    assert shown == ["Three model [trained model]"], "endpoints show and patch models only"


def promote_transform(lab: Lab, experiment: str, node: str, name: str) -> str:
    body = {
        "ExperimentId": experiment,
        "ModuleNodeId": node,
        "OutputName": "Transformation function",
        "Transform": {"Name": name, "DataTypeId": "iTransformDotNet", "FamilyId": None},
    }
    response = lab.call("POST", "transformmodules", body)
    assert response.ok, response.text
    return str(response.json())


def test_web_service_parameters_can_be_set_by_callers(lab: Lab) -> None:
    dataset = lab.dataset("parameters", line(2, rows=40))
    wanted = graph([module("split-1", "Split Data", Dataset=dataset)])
    wanted["ModuleNodes"][0]["ModuleParameters"] = [
        {
            "Name": "Random seed",
            "Value": None,
            "ValueType": "GraphParameterName",
            "LinkedGlobalParameter": "Seed",
        }
    ]
    service = block({"input1": "split-1:Dataset"}, {"output1": "split-1:Results dataset2"})
    definition = {"ParameterType": "Int", "Description": "of the split", "DefaultValue": "1"}
    service["Parameters"] = [{"Name": "Seed", "Value": "", "ParameterDefinition": definition}]
    experiment = finished(lab, wanted, service, "Parameters")
    rows = {"ColumnNames": ["x", "y"], "Values": [[str(x), "0"] for x in range(20)]}

    default = scored(lab, experiment, "parameters", rows)
    other = scored(lab, experiment, "parameters", rows, Seed="2")

    properties = exported(lab, experiment)["properties"]
    assert properties["package"]["graphParameters"]["Seed"] == {
        "description": "of the split",
        "type": "Int",
        "links": [{"nodeId": "split-1", "parameterKey": "Random seed"}],
    }
    assert properties["parameters"] == {"Seed": {"value": "1"}}
    assert default[0] == default[1] != other[0] == other[1]


def test_what_only_fed_the_web_services_input_is_left_out(lab: Lab) -> None:
    dataset = lab.dataset("left out", line(2, rows=40))
    training = finished(lab, training_graph(dataset), training_service(), "Left out training")
    model = lab.promote(training, "train-3", "Trained model", "Left out model")
    wanted = graph(
        [
            module("split-1", "Split Data", Dataset=dataset),
            module("score-2", "Score Model", Trained_model=model),
        ],
        ("split-1:Results dataset1", "score-2:Dataset"),
    )
    service = block({"input1": "score-2:Dataset"}, {"output1": "score-2:Scored dataset"})

    properties = exported(lab, finished(lab, wanted, service, "Left out"))["properties"]

    assert "split-1" not in properties["package"]["nodes"]
    assert list(properties["input"]["properties"]["input1"]["properties"]) == ["x", "y"]


def test_half_a_surrogate_pair_is_kept_in_a_graph_and_not_exported(lab: Lab) -> None:
    wanted = training_graph(lab.dataset("surrogate", line(2)))
    half = {"Name": "Note", "Value": "\ud800", "ValueType": "Literal"}
    wanted["ModuleNodes"][3]["ModuleParameters"].append(half)
    created = finished(lab, wanted, training_service(), "Surrogate")

    response = lab.call("GET", f"experiments/{created}/webservicedefinition")

    assert lab.get(created)["Graph"] == wanted
    assert (response.status_code, "surrogate" in response.text) == (400, True)


def test_an_experiment_whose_run_failed_is_not_exported(lab: Lab) -> None:
    wanted = training_graph(lab.dataset("failed", line(2)))
    wanted["ModuleNodes"][2]["ModuleParameters"][0]["Value"] = "nothing"
    created = lab.create(wanted, WebService=training_service())
    lab.run(created)

    response = lab.call("GET", f"experiments/{created}/webservicedefinition")

    assert (response.status_code, "is Failed" in response.text) == (400, True)
