"""A graph that does not hang together is told what is wrong, in words."""

from __future__ import annotations

from typing import Any

import pytest

from alm.domain.drafts import graph_of
from alm.domain.experiment import ServiceBlock
from alm.domain.graph.structure import structure
from tests.unit.domain.studio_graphs import (
    ADULT,
    CENSUS_MODEL,
    SCRIPT,
    document,
    edge,
    experiment,
    node,
    node_id,
    predictive,
    training,
)


def mistakes(value: dict[str, Any]) -> list[str]:
    one = experiment(value)
    return structure(graph_of(one), one.service)


def test_sound_graphs_have_no_mistakes():
    assert [] == mistakes(training())
    assert [] == mistakes(predictive())
    assert [] == structure(graph_of(experiment(document([node(1, SCRIPT)]))))


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (edge(9, "x", 14, "Dataset"), "begins at a node that is not there"),
        (edge(12, "Results dataset1", 99, "x"), "ends at a node that is not there"),
        (edge(12, "Results dataset", 20, "Data"), "no output port 'Results dataset': did you mean"),
        (edge(20, "Scored dataset", 25, "Scores"), "which has no input port 'Scores'"),
        (edge(20, "Scored dataset", 12, "Dataset"), f"an edge from '{node_id(20)}:Scored dataset'"),
        (edge(12, "Results dataset1", 20, "Dataset"), "takes one thing and gets 2"),
    ],
)
def test_an_edge_that_leads_nowhere_or_too_many_is_told(added: dict[str, Any], expected: str):
    one = training()
    one["Graph"]["EdgesInternal"].append(added)

    assert any(expected in line for line in mistakes(one)), mistakes(one)


def test_a_circle_is_told_by_the_names_of_its_nodes():
    nodes = [node(n, SCRIPT, f"n{n}", takes={"In": None}, gives={"Out": None}) for n in range(3)]
    one = document(nodes, [edge(n, "Out", (n + 1) % 3, "In") for n in range(3)])

    (line,) = mistakes(one)

    assert "in a circle" in line
    assert all(f"'n{n}'" in line for n in range(3))


def test_a_chain_of_thousands_of_nodes_is_no_circle():
    nodes = [node(n, SCRIPT, takes={"In": None}, gives={"Out": None}) for n in range(3000)]

    assert [] == mistakes(document(nodes, [edge(n, "Out", n + 1, "In") for n in range(2999)]))


def test_what_is_there_twice_is_told():
    twice = node(1, SCRIPT, "a", parameters={"p": "1"})
    twice["ModuleParameters"] *= 2
    ports = node(2, SCRIPT, "b", takes={"In": ADULT}, gives={"Out": None})
    ports["InputPortsInternal"][0]["TrainedModelId"] = CENSUS_MODEL
    ports["OutputPortsInternal"] *= 2

    told = "\n".join(mistakes(document([twice, ports, node(1, SCRIPT)])))

    assert f"two nodes have the id '{node_id(1)}'" in told
    assert "'a' (Execute R Script, " in told
    assert "two parameters named 'p'" in told
    assert "two output ports named 'Out'" in told
    assert "takes one thing and gets 2: dataset" in told


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ([("i", None)], "web-service output 'i' is not connected"),
        ([("i", f"{node_id(99)}:x")], "stands at a node that is not there"),
        ([("i", f"{node_id(14)}:Model")], "has no output port 'Model': known: Trained model"),
        ([("i", f"{node_id(14)}:Trained model")] * 2, "two web-service outputs are named 'i'"),
    ],
)
def test_web_service_ports_must_stand_somewhere(ports: list[Any], expected: str):
    outputs = [{"Id": node_id(90), "Name": name, "PortId": port} for name, port in ports]

    assert any(expected in line for line in mistakes(training(outputs=outputs)))


def test_two_inputs_at_one_port_are_told():
    port = f"{node_id(12)}:Dataset"
    inputs = [{"Id": node_id(90), "Name": name, "PortId": port} for name in ("a", "b")]
    service = ServiceBlock.model_validate({"Inputs": inputs})

    (line,) = structure(graph_of(experiment()), service)

    assert line.startswith("two web-service inputs stand at")
