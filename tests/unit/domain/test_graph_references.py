"""What a graph needs and a workspace lacks is told with its users and with what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alm.domain.drafts import graph_of
from alm.domain.errors import Refused
from alm.domain.experiment import Graph
from alm.domain.graph.references import Known, Reference, check, references, version_notes
from alm.domain.graph.remapping import parse_mapping, remap
from tests.unit.domain.studio_graphs import (
    ADULT,
    ADULT_13,
    CENSUS_MODEL,
    EVALUATE,
    GLOBAL,
    LEARNER,
    SCORE,
    SPLIT,
    TRAIN,
    asset,
    experiment,
    node_id,
    predictive,
    training,
)

MODULES = (TRAIN, SCORE, EVALUATE, SPLIT, LEARNER)
OTHER = f"{'9' * 32}.{'8' * 32}.v1-default-1"
KNOWN = Known(
    datasets=(asset(ADULT, "Adult"), asset(OTHER, "Größe 'x'")),
    trained_models=(asset(CENSUS_MODEL, "Census", "trained_model"),),
    modules=MODULES,
)


def graph(value=None) -> Graph:
    return graph_of(experiment(value))


def test_every_use_of_something_outside_is_a_reference():
    assert (
        Reference("module", SCORE, node_id(20)),
        Reference("trained_model", CENSUS_MODEL, node_id(20), "Trained model"),
        Reference("dataset", ADULT, node_id(20), "Dataset"),
    ) == references(graph(predictive()))


def test_a_workspace_that_has_everything_lacks_nothing():
    assert [] == check(graph(), KNOWN)
    assert [] == check(graph(predictive()), KNOWN)
    assert [] == version_notes(graph(), KNOWN)


@pytest.mark.parametrize(
    ("datasets", "names", "expected"),
    [
        ((), {}, "dataset {id} is missing, used by {split}; the workspace has nothing like it"),
        (
            (asset(ADULT_13, "Adult"), asset(OTHER, "Zebra")),
            {},
            "dataset {id} is missing, used by {split}; near it: 'Adult' (version 13 of the same "
            f"family, {ADULT_13}): for the first, --map {{id}}={ADULT_13}",
        ),
        (
            (asset(OTHER, "Größe 'x'"), asset(OTHER[:-1] + "2", "Zebra")),
            {ADULT: "Größe 'x'"},
            "dataset \"Größe 'x'\" {id} is missing, used by {split}; near it: \"Größe 'x'\" "
            f"(the same name, {OTHER}): for the first, --map {{id}}={OTHER}",
        ),
        (
            (asset(OTHER, "adult census"), asset(OTHER[:-1] + "2", "Zebra")),
            {ADULT: "Adult Census"},
            "dataset 'Adult Census' {id} is missing, used by {split}; near it: 'adult census' "
            f"(a similar name, {OTHER}): for the first, --map {{id}}={OTHER}",
        ),
        (
            (asset(OTHER, "Zebra"),),
            {},
            "dataset {id} is missing, used by {split}; near it: 'Zebra' (the only one, "
            f"{OTHER}): for the first, --map {{id}}={OTHER}",
        ),
    ],
)
def test_what_is_missing_is_told_with_its_users_and_the_nearest(datasets, names, expected):
    known = Known(datasets=datasets, modules=MODULES)

    missing = check(graph(), known, names)

    split = f"'split' (Split Data, {node_id(12)})"
    assert [expected.format(id=ADULT, split=split)] == [str(one) for one in missing]


def test_something_missing_in_many_nodes_is_told_once():
    missing = check(graph(), Known())

    assert ["module", "module", "dataset", "module", "module", "module"] == [
        one.kind for one in missing
    ]
    assert all(len(one.nodes) == 1 for one in missing)


@pytest.mark.parametrize(
    ("there", "note"),
    [
        (TRAIN[:-1] + "9", "a newer version of Train Model (1569 instead of 1562)"),
        (TRAIN[:-4] + "7", "an older version of Train Model (7 instead of 1562)"),
    ],
)
def test_a_module_is_known_by_its_family(there: str, note: str):
    known = KNOWN.model_copy(update={"modules": (there, *MODULES[1:])})

    assert [] == check(graph(), known)
    assert [f"node 'train' (Train Model, {node_id(14)}): the workspace has {note}"] == (
        version_notes(graph(), known)
    )


def test_ids_are_replaced_in_ports_and_layout_but_not_in_longer_ids():
    longer = ADULT + "3"
    one = training()
    one["Graph"]["SerializedClientData"] += f"<x Node='{longer}'/><x Node='z{ADULT}'/>"

    changed = remap(graph(one), {ADULT: OTHER})

    assert OTHER in {ref.id for ref in references(changed)}
    assert f"Node='{OTHER}'" in changed.layout
    assert f"Node='{ADULT}'" not in changed.layout
    assert f"Node='{longer}'/><x Node='z{ADULT}'" in changed.layout


def test_two_may_change_places():
    one = training()
    one["Graph"]["ModuleNodes"][3]["InputPortsInternal"][1]["DataSourceId"] = OTHER

    changed = remap(graph(one), {ADULT: OTHER, OTHER: ADULT})

    assert [OTHER, ADULT] == [ref.id for ref in references(changed) if ref.kind == "dataset"]
    assert graph(one) == remap(changed, {ADULT: OTHER, OTHER: ADULT})


@given(st.lists(st.sampled_from([ADULT, *MODULES]), unique=True))
def test_mapping_things_to_themselves_changes_nothing(ids: list[str]):
    assert graph() == remap(graph(), dict(zip(ids, ids, strict=True)))


@pytest.mark.parametrize(
    ("mapping", "known", "why"),
    [
        ({OTHER: ADULT}, None, "does not refer to .*so it cannot be mapped"),
        ({"xx": ADULT}, None, "does not refer to 'xx'"),
        ({ADULT: "Adult"}, None, "'Adult' is no id of Studio's.*to the id of a dataset"),
        ({ADULT: TRAIN}, None, "is a dataset and .* a module; map it to a dataset"),
        ({ADULT: CENSUS_MODEL}, KNOWN, "is a dataset and .* a trained model"),
        ({ADULT: ADULT_13}, KNOWN, "the workspace has no dataset .*did you mean"),
        ({TRAIN: ADULT}, KNOWN, "is a module and .* a dataset"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(mapping, known, why: str):
    with pytest.raises(Refused, match=why):
        remap(graph(), mapping, known)


def test_a_module_may_be_mapped_to_another_version_of_a_known_family():
    newer = f"{GLOBAL}.{TRAIN.split('.')[1]}.v1-default-9999"

    changed = remap(graph(), {TRAIN: newer}, KNOWN)

    assert newer in {node.module for node in changed.nodes}


def test_pairs_are_read():
    assert {"a": "b", "c": "d=e"} == parse_mapping(["a=b", " c = d=e "])


@pytest.mark.parametrize("pairs", [["a"], ["=b"], ["a="], ["a=b", "a=c"]])
def test_what_is_no_pair_is_refused(pairs: list[str]):
    with pytest.raises(Refused, match=r"maps nothing|mapped to two"):
        parse_mapping(pairs)
