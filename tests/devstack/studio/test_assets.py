"""Trained models, promotion, modules and custom modules over HTTP."""

from __future__ import annotations

import io
import time
import zipfile
from typing import Any

import pytest

from tests.devstack.studio.client import Client
from tests.devstack.studio.experiment_client import (
    Lab,
    graph,
    line,
    module,
    scoring_graph,
    training_graph,
)
from tests.devstack.studio.workspace_client import WorkspaceClient, download

GLOBAL = "506153734175476c4f62416c57734963"
ADD_ROWS = """<?xml version="1.0" encoding="utf-8"?>
<Module name="Custom Add Rows">
  <Owner>Ann</Owner>
  <Description>Appends one dataset to another.</Description>
  <Language name="R" sourceFile="add.R" entryPoint="add" />
  <Ports>
    <Output id="dataset" name="Dataset" type="DataTable" />
    <Input id="one" name="First dataset" type="DataTable" />
    <Input id="two" name="Second dataset" type="DataTable" />
  </Ports>
  <Arguments><Arg id="swap" name="Swap" type="bool" /></Arguments>
</Module>
"""


@pytest.fixture(scope="module")
def lab(client: Client) -> Lab:
    return Lab(client)


@pytest.fixture(scope="module")
def workspace(client: Client) -> WorkspaceClient:
    return WorkspaceClient(client)


@pytest.fixture(scope="module")
def trained(lab: Lab) -> str:
    """An experiment that has trained a model."""
    dataset = lab.dataset("line for assets", line(2))
    experiment_id = lab.create(training_graph(dataset))
    assert "Finished" == lab.run(experiment_id)["Status"]["StatusCode"]
    return experiment_id


def promotion(experiment_id: str, wrapper: str, name: str, **more: Any) -> dict[str, Any]:
    """What Promote-Aml... sends; `more` replaces fields of the body."""
    types = {"TrainedModel": "iLearnerDotNet", "DataSource": "Dataset"}
    return {
        "ExperimentId": experiment_id,
        "ModuleNodeId": "train-3",
        "OutputName": "Trained model",
        wrapper: {
            "Name": name,
            "DataTypeId": types.get(wrapper, "iTransformDotNet"),
            "Description": "promoted",
            "SourceOrigin": "FromOutputPromotion",
            "FamilyId": more.pop("family", None),
        },
        **more,
    }


def test_a_promoted_model_has_the_captured_shape(lab, workspace, trained):
    body = promotion(trained, "TrainedModel", "Line model")

    created = workspace.call("POST", "/trainedmodels", body).json()

    record = workspace.call("GET", f"/trainedmodels/{created}").json()
    assert record in workspace.listed("trainedmodels")
    assert {"Language": "DotNet", "Version": "4.5.0"} == record["Language"]
    assert "ILearnerDotNet" == record["DataTypeId"]
    assert f"{trained}.train-3.Trained model" == record["PromotedFrom"]
    assert (trained, "FromOutputPromotion") == (record["ExperimentId"], record["SourceOrigin"])
    assert int(created.rsplit("-")[-1]) == record["ServiceVersion"]
    assert set(record) == {
        "Language", "Id", "DataTypeId", "Name", "Description", "FamilyId", "ResourceUploadId",
        "SourceOrigin", "Size", "CreatedDate", "Owner", "ExperimentId", "ClientVersion",
        "PromotedFrom", "UploadedFromFilename", "ServiceVersion", "IsLatest", "Category",
        "DownloadLocation", "IsDeprecated", "Culture", "Batch", "CreatedDateTicks",
    }  # fmt: skip


def test_a_promoted_model_scores_in_an_experiment(lab, workspace, trained):
    model = lab.promote(trained, "train-3", "Trained model", "Scoring line model")
    experiment_id = lab.create(scoring_graph(lab.dataset("to score", line(2, rows=3)), model))

    assert "Finished" == lab.run(experiment_id)["Status"]["StatusCode"]

    scored = lab.output(experiment_id, "score-1", "Scored dataset").text.splitlines()
    assert [0, 2, 4] == [round(float(row.split(",")[-1])) for row in scored[1:]]


