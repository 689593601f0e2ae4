"""Edits change what they are told to, and say what there is when they cannot."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from alm.domain.column_picker import described, read_rules, write_columns
from alm.domain.drafts import graph_of
from alm.domain.errors import Refused
from alm.domain.experiment import Graph
from alm.domain.graph.edits import (
    replace_asset,
    set_dataset,
    set_parameter,
    update_assets,
    update_modules,
)
from alm.domain.graph.finding import find_node, find_nodes, place_in
from alm.domain.graph.references import references
from tests.unit.domain.studio_graphs import (
    ADULT,
    ADULT_13,
    CENSUS_MODEL,
    GLOBAL,
    INCOME,
    SCORE,
    TRAIN,
    asset,
    experiment,
    node_id,
    predictive,
    training,
)

OTHER = f"{'9' * 32}.{'8' * 32}.v1-default-1"
MODEL_49 = CENSUS_MODEL[:-2] + "49"


def graph(value: dict[str, Any] | None = None) -> Graph:
    return graph_of(experiment(value))


def used(one: Graph, kind: str = "dataset") -> list[str]:
    return [ref.id for ref in references(one) if ref.kind == kind]


@pytest.mark.parametrize(
    "wanted",
    ["train", " TRAIN ", node_id(14), TRAIN, TRAIN.split(".")[1], "Train Model", "train model"],
)
def test_a_node_is_found_by_label_id_or_module(wanted: str):
    assert node_id(14) == find_node(graph(), wanted).id


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("trian", "has no node 'trian': did you mean 'train'"),
        ("", "has no node ''"),
        ("Größe'\"", "has no node .* it has 'learner' \\(module d{32}\\), "),
        ("x" * 9999, "has no node"),
    ],
)
def test_a_node_that_is_not_there_is_told_with_those_that_are(wanted: str, why: str):
    with pytest.raises(Refused, match=why) as caught:
        find_node(graph(), wanted)

    assert len(str(caught.value)) < 1500


def test_a_name_of_several_nodes_is_refused():
    one = training()
    one["Graph"]["ModuleNodes"][3]["Comment"] = "Train"

    assert 2 == len(find_nodes(graph(one), "train"))
    with pytest.raises(Refused, match=r"'train' names 2 nodes: .*name one by id"):
        find_node(graph(one), "train")


@pytest.mark.parametrize("wanted", ["train", "train:", ":Dataset", ""])
def test_what_names_no_port_is_refused(wanted: str):
    with pytest.raises(Refused):
        place_in(graph(), wanted)


def test_an_asset_is_replaced_wherever_it_is_named():
    changed = replace_asset(graph(predictive()), "trained_model", CENSUS_MODEL, MODEL_49)

    assert [MODEL_49] == used(changed, "trained_model")
    assert f"Node='{MODEL_49}'" in changed.layout
    assert CENSUS_MODEL not in changed.layout


@pytest.mark.parametrize(
    ("kind", "old", "why"),
    [
        ("dataset", OTHER, "uses no dataset"),
        ("trained_model", ADULT, "uses no trained model .*: known: "),
        ("transform", ADULT, "uses no transform .*: there are none"),
    ],
)
def test_an_asset_that_is_not_used_cannot_be_replaced(kind, old: str, why: str):
    with pytest.raises(Refused, match=why):
        replace_asset(graph(predictive()), kind, old, OTHER)


ASSETS = (
    asset(ADULT, "Adult", latest=False),
    asset(ADULT_13, "Adult"),
    asset(OTHER, "Adult"),
    asset(CENSUS_MODEL, "Census", "trained_model"),
    asset(MODEL_49, "Census", "trained_model"),
)


def test_assets_are_updated_to_the_newest_of_their_family_and_told():
    edited = update_assets(graph(predictive()), ASSETS)

    assert [ADULT_13] == used(edited.graph)
    assert [MODEL_49] == used(edited.graph, "trained_model")
    assert "trained model 'Census': version 48 -> 49 in 'score' (Score Model, " in str(
        edited.replaced[0]
    )
    assert "dataset 'Adult': version 12 -> 13" in str(edited.replaced[1])


def test_only_the_wanted_kind_is_updated():
    edited = update_assets(graph(predictive()), ASSETS, kinds=("trained_model",))

    assert [ADULT] == used(edited.graph)
    assert [MODEL_49] == [one.new for one in edited.replaced]


@pytest.mark.parametrize(
    "assets", [(), ASSETS[:1], ASSETS[2:4], (asset(ADULT[:-2] + "3", "Adult"),)]
)
def test_what_has_no_newer_version_stays(assets):
    edited = update_assets(graph(predictive()), assets)

    assert (graph(predictive()), ()) == (edited.graph, edited.replaced)


def test_modules_are_updated_to_the_newest_of_their_family():
    newest = f"{GLOBAL}.{SCORE.split('.')[1]}.v1-default-1800"
    modules = [TRAIN, SCORE, newest, newest[:-4] + "1799"]

    edited = update_modules(graph(), modules)
    only = update_modules(graph(), [*modules, TRAIN + "0"], "score")

    assert newest == find_node(edited.graph, "score").module
    assert TRAIN == find_node(only.graph, "train").module
    assert ["module: version 1730 -> 1800 in 'score'"] == [
        str(one).split(" (Score")[0] for one in only.replaced
    ]
    assert () == update_modules(graph(), [TRAIN, SCORE]).replaced


@pytest.mark.parametrize(
    "where", [{}, {"port": "split:Dataset"}, {"port": "split:dataset"}, {"old": ADULT}]
)
def test_a_dataset_is_set_by_port_by_its_place_or_as_the_only_one(where: dict[str, str]):
    changed = set_dataset(graph(), ADULT_13, **where)

    assert [ADULT_13] == used(changed)
    assert f"Node='{ADULT_13}'" in changed.layout
    assert changed == set_dataset(changed, ADULT_13)


def test_a_dataset_that_is_used_elsewhere_keeps_its_place_in_the_layout():
    one = training()
    one["Graph"]["ModuleNodes"][4]["InputPortsInternal"][1]["DataSourceId"] = ADULT

    changed = set_dataset(graph(one), OTHER, port="split:Dataset")

    assert [OTHER, ADULT] == used(changed)
    assert f"Node='{ADULT}'" in changed.layout


@pytest.mark.parametrize(
    ("value", "new", "where", "why"),
    [
        (training(), "Adult", {}, "'Adult' is no id of a dataset"),
        (training(), OTHER, {"old": OTHER}, "uses no dataset"),
        (training(), OTHER, {"port": "train:Dataset"}, "gets its rows from .*Results dataset1"),
        (training(), OTHER, {"port": "train:Data"}, "has no input port 'Data': did you mean"),
        (predictive(), OTHER, {"port": "score:Trained model"}, "holds a trained model"),
    ],
)
def test_a_dataset_that_cannot_go_there_is_refused(value, new: str, where, why: str):
    with pytest.raises(Refused, match=why):
        set_dataset(graph(value), new, **where)


def test_without_a_port_several_datasets_leave_a_choice():
    one = training()
    one["Graph"]["ModuleNodes"][4]["InputPortsInternal"][1]["DataSourceId"] = OTHER

    with pytest.raises(Refused, match=r"uses 2 datasets: .*name the port"):
        set_dataset(graph(one), ADULT_13)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Random seed", 7, "7"),
        ("random SEED ", "8", "8"),
        ("Random seed", True, "True"),
        ("Random seed", 0.5, "0.5"),
        ("Label column", "age", write_columns(["age"])),
        ("Label column", ["income"], INCOME),
        ("Label column", ["größe", "a\"b'"], write_columns(["größe", "a\"b'"])),
        ("Label column", INCOME, INCOME),
    ],
)
def test_a_parameter_is_set_as_studio_writes_it(name: str, value: Any, expected: str):
    changed = set_parameter(graph(), "train", name, value)

    values = {item.name: item.value for item in find_node(changed, "train").parameters}
    assert expected == values[name.strip().replace("random SEED", "Random seed")]


@pytest.mark.parametrize(
    ("node", "name", "value", "why"),
    [
        ("train", "Seed", "1", "has no parameter 'Seed': "),
        ("tra", "Random seed", "1", "has no node 'tra'"),
        ("train", "Random seed", ["a"], "does not select columns"),
    ],
)
def test_a_parameter_that_cannot_be_set_is_refused(node: str, name: str, value: Any, why: str):
    with pytest.raises(Refused, match=why):
        set_parameter(graph(), node, name, value)


def test_a_parameter_of_the_web_service_is_not_set_in_the_graph():
    one = training()
    one["Graph"]["ModuleNodes"][2]["ModuleParameters"][1] |= {
        "ValueType": "GraphParameterName",
        "LinkedGlobalParameter": "seed",
    }

    with pytest.raises(Refused, match="is the web-service parameter 'seed'"):
        set_parameter(graph(one), "train", "Random seed", "1")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([{"ruleType": "ColumnNames", "columns": ["a", "b'c"]}], "columns 'a', \"b'c\""),
        ([{"ruleType": "AllColumns", "exclude": False}], "all columns"),
        ([{"ruleType": "ColumnTypes", "columnTypes": ["Numeric"], "columnKinds": ["All"]}],
         "Numeric columns"),
        ([{"ruleType": "ColumnIndexes", "columns": ["1-3"], "exclude": True}],
         "without columns number '1-3'"),
        ([{"ruleType": "Odd"}], 'rule Odd: {"ruleType": "Odd"}'),
        ([], "no columns"),
    ],
)  # fmt: skip
def test_column_pickers_are_told_as_people_say_it(rules: list[dict[str, Any]], expected: str):
    text = json.dumps({"isFilter": True, "rules": rules})

    assert expected == described(text) == described(quote(text))


@pytest.mark.parametrize("value", ["", "age", "{", "%7B", "%7B%7D", '{"rules": [1]}', "{" * 9999])
def test_what_is_no_column_picker_stays_as_it_is(value: str):
    assert read_rules(value) is None
    assert value == described(value)
