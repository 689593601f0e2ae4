"""`alm experiment save-as | copy | copy-from-gallery | import`: new experiments from what there is.

`save-as` is what Studio does with a locked snapshot: the new experiment adopts newer versions of
the assets that it uses, the snapshot keeps its own. `copy` keeps them as they are.
Source: Studio's documentation on run history; the PowerShell module for copies. That assets are
updated by our doing (the graph is changed, then saved) is inferred from how that module does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from alm.domain.drafts import draft_from, graph_of, unbound
from alm.domain.errors import Misconfigured, Refused
from alm.domain.experiment import Draft, Experiment
from alm.domain.graph.edits import update_assets
from alm.domain.nearest import shown
from alm.entrypoints.cli.studio import assets, waiting
from alm.entrypoints.cli.studio.desk import TOKEN, Choice, Desk, command, named
from alm.entrypoints.cli.studio.experiments import app
from alm.entrypoints.studio import finding
from alm.studio_ports import Workspace

NewName = Annotated[str, typer.Option("--name", help="What the new experiment is called.")]
KeepAssets = Annotated[
    bool,
    typer.Option("--keep-assets", help="Use the same versions of datasets, models, transforms."),
]
Minutes = Annotated[float, typer.Option(min=0.01, help="How long to wait at most.")]


@dataclass(frozen=True)
class Elsewhere:
    """Another workspace; an empty id: none."""

    to_workspace: Annotated[str, typer.Option(help="Into another workspace: its id.")] = ""
    to_region: Annotated[str, typer.Option(help="Its region; default: the same.")] = ""
    to_token: Annotated[str, typer.Option(help="The name of its token.")] = TOKEN


@command(app, "save-as", example='"churn training" --name "churn training, trial"')
def save_as(
    desk: Desk, experiment: assets.Experiment, name: NewName, keep_assets: KeepAssets = False
) -> None:
    """Save a snapshot (or an experiment) as a new one that can be edited.

    Newer versions of its assets are adopted; the snapshot itself keeps what it ran with.
    """
    workspace = desk.workspace
    found = finding.experiment(workspace, experiment)
    draft = copy_of(found, name)
    adopted: list[str] = []
    if not keep_assets:
        known = finding.known(workspace)
        edited = update_assets(
            draft.graph, (*known.datasets, *known.trained_models, *known.transforms)
        )
        adopted = [str(one) for one in edited.replaced]
        draft = draft.model_copy(update={"graph": edited.graph})
    made = create(workspace, draft)
    for one in adopted:
        desk.tell(f"newer version adopted: {one}")
    desk.answer(id=made, name=name, saved_from=found.id, adopted=adopted)


@command(app, "copy", example='"churn training" --name copy --to-workspace 0123…')
def copy(
    desk: Desk,
    experiment: assets.Experiment,
    name: NewName = "",
    *,
    to: Elsewhere,
    minutes: Minutes = 60,
) -> None:
    """Copy an experiment inside of its workspace, or with its assets into another one."""
    workspace = desk.workspace
    found = finding.experiment(workspace, experiment)
    if not to.to_workspace:
        title = name or f"{found.name} - Copy"
        desk.answer(id=create(workspace, copy_of(found, title)), name=title, copied_from=found.id)
        return
    region = desk.declared.region
    target = named(
        Choice(workspace=to.to_workspace, region=to.to_region or region, token=to.to_token),
        desk.connection.environment,
    )
    there = desk.connection.studio.workspace(target)
    begun = workspace.pack(found.id)
    doing = f"packing {found.name!r}"
    package = waiting.activity_over(desk, workspace.packing, begun, doing=doing, minutes=minutes)
    made = _unpacked(desk, there, package.location, region=region, minutes=minutes)
    _answer(desk, there, made, name, found.id)


@command(
    app,
    "copy-from-gallery",
    example="https://…/package --gallery https://gallery.cortanaintelligence.com/Details/sample",
)
def copy_from_gallery(
    desk: Desk,
    package: Annotated[str, typer.Argument(help="The address of the package.")],
    gallery: Annotated[str, typer.Option(help="The address of its page in the Gallery.")],
    name: NewName = "",
    minutes: Minutes = 60,
) -> None:
    """Copy an experiment from the Gallery into the workspace."""
    workspace = desk.workspace
    made = _unpacked(desk, workspace, package, gallery=gallery, minutes=minutes)
    _answer(desk, workspace, made, name, gallery)


def copy_of(found: Experiment, name: str) -> Draft:
    """A draft of a new experiment: no history, and no web service of its own yet."""
    draft = draft_from(found, name=name)
    return draft.model_copy(update={"previous": "", "service": unbound(found.service)})


def create(workspace: Workspace, draft: Draft) -> str:
    """Create an experiment whose name is free. Raises Refused if it is taken."""
    taken = [one for one in workspace.experiments() if one.name == draft.name]
    if taken:
        raise Refused(
            f"an experiment is named {shown(draft.name)} already ({taken[0].id}); choose another "
            "--name"
        )
    return workspace.create(draft)


def _unpacked(
    desk: Desk,
    workspace: Workspace,
    location: str,
    *,
    region: str = "",
    gallery: str = "",
    minutes: float,
) -> str:
    begun = workspace.unpack(location, region=region, gallery=gallery)
    over = waiting.activity_over(
        desk, workspace.unpacking, begun, doing="unpacking the experiment", minutes=minutes
    )
    if not over.experiment:
        raise Misconfigured(
            "the package was unpacked, and Studio does not say as which experiment; look for it "
            "with alm experiment list"
        )
    return over.experiment


def _answer(desk: Desk, workspace: Workspace, made: str, name: str, source: str) -> None:
    """Give the copy its name, and tell it."""
    found = workspace.experiment(made)
    if name and name != found.name:
        workspace.save(made, draft_from(found, name=name, graph=graph_of(found)))
    used = sorted({one.id for one in finding.assets_of(found)})
    desk.answer(id=made, name=name or found.name, copied_from=source, assets=used)
