"""Tables of scikit-learn as Studio sees them, and graphs of one module."""

from __future__ import annotations

from functools import cache

from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from devstack.studio.graph import Edge, Graph, Node, run_graph
from devstack.studio.learning.tables import Table, read_table
from devstack.studio.modules import MODULES, Value

LOADERS = {
    "two-class": load_breast_cancer,
    "multi-class": load_iris,
    "regression": load_diabetes,
}


@cache
def table_for(task: str) -> Table:
    """A table for a task; its label column is `target`."""
    return read_table(LOADERS[task](as_frame=True).frame.to_csv(index=False).encode())


def run_module(name: str, inputs: dict[str, Value], parameters: dict[str, str]) -> dict[str, Value]:
    """What the output ports of one module give, run as a graph."""
    sources = {f"source {port}": Node(f"source {port}", source=port) for port in inputs}
    graph = Graph(
        {"module": Node("module", name, parameters=parameters), **sources},
        tuple(Edge(f"source {port}", "", "module", port) for port in inputs),
    )
    assert graph.mistakes(unknown_modules=True) == []
    values = run_graph(graph, inputs)
    outputs = MODULES[name].outputs
    assert {port for node, port in values if node == "module"} == set(outputs)
    return {port: values[("module", port)] for port in outputs}


def table_of(text: str) -> Table:
    """A table from lines of CSV, written with spaces for readability."""
    return read_table("\n".join(line.strip() for line in text.strip().splitlines()).encode())
