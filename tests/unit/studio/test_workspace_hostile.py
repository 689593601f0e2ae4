"""What Studio may answer, and an experiment may hold, that must not lead us astray."""

from __future__ import annotations

from typing import Any

import pytest

from alm.adapters.studio.classic import stamp
from alm.adapters.studio.references import grant_of
from alm.domain.errors import AlmError, Misconfigured
from alm.domain.experiment import Draft, Graph
from tests.unit.studio.scripted import error
from tests.unit.studio.workspaces import EXPERIMENT, GRAPH, experiment, model, workspace

KEY = "Zm9v" * 21 + "Zg=="  # the form that keys of storage accounts have
PASSWORD = "correct horse battery"
SIGNED = "https://lake.example/rows.csv?sv=2024&sig=c2lnbmF0dXJl"


def graph(**parameters: str) -> dict[str, Any]:
    listed = [{"Name": name, "Value": value} for name, value in parameters.items()]
    return {**GRAPH, "ModuleNodes": [{**GRAPH["ModuleNodes"][0], "ModuleParameters": listed}]}


IMPORTS = graph(**{"Server user account password": PASSWORD, "Account Key": KEY, "URI": SIGNED})


def test_what_a_node_says_is_told_without_the_credentials_of_the_graph() -> None:
    text = f"cannot sign in with {PASSWORD} or {KEY}, nor read {SIGNED}"
    status = {"StatusCode": "Failed", "StatusDetail": text}
    document = experiment(
        Status=status, Graph=IMPORTS, NodeStatuses=[{"NodeId": "n-1", "Status": status}]
    )
    studio, _ = workspace((200, document))

    found = studio.experiment(EXPERIMENT)

    assert found.node_statuses is not None
    for told in (found.status.detail, found.node_statuses[0].status.detail):
        assert "cannot sign in with *** or ***, nor read https://lake.example/rows.csv" in told
        assert "c2lnbmF0dXJl" not in told


@pytest.mark.parametrize("call", ["create", "save", "run"])
def test_a_refused_graph_is_told_without_its_credentials(call: str) -> None:
    studio, _ = workspace(error(400, "BadGraph", message=f"no account opens with {PASSWORD}"))
    draft = Draft(name="Churn", graph=Graph.model_validate(IMPORTS))

    with pytest.raises(Misconfigured, match=r"no account opens with \*\*\*") as caught:
        if call == "create":
            studio.create(draft)
        else:
            getattr(studio, call)(EXPERIMENT, draft)

    assert PASSWORD not in str(caught.value)


HOSTILE_IDS = ("../workspaces/other", "a/b", "x" * 300, "a\nb", "a?b", "..", "é")


@pytest.mark.parametrize("name", HOSTILE_IDS)
@pytest.mark.parametrize("field", ["ExperimentId", "RunId", "ParentExperimentId"])
def test_an_experiment_with_ids_that_are_none_is_told(field: str, name: str) -> None:
    studio, _ = workspace((200, experiment(**{field: name})))

    with pytest.raises(Misconfigured, match="where an id stands"):
        studio.experiment(EXPERIMENT)


@pytest.mark.parametrize("name", HOSTILE_IDS)
def test_assets_and_activities_with_ids_that_are_none_are_told(name: str) -> None:
    studio, _ = workspace((200, [model(Id=name)]), (200, {"ActivityId": name}))

    with pytest.raises(Misconfigured, match="where an id stands"):
        studio.assets("trained_model")
    with pytest.raises(Misconfigured, match="where an id stands"):
        studio.pack(EXPERIMENT)


def test_a_list_of_ten_thousand_experiments_is_read() -> None:
    names = [f"{EXPERIMENT[:-5]}{number:05}" for number in range(10_000)]
    listed = [experiment(ExperimentId=name, Description="\x1b[2J\u202e\x00") for name in names]
    studio, _ = workspace((200, listed))

    assert names == [found.id for found in studio.experiments()]


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000])
@pytest.mark.parametrize("status", [200, 400, 503])
def test_an_answer_that_is_nested_without_end_is_an_error_of_ours(status: int, body: bytes) -> None:
    studio, _ = workspace((status, body), (status, body))

    with pytest.raises(AlmError):
        studio.experiments()
    with pytest.raises(AlmError):
        studio.create(Draft(name="Churn", graph=Graph.model_validate(GRAPH)))


def test_what_a_service_says_of_a_model_file_cannot_grow_without_end() -> None:
    place = {"BaseLocation": "https://account.example/", "RelativeLocation": "m/" + "x" * 5000}

    with pytest.raises(Misconfigured, match="names no blob") as caught:
        grant_of(place, "resource 'm'")

    assert len(str(caught.value)) < 1000
    assert len(stamp("2026" * 100_000, "https://account.example/m")) < 100
    assert stamp("2026" * 100, "https://a/m") != stamp("2026" * 101, "https://a/m")
