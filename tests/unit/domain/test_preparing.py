"""Experiments get the web-service ports that retraining and scoring need, once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alm.domain.errors import Refused
from alm.domain.experiment import Experiment
from alm.domain.graph.predictive import model_ports, prepare_predictive
from alm.domain.graph.service_ports import (
    with_service_input,
    with_service_output,
    with_service_parameter,
)
from alm.domain.graph.structure import structure
from alm.domain.graph.training import Prepared, ServiceOutputs, TrainingWishes, prepare_training
from tests.unit.domain.studio_graphs import (
    ADULT,
    CENSUS_MODEL,
    CREATE_R,
    GROUP,
    IMPORT,
    LEARNER,
    SCRIPT,
    SPLIT,
    TUNE,
    document,
    edge,
    evaluator,
    experiment,
    node,
    node_id,
    predictive,
    scorer,
    trainer,
    training,
)


def ports(prepared: Prepared) -> dict[str, str]:
    service = prepared.draft.service
    assert service is not None
    return {port.name: port.port for port in (*service.inputs, *service.outputs)}


def again(prepared: Any, one: Experiment) -> Experiment:
    """The experiment as it is once the draft was saved."""
    return one.changed(graph=prepared.draft.graph, service=prepared.draft.service)


def test_a_training_experiment_gets_an_input_and_three_outputs():
    prepared = prepare_training(experiment())

    assert {
        "input1": f"{node_id(12)}:Dataset",
        "output1": f"{node_id(14)}:Trained model",
        "output2": f"{node_id(25)}:Evaluation results",
        "output3": f"{node_id(20)}:Scored dataset",
    } == ports(prepared)
    assert ServiceOutputs(model="output1", evaluation="output2", scored="output3") == (
        prepared.outputs
    )
    assert ("input1", (), True) == (prepared.input, prepared.notes, prepared.changed)
    assert [] == structure(prepared.draft.graph, prepared.draft.service)
    assert experiment().previous == prepared.draft.previous


def test_what_was_added_has_ids_of_its_own_and_a_place_in_the_layout():
    prepared = prepare_training(experiment())

    service = prepared.draft.service
    assert service is not None
    ids = [port.id for port in (*service.inputs, *service.outputs)]
    assert [f"{GROUP}-{number}" for number in (26, 27, 28, 29)] == ids
    layout = service.document["SerializedClientData"]
    assert all(f"<NodePosition Node='{id}' Position='" in layout for id in ids)
    assert layout.count("</NodePositions>") == 1


def test_preparing_twice_changes_nothing():
    prepared = prepare_training(experiment())

    twice = prepare_training(again(prepared, experiment()))

    assert not twice.changed
    assert (prepared.draft, prepared.outputs) == (twice.draft, twice.outputs)


def test_outputs_that_stand_already_keep_their_names():
    outputs = [
        {"Id": node_id(27), "PortId": f"{node_id(14)}:Trained model", "Name": "trainedmodel"},
        {"Id": node_id(28), "PortId": f"{node_id(25)}:Evaluation results", "Name": "output1"},
    ]

    prepared = prepare_training(experiment(training(outputs=outputs)))

    assert ServiceOutputs(model="trainedmodel", evaluation="output1", scored="output2") == (
        prepared.outputs
    )


def test_names_may_be_wished_for():
    wishes = TrainingWishes(model_as="model", evaluation_as="metrics", scored_as="holdout")

    assert ServiceOutputs(model="model", evaluation="metrics", scored="holdout") == (
        prepare_training(experiment(), wishes).outputs
    )


def two_trainers() -> dict[str, Any]:
    one = training()
    one["Graph"]["ModuleNodes"] += [trainer(15, "train b"), scorer(21, "score b")]
    one["Graph"]["EdgesInternal"] += [
        edge(10, "Untrained model", 15, "Untrained model"),
        edge(12, "Results dataset1", 15, "Dataset"),
        edge(15, "Trained model", 21, "Trained model"),
        edge(12, "Results dataset2", 21, "Dataset"),
        edge(21, "Scored dataset", 25, "Scored dataset to compare"),
    ]
    return one


def test_several_trainers_leave_a_choice():
    with pytest.raises(Refused, match=r"2 nodes put out .*'train' .*, 'train b' .*; name one"):
        prepare_training(experiment(two_trainers()))


def test_one_of_several_trainers_is_named_and_remembered():
    one = experiment(two_trainers())

    prepared = prepare_training(one, TrainingWishes(train="train b"))

    assert f"{node_id(15)}:Trained model" == ports(prepared)["output1"]
    assert f"{node_id(21)}:Scored dataset" == ports(prepared)["output3"]
    assert ["compares two models" in note for note in prepared.notes] == [True]
    assert not prepare_training(again(prepared, one)).changed


def two_scorers(*, evaluated: bool) -> dict[str, Any]:
    """The model is scored twice: on the holdout, and on the rows it was trained on."""
    one = training()
    one["Graph"]["ModuleNodes"].append(scorer(21, "score again"))
    one["Graph"]["EdgesInternal"] += [
        edge(14, "Trained model", 21, "Trained model"),
        edge(12, "Results dataset1", 21, "Dataset"),
    ]
    if not evaluated:
        one["Graph"]["EdgesInternal"].remove(edge(20, "Scored dataset", 25, "Scored dataset"))
    return one


def test_of_several_scoring_nodes_the_evaluated_one_is_put_out():
    prepared = prepare_training(experiment(two_scorers(evaluated=True)))

    assert (f"{node_id(20)}:Scored dataset", ()) == (ports(prepared)["output3"], prepared.notes)


def test_several_scoring_nodes_that_nothing_evaluates_are_told():
    one = experiment(two_scorers(evaluated=False))

    prepared = prepare_training(one)
    named = prepare_training(one, TrainingWishes(scored="score again"))

    assert ServiceOutputs(model="output1") == prepared.outputs
    assert "'score' (" in prepared.notes[0]
    assert "'score again' (" in prepared.notes[0]
    assert "score the model; name one" in prepared.notes[0]
    assert f"{node_id(21)}:Scored dataset" == ports(named)[named.outputs.scored]


def test_several_evaluations_leave_a_choice():
    one = training()
    one["Graph"]["ModuleNodes"].append(evaluator(26, "evaluate again"))
    one["Graph"]["EdgesInternal"].append(edge(20, "Scored dataset", 26, "Scored dataset"))

    prepared = prepare_training(experiment(one))
    named = prepare_training(experiment(one), TrainingWishes(evaluation="evaluate again"))

    assert ("output2", "") == (prepared.outputs.scored, prepared.outputs.evaluation)
    assert any("evaluate the model; name one" in note for note in prepared.notes)
    assert f"{node_id(26)}:Evaluation results" == ports(named)[named.outputs.evaluation]


@pytest.mark.parametrize(
    ("module", "outputs", "port"),
    [
        (TUNE, {"Sweep results": None, "Trained best model": None}, "Trained best model"),
        (CREATE_R, {"Model": None}, "Model"),
        (SCRIPT, {"Odd": None, "Mine": "TrainedModel"}, "Mine"),
    ],
)
def test_every_module_that_trains_is_recognised(module: str, outputs: Any, port: str):
    one = training()
    takes: dict[str, str | None] = {"Untrained model": None, "Dataset": None}
    takes |= {"Optional validation dataset": ADULT} if module == TUNE else {}
    one["Graph"]["ModuleNodes"][2] = node(14, module, "train", takes=takes, gives=outputs)
    one["Graph"]["EdgesInternal"][2] = edge(14, port, 20, "Trained model")

    prepared = prepare_training(experiment(one))

    assert f"{node_id(14)}:{port}" == ports(prepared)["output1"]
    assert f"{node_id(12)}:Dataset" == ports(prepared)["input1"]
    assert f"{node_id(20)}:Scored dataset" == ports(prepared)["output3"]


def test_without_evaluation_the_model_alone_is_put_out_and_told():
    one = training()
    del one["Graph"]["ModuleNodes"][3:]
    del one["Graph"]["EdgesInternal"][2:]

    prepared = prepare_training(experiment(one))

    assert ServiceOutputs(model="output1") == prepared.outputs
    assert "nothing scores the model of 'train'" in prepared.notes[0]
    assert "nothing evaluates the model of 'train'" in prepared.notes[1]


def test_scoring_what_was_trained_on_is_told():
    one = training()
    one["Graph"]["EdgesInternal"][3] = edge(12, "Results dataset1", 20, "Dataset")

    assert any("no holdout" in note for note in prepare_training(experiment(one)).notes)


def test_a_dataset_that_stays_beside_the_input_is_told():
    one = training()
    del one["Graph"]["EdgesInternal"][3]
    one["Graph"]["ModuleNodes"][3]["InputPortsInternal"][1]["DataSourceId"] = ADULT

    notes = prepare_training(experiment(one)).notes

    assert any("'Dataset' of 'score'" in note and "the saved one" in note for note in notes)


def joined() -> dict[str, Any]:
    """Two datasets are joined before the split."""
    one = training()
    one["Graph"]["ModuleNodes"][1]["InputPortsInternal"][0]["DataSourceId"] = None
    takes: dict[str, str | None] = {"Dataset1": ADULT, "Dataset2": CENSUS_MODEL}
    one["Graph"]["ModuleNodes"].append(
        node(8, SCRIPT, "join", takes=takes, gives={"Result Dataset": None})
    )
    one["Graph"]["EdgesInternal"].append(edge(8, "Result Dataset", 12, "Dataset"))
    return one


def test_joined_datasets_leave_a_choice_of_the_input():
    with pytest.raises(Refused, match=r"rows for 'train' .* may enter at 2 ports: 'Dataset1' of"):
        prepare_training(experiment(joined()))

    prepared = prepare_training(experiment(joined()), TrainingWishes(input="join:Dataset2"))

    assert f"{node_id(8)}:Dataset2" == ports(prepared)["input1"]
    assert not prepare_training(again(prepared, experiment(joined()))).changed


def test_an_input_may_enter_in_the_middle_but_not_elsewhere():
    prepared = prepare_training(experiment(joined()), TrainingWishes(input="train:Dataset"))

    assert f"{node_id(14)}:Dataset" == ports(prepared)["input1"]
    with pytest.raises(Refused, match="nothing that enters at 'Dataset' of 'score'"):
        prepare_training(experiment(joined()), TrainingWishes(input="score:Dataset"))


def test_rows_that_a_module_reads_itself_need_no_input():
    one = training()
    one["Graph"]["ModuleNodes"][1] = node(
        12, IMPORT, "read", gives={"Results dataset1": None, "Results dataset2": None}
    )

    prepared = prepare_training(experiment(one))

    assert "" == prepared.input
    assert "come from 'read' (Import Data" in prepared.notes[0]


def test_parameters_become_web_service_parameters():
    wishes = TrainingWishes(parameters={"Seed": "train:Random seed"})

    prepared = prepare_training(experiment(), wishes)

    item = prepared.draft.graph.nodes[2].parameters[1]
    assert ("GraphParameterName", "Seed", "Seed") == (item.kind, item.value, item.linked)
    assert prepared.draft.service is not None
    (defined,) = prepared.draft.service.document["Parameters"]
    assert ("Seed", "0", "Int") == (
        defined["Name"],
        defined["Value"],
        defined["ParameterDefinition"]["ParameterType"],
    )
    assert not prepare_training(again(prepared, experiment()), wishes).changed


@pytest.mark.parametrize(
    ("value", "wishes", "why"),
    [
        (predictive(), {}, "trains nothing: it has 'score'"),
        (training(), {"train": "score"}, "'score' .* puts out no trained model; name one of"),
        (training(), {"scored": "evaluate"}, "'evaluate' .* is none that scores with the new"),
        (training(), {"evaluation": "score"}, "'score' .* is none that evaluates the new model"),
        (training(), {"model_as": "a/b"}, "'a/b' cannot name a part of a web service"),
        (training(), {"parameters": {"x": "train:nope"}}, "has no parameter 'nope'"),
        (training(), {"parameters": {"x": "train"}}, "'train' is no port"),
        (document([node(1, LEARNER)], [edge(1, "x", 2, "y")]), {}, "cannot run: the edge from"),
    ],
)
def test_what_cannot_be_prepared_is_refused(value, wishes: dict[str, Any], why: str):
    with pytest.raises(Refused, match=why):
        prepare_training(experiment(value), TrainingWishes(**wishes))


def test_a_predictive_experiment_gets_one_input_and_one_output():
    prepared = prepare_predictive(experiment(predictive()))

    service = prepared.draft.service
    assert service is not None
    assert [f"{node_id(20)}:Dataset"] == [port.port for port in service.inputs]
    assert [f"{node_id(20)}:Scored dataset"] == [port.port for port in service.outputs]
    assert ("input1", "output1", CENSUS_MODEL) == (
        prepared.input,
        prepared.output,
        prepared.models[0].model,
    )
    assert f"{node_id(20)}:Trained model" == prepared.models[0].port
    assert not prepare_predictive(again(prepared, experiment(predictive()))).changed


def prepared_rows() -> dict[str, Any]:
    """Adult -> Split -> Score with a saved model -> a script."""
    one = training()
    del one["Graph"]["ModuleNodes"][2], one["Graph"]["ModuleNodes"][0]
    one["Graph"]["ModuleNodes"][1]["InputPortsInternal"][0]["TrainedModelId"] = CENSUS_MODEL
    one["Graph"]["EdgesInternal"] = one["Graph"]["EdgesInternal"][3:]
    return one


def test_rows_enter_before_what_is_done_to_them_and_leave_where_they_do_already():
    output = {"Id": node_id(30), "PortId": f"{node_id(25)}:Evaluation results", "Name": "scores"}
    one = prepared_rows()
    one["WebService"]["Outputs"] = [output]

    prepared = prepare_predictive(experiment(one))

    service = prepared.draft.service
    assert service is not None
    assert [f"{node_id(12)}:Dataset"] == [port.port for port in service.inputs]
    assert ("scores", 1) == (prepared.output, len(service.outputs))


@pytest.mark.parametrize(
    ("value", "options", "why"),
    [
        (training(), {}, "trains one in 'train' .*: this is a training experiment; promote"),
        (document([node(1, SPLIT)]), {}, "holds no trained model; put one"),
        (predictive(), {"score": "nope"}, "has no node 'nope'"),
        (prepared_rows(), {"score": "split"}, "'split' .* holds no trained model; name one of"),
    ],
)
def test_what_is_not_predictive_is_refused(value, options: dict[str, str], why: str):
    with pytest.raises(Refused, match=why):
        prepare_predictive(experiment(value), **options)


def test_several_scoring_nodes_leave_a_choice():
    one = predictive()
    second = predictive()["Graph"]["ModuleNodes"][0]
    text = json.dumps({**second, "Comment": "second"}).replace(node_id(20), node_id(21))
    one["Graph"]["ModuleNodes"].append(json.loads(text))

    assert 2 == len(model_ports(experiment(one)))
    with pytest.raises(Refused, match="2 nodes hold a trained model"):
        prepare_predictive(experiment(one))
    prepared = prepare_predictive(experiment(one), score="second")
    assert not prepare_predictive(again(prepared, experiment(one))).changed


def test_ports_are_named_in_turn_and_added_once():
    one = with_service_output(experiment(), "train", "Trained model")
    two = with_service_output(one, "score", "scored dataset")

    assert one == with_service_output(one, "train", "Trained model")
    assert two.service is not None
    assert ["output1", "output2"] == [port.name for port in two.service.outputs]


def test_a_port_is_renamed_and_a_loose_one_connected():
    loose = [{"Id": node_id(40), "PortId": None, "Name": "rows"}]
    one = with_service_input(experiment(training(inputs=loose)), "split", "Dataset", "rows")
    two = with_service_input(one, "split", "Dataset", "days")

    assert one.service is not None
    assert two.service is not None
    assert [(node_id(40), f"{node_id(12)}:Dataset", "rows")] == [
        (port.id, port.port, port.name) for port in one.service.inputs
    ]
    assert ["days"] == [port.name for port in two.service.inputs]


def test_a_name_is_given_once():
    one = with_service_output(experiment(), "train", "Trained model", "model")

    with pytest.raises(Refused, match="web-service output 'model' stands at"):
        with_service_output(one, "score", "Scored dataset", "Model")
    two = with_service_parameter(one, "train", "Random seed", "p")
    with pytest.raises(Refused, match="'p' is there already"):
        with_service_parameter(two, "train", "Label column", "p")


def test_an_experiment_without_a_service_block_gets_one():
    bare = Experiment.model_validate(training(WebService=None))

    one = with_service_output(bare, "train", "Trained model")

    assert one.service is not None
    assert "<NodePosition Node=" in one.service.document["SerializedClientData"]
    assert False is one.service.is_service
