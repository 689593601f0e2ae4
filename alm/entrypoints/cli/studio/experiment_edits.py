"""`alm experiment replace-asset | update-assets | set-parameter | update-modules`.

Studio has no calls for these: the graph is changed here and saved whole. A snapshot is locked.
"""

from __future__ import annotations

from typing import Annotated

import typer

from alm.domain.drafts import draft_from, graph_of
from alm.domain.errors import Refused
from alm.domain.experiment import AssetKind, Experiment, Graph
from alm.domain.graph.edits import Edited, replace_asset, set_dataset, set_parameter
from alm.domain.graph.edits import update_assets as newest_assets
from alm.domain.graph.edits import update_modules as newest_modules
from alm.domain.graph.references import WORDS, references
from alm.domain.nearest import suggestion
from alm.domain.studio_ids import asset_id
from alm.entrypoints.cli.studio import assets
from alm.entrypoints.cli.studio.desk import Desk, command
from alm.entrypoints.cli.studio.experiments import app
from alm.entrypoints.studio import finding
from alm.studio_ports import Workspace

Kind = Annotated[str, typer.Option("--kind", help="dataset, trained-model or transform.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="Only these: dataset, trained-model, transform; may be repeated."),
]


@command(app, "replace-asset", example='"churn predictive" --kind trained-model "old" "churn"')
def replace(
    desk: Desk,
    experiment: assets.Experiment,
    old: Annotated[str, typer.Argument(help="The asset that it uses: name or id.")],
    new: Annotated[str, typer.Argument(help="The one to use instead: name or id.")],
    kind: Kind = "dataset",
) -> None:
    """Use another dataset, trained model or transform wherever the old one is used."""
    workspace = desk.workspace
    found = finding.editable(workspace, experiment, "edit")
    what = asset_kind(kind)
    wanted = finding.asset(workspace, what, new)
    used = _used(workspace, found, what, old)
    _save(
        desk,
        found,
        replace_asset(graph_of(found), what, used, wanted.id),
        [f"{used} -> {wanted.id}"],
    )


@command(app, "set-dataset", example='"churn training" day2 --port "split:Dataset"')
def put_dataset(
    desk: Desk,
    experiment: assets.Experiment,
    dataset: Annotated[str, typer.Argument(help="A dataset: name or id.")],
    port: Annotated[str, typer.Option(help="The input it goes to: node:port.")] = "",
) -> None:
    """Put a dataset into an experiment: at a port, or in place of the only one."""
    workspace = desk.workspace
    found = finding.editable(workspace, experiment, "edit")
    wanted = finding.asset(workspace, "dataset", dataset)
    graph = set_dataset(graph_of(found), wanted.id, port=port)
    _save(desk, found, graph, [f"dataset {wanted.id}"])


@command(app, "update-assets", example='"churn training" --kind dataset')
def update_assets(desk: Desk, experiment: assets.Experiment, kinds: Kinds = None) -> None:
    """Use the newest version of each dataset, trained model and transform that it uses."""
    workspace = desk.workspace
    found = finding.editable(workspace, experiment, "edit")
    chosen = [asset_kind(kind) for kind in kinds or ()] or list(finding.KINDS)
    there = [one for kind in chosen for one in workspace.assets(kind)]
    _edited(desk, found, newest_assets(graph_of(found), there, chosen))


@command(app, "update-modules", example='"churn training" --node "Train Model"')
def update_modules(
    desk: Desk,
    experiment: assets.Experiment,
    node: Annotated[str, typer.Option(help="Only this one: label, module or id.")] = "",
) -> None:
    """Use the newest version of each module."""
    workspace = desk.workspace
    found = finding.editable(workspace, experiment, "edit")
    _edited(desk, found, newest_modules(graph_of(found), workspace.modules(), node))


@command(app, "set-parameter", example='"churn training" learner "Number of trees" 100')
def set_one_parameter(
    desk: Desk,
    experiment: assets.Experiment,
    node: assets.Node,
    parameter: Annotated[str, typer.Argument(help="The name of the parameter.")],
    values: Annotated[list[str], typer.Argument(help="Its value; several: names of columns.")],
) -> None:
    """Set a parameter of a node; several values select these columns."""
    found = finding.editable(desk.workspace, experiment, "edit")
    value: str | list[str] = values[0] if len(values) == 1 else values
    graph = set_parameter(graph_of(found), node, parameter, value)
    _save(desk, found, graph, [f"{parameter} of {node}"])


def asset_kind(text: str) -> AssetKind:
    """The kind that a person names."""
    plain = text.strip().lower().replace("-", "_").replace(" ", "_")
    for kind in finding.KINDS:
        if plain in (kind, kind + "s"):
            return kind
    words = [kind.replace("_", "-") for kind in finding.KINDS]
    raise Refused(f"{text!r} is no kind of asset: {suggestion(text, words)}")


def _used(workspace: Workspace, found: Experiment, kind: AssetKind, wanted: str) -> str:
    """The id of the asset in use that is meant; an older version may be, or one that is gone."""
    graph = graph_of(found)
    used = {one.id for one in references(graph) if one.kind == kind}
    if wanted in used or asset_id(wanted) is not None:
        return wanted
    named = [one for one in finding.known(workspace, graph).assets(kind) if one.id in used]
    if not any(one.name.lower() == wanted.lower() for one in named):
        words = [one.name for one in named]
        raise Refused(
            f"{found.name!r} uses no {WORDS[kind]} {wanted!r}: {suggestion(wanted, words)}"
        )
    return finding.one(named, wanted, WORDS[kind]).id


def _edited(desk: Desk, found: Experiment, edited: Edited) -> None:
    _save(desk, found, edited.graph, [str(one) for one in edited.replaced])


def _save(desk: Desk, found: Experiment, graph: Graph, changes: list[str]) -> None:
    """Save what became different; nothing, if nothing did."""
    if graph == graph_of(found):
        desk.answer(id=found.id, name=found.name, saved="no change")
        return
    desk.workspace.save(found.id, draft_from(found, graph=graph))
    desk.answer(id=found.id, name=found.name, saved="yes", changes=changes)
