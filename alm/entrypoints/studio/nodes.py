"""The nodes of an experiment as rows: what they are, how they did, what they put out."""

from __future__ import annotations

from alm.domain.drafts import graph_of
from alm.domain.experiment import Experiment, Node, Status
from alm.domain.graph.modules import kind
from alm.domain.graph.references import assets_at


def node_rows(experiment: Experiment) -> list[dict[str, object]]:
    """The nodes of an experiment with how they did."""
    statuses = {one.node: one.status for one in experiment.node_statuses or ()}
    return [_node(node, statuses.get(node.id)) for node in graph_of(experiment).nodes]


def _node(node: Node, status: Status | None) -> dict[str, object]:
    return {
        "id": node.id,
        "label": node.label.strip(),
        "module": kind(node),
        "module_id": node.module,
        "state": status.state if status else "",
        "detail": status.detail if status and status.detail != "None" else "",
        "outputs": ", ".join(port.name for port in node.outputs),
        "assets": [
            {"port": port.name, "kind": what, "id": name}
            for port in node.inputs
            for what, name in assets_at(port)
        ],
        "parameters": {one.name: one.value for one in node.parameters},
    }