def test_a_taken_name_is_refused_unless_its_family_is_named(workspace, trained):
    first = workspace.call("POST", "/trainedmodels", promotion(trained, "TrainedModel", "Taken"))
    family = first.json().split(".")[1]

    refused = workspace.call("POST", "/trainedmodels", promotion(trained, "TrainedModel", "taken"))
    body = promotion(trained, "TrainedModel", "Taken", family=family)
    second = workspace.call("POST", "/trainedmodels", body)

    assert (409, 200) == (refused.status_code, second.status_code)
    old = workspace.call("GET", f"/trainedmodels/{first.json()}").json()
    assert old["IsLatest"] is False
    assert [second.json()] == [
        found["Id"] for found in workspace.listed("trainedmodels") if found["Name"] == "Taken"
    ]


def test_a_promoted_dataset_is_inspected_and_downloaded(workspace, trained):
    body = promotion(
        trained, "DataSource", "Scored line", ModuleNodeId="score-4", OutputName="Scored dataset"
    )

    created = workspace.call("POST", "/datasources", body).json()

    record = workspace.inspected(created)
    assert ("Complete", "Dataset") == (record["SchemaStatus"], record["DataTypeId"])
    assert "Scored Labels" in download(record["DownloadLocation"]).text.splitlines()[0]


@pytest.mark.parametrize(
    ("more", "status", "complaint"),
    [
        ({"ModuleNodeId": "nowhere-1"}, 404, "nowhere-1"),
        ({"OutputName": "Elsewhere"}, 404, "Elsewhere"),
        ({"ExperimentId": "x"}, 404, "experiment 'x'"),
        ({"ExperimentId": None}, 400, "ExperimentId is missing"),
        ({"ModuleNodeId": "score-4", "OutputName": "Scored dataset"}, 400, "is a .csv file"),
        ({"TrainedModel": {"Name": "x", "DataTypeId": "Dataset"}}, 400, "must be 'ILearnerDotNet'"),
        ({"TrainedModel": {"Name": "x", "FamilyId": "f" * 32}}, 404, "no trained model of family"),
    ],
)
def test_what_cannot_be_promoted_is_refused(workspace, trained, more, status, complaint):
    body = {**promotion(trained, "TrainedModel", "Not to be"), **more}

    refused = workspace.call("POST", "/trainedmodels", body)

    assert status == refused.status_code
    assert complaint in refused.json()["error"]["message"]
    assert "Not to be" not in [found["Name"] for found in workspace.listed("trainedmodels")]


def test_a_draft_has_nothing_to_promote(lab, workspace):
    draft = lab.create(training_graph(lab.dataset("line of a draft", line(3))))

    refused = workspace.call("POST", "/trainedmodels", promotion(draft, "TrainedModel", "None"))

    assert 404 == refused.status_code


def test_kinds_of_assets_are_kept_apart(workspace, trained):
    body = promotion(trained, "TrainedModel", "Apart")
    model = workspace.call("POST", "/trainedmodels", body).json()

    assert 404 == workspace.call("GET", f"/datasources/{model}").status_code
    assert 404 == workspace.call("GET", f"/transformmodules/{model}").status_code
    family = model.split(".")[1]
    assert 404 == workspace.call("DELETE", f"/datasources/family/{family}").status_code
    assert 200 == workspace.call("DELETE", f"/trainedmodels/family/{family}").status_code
    assert 404 == workspace.call("GET", f"/trainedmodels/{model}").status_code


def test_a_transform_is_promoted_and_applied(lab, workspace):
    dataset = lab.dataset("line to normalize", line(2))
    column = {"Columns to transform": "x", "Transformation method": "MinMax"}
    nodes = [module("norm-1", "Normalize Data", column, Dataset=dataset)]
    experiment_id = lab.create(graph(nodes))
    assert "Finished" == lab.run(experiment_id)["Status"]["StatusCode"]
    body = promotion(
        experiment_id,
        "Transform",
        "Line scaling",
        ModuleNodeId="norm-1",
        OutputName="Transformation function",
    )

    created = workspace.call("POST", "/transformmodules", body)

    assert created.ok, created.text
    record = workspace.call("GET", f"/transformmodules/{created.json()}").json()
    assert ("ITransformDotNet", "Line scaling") == (record["DataTypeId"], record["Name"])
    apply = module(
        "apply-1", "Apply Transformation", Transformation=created.json(), Dataset=dataset
    )
    applied = lab.create(graph([apply]))
    assert "Finished" == lab.run(applied)["Status"]["StatusCode"]
    rows = lab.output(applied, "apply-1", "Transformed dataset").text.splitlines()
    assert ("0", "1") == (rows[1].split(",")[0][:1], rows[-1].split(",")[0][:1])


