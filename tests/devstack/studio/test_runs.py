"""Runs of experiments: statuses, outputs, the cache, failures, parts, restarts."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from devstack.studio.learning.ilearner import read_model
from devstack.studio.learning.tables import read_table
from tests.devstack.studio.client import Client
from tests.devstack.studio.experiment_client import (
    Lab,
    graph,
    line,
    module,
    replaced,
    request,
    scoring_graph,
    statuses,
    training_graph,
)
from tests.devstack.studio.test_persistence import running

CACHED = "Task output was present in output cache"
GLOBAL = "506153734175476c4f62416c57734963"


@pytest.fixture(scope="module")
def lab(client: Client) -> Lab:
    return Lab(client)


@pytest.fixture(scope="module")
def dataset(lab: Lab) -> str:
    return lab.dataset("runs", line(2))


@pytest.fixture(scope="module")
def trained(lab: Lab, dataset: str) -> str:
    """A training experiment whose run has finished."""
    created = lab.create(training_graph(dataset))
    assert lab.run(created)["Status"]["StatusCode"] == "Finished"
    return created


def download(lab: Lab, endpoint: dict[str, Any]) -> bytes:
    """What Download-AmlExperimentNodeOutput gets: without a token."""
    url = endpoint["BaseUri"] + endpoint["Location"] + endpoint["AccessCredential"]
    response = lab.client.http.get(url)
    assert response.status_code == 200, response.text
    return response.content


def node(document: dict[str, Any], node_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(n for n in document["NodeStatuses"] if n["NodeId"] == node_id)
    return found


def test_a_run_finishes_with_times_and_statuses(lab: Lab, trained: str) -> None:
    document = lab.get(trained)

    status = document["Status"]
    assert (status["StatusCode"], status["StatusDetail"]) == ("Finished", "None")
    assert status["CreationTime"] <= status["StartTime"] <= status["EndTime"]
    assert {state for state, _ in statuses(document).values()} == {"Finished"}
    assert set(node(document, "train-3")) == {
        "NodeId", "Status", "StandardErrorEndpoint", "StandardOutEndpoint", "OutputEndpoints",
        "MetadataOutputEndpoints",
    }  # fmt: skip


def test_outputs_are_files_that_can_be_downloaded_without_a_token(lab: Lab, trained: str) -> None:
    document = lab.get(trained)

    outputs = {
        endpoint["Name"]: endpoint
        for status in document["NodeStatuses"]
        for endpoint in status["OutputEndpoints"]
    }
    model = read_model(download(lab, outputs["Trained model"]))
    scored = read_table(download(lab, outputs["Scored dataset"]))
    evaluation = read_table(download(lab, outputs["Evaluation results"]))

    assert model.label == "y"
    assert scored.columns == ("x", "y", "Scored Labels")
    assert float(evaluation.column("Coefficient of Determination")[0] or 0) > 0.99
    assert outputs["Scored dataset"]["Size"] == len(download(lab, outputs["Scored dataset"]))
    assert b"Train Model" in download(lab, node(document, "train-3")["StandardOutEndpoint"])
    assert download(lab, node(document, "train-3")["StandardErrorEndpoint"]) == b""


def test_outputdata_gives_the_same_bytes(lab: Lab, trained: str) -> None:
    document = lab.get(trained)
    endpoint = node(document, "train-3")["OutputEndpoints"][0]

    response = lab.output(trained, "train-3", "Trained model")

    assert response.status_code == 200
    assert download(lab, endpoint) == response.content
    by_snapshot = lab.output(document["RunId"], "train-3", "Trained model")
    assert response.content == by_snapshot.content


def test_datasets_have_schema_and_visualization(lab: Lab, trained: str) -> None:
    found = node(lab.get(trained), "score-4")["MetadataOutputEndpoints"]["Scored dataset"]

    documents = {item["Key"]: json.loads(download(lab, item["Value"])) for item in found}

    names = [column["name"] for column in documents["schema"]["columnAttributes"]]
    assert names == ["x", "y", "Scored Labels"]
    assert documents["visualization"]["numberOfRows"] == 6


def test_an_address_whose_grant_has_ended_is_refused(lab: Lab, trained: str) -> None:
    lab.client.fault("GET", f"/experiments/{trained}", "expire_sas")
    endpoint = lab.get(trained)["NodeStatuses"][0]["OutputEndpoints"][0]

    url = endpoint["BaseUri"] + endpoint["Location"] + endpoint["AccessCredential"]

    assert lab.client.http.get(url).status_code == 403


def test_unchanged_nodes_come_from_the_cache_with_the_same_bytes(lab: Lab, trained: str) -> None:
    before = lab.output(trained, "score-4", "Scored dataset").content

    document = lab.run(trained)

    assert {detail for _, detail in statuses(document).values()} == {CACHED}
    assert before == lab.output(trained, "score-4", "Scored dataset").content


def test_only_what_a_change_touches_is_run_again(lab: Lab, dataset: str) -> None:
    wanted = training_graph(dataset, seed="11")
    created = lab.create(wanted)
    lab.run(created)
    wanted["ModuleNodes"][2]["ModuleParameters"][0]["Value"] = "x"

    lab.submit(created, ExperimentGraph=wanted)
    found = statuses(lab.run(created))

    cached = {name for name, (_, detail) in found.items() if detail == CACHED}
    assert cached == {"split-1", "learner-2"}


def test_a_cached_scored_table_can_still_be_evaluated(lab: Lab, dataset: str) -> None:
    """How a table was scored is not in its CSV; the cache keeps it all the same."""
    wanted = training_graph(dataset, seed="21")
    without = {
        **wanted,
        "ModuleNodes": wanted["ModuleNodes"][:-1],
        "EdgesInternal": wanted["EdgesInternal"][:-1],
    }
    created = lab.create(without)
    lab.run(created)

    lab.submit(created, ExperimentGraph=wanted)
    document = lab.run(created)

    found = statuses(document)
    assert found["score-4"] == ("Finished", CACHED)
    assert found["evaluate-5"] == ("Finished", "None")


def test_after_a_run_is_accepted_the_old_end_is_never_shown(lab: Lab, trained: str) -> None:
    for _ in range(5):
        lab.ended(trained)
        lab.start(trained)
        document = lab.get(trained)
        seen = document["Status"]["StatusCode"]
        # It may have ended already: then it is this run's end, not the one before.
        assert seen in ("NotStarted", "Running") or document["Status"]["EndTime"] > last_end(
            lab, document
        )


def last_end(lab: Lab, document: dict[str, Any]) -> str:
    return str(lab.get(document["ParentExperimentId"])["Status"]["EndTime"])


def test_a_save_after_a_run_is_a_draft_whose_outputs_can_still_be_read(
    lab: Lab, dataset: str
) -> None:
    created = lab.create(training_graph(dataset, seed="31"))
    run = lab.run(created)["RunId"]

    lab.submit(created)

    document = lab.get(created)
    assert (document["Status"]["StatusCode"], document["RunId"]) == ("InDraft", run)
    assert lab.output(created, "train-3", "Trained model").status_code == 200
    lab.submit(created, ExperimentGraph=training_graph(dataset, seed="32"))
    shown = set(statuses(lab.get(created)))
    assert shown == {"learner-2", "train-3", "score-4", "evaluate-5"}, "split-1 is another one now"


def test_a_node_that_fails_fails_the_run_and_starts_nothing_after_it(
    lab: Lab, dataset: str
) -> None:
    wanted = training_graph(dataset)
    wanted["ModuleNodes"][2]["ModuleParameters"][0]["Value"] = "no such column"
    created = lab.create(wanted)

    document = lab.run(created)

    found = statuses(document)
    state, text = found["train-3"]
    assert state == "Failed" and "no such column" in text
    assert (document["Status"]["StatusCode"], document["Status"]["StatusDetail"]) == (state, text)
    assert {found["score-4"][0], found["evaluate-5"][0]} == {"NotStarted"}
    assert text in download(lab, node(document, "train-3")["StandardErrorEndpoint"]).decode()
    refused = lab.output(created, "train-3", "Trained model")
    assert (refused.status_code, text in refused.text) == (404, True)


UNKNOWN = {
    "R": (f"{GLOBAL}.30806023392b42e094d66b775a6e0fd5.v1-default-3", "Dataset1", "Result Dataset"),
    "custom": ("{ws}.0123456789abcdef0123456789abcdef.v1-default-5", "in", "out"),
    "unknown": (f"{GLOBAL}.ffffffffffffffffffffffffffffffff.v1-default-1", "in", "out"),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_module_that_does_not_run_here_is_kept_and_fails_in_its_own_words(
    lab: Lab, dataset: str, kind: str
) -> None:
    module_id, takes, gives = UNKNOWN[kind]
    foreign = {
        **module("foreign-2", "Score Model"),
        "ModuleId": module_id.format(ws=lab.workspace_id),
        "ModuleParameters": [{"Name": "Script", "Value": "x <- 1", "ValueType": "Literal"}],
        "InputPortsInternal": [{"Name": takes, "NodeId": "foreign-2"}],
        "OutputPortsInternal": [{"Name": gives, "NodeId": "foreign-2"}],
    }
    wanted = graph(
        [
            module("split-1", "Split Data", Dataset=dataset),
            foreign,
            module("split-3", "Split Data"),
        ],
        ("split-1:Results dataset1", f"foreign-2:{takes}"),
        (f"foreign-2:{gives}", "split-3:Dataset"),
    )
    created = lab.create(wanted)
    assert lab.get(created)["Graph"] == wanted

    found = statuses(lab.run(created))

    assert "not executable locally" in found["foreign-2"][1]
    assert [found[name][0] for name in ("split-1", "foreign-2", "split-3")] == [
        "Finished",
        "Failed",
        "NotStarted",
    ]


def test_a_port_that_an_unknown_module_does_not_list_is_refused(lab: Lab, dataset: str) -> None:
    foreign = {**module("foreign-2", "Score Model"), "ModuleId": "a.b.c"}
    wanted = graph(
        [module("split-1", "Split Data", Dataset=dataset), foreign],
        ("split-1:Results dataset1", "foreign-2:Nowhere"),
    )

    response = lab.call("POST", "experiments", request(wanted, draft=False))

    assert response.status_code == 400
    assert "'foreign-2' has no input 'Nowhere'" in response.text


def test_a_partial_run_runs_the_marked_nodes_and_what_they_need(lab: Lab, dataset: str) -> None:
    wanted = training_graph(dataset, seed="41")
    wanted["ModuleNodes"][2]["IsPartOfPartialRun"] = True
    created = lab.create(wanted)

    document = lab.run(created)

    assert document["IsPartialRun"] is True
    assert set(statuses(document)) == {"split-1", "learner-2", "train-3"}
    missing = lab.output(created, "score-4", "Scored dataset")
    assert missing.status_code == 404
    lab.submit(created, IsDraft=False, IsPartialRun=False)
    whole = lab.ended(created)
    assert whole["IsPartialRun"] is False
    assert statuses(whole)["train-3"] == ("Finished", CACHED)
    assert statuses(whole)["score-4"] == ("Finished", "None")


def test_a_partial_run_does_not_mind_mistakes_elsewhere(lab: Lab, dataset: str) -> None:
    wanted = training_graph(dataset)
    wanted["ModuleNodes"].append(module("open-6", "Split Data"))
    wanted["ModuleNodes"][0]["IsPartOfPartialRun"] = True

    assert lab.run(lab.create(wanted))["Status"]["StatusCode"] == "Finished"


def linked(seed: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """A parameter of a node that takes a web-service parameter, and its declaration."""
    parameter = {
        "Name": "Random seed",
        "Value": "Seed",
        "ValueType": "GraphParameterName",
        "LinkedGlobalParameter": "Seed",
    }
    declared = {
        "Name": "Seed",
        "Value": seed,
        "ParameterDefinition": {"ParameterType": "Int", "DefaultValue": None},
    }
    return parameter, declared


def test_a_linked_parameter_takes_the_web_services_default(lab: Lab, dataset: str) -> None:
    parameter, declared = linked("7")
    wanted = training_graph(dataset)
    wanted["ModuleNodes"][0]["ModuleParameters"] = [parameter]
    service = {"Inputs": [], "Outputs": [], "Parameters": [declared]}
    by_link = lab.create(wanted, WebService=service)
    literally = lab.create(training_graph(dataset, seed="7"))

    lab.run(by_link), lab.run(literally)

    place = ("split-1", "Results dataset1")
    assert lab.output(by_link, *place).content == lab.output(literally, *place).content


def test_a_linked_parameter_without_a_value_is_refused(lab: Lab, dataset: str) -> None:
    parameter, declared = linked(None)
    wanted = training_graph(dataset)
    wanted["ModuleNodes"][0]["ModuleParameters"] = [parameter]
    body = request(wanted, draft=False, WebService={"Parameters": [declared]})

    response = lab.call("POST", "experiments", body)

    assert response.status_code == 400
    assert "split-1" in response.text and "'Seed'" in response.text


def test_a_promoted_model_scores_in_another_experiment(
    lab: Lab, trained: str, dataset: str
) -> None:
    model = lab.promote(trained, "train-3", "Trained model", "Runs model")
    predictive = lab.create(scoring_graph(dataset, model))

    document = lab.run(predictive)

    assert document["Status"]["StatusCode"] == "Finished"
    scored = read_table(lab.output(predictive, "score-1", "Scored dataset").content)
    assert round(float(scored.column("Scored Labels")[10] or 0)) == 20


def test_another_dataset_gives_another_model(lab: Lab, trained: str, dataset: str) -> None:
    other = lab.dataset("runs of slope 5", line(5))
    created = lab.create(replaced(lab.get(trained)["Graph"], dataset, other))

    lab.run(created)

    models = [lab.output(name, "train-3", "Trained model").content for name in (trained, created)]
    assert models[0] != models[1]


def test_a_dataset_that_is_no_table_fails_the_node_that_takes_it(lab: Lab) -> None:
    text = lab.dataset("just text", b"hello", "PlainText")
    created = lab.create(graph([module("split-1", "Split Data", Dataset=text)]))

    document = lab.run(created)

    assert statuses(document)["split-1"][0] == "Failed"
    assert "just text" in document["Status"]["StatusDetail"]


def test_a_dataset_deleted_since_is_refused_at_the_next_run(lab: Lab) -> None:
    name = lab.dataset("short lived", line(1))
    created = lab.create(graph([module("split-1", "Split Data", Dataset=name)]))
    document = lab.get(created)
    lab.call("DELETE", f"datasources/family/{name.split('.')[1]}")

    response = lab.call("POST", f"experiments/{created}", request(document["Graph"], draft=False))

    assert response.status_code == 400
    assert name in response.text


def test_there_is_no_output_before_a_node_has_finished(lab: Lab, dataset: str) -> None:
    created = lab.create(training_graph(dataset))

    before = lab.output(created, "train-3", "Trained model")
    lab.run(created)
    wrong = [lab.output(created, *place) for place in (("train-3", "x"), ("ghost", "y"))]

    assert (before.status_code, "not run yet" in before.text) == (404, True)
    assert [answer.status_code for answer in wrong] == [404, 404]


def test_a_run_fails_when_a_fault_says_so(lab: Lab, dataset: str) -> None:
    created = lab.create(training_graph(dataset))
    lab.client.fault(
        "POST", f"/experiments/{created}", "fail_job", skip=1, details="as it was asked"
    )

    document = lab.run(created)

    assert document["Status"]["StatusCode"] == "Failed"
    assert document["Status"]["StatusDetail"] == "as it was asked"


def test_runs_of_one_experiment_happen_in_order(lab: Lab, dataset: str) -> None:
    created = lab.create(training_graph(dataset, seed="51"))
    for seed in ("52", "53", "54"):
        wanted = training_graph(dataset, seed=seed)
        assert lab.submit(created, IsDraft=False, ExperimentGraph=wanted).ok

    document = lab.ended(created)

    name, ends = document["RunId"], []
    while name:
        snapshot = lab.get(name)
        ends.append(snapshot["Status"]["EndTime"])
        assert snapshot["Status"]["StatusCode"] == "Finished"
        name = snapshot["ParentExperimentId"]
    assert len(ends) == 3
    assert ends == sorted(ends, reverse=True)


def test_a_run_in_the_middle_is_run_again_after_a_kill(tmp_path: Path) -> None:
    rows = "\n".join(f"{x},{x % 7},{x * 0.5},{x % 3}" for x in range(3000))
    content = b"a,b,c,y\n" + rows.encode()
    with running(tmp_path, "--admin") as (process, description), Client(description) as client:
        lab = Lab(client)
        wanted = training_graph(lab.dataset("large", content))
        wanted["ModuleNodes"][1] = module(
            "learner-2",
            "Boosted Decision Tree Regression",
            {"Total number of trees constructed": "600"},
        )
        created = lab.create(wanted)
        lab.start(created)
        deadline = time.monotonic() + 30
        while statuses(lab.get(created))["train-3"][0] != "Running":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        split = lab.output(created, "split-1", "Results dataset1").content
        run = lab.get(created)["RunId"]
        process.send_signal(signal.SIGKILL)
        process.wait()

    with running(tmp_path, "--admin") as (process, description), Client(description) as client:
        lab = Lab(client)
        document = lab.ended(created, seconds=90)

        assert (document["Status"]["StatusCode"], document["RunId"]) == ("Finished", run)
        assert split == lab.output(created, "split-1", "Results dataset1").content
        assert statuses(document)["split-1"] == ("Finished", "None"), "it was not run again"
