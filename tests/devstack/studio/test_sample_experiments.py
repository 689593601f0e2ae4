"""The sample experiments: described, runnable, and the same after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devstack.studio.learning.tables import read_table
from devstack.studio.studio import Studio, StudioOptions
from tests.devstack.studio.client import Client
from tests.devstack.studio.experiment_client import Lab, replaced
from tests.devstack.studio.test_deploying import endpoint


@pytest.fixture(scope="module")
def lab(client: Client) -> Lab:
    return Lab(client)


def described(lab: Lab, name: str, role: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = lab.client.description["experiments"]
    return next(item for item in found if (item["name"], item["role"]) == (name, role))


@pytest.mark.parametrize(
    ("name", "metric"), [("cancer", "AUC"), ("diabetes", "Coefficient of Determination")]
)
def test_the_ten_steps_work_on_the_samples(lab: Lab, name: str, metric: str) -> None:
    trains, predicts = (described(lab, name, role) for role in ("training", "predictive"))
    content = lab.client.dataset(name)
    # 1, 3, 4: a new dataset, put into the training experiment, which is run.
    dataset = lab.dataset(f"{name} again", content)
    document = lab.get(trains["experiment_id"])
    changed = replaced(document["Graph"], trains["dataset_id"], dataset)
    assert lab.submit(trains["experiment_id"], ExperimentGraph=changed).ok
    assert lab.run(trains["experiment_id"])["Status"]["StatusCode"] == "Finished"
    place = (trains["experiment_id"], trains["evaluation_node"], trains["evaluation_port"])
    evaluation = read_table(lab.output(*place).content)
    assert 0.3 < float(evaluation.column(metric)[0] or 0) <= 1
    # 5, 7, 8: the trained model, promoted and put into the predictive experiment, which is run.
    listed = lab.call("GET", "trainedmodels").json()
    family = next(i["FamilyId"] for i in listed if i["Name"] == trains["trained_model_name"])
    place = (trains["experiment_id"], trains["model_node"], trains["model_port"])
    model = lab.promote(*place, trains["trained_model_name"], FamilyId=family)
    document = lab.get(predicts["experiment_id"])
    changed = replaced(document["Graph"], predicts["trained_model_id"], model)
    assert lab.submit(predicts["experiment_id"], ExperimentGraph=changed).ok
    assert lab.run(predicts["experiment_id"])["Status"]["StatusCode"] == "Finished"
    # 9, 10: deployed and tested.
    service = lab.deploy(predicts["experiment_id"])["WebServiceGroupId"]
    found = endpoint(lab, service)
    assert [item["Name"] for item in found["Resources"]] == [predicts["resource_name"]]
    sample = {"api_location": found["ApiLocation"], "api_key": found["PrimaryKey"]}
    rows = lab.client.rows(name, 5)
    table = read_table(content)
    features = {
        "ColumnNames": rows["ColumnNames"][:-1],
        "Values": [row[:-1] for row in rows["Values"]],
    }
    assert table.columns[-1] == predicts["label"]
    response = lab.client.score(sample, features)
    assert response.status_code == 200, response.text
    place = (predicts["experiment_id"], predicts["scored_node"], predicts["scored_port"])
    expected = read_table(lab.output(*place).content).rows[:5]
    assert response.json()["Results"]["output1"]["value"]["Values"] == expected


def test_a_training_sample_becomes_a_training_service_with_a_seed(lab: Lab) -> None:
    trains = described(lab, "cancer", "training")
    lab.run(trains["experiment_id"])

    service = lab.deploy(trains["experiment_id"])["WebServiceGroupId"]

    found = endpoint(lab, service)
    sample = {"api_location": found["ApiLocation"], "api_key": found["PrimaryKey"]}
    body = {
        "Inputs": {"input1": lab.client.by_key("samples/cancer.csv")},
        "GlobalParameters": {"Random seed": "5"},
    }
    status = lab.client.run_job(sample, body)
    assert status["StatusCode"] == "Finished", status
    assert set(status["Results"]) == set(trains["outputs"])


def test_samples_are_made_once_and_what_was_deleted_stays_deleted(tmp_path: Path) -> None:
    options = StudioOptions(data=tmp_path, with_samples=True, admin=True)
    with Studio(options) as studio, Client(studio.description()) as client:
        before = studio.description()
        deleted = described(Lab(client), "diabetes", "predictive")["experiment_id"]
        assert Lab(client).call("DELETE", f"experiments/{deleted}").ok

    with Studio(options) as studio, Client(studio.description()) as client:
        assert before == studio.description()
        left = {item["ExperimentId"] for item in Lab(client).call("GET", "experiments").json()}
        wanted = {item["experiment_id"] for item in before["experiments"]}
        assert left == wanted - {deleted}
