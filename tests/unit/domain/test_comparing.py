"""Differences of experiments are told with names first; equal ones have none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alm.domain.canonical import canonical_json
from alm.domain.column_picker import write_columns
from alm.domain.difference import describe, match
from alm.domain.exported import export, read_export
from alm.domain.graph.comparing import diff
from tests.unit.domain.studio_graphs import (
    ADULT,
    ADULT_13,
    GROUP,
    SCRIPT,
    TRAIN,
    document,
    edge,
    experiment,
    node,
    node_id,
    trainer,
    training,
)


def lines(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return describe(diff(experiment(old), experiment(new)))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), max_size=5))
def test_equal_experiments_have_no_difference(labels: list[str]):
    one = document([node(at, SCRIPT, label) for at, label in enumerate(["", *labels])])

    difference = diff(experiment(one), read_export(canonical_json(export(experiment(one)))))

    assert difference.is_empty
    assert ["no difference"] == describe(difference)


def test_a_run_is_no_difference():
    assert diff(experiment(), experiment(training(RunId="x", Etag="y", NodeStatuses=[]))).is_empty


def changed(at: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The training experiment with one thing changed."""
    one = training()
    part = one
    for key in at[:-1]:
        part = part[key]
    part[at[-1]] = value
    return one


NODES = ("Graph", "ModuleNodes")


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (changed(("Description",), "b"), "experiment changed: name: Größe \"census\" 'train' -> b"),
        (changed((*NODES, 2, "Comment"), "fit"),
         f"label changed: 'fit' (Train Model): train -> fit [{node_id(14)}]"),
        (changed((*NODES, 2, "ModuleId"), TRAIN[:-1] + "3"),
         f"module changed: 'train' (Train Model): version 1562 -> version 1563 [{node_id(14)}]"),
        (changed((*NODES, 2, "ModuleId"), SCRIPT),
         "module changed: 'train' (Execute R Script): Train Model -> Execute R Script "
         f"[{node_id(14)}]"),
        (changed((*NODES, 2, "ModuleParameters", 1, "Value"), "7"),
         f"parameter changed: 'Random seed' of 'train' (Train Model): 0 -> 7 [{node_id(14)}]"),
        (changed((*NODES, 2, "ModuleParameters", 0, "Value"), write_columns(["größe", "b"])),
         "parameter changed: 'Label column' of 'train' (Train Model): columns 'income' -> "
         f"columns 'größe', 'b' [{node_id(14)}]"),
        (changed((*NODES, 2, "ModuleParameters", 1, "ValueType"), "GraphParameterName"),
         "parameter changed: 'Random seed' of 'train' (Train Model): 0 -> set by web-service "
         f"parameter '0' [{node_id(14)}]"),
        (changed((*NODES, 1, "InputPortsInternal", 0, "DataSourceId"), ADULT_13),
         f"dataset changed: 'Dataset' of 'split' (Split Data): version 12 ({ADULT}) -> version 13 "
         f"({ADULT_13}) [{node_id(12)}]"),
        (changed((*NODES, 1, "InputPortsInternal", 0, "DataSourceId"), None),
         f"dataset removed: 'Dataset' of 'split' (Split Data): version 12 ({ADULT}) "
         f"[{node_id(12)}]"),
        (changed(("Graph", "EdgesInternal", 3), edge(12, "Results dataset1", 20, "Dataset")),
         "edge added: 'Results dataset1' of 'split' (Split Data) -> 'Dataset' of 'score' "
         "(Score Model)"),
        (changed(("Graph", "SerializedClientData"), "x"),
         "layout changed: where modules stand"),
        (changed(("WebService", "Outputs"),
                 [{"Id": "x", "Name": "model", "PortId": f"{node_id(14)}:Trained model"}]),
         "web-service output added: 'model': 'Trained model' of 'train' (Train Model)"),
        (changed(("WebService", "Parameters"), [{"Name": "seed", "Value": "7"}]),
         "web-service parameter added: 'seed': 7"),
    ],
)  # fmt: skip
def test_each_change_is_a_line_that_names_it(new: dict[str, Any], expected: str):
    assert expected in lines(training(), new)


def test_a_module_that_came_or_went_is_told_with_its_edges_and_assets():
    new = training()
    new["Graph"]["ModuleNodes"].append(
        node(30, SCRIPT, "clean", takes={"Dataset1": ADULT}, gives={"Result Dataset": None})
    )
    new["Graph"]["EdgesInternal"].append(edge(30, "Result Dataset", 12, "Dataset"))

    there, back = lines(training(), new), lines(new, training())

    assert f"module added: 'clean' (Execute R Script), version 1 [{node_id(30)}]" in there
    assert any(line.startswith("dataset added: 'Dataset1' of 'clean'") for line in there)
    assert any(line.startswith("edge added: 'Result Dataset' of 'clean'") for line in there)
    assert f"module removed: 'clean' (Execute R Script), version 1 [{node_id(30)}]" in back
    assert any(line.startswith("edge removed: 'Result Dataset' of 'clean'") for line in back)


def test_a_copy_with_other_ids_is_the_same_experiment():
    copy = json.loads(json.dumps(training()).replace(GROUP, GROUP.replace("1", "9")))

    assert [] == [c for c in diff(experiment(), experiment(copy)).changes if c.area != "layout"]


def test_long_texts_are_told_by_their_lines():
    old = document([node(1, SCRIPT, "r", parameters={"R Script": "a\nb\nc"})])
    new = document([node(1, SCRIPT, "r", parameters={"R Script": "a\nx\nc\nd"})])

    (line,) = lines(old, new)

    assert "'R Script' of 'r' (Execute R Script): 1 line removed, 2 added (- b; + x)" in line


