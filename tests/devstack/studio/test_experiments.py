"""Experiments of the workspace API on the wire: create, get, list, save, refuse, delete."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.devstack.studio.client import Client
from tests.devstack.studio.experiment_client import (
    Lab,
    block,
    edge,
    graph,
    line,
    module,
    request,
    training_graph,
    training_service,
)


@pytest.fixture(scope="module")
def lab(client: Client) -> Lab:
    return Lab(client)


@pytest.fixture(scope="module")
def dataset(lab: Lab) -> str:
    return lab.dataset("experiments", line(2))


@pytest.fixture
def experiment(lab: Lab, dataset: str) -> Iterator[str]:
    created = lab.create(training_graph(dataset), WebService=training_service())
    yield created
    lab.call("DELETE", f"experiments/{created}")


def refused(response: Any) -> str:
    """The text of a 400."""
    assert response.status_code == 400, response.text
    return str(response.json()["error"]["message"])


def test_a_new_experiment_is_a_draft_in_the_captured_shape(lab: Lab, experiment: str) -> None:
    document = lab.get(experiment)

    assert re.fullmatch(rf"{lab.workspace_id}\.f-id\.[0-9a-f]{{32}}", experiment)
    assert document["ExperimentId"] == experiment
    assert (document["RunId"], document["ParentExperimentId"]) == ("", "")
    assert document["Status"]["StatusCode"] == "InDraft"
    assert document["NodeStatuses"] == []
    assert re.fullmatch(r"W/\"datetime'.*Z'\"", document["Etag"])
    assert re.fullmatch(r"/Date\(\d+\)/", document["Status"]["CreationTime"])
    expected = {
        "ExperimentId", "RunId", "ParentExperimentId", "OriginalExperimentDocumentationLink",
        "Summary", "Description", "Graph", "Status", "Etag", "NodeStatuses", "Creator", "IsLeaf",
        "DisableNodesUpdate", "WebService", "Category", "Tags", "IsPartialRun",
    }  # fmt: skip
    assert expected <= set(document)


def test_unknown_fields_of_graph_nodes_and_web_service_come_back(lab: Lab, dataset: str) -> None:
    wanted = training_graph(dataset)
    wanted["Lanes"] = {"a": [1, 2.5, None, True, "ünï\u2028", 12345678901234567890]}
    wanted["ModuleNodes"][0]["Note"] = "kept"
    wanted["ModuleNodes"][0]["InputPortsInternal"][0]["Extra"] = {"deep": {"er": "\ud800"}}
    service = {**training_service(), "Colour": "green"}

    created = lab.create(wanted, WebService=service)

    document = lab.get(created)
    assert wanted == document["Graph"]
    assert service == document["WebService"]


def test_lists_have_headers_without_graphs(lab: Lab, experiment: str) -> None:
    found = {item["ExperimentId"]: item for item in lab.call("GET", "experiments").json()}

    header = found[experiment]
    assert "Graph" not in header
    assert (header["Description"], header["Category"]) == ("Test", "user")
    assert {"JobId", "VersionId", "IsArchived", "Etag", "Creator", "RunId"} <= set(header)


def test_a_save_keeps_the_id_and_gives_another_etag(lab: Lab, experiment: str) -> None:
    before = lab.get(experiment)

    response = lab.submit(experiment, Description="Renamed", Summary="short")

    after = lab.get(experiment)
    assert {"ExperimentId": experiment, "Etag": after["Etag"]} == response.json()
    assert before["Etag"] != after["Etag"]
    assert (after["Description"], after["Summary"]) == ("Renamed", "short")


def test_if_match_is_honoured_where_it_is_sent(lab: Lab, experiment: str) -> None:
    document = lab.get(experiment)
    body = request(document["Graph"], "Mine")
    path = f"experiments/{experiment}"
    stale = {"If-Match": document["Etag"]}

    first = lab.call("POST", path, body, headers=stale)
    second = lab.call("POST", path, body, headers=stale)
    deleted = lab.call("DELETE", path, headers=stale)

    assert [first.status_code, second.status_code, deleted.status_code] == [200, 412, 412]
    assert lab.call("POST", path, body, headers={"If-Match": "*"}).status_code == 200


def test_a_copy_does_not_take_over_the_web_service_of_the_original(lab: Lab, dataset: str) -> None:
    service = {**training_service(), "WebServiceGroupId": "a" * 32, "ModelPackageId": "b" * 32}

    created = lab.create(training_graph(dataset), WebService={**service, "RunId": "c"})

    found = lab.get(created)["WebService"]
    assert [found[key] for key in ("WebServiceGroupId", "ModelPackageId", "RunId")] == [None] * 3


@pytest.mark.parametrize("draft", [True, False])
def test_an_asset_that_is_not_in_the_workspace_is_refused(lab: Lab, draft: bool) -> None:
    missing = f"{lab.workspace_id}.{'0' * 32}.v1-default-9"

    response = lab.call("POST", "experiments", request(training_graph(missing), draft=draft))

    text = refused(response)
    assert "split-1" in text and "Dataset" in text and missing in text


def test_an_asset_of_another_kind_is_refused(lab: Lab, dataset: str) -> None:
    wanted = graph([module("score-1", "Score Model", Dataset=dataset, Trained_model=dataset)])

    assert "'Trained model' names the trained model" in refused(
        lab.call("POST", "experiments", request(wanted))
    )


MISTAKES: list[tuple[str, Any, tuple[str, ...]]] = [
    ("a port that is not there", edge("learner-2:Untrained model", "train-3:Nowhere"),
     ("train-3", "Nowhere")),
    ("an output that is not there", edge("split-1:Nothing", "score-4:Dataset"),
     ("split-1", "Nothing")),
    ("an unknown node", edge("ghost-9:Results dataset1", "score-4:Dataset"), ("ghost-9",)),
    ("an unknown target", edge("split-1:Results dataset1", "ghost-9:Dataset"), ("ghost-9",)),
    ("a cycle", edge("evaluate-5:Evaluation results", "split-1:Dataset"), ("split-1",)),
    ("a second connection", edge("split-1:Results dataset1", "score-4:Dataset"),
     ("score-4", "Dataset", "more than one")),
    ("another type", edge("learner-2:Untrained model", "score-4:Dataset"), ("score-4",)),
]  # fmt: skip


@pytest.mark.parametrize(("added", "words"), [case[1:] for case in MISTAKES],
                         ids=[case[0] for case in MISTAKES])  # fmt: skip
def test_a_graph_that_cannot_run_is_kept_as_a_draft_and_refused_at_run(
    lab: Lab, dataset: str, added: Any, words: tuple[str, ...]
) -> None:
    wanted = training_graph(dataset)
    wanted["EdgesInternal"].append(added)
    created = lab.create(wanted)

    text = refused(lab.submit(created, IsDraft=False))

    assert [word for word in words if word not in text] == []
    assert lab.get(created)["RunId"] == ""


def test_a_cycle_is_named(lab: Lab, dataset: str) -> None:
    wanted = graph(
        [module("a", "Add Rows", Dataset2=dataset), module("b", "Add Rows", Dataset2=dataset)],
        ("a:Results dataset", "b:Dataset1"),
        ("b:Results dataset", "a:Dataset1"),
    )

    assert "cycle" in refused(lab.call("POST", "experiments", request(wanted, draft=False)))


def test_an_open_port_is_refused_at_run(lab: Lab) -> None:
    wanted = graph([module("split-1", "Split Data")])

    text = refused(lab.call("POST", "experiments", request(wanted, draft=False)))

    assert "split-1" in text and "'Dataset' is open" in text


BODIES: list[tuple[str, dict[str, Any]]] = [
    ("no graph", {"ExperimentGraph": None}),
    ("nodes of another shape", {"ExperimentGraph": {"ModuleNodes": {}}}),
    ("a node without id", {"ExperimentGraph": {"ModuleNodes": [{"ModuleId": "x"}]}}),
    ("a node with a colon", {"ExperimentGraph": {"ModuleNodes": [{"Id": "a:b", "ModuleId": "x"}]}}),
    ("a node twice", {"ExperimentGraph": {"ModuleNodes": [{"Id": "a", "ModuleId": "x"}] * 2}}),
    ("an edge without ports", {"ExperimentGraph": {"EdgesInternal": [{}]}}),
    ("no name", {"Description": " "}),
    ("a name of another type", {"Description": 7}),
    ("IsDraft of another type", {"IsDraft": "yes"}),
    ("a web service of another type", {"WebService": []}),
    ("a web-service port of another shape", {"WebService": {"Inputs": [{"Name": "a",
                                                                        "PortId": 3}]}}),
]  # fmt: skip


@pytest.mark.parametrize("changes", [case[1] for case in BODIES],
                         ids=[case[0] for case in BODIES])  # fmt: skip
def test_a_body_of_another_shape_is_refused(lab: Lab, changes: dict[str, Any]) -> None:
    body = {**request({"ModuleNodes": [], "EdgesInternal": []}), **changes}

    assert refused(lab.call("POST", "experiments", body))


def test_a_number_that_json_cannot_keep_is_refused(lab: Lab) -> None:
    body = b'{"Description":"x","IsDraft":true,"ExperimentGraph":{"ModuleNodes":[],"x":1e999}}'
    headers = {"Content-Type": "application/json"}

    response = lab.call("POST", "experiments", headers=headers, data=body)

    assert "too large" in refused(response)


def test_another_workspaces_token_and_unknown_ids_are_refused(lab: Lab, experiment: str) -> None:
    stranger = Lab(lab.client, token="0" * 32)
    unknown = f"{lab.workspace_id}.f-id.{'0' * 32}"

    assert stranger.call("GET", "experiments").status_code == 401
    for name in (unknown, "x", experiment.upper()):
        assert lab.call("GET", f"experiments/{name}").status_code == 404, name


def test_annotations_are_an_empty_list(lab: Lab, experiment: str) -> None:
    response = lab.call("GET", f"experiments/{experiment}/annotations")

    assert (response.status_code, response.json()) == (200, [])


@pytest.mark.parametrize("query", ["?deleteAncestors=true", ""])
def test_a_deleted_experiment_is_gone(lab: Lab, dataset: str, query: str) -> None:
    created = lab.create(training_graph(dataset))

    response = lab.call("DELETE", f"experiments/{created}{query}")

    assert response.ok
    assert lab.call("GET", f"experiments/{created}").status_code == 404
    assert lab.call("DELETE", f"experiments/{created}").status_code == 404


def test_nothing_changes_when_a_fault_says_so(lab: Lab, experiment: str) -> None:
    before = lab.get(experiment)
    path = f"/experiments/{experiment}"
    lab.client.fault("POST", path, "change_nothing", times=2)
    lab.client.fault("DELETE", path, "change_nothing")

    answers = [
        lab.submit(experiment, Description="Other"),
        lab.submit(experiment, IsDraft=False),
        lab.call("DELETE", f"experiments/{experiment}"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert before == lab.get(experiment)


def test_calls_can_be_made_unavailable(lab: Lab, experiment: str) -> None:
    lab.client.fault("GET", f"/experiments/{experiment}", "503")

    assert lab.call("GET", f"experiments/{experiment}").status_code == 503
    assert lab.get(experiment)["ExperimentId"] == experiment


def test_a_block_that_names_the_inputs_is_not_touched_by_a_save_without_one(
    lab: Lab, experiment: str
) -> None:
    lab.submit(experiment, WebService=None)

    assert training_service() == lab.get(experiment)["WebService"]


def test_the_request_is_not_confused_by_copies(lab: Lab, dataset: str) -> None:
    """Two experiments of one name are two experiments."""
    wanted = training_graph(dataset)
    first, second = lab.create(wanted, "Same"), lab.create(copy.deepcopy(wanted), "Same")

    lab.submit(first, Summary="only the first", WebService=block({}, {}))

    assert first != second
    assert lab.get(second)["Summary"] == ""
