"""Exports: the same experiment is the same bytes, and it can be made again from them."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alm.domain.canonical import canonical_json
from alm.domain.errors import Refused
from alm.domain.experiment import Experiment
from alm.domain.exported import draft_of, export, read_export, withheld_in
from alm.domain.secret_texts import WITHHELD
from tests.unit.domain.studio_graphs import (
    ADULT,
    IMPORT,
    SCRIPT,
    WORKSPACE,
    document,
    edge,
    experiment,
    node,
    predictive,
    training,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LABELS = st.lists(TEXT, min_size=1, max_size=5)


def bytes_of(value: dict[str, Any]) -> bytes:
    return canonical_json(export(experiment(value)))


def shuffled(value: dict[str, Any], seed: int) -> dict[str, Any]:
    """The same experiment with its nodes, edges and parameters in another order."""
    copy = json.loads(json.dumps(value))
    chance = random.Random(seed)
    chance.shuffle(copy["Graph"]["ModuleNodes"])
    chance.shuffle(copy["Graph"]["EdgesInternal"])
    for one in copy["Graph"]["ModuleNodes"]:
        chance.shuffle(one["ModuleParameters"])
    return dict(chance.sample(list(copy.items()), len(copy)))


@given(LABELS, LABELS, TEXT)
def test_export_and_read_is_a_fixed_point(labels: list[str], values: list[str], name: str):
    nodes = [
        node(at, SCRIPT, label, parameters=dict.fromkeys(values, label))
        for at, label in enumerate(labels)
    ]
    content = bytes_of(document(nodes, Description=name))

    assert content == canonical_json(export(read_export(content)))


@pytest.mark.parametrize("seed", range(5))
def test_order_makes_no_difference(seed: int):
    assert bytes_of(training()) == bytes_of(shuffled(training(), seed))


@pytest.mark.parametrize(
    "volatile",
    [
        {"Etag": 'W/"other"'},
        {"Status": {"StatusCode": "Failed", "EndTime": "/Date(7)/"}},
        {"NodeStatuses": None},
        {"ParentExperimentId": "other"},
        {"IsPartialRun": True},
        {"Creator": "somebody else"},
    ],
)
def test_what_changes_at_every_run_is_left_out(volatile: dict[str, Any]):
    assert bytes_of(training()) == bytes_of(training(**volatile))


def test_a_run_changes_nothing_but_the_provenance():
    again = export(experiment(training(RunId="another")))

    assert "another" == again["Provenance"]["RunId"]
    assert {**again, "Provenance": 0} == {**export(experiment()), "Provenance": 0}


def test_where_a_service_runs_and_which_nodes_ran_is_left_out():
    one = training()
    one["WebService"] |= {"WebServiceGroupId": "f" * 32, "ModelPackageId": "p", "RunId": "r"}

    kept = export(experiment(one))

    assert kept["WebService"]["WebServiceGroupId"] is None
    assert kept == export(experiment())
    assert not any(item["IsPartOfPartialRun"] for item in kept["Graph"]["ModuleNodes"])


def test_the_raw_answer_of_the_api_is_read_as_our_export_is():
    raw = json.dumps(training()).encode()

    assert export(read_export(raw)) == export(experiment(training()))


def test_names_of_assets_are_kept_for_those_who_read_it():
    content = canonical_json(export(experiment(), {ADULT: "Größe 'x'"}))

    assert {ADULT: "Größe 'x'"} == read_export(content).provenance.names


def test_a_draft_makes_the_experiment_again():
    exported = read_export(bytes_of(training()))

    draft = draft_of(exported, "copy")

    assert "copy" == draft.name
    assert "" == draft.previous
    assert draft.graph.document == exported.graph.document
    assert exported.name == draft_of(exported).name


def test_a_draft_onto_an_experiment_keeps_its_service_and_its_secrets():
    reader = node(7, IMPORT, "read", parameters={"Account Key": "s3cret", "Rows": "5"})
    live = document([reader])
    live["WebService"]["WebServiceGroupId"] = "f" * 32
    exported = read_export(bytes_of(live))

    draft = draft_of(exported, onto=experiment(live))

    assert ["s3cret", "5"] == [item.value for item in draft.graph.nodes[0].parameters]
    assert draft.service is not None
    assert "f" * 32 == draft.service.service
    assert live["ParentExperimentId"] == draft.previous
    assert [WITHHELD, "5"] == [item.value for item in exported.graph.nodes[0].parameters]


def test_a_new_experiment_has_its_credentials_cleared():
    reader = node(7, IMPORT, "read", parameters={"Account Key": "s3cret"})
    exported = read_export(bytes_of(document([reader])))

    assert "" == draft_of(exported).graph.nodes[0].parameters[0].value
    assert ["node 'read' (Import Data, " in line for line in withheld_in(exported)] == [True]


def test_a_value_that_is_now_another_is_not_taken_for_the_withheld_one():
    old = node(8, SCRIPT, "r", parameters={"R Script": 'password <- "s3cret"\na'})
    new = node(8, SCRIPT, "r", parameters={"R Script": 'password <- "s3cret"\nb'})
    exported = read_export(bytes_of(document([old])))

    draft = draft_of(exported, onto=experiment(document([new])))

    assert f'password <- "{WITHHELD}"\na' == draft.graph.nodes[0].parameters[0].value


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{}", "has no Graph with ModuleNodes"),
        (b"nonsense" * 1_250_000, "more than the"),
        (b"nonsense", "not JSON but begins with 'nonsense'"),
        (json.dumps(training()).encode()[:400], "cut off"),
        (b'{"ExperimentId": "x", "Description": "y"}', "like an entry of a list"),
        (b'{"location": "x", "properties": {}}', r"definition of a web service \(WSD\)"),
        (b'{"Graph": {"ModuleNodes": {}}}', "has no Graph with ModuleNodes"),
        (b'{"Graph": {"ModuleNodes": [{"Id": 5}]}}', "Graph.ModuleNodes.0.Id: .*string"),
        (b'{"Graph": {"ModuleNodes": [7]}}', "Graph.ModuleNodes.0"),
        (b'{"Graph": {"ModuleNodes": []}, "Description": {}}', "Description"),
        (b'{"Graph": {"ModuleNodes": []}, "WebService": "x"}', "WebService"),
        (b'{"Graph": {"ModuleNodes": []}, "Provenance": 1}', "Provenance"),
        (b'{"Graph": {"ModuleNodes": []}, "Provenance": {"Assets": {"a": 1}}}', "Assets"),
    ],
)
def test_what_is_no_export_is_refused_with_the_reason(content: bytes, why: str):
    with pytest.raises(Refused, match=f"^exported experiment: .*{why}"):
        read_export(content)


def test_a_message_repeats_no_secret_of_the_file():
    content = json.dumps({"Graph": {"ModuleNodes": [{"Id": ["s3cret"]}]}}).encode()

    with pytest.raises(Refused) as caught:
        read_export(content)

    assert "s3cret" not in str(caught.value)


def test_an_entry_of_a_list_cannot_be_exported():
    entry = {key: value for key, value in predictive().items() if key != "Graph"}

    with pytest.raises(Refused, match="came without its graph; read it by its id"):
        export(Experiment.model_validate(entry))


def test_quotes_and_letters_of_any_kind_survive():
    name = "Größe \"x\" 'y' \u202e\n\t\\ 日本"
    one = document(
        [node(1, SCRIPT, name), node(2, SCRIPT, "b")],
        [edge(1, name, 2, name)],
        Description=name,
        Summary=WORKSPACE,
    )

    exported = read_export(bytes_of(one))

    assert (name, name) == (exported.name, exported.graph.nodes[0].label)
    assert exported.graph.edges[0].source.endswith(name)
