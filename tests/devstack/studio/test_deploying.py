"""Deploying experiments as classic web services: the article's steps, training, deletion."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from devstack.studio.learning.ilearner import read_model
from devstack.studio.learning.tables import read_table
from devstack.studio.studio import Studio, StudioOptions
from tests.devstack.studio.client import Client, location
from tests.devstack.studio.experiment_client import (
    Lab,
    line,
    replaced,
    scoring_graph,
    scoring_service,
    statuses,
    training_graph,
    training_service,
)
from tests.devstack.studio.test_arm import plan_id

ROWS = {"ColumnNames": ["x", "y"], "Values": [["10", "0"], ["3", "0"]]}


@dataclass(frozen=True)
class Predictive:
    """A predictive experiment that was run, with what it is made of."""

    experiment: str
    dataset: str
    model: str
    training: str


@pytest.fixture(scope="module")
def lab(client: Client) -> Lab:
    return Lab(client)


def model_of(lab: Lab, slope: float, name: str, **more: Any) -> tuple[str, str]:
    """A model of a slope, promoted under a name; its id and that of the training experiment."""
    dataset = lab.dataset(f"{name} {slope}", line(slope))
    training = lab.create(
        training_graph(dataset), f"{name} training", WebService=training_service()
    )
    assert lab.run(training)["Status"]["StatusCode"] == "Finished"
    return lab.promote(training, "train-3", "Trained model", name, **more), training


def predictive_of(lab: Lab, name: str) -> Predictive:
    model, training = model_of(lab, 2, f"{name} model")
    dataset = lab.dataset(f"{name} rows", line(2))
    experiment = lab.create(scoring_graph(dataset, model), name, WebService=scoring_service())
    assert lab.run(experiment)["Status"]["StatusCode"] == "Finished"
    return Predictive(experiment, dataset, model, training)


@pytest.fixture
def predictive(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Predictive]:
    made = predictive_of(lab, request.node.name[:60])
    yield made
    lab.call("DELETE", f"experiments/{made.experiment}?deleteAncestors=true")


def endpoint(lab: Lab, service: str, name: str = "default") -> dict[str, Any]:
    response = manage(lab, "GET", f"/{service}/endpoints/{name}")
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def manage(lab: Lab, method: str, path: str, body: Any = None) -> requests.Response:
    url = f"/workspaces/{lab.workspace_id}/webservices{path}"
    return lab.client.call(method, url, lab.token, body)


def answer(lab: Lab, service: str, name: str = "default") -> bytes:
    """What an endpoint answers, byte for byte."""
    document = endpoint(lab, service, name)
    sample = {"api_location": document["ApiLocation"], "api_key": document["PrimaryKey"]}
    response = lab.client.score(sample, ROWS)
    assert response.status_code == 200, response.text
    return response.content


def slope(content: bytes) -> int:
    """The slope that an answer tells."""
    value = json.loads(content)["Results"]["output1"]["value"]
    return round(float(value["Values"][0][-1]) / 10)


def test_a_finished_experiment_becomes_a_service_that_names_its_run(
    lab: Lab, predictive: Predictive
) -> None:
    activity = lab.deploy(predictive.experiment)

    assert activity["Status"] == "Completed"
    service = manage(lab, "GET", f"/{activity['WebServiceGroupId']}").json()
    found = endpoint(lab, activity["WebServiceGroupId"])
    document = lab.get(predictive.experiment)
    assert service["Name"] == document["Description"]
    assert found["ApiLocation"].endswith(activity["EndpointId"])
    assert document["RunId"] in found["ExperimentLocation"]
    names = [resource["Name"] for resource in found["Resources"]]
    assert len(names) == 1 and names[0].endswith(" model [trained model]")
    block = document["WebService"]
    assert block["WebServiceGroupId"] == activity["WebServiceGroupId"]
    assert block["RunId"] == document["RunId"]
    assert block["ModelPackageId"]
    assert document["Status"]["StatusCode"] == "Finished", "deploying is no edit"
    assert slope(answer(lab, activity["WebServiceGroupId"])) == 2


def test_a_deployed_service_scores_as_the_experiment_did(lab: Lab, predictive: Predictive) -> None:
    service = lab.deploy(predictive.experiment)["WebServiceGroupId"]
    scored = lab.output(predictive.experiment, "score-1", "Scored dataset").content
    table = read_table(scored)
    found = endpoint(lab, service)
    sample = {"api_location": found["ApiLocation"], "api_key": found["PrimaryKey"]}

    rows = {"ColumnNames": ["x", "y"], "Values": [row[:2] for row in table.rows]}
    value = lab.client.score(sample, rows).json()["Results"]["output1"]["value"]

    assert value["ColumnNames"] == list(table.columns)
    assert value["Values"] == table.rows


def test_the_articles_six_steps_of_versioning_a_classic_service(
    lab: Lab, predictive: Predictive
) -> None:
    # 1. Deploy a new classic web service with a default endpoint.
    service = lab.deploy(predictive.experiment)["WebServiceGroupId"]
    keys = [endpoint(lab, service)[key] for key in ("PrimaryKey", "SecondaryKey", "ApiLocation")]
    # 2. Create ep2, which exposes the current version.
    assert manage(lab, "PUT", f"/{service}/endpoints/ep2", {}).ok
    before = {name: answer(lab, service, name) for name in ("default", "ep2")}
    assert before["default"] == before["ep2"]
    version = endpoint(lab, service, "ep2")["Version"]
    # 3. Update the trained model and the predictive experiment, and run it.
    family = predictive.model.split(".")[1]
    listed = lab.call("GET", "trainedmodels").json()
    name = next(item["Name"] for item in listed if item["FamilyId"] == family)
    newer, _ = model_of(lab, 5, name, FamilyId=family)
    document = lab.get(predictive.experiment)
    changed = replaced(document["Graph"], predictive.model, newer)
    assert lab.submit(predictive.experiment, ExperimentGraph=changed).ok
    assert lab.run(predictive.experiment)["Status"]["StatusCode"] == "Finished"
    assert before == {name: answer(lab, service, name) for name in before}, "not deployed yet"
    # 4. Redeploy: the default endpoint is updated, ep2 is not altered.
    activity = lab.deploy(predictive.experiment, update=True)
    assert activity["WebServiceGroupId"] == service
    assert slope(answer(lab, service)) == 5
    assert before["ep2"] == answer(lab, service, "ep2")
    assert endpoint(lab, service, "ep2")["Version"] == version
    assert keys == [endpoint(lab, service)[key] for key in
                    ("PrimaryKey", "SecondaryKey", "ApiLocation")]  # fmt: skip
    # 5. ep3 exposes the new version.
    assert manage(lab, "PUT", f"/{service}/endpoints/ep3", {}).ok
    assert answer(lab, service, "ep3") == answer(lab, service)
    # 6. And once more; all versions stand beside each other, until one is refreshed.
    latest, _ = model_of(lab, 7, name, FamilyId=family)
    changed = replaced(lab.get(predictive.experiment)["Graph"], newer, latest)
    lab.submit(predictive.experiment, ExperimentGraph=changed)
    lab.run(predictive.experiment)
    lab.deploy(predictive.experiment, update=True)
    found = [slope(answer(lab, service, name)) for name in ("ep2", "ep3", "default")]
    assert found == [2, 5, 7]
    runs = [endpoint(lab, service, name)["ExperimentLocation"] for name in ("ep2", "ep3")]
    assert len(set(runs)) == 2
    refreshed = manage(lab, "POST", f"/{service}/endpoints/ep2/refresh", {})
    assert refreshed.ok
    assert answer(lab, service, "ep2") == answer(lab, service)


def test_the_default_endpoint_follows_at_once_whatever_the_propagation_delay(
    lab: Lab, predictive: Predictive
) -> None:
    service = lab.deploy(predictive.experiment)["WebServiceGroupId"]
    newer, _ = model_of(lab, 4, f"{predictive.experiment[-8:]} at once")
    changed = replaced(lab.get(predictive.experiment)["Graph"], predictive.model, newer)
    lab.submit(predictive.experiment, ExperimentGraph=changed)
    lab.run(predictive.experiment)
    lab.client.admin("POST", "propagation", {"seconds": 60})

    lab.deploy(predictive.experiment, update=True)

    assert slope(answer(lab, service)) == 4


def test_without_update_another_service_is_made(lab: Lab, predictive: Predictive) -> None:
    first = lab.deploy(predictive.experiment)["WebServiceGroupId"]
    second = lab.deploy(predictive.experiment)["WebServiceGroupId"]

    assert first != second
    assert lab.get(predictive.experiment)["WebService"]["WebServiceGroupId"] == second
    lab.call("DELETE", f"experiments/{predictive.experiment}")
    found = [manage(lab, "GET", f"/{name}").status_code for name in (first, second)]
    assert found == [404, 404]


def test_a_training_experiment_becomes_a_training_service(lab: Lab) -> None:
    _, training = model_of(lab, 3, "training service")

    service = lab.deploy(training)["WebServiceGroupId"]

    found = endpoint(lab, service)
    sample = {"api_location": found["ApiLocation"], "api_key": found["PrimaryKey"]}
    path = lab.client.upload("training/slope9.csv", line(9))
    body = {"Inputs": {"input1": lab.client.by_key(path)}, "GlobalParameters": {}}
    status = lab.client.run_job(sample, body)
    assert status["StatusCode"] == "Finished", status
    assert set(status["Results"]) == {"output1", "output2"}
    files = {name: requests.get(location(place)) for name, place in status["Results"].items()}
    scored = read_model(files["output1"].content).score(read_table(b"x\n10\n"))
    assert round(float(scored.column("Scored Labels")[0] or 0)) == 90
    assert "Coefficient of Determination" in files["output2"].text
    refused = lab.client.score(sample, ROWS)
    assert refused.json()["error"]["details"][0]["code"] == "WebServiceTypeInvalid"


def test_only_a_finished_experiment_is_deployed(lab: Lab, predictive: Predictive) -> None:
    path = f"experiments/{predictive.experiment}/webservice"
    lab.submit(predictive.experiment)

    draft = lab.call("POST", path)
    unknown = lab.call("POST", f"experiments/{lab.workspace_id}.f-id.{'0' * 32}/webservice")

    assert (draft.status_code, "InDraft" in draft.text) == (400, True)
    assert unknown.status_code == 404
    assert lab.call("GET", f"experiments/{'0' * 32}/webservice").status_code == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Outputs": []}, "no web-service output"),
        ({"Inputs": [{"Id": "a", "Name": "i", "PortId": "ghost:Dataset"}]}, "ghost"),
        ({"Inputs": [{"Id": "a", "Name": "i", "PortId": "score-1:Trained model"}]}, "no dataset"),
        ({"Inputs": [{"Id": "web-200", "Name": "i", "PortId": "score-1:Dataset"}]}, "web-200"),
        ({"Outputs": [{"Id": "a", "Name": "o", "PortId": "score-1:Nowhere"}]}, "Nowhere"),
    ],
)
def test_what_is_missing_is_refused_at_once(
    lab: Lab, predictive: Predictive, change: dict[str, Any], words: str
) -> None:
    lab.submit(predictive.experiment, WebService={**scoring_service(), **change})
    lab.run(predictive.experiment)

    response = lab.call("POST", f"experiments/{predictive.experiment}/webservice")

    assert response.status_code == 400, response.text
    assert words in response.text


def test_new_port_names_on_request(lab: Lab, predictive: Predictive) -> None:
    block = scoring_service()
    block["Inputs"][0]["Name"], block["Outputs"][0]["Name"] = "rows", "scores"
    lab.submit(predictive.experiment, WebService=block)
    lab.run(predictive.experiment)

    def ports(service: str) -> list[str]:
        url = endpoint(lab, service)["ApiLocation"] + "/swagger.json"
        definitions = lab.client.http.get(url).json()["definitions"]
        return [
            name
            for key in ("ExecutionInputs", "ExecutionOutputs")
            for name in definitions[key]["properties"]
        ]

    kept = lab.deploy(predictive.experiment)["WebServiceGroupId"]
    renamed = lab.deploy(predictive.experiment, names=True)["WebServiceGroupId"]

    assert ports(kept) == ["rows", "scores"]
    assert ports(renamed) == ["input1", "output1"]


def test_a_save_cannot_take_the_service_away_from_its_experiment(
    lab: Lab, predictive: Predictive
) -> None:
    stale = lab.get(predictive.experiment)["WebService"]
    service = lab.deploy(predictive.experiment)["WebServiceGroupId"]

    lab.submit(predictive.experiment, WebService=stale)
    lab.run(predictive.experiment)

    assert lab.deploy(predictive.experiment, update=True)["WebServiceGroupId"] == service


def test_a_deployment_that_a_fault_keeps_from_the_models_fails(
    lab: Lab, predictive: Predictive
) -> None:
    lab.client.fault("GET", r"/experimentoutput/.*\.ilearner", "503", times=20)

    activity = lab.deploy(predictive.experiment)

    assert activity["Status"] == "Failed"
    assert "not fetched" in activity["Message"]
    assert lab.get(predictive.experiment)["WebService"]["WebServiceGroupId"] is None


def test_an_experiment_deleted_while_it_is_deployed_leaves_no_service(
    lab: Lab, predictive: Predictive
) -> None:
    lab.client.fault("GET", r"/experimentoutput/.*\.ilearner", "slow", seconds=0.5)
    path = f"experiments/{predictive.experiment}/webservice"
    service = lab.call("POST", path).json()["WebServiceGroupId"]
    deadline = time.monotonic() + 20
    while not any(fault["seen"] for fault in lab.client.admin("GET", "faults")):
        assert time.monotonic() < deadline, "the deployment does not begin"
        time.sleep(0.02)

    assert lab.call("DELETE", f"experiments/{predictive.experiment}").ok

    while ("deploy", service) not in events(lab):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert manage(lab, "GET", f"/{service}").status_code == 404


def events(lab: Lab) -> set[tuple[str, str]]:
    """What Studio noted."""
    return {(entry["event"], entry["what"]) for entry in lab.client.admin("GET", "calls")["log"]}


def test_deleting_the_experiment_takes_the_classic_service_and_leaves_the_new_one(
    lab: Lab, predictive: Predictive
) -> None:
    service = lab.deploy(predictive.experiment)["WebServiceGroupId"]
    expected = answer(lab, service)
    deploy_new(lab, predictive.experiment, "left-behind")

    lab.call("DELETE", f"experiments/{predictive.experiment}?deleteAncestors=true")

    assert manage(lab, "GET", f"/{service}").status_code == 404
    assert expected == answer_of_new(lab.client, "left-behind")


def test_deleting_the_workspace_takes_its_classic_services_and_leaves_the_new_one(
    lab: Lab,
) -> None:
    client, name = lab.client, "workspaces/short-lived"
    body = {
        "location": "South Central US",
        "properties": {
            "ownerEmail": "a@example.com",
            "userStorageAccountId": "/subscriptions/s/resourceGroups/g/providers/"
            "Microsoft.Storage/storageAccounts/devstoreaccount1",
        },
    }
    created = client.arm("PUT", name, body, version="2016-04-01")
    assert created.ok, created.text
    keys = client.arm("POST", f"{name}/listWorkspaceKeys", version="2016-04-01").json()
    workspace = created.json()["properties"]["workspaceId"]
    inside = Lab(client, workspace, keys["primaryToken"])
    made = predictive_of(inside, "inside")
    service = inside.deploy(made.experiment)["WebServiceGroupId"]
    expected = answer(inside, service)
    deploy_new(inside, made.experiment, "outlives")

    deleted = client.arm("DELETE", name, version="2016-04-01")

    assert deleted.ok, deleted.text
    assert manage(inside, "GET", f"/{service}").status_code in (401, 404)
    assert expected == answer_of_new(client, "outlives")


def deploy_new(lab: Lab, experiment: str, name: str) -> None:
    """Export the definition and put it, as the article says: with storage account and plan."""
    response = lab.call("GET", f"experiments/{experiment}/webservicedefinition")
    assert response.status_code == 200, response.text
    document, account = response.json(), lab.client.blobs.credential
    document["properties"] |= {
        "storageAccount": {"name": account.account_name, "key": account.account_key},
        "commitmentPlan": {"id": plan_id(lab.client, "southcentralus")},
    }
    put = lab.client.arm("PUT", f"webServices/{name}", document)
    assert lab.client.deployed(put)["status"] == "Succeeded"


def answer_of_new(client: Client, name: str) -> bytes:
    document = client.arm("GET", f"webServices/{name}").json()
    url = document["properties"]["swaggerLocation"].removesuffix("/swagger.json")
    key = client.arm("GET", f"webServices/{name}/listKeys").json()["primary"]
    response = client.score({"api_location": url, "api_key": key}, ROWS)
    assert response.status_code == 200, response.text
    return response.content


def test_a_deployment_that_was_interrupted_is_carried_out_at_the_next_start(
    tmp_path: Path,
) -> None:
    options = StudioOptions(data=tmp_path, admin=True, propagation_seconds=0)
    with Studio(options) as studio, Client(studio.description()) as client:
        lab = Lab(client)
        made = predictive_of(lab, "interrupted")
        client.fault("GET", r"/experimentoutput/.*\.ilearner", "slow", seconds=2)
        begun = lab.call("POST", f"experiments/{made.experiment}/webservice").json()
        assert begun["Status"] == "Pending"

    with Studio(options) as studio, Client(studio.description()) as client:
        lab = Lab(client)
        deadline = time.monotonic() + 20
        path = f"experiments/{begun['ActivityId']}/webservice"
        while lab.call("GET", path).json()["Status"] == "Pending":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert lab.call("GET", path).json()["Status"] == "Completed"
        assert slope(answer(lab, begun["WebServiceGroupId"])) == 2
        assert set(statuses(lab.get(made.experiment))) == {"score-1"}
