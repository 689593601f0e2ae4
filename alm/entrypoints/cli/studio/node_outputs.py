"""`alm node-output`: what the nodes of an experiment put out, such as a trained model."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from alm.domain.drafts import graph_of
from alm.domain.errors import Refused
from alm.domain.experiment import Node
from alm.domain.graph.finding import find_node, output_port
from alm.domain.graph.modules import kind, model_output
from alm.entrypoints.cli.studio import assets, files
from alm.entrypoints.cli.studio.desk import Desk, columns, command
from alm.entrypoints.studio import finding

app = typer.Typer(name="node-output", help="What nodes put out.", no_args_is_help=True)


MODULE = ("module", lambda row: "" if row["module"] == row["node"] else str(row["module"]))


@command(app, "list", example='"churn training"')
def list_outputs(desk: Desk, experiment: assets.Experiment) -> None:
    """List the outputs of all nodes, and whether they are there."""
    found = finding.experiment(desk.workspace, experiment)
    states = {one.node: one.status.state for one in found.node_statuses or ()}
    rows = [
        {
            "node": node.label.strip() or node.id,
            "module": kind(node),
            "output": port.name,
            "there": "yes" if states.get(node.id) == "Finished" else "",
            "id": node.id,
        }
        for node in graph_of(found).nodes
        for port in node.outputs
    ]
    desk.show(rows, (*columns("node"), MODULE, *columns("output", "there", "id")))


@command(app, "download", example='"churn training" "Train Model" --to churn.ilearner')
def download(
    desk: Desk,
    origin: assets.Origin,
    out: assets.Destination,
    into: Annotated[
        str, typer.Option(help="Let the app harvest it as a candidate of this managed model.")
    ] = "",
) -> None:
    """Download what a node put out, of an experiment or a snapshot; a trained model by default.

    With --into it is not downloaded here: the app fetches it, judges it and puts it into service.
    """
    workspace = desk.workspace
    found = finding.experiment(workspace, origin.experiment)
    wanted = find_node(graph_of(found), origin.node)
    name = output_port(wanted, origin.port or assets.the_output(wanted, "trained_model")).name
    if into:
        if out.to:
            raise Refused("--into and --to: the app fetches it, or you do; name one of them")
        run = found.run or found.id
        order = {"experiment": run, "node": wanted.id, "port": name}
        desk.answer(**desk.api.post("models", into, "harvest", document=order))
        return
    target = out.to or _file_name(wanted, name)
    with workspace.output(found.id, wanted.id, name) as content:
        size = files.save(desk, content, target, doing=f"downloading {name}", force=out.force)
    if target != files.STDOUT:
        desk.answer(file=target, size=size, experiment=found.id, node=wanted.id, port=name)


def _file_name(node: Node, port: str) -> str:
    text = f"{node.label.strip() or kind(node)}-{port}"
    plain = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()
    return plain + (".ilearner" if port == model_output(node) else ".csv")
