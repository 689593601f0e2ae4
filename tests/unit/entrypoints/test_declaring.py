"""What `alm init` writes, from what services say of themselves: accepted as it stands."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml
from jsonschema import Draft7Validator

from alm.adapters.declarations import Declarations
from alm.adapters.studio.declaring import (
    Known,
    answers_of,
    declaration,
    example,
    label_of,
    task_of,
)
from alm.adapters.studio.inspect import Description, Resource, declared
from alm.adapters.studio.swagger import Api, Column, Port, api_of
from alm.domain.errors import Misconfigured
from alm.entrypoints.cli import initialise

BASE = "https://m.net/workspaces/w/webservices"
ARM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning/webServices/churn-eu"
FEATURES = (Column("age", "integer"), Column("income", "number"), Column("city", "string"))
TWO_CLASS = {"age": "1", "Scored Labels": "1", "Scored Probabilities": "0.4"}


def scoring(name: str = f"{BASE}/s/endpoints/ep2", **changes: object) -> Description:
    port = Port("input1", FEATURES)
    api = Api("", (port,), (Port("output1"),), (Port("output1"),), {})
    api = replace(api, examples={"input1": {"age": "41", "income": "1.5", "city": "Ulm"}})
    found = Description(
        declared(name), name.rpartition("/")[2], "", (Resource("m [trained model]", ""),), api
    )
    return replace(found, **changes)


def training() -> Description:
    inputs = (Port("input1", (*FEATURES, Column("left", "integer"))),)
    outputs = (Port("output2"), Port("output3"))
    parameters = {"Seed": "7", "Label": None}
    api = Api("", inputs, outputs, (Port("output1"), *outputs), parameters)
    return scoring(f"{BASE}/t/endpoints/default", api=api, resources=())


def written(tmp_path, known: Known) -> dict:
    initialise.write(tmp_path / "churn.yaml", declaration("churn", known, ["a\n/ep2", "b"]))
    text = (tmp_path / "churn.yaml").read_text()
    assert text.splitlines()[1] == r"# Written by `alm init` from a\n/ep2, b."
    named = text.partition("\n")[0].removeprefix("# yaml-language-server: $schema=")
    declared = yaml.safe_load(text)
    Draft7Validator(json.loads((tmp_path / named).read_text())).validate(declared)
    return declared


@pytest.mark.parametrize(
    ("answers", "task", "expected"),
    [
        (TWO_CLASS, "two-class", [{"column": "Scored Probabilities", "min": 0, "max": 1}]),
        (
            {"age": "1", "Scored Labels": "120.5"},
            "regression",
            [{"column": "Scored Labels", "min": -1084, "max": 1326}],
        ),
        ({"Scored Probabilities for Class 1": "1", "Scored Labels": "a"}, "multi-class", None),
        ({}, "regression", None),
        ({"Scored Labels": None}, "regression", None),
    ],
)
def test_the_gate_and_the_smoke_test_follow_from_what_is_answered(
    tmp_path, answers, task, expected
):
    document = written(tmp_path, Known((scoring(),), training(), answers))
    assert task_of(answers) == task
    assert document["gate"]["task"] == task
    assert document["smoke_tests"][0].get("expect") == expected
    assert document["smoke_tests"][0]["rows"] == [{"age": 41, "income": 1.5, "city": "Ulm"}]


def test_the_training_service_is_declared_with_its_outputs_and_parameters(tmp_path):
    document = written(tmp_path, Known((scoring(),), training(), TWO_CLASS))
    assert document["dataset"] == "churn/*.csv"
    outputs = {"model": "output1", "evaluation": "output2", "scored": "output3"}
    assert document["training"]["outputs"] == outputs
    assert document["training"]["parameters"] == {"Seed": "7"}
    assert document["gate"]["label"] == "left"


def test_targets_are_patched_one_after_the_other(tmp_path):
    document = written(tmp_path, Known((scoring(), scoring(ARM)), training(), TWO_CLASS))
    rows = [(item["name"], item["wave"], item["service"]["kind"]) for item in document["targets"]]
    assert rows == [("churn-1", 1, "classic"), ("churn-2", 2, "new")]


def test_without_a_training_service_model_files_are_judged(tmp_path):
    document = written(tmp_path, Known((scoring(ARM),), None, TWO_CLASS))
    assert "training" not in document
    assert Declarations.read(tmp_path, None).resolve("churn").training is None


def test_a_row_is_made_up_where_the_service_has_no_example():
    bare = scoring(api=replace(scoring().api, examples={}))
    assert example(bare) == {"age": 0, "income": 0.0, "city": ""}
    strange = replace(scoring().api, examples={"input1": {"age": "young", "income": 2}})
    assert example(scoring(api=strange)) == {"age": "young", "income": 2.0, "city": ""}


def test_a_label_is_only_named_where_one_is_left():
    assert label_of(Known((scoring(),), None, {})) == ""
    assert label_of(Known((scoring(),), scoring(), {})) == ""


def test_a_service_without_input_cannot_be_a_target():
    none = scoring(api=Api("", (), (), (), {}))
    with pytest.raises(Misconfigured, match="no web service input"):
        answers_of(none, lambda _row: {})


def test_a_file_that_would_not_be_accepted_is_not_left_behind(tmp_path):
    with pytest.raises(Misconfigured, match=r"churn\.yaml"):
        initialise.write(tmp_path / "churn.yaml", "model: churn\n")
    assert list(tmp_path.iterdir()) == []


def test_mistakes_of_other_files_do_not_matter(tmp_path):
    (tmp_path / "other.yaml").write_text("model: other\n")
    assert written(tmp_path, Known((scoring(),), None, TWO_CLASS))["model"] == "churn"


def test_the_example_of_a_service_is_read_from_its_description():
    request = {"example": {"Inputs": {"input1": [{"age": "1"}, {"age": "2"}], "input2": []}}}
    assert api_of({"definitions": {"ExecutionRequest": request}}).examples == {
        "input1": {"age": "1"}
    }
    for broken in ({}, {"example": []}, {"example": {"Inputs": {"input1": "x"}}}):
        assert api_of({"definitions": {"ExecutionRequest": broken}}).examples == {}