def test_names_of_assets_come_first_where_they_are_known():
    new = changed((*NODES, 1, "InputPortsInternal", 0, "DataSourceId"), ADULT_13)

    difference = diff(experiment(), experiment(new), {ADULT: "Adult", ADULT_13: "Adult"})

    (change,) = difference.changes
    assert (change.old, change.new) == ("'Adult' version 12", "'Adult' version 13")
    assert (change.old_id, change.new_id) == (ADULT, ADULT_13)


def test_assets_that_are_called_the_same_are_told_with_their_ids():
    there = ADULT.replace(ADULT.split(".")[0], "e" * 32)
    new = changed((*NODES, 1, "InputPortsInternal", 0, "DataSourceId"), there)

    difference = diff(experiment(), experiment(new), {ADULT: "Adult", there: "Adult"})

    expected = f": 'Adult' version 12 ({ADULT}) -> 'Adult' version 12 ({there})"
    assert expected in describe(difference)[0]


def test_another_asset_in_the_same_place_is_no_other_layout():
    new = changed((*NODES, 1, "InputPortsInternal", 0, "DataSourceId"), ADULT_13)
    old, new = (
        {**one, "Graph": {**one["Graph"], "SerializedClientData": f"<Node='{asset}'/>"}}
        for one, asset in ((training(), ADULT), (new, ADULT_13))
    )
    elsewhere = {**new, "Graph": {**new["Graph"], "SerializedClientData": "<Node='x'/>"}}

    assert [change.area for change in diff(experiment(old), experiment(new)).changes] == ["dataset"]
    assert diff(experiment(old), experiment(elsewhere)).changes[-1].area == "layout"


def test_a_secret_is_no_difference_and_in_no_line():
    old = document([node(1, SCRIPT, "r", parameters={"Account Key": "s3cret-1", "x": "1"})])
    new = document([node(1, SCRIPT, "r", parameters={"Account Key": "s3cret-2", "x": "2"})])

    difference = diff(experiment(old), experiment(new))

    assert ["'x' of 'r' (Execute R Script)"] == [change.name for change in difference.changes]
    assert "s3cret" not in json.dumps(difference.document)


def test_a_difference_is_json_for_programs():
    new = changed((*NODES, 2, "ModuleParameters", 1, "Value"), "7")

    document = diff(experiment(), experiment(new)).document

    assert {"parameter changed": 1} == document["counts"]
    assert document["changes"] == json.loads(json.dumps(document["changes"]))
    assert ("0", "7") == (document["changes"][0]["old"], document["changes"][0]["new"])


def test_lines_have_no_characters_that_confuse_a_terminal():
    old = document([node(1, SCRIPT, "a\x1b[31m\u202e\n", parameters={"p": "1\x1b"})])
    new = document([node(1, SCRIPT, "b\x1b[31m\u202e\n", parameters={"p": "2\x1b\u202e"})])

    assert all(line.isprintable() for line in lines(old, new))


@pytest.mark.parametrize(
    ("old", "new", "by_likeness", "expected"),
    [
        ({"1": "a"}, {"1": "b"}, False, {"1": "1"}),
        ({"1": "a"}, {"1": "b", "2": "a"}, False, {"1": "1"}),
        ({"1": "a"}, {"1": "b", "2": "a"}, True, {"1": "2"}),
        ({"1": "a", "2": "b"}, {"1": "b", "2": "a"}, True, {"1": "2", "2": "1"}),
        ({"1": "a", "2": "a"}, {"3": "a"}, False, {"1": "3"}),
        ({}, {"3": "a"}, False, {}),
    ],
)
def test_things_are_matched(old, new, by_likeness: bool, expected: dict[str, str]):
    assert expected == match(old, new, by_likeness=by_likeness)


def test_several_trainers_without_labels_are_matched_in_order():
    old = document([trainer(1, ""), trainer(2, "")])
    new = document([trainer(3, ""), trainer(4, "")])

    assert [] == [c for c in diff(experiment(old), experiment(new)).changes if c.area == "module"]


def columns(*names: str) -> dict[str, Any]:
    picked = {"Label column": write_columns(names)}
    return document([node(1, TRAIN, "Train Model", parameters=picked)])


def test_a_column_beyond_the_first_twenty_is_a_difference():
    names = [f"c{at}" for at in range(30)]

    (line,) = lines(columns(*names), columns(*names[:-2], "last", "c28"))

    assert line.startswith("parameter changed: 'Label column' of 'Train Model': - 'c29'; + 'last'")


def test_long_lists_are_told_by_what_went_and_came():
    names = [f"the column of number {at}" for at in range(12)]

    (line,) = lines(columns(*names), columns("other", *names[8:]))
    (turned,) = lines(columns(*names), columns(*reversed(names)))

    assert ", 'the column of number 4' and 3 more; + 'other'" in line
    assert ": the same 12, in another order" in turned


def test_a_label_that_says_what_a_node_is_is_told_once_and_ids_where_labels_do_not_differ():
    def two(trees: str) -> dict[str, Any]:
        nodes = [node(at, TRAIN, "Train Model", parameters={"n": trees}) for at in (1, 2)]
        return document(nodes)

    (one,) = describe(diff(experiment(columns("a")), experiment(columns("b"))), ids=False)
    both = describe(diff(experiment(two("1")), experiment(two("2"))), ids=False)

    assert one == "parameter changed: 'Label column' of 'Train Model': columns 'a' -> columns 'b'"
    expected = [f"'n' of 'Train Model' ({node_id(at)}): 1 -> 2" for at in (1, 2)]
    assert both == [f"parameter changed: {line}" for line in expected]