def test_faults_reach_promotion(client, workspace, trained):
    client.fault("POST", "/trainedmodels$", "change_nothing")
    body = promotion(trained, "TrainedModel", "Unpromoted")

    made_up = workspace.call("POST", "/trainedmodels", body)

    assert 200 == made_up.status_code
    assert 404 == workspace.call("GET", f"/trainedmodels/{made_up.json()}").status_code
    client.fault("GET", "/modules$", "401")
    assert 401 == workspace.call("GET", "/modules").status_code


def test_samples_are_listed_as_examples_of_the_global_workspace(workspace):
    found = workspace.call("GET", "/datasources").json()
    samples = {one["Name"]: one for one in found if one["Id"].startswith(GLOBAL + ".")}

    assert {"cancer.csv", "churn.csv", "diabetes.csv", "sales.csv"} == set(samples)
    one = samples["cancer.csv"]
    assert one["Id"] == workspace.dataset(one["Id"])["Id"]
    assert workspace.client.dataset("cancer") == download(one["DownloadLocation"]).content
    deleted = workspace.call("DELETE", f"/datasources/family/{one['FamilyId']}")
    assert 404 == deleted.status_code


def test_built_in_modules_are_listed_with_ports_and_parameters(workspace):
    modules = {one["Name"]: one for one in workspace.call("GET", "/modules").json()}

    train = modules["Train Model"]
    assert f"{GLOBAL}.5cc7053eaa30450d96c0dae4be720977." in train["Id"]
    assert "Release" == train["ReleaseState"]
    assert ["Untrained model", "Dataset"] == [port["Name"] for port in train["InputPorts"]]
    assert len(modules) == len({one["Id"] for one in modules.values()})


def zipped(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return content.getvalue()


def made(workspace: WorkspaceClient, content: bytes) -> list[str]:
    """Upload a custom module as New-AmlCustomModule does; how that ended."""
    upload = workspace.begin("Zip").json()
    metadata = workspace.block(upload["Id"], 0, 1, content).json()
    begun = workspace.call("POST", "/modules/custom", metadata)
    assert begun.ok, begun.text
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        query = {"activityGroupId": begun.json()}
        state: list[str] = workspace.call("GET", "/modules/custom", params=query).json()
        if state[0] != "Pending":
            return state
        time.sleep(0.01)
    raise AssertionError("the custom module was not made")


def test_a_custom_module_is_listed_and_gets_versions(workspace):
    content = zipped({"add.xml": ADD_ROWS, "add.R": "add <- function(a, b) rbind(a, b)"})

    state, first = made(workspace, content)
    again, second = made(workspace, content)

    assert ("Finished", "Finished") == (state, again)
    assert first.split(".")[:2] == second.split(".")[:2]
    (shown,) = [
        one for one in workspace.call("GET", "/modules").json() if one["ReleaseState"] == "Custom"
    ]
    assert (second, "Custom Add Rows", "Ann") == (shown["Id"], shown["Name"], shown["Owner"])
    assert ["First dataset", "Second dataset"] == [port["Name"] for port in shown["InputPorts"]]
    assert [{"Name": "Swap", "ParameterType": "bool"}] == shown["Parameters"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"PK not a zip", "cannot be read as Zip"),
        (zipped({"readme.txt": "x"}), "no .xml file"),
        (zipped({"a.xml": "<Module"}), "is not XML"),
        (zipped({"a.xml": "<Other name='x'/>"}), "element Module with a name"),
        (zipped({"a.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><Module name='&b;'/>"}), "document type"),
        (zipped({"a.xml": "<Module name='x'>" + " " * 2**20 + "</Module>"}), "more than"),
    ],
)
def test_what_is_no_custom_module_fails_and_says_why(workspace, content, complaint):
    state, why = made(workspace, content)

    assert "Failed" == state
    assert complaint in why


def test_custom_modules_are_made_of_zip_files_that_are_there(workspace):
    text = workspace.begin("PlainText", b"x").json()

    answers = [
        workspace.call("POST", "/modules/custom", text),
        workspace.call("POST", "/modules/custom", {"Id": "0" * 32}),
        workspace.call("GET", "/modules/custom", params={"activityGroupId": "../x"}),
    ]

    assert [400, 404, 404] == [answer.status_code for answer in answers]
