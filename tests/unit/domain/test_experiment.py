"""Documents of Studio as values: what is read is written back as it was."""

from __future__ import annotations

from typing import Any

from alm.domain.experiment import Experiment, Graph, Node, ServiceBlock

PORT: dict[str, Any] = {
    "Name": "Dataset",
    "NodeId": "n-1",
    "DataSourceId": "w.f.v1-default-1",
    "TrainedModelId": None,
    "TransformModuleId": None,
    "PortIndex": None,
}
GRAPH: dict[str, Any] = {
    "ModuleNodes": [
        {
            "Id": "n-1",
            "ModuleId": "w.m.v1-default-9",
            "Comment": "",
            "ModuleParameters": [{"Name": "Seed", "Value": None, "LinkedGlobalParameter": None}],
            "InputPortsInternal": [PORT],
            "OutputPortsInternal": [],
            "UsePreviousResults": True,
        }
    ],
    "SerializedClientData": "<?xml version='1.0'?>",
    "PublishInfo": None,
    "EdgesInternal": [],
}


def test_a_document_is_written_as_it_was_read() -> None:
    block = {"Inputs": [{"Id": "i", "PortId": None, "Name": "input1"}], "WebServiceGroupId": None}

    assert Graph.model_validate(GRAPH).document == GRAPH
    assert ServiceBlock.model_validate(block).document == block


def test_a_null_is_read_as_an_empty_text() -> None:
    port = Graph.model_validate(GRAPH).nodes[0].inputs[0]

    assert (port.dataset, port.trained_model) == ("w.f.v1-default-1", "")


def test_what_is_changed_is_all_that_changes() -> None:
    port = Graph.model_validate(GRAPH).nodes[0].inputs[0]

    written = port.changed(dataset="", trained_model="w.f.v1-default-2").document

    assert written == {**PORT, "DataSourceId": None, "TrainedModelId": "w.f.v1-default-2"}


def test_a_null_where_a_list_belongs_is_an_empty_one() -> None:
    node = Node.model_validate({"Id": "n", "ModuleId": "m", "InputPortsInternal": None})

    assert node.inputs == ()


def test_an_entry_of_a_list_of_experiments_needs_no_graph() -> None:
    entry = {"ExperimentId": "w.f-id.1", "Description": None, "Status": {"StatusCode": "InDraft"}}

    experiment = Experiment.model_validate(entry)

    assert (experiment.name, experiment.graph, experiment.state) == ("", None, "InDraft")
