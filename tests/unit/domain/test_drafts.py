"""Drafts save what was read; a copy is a new experiment of its own."""

from __future__ import annotations

import pytest

from alm.domain.drafts import MARK, copy_of, draft_from, graph_of
from alm.domain.errors import Refused
from alm.domain.experiment import Experiment
from alm.domain.graph.edits import update_assets
from tests.unit.domain.studio_graphs import ADULT_13, asset, experiment, training


def test_a_draft_saves_the_experiment_as_it_is():
    draft = draft_from(experiment())

    assert experiment().name == draft.name
    assert experiment().service == draft.service
    assert graph_of(experiment()).changed(nodes=()) == draft.graph.changed(nodes=())
    assert experiment().previous == draft.previous
    assert "user" == draft.category


def test_marks_of_a_partial_run_are_taken_away_and_nothing_else():
    before, after = graph_of(experiment()), draft_from(experiment()).graph

    marked = [node.document.get(MARK) for node in before.nodes]
    assert True in marked, "the experiment was run in part"
    assert not any(node.document.get(MARK) for node in after.nodes)
    plain = [
        [node.changed(IsPartOfPartialRun=None) for node in one.nodes] for one in (before, after)
    ]
    assert plain[0] == plain[1]
    assert draft_from(experiment(), graph=after).graph is after


def test_a_copy_is_no_next_version_and_has_no_service_deployed():
    one = training()
    one["WebService"] |= {"WebServiceGroupId": "f" * 32, "ModelPackageId": "p"}

    copy = copy_of(experiment(one), "copy")

    assert ("copy", "") == (copy.name, copy.previous)
    assert copy.service is not None
    assert training()["WebService"] == copy.service.document


def test_a_snapshot_becomes_a_new_experiment_with_newer_assets():
    edited = update_assets(graph_of(experiment()), [asset(ADULT_13, "Adult")])

    copy = copy_of(experiment(), "copy", edited.graph)

    assert ADULT_13 == copy.graph.nodes[1].inputs[0].dataset


def test_an_entry_of_a_list_has_no_graph_to_save():
    entry = {key: value for key, value in training().items() if key != "Graph"}

    with pytest.raises(Refused, match="came without its graph"):
        draft_from(Experiment.model_validate(entry))
