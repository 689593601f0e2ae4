"""What datasets, trained models and transforms have in common: lists, downloads, promotions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, BinaryIO

import typer

from alm.domain.drafts import graph_of
from alm.domain.errors import Conflict, NotFound, Refused
from alm.domain.experiment import Asset, AssetKind, Promotion
from alm.domain.experiment import Node as GraphNode
from alm.domain.graph.finding import find_node, output_port
from alm.domain.graph.modules import model_output, named, ports
from alm.domain.graph.references import WORDS
from alm.domain.nearest import shown
from alm.entrypoints.cli.studio import files, waiting
from alm.entrypoints.cli.studio.desk import Desk, columns, rows
from alm.entrypoints.studio import finding
from alm.studio_ports import Workspace

To = Annotated[str, typer.Option(help="The file to write; `-` is the standard output.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Experiment = Annotated[str, typer.Argument(help="An experiment: name or id; NAME@N: a snapshot.")]
Node = Annotated[str, typer.Argument(help="A node: its label, module or id.")]
Port = Annotated[str, typer.Argument(help="Its output; may be left out where there is one.")]
Name = Annotated[
    str, typer.Option(help="What the asset is called; default: the experiment's name.")
]
Text = Annotated[str, typer.Option("--description", help="What people read about it.")]
NewVersion = Annotated[
    bool, typer.Option("--new-version", help="A new version, if the name is taken.")
]

_SHOWN = ("name", "number", "type", "size", "created", "owner", "id")
_ORIGIN = re.compile(r"(?P<experiment>.+)\.(?P<node>[^.]+)\.(?P<port>[^.]+)")


@dataclass(frozen=True)
class Origin:
    """Where an asset comes from, as a person names it: experiment, node, output."""

    experiment: Experiment
    node: Node
    port: Port = ""


@dataclass(frozen=True)
class Naming:
    """What an asset is called; description: what people read about it."""

    name: Name = ""
    description: Text = ""
    new_version: NewVersion = False


@dataclass(frozen=True)
class Destination:
    """Where a file goes; force: over one that is there."""

    to: To = ""
    force: Force = False


def show_all(desk: Desk, kind: AssetKind) -> None:
    """Show the assets of a kind; Studio lists the newest version of each."""
    found = desk.workspace.assets(kind)
    found.sort(key=lambda one: (one.name.lower(), -one.number))
    fields = ("id", "name", "family", "number", "description", "owner", "size", "is_latest")
    more = ("experiment", "promoted_from", "schema_state")
    listed = rows(found, *fields, *more)
    for row, one in zip(listed, found, strict=True):
        row |= {"type": one.data_type, "created": one.created and one.created.isoformat()[:19]}
    desk.show(listed, columns(*_SHOWN, number="version"))


def download(desk: Desk, kind: AssetKind, wanted: str, out: Destination) -> None:
    """Write an asset into a file, from its address, or from the output that it was made of."""
    workspace = desk.workspace
    found = finding.asset(workspace, kind, wanted)
    target = out.to or file_name(found)
    content = _content(workspace, found)
    size = files.save(desk, content, target, doing=f"downloading {found.name}", force=out.force)
    if target != files.STDOUT:
        desk.answer(file=target, size=size, id=found.id, name=found.name)


def promote(desk: Desk, kind: AssetKind, origin: Origin, naming: Naming) -> None:
    """Make an output an asset; what an earlier call made of it already is shown, not made again."""
    workspace = desk.workspace
    experiment = waiting.finished(finding.experiment(workspace, origin.experiment))
    node = find_node(graph_of(experiment), origin.node)
    port = output_port(node, origin.port or the_output(node, kind)).name
    title = naming.name or experiment.name
    present = finding.asset_or_none(workspace, kind, title)
    source = f"{experiment.id}.{node.id}.{port}"
    if present and experiment.is_snapshot and present.promoted_from == source:
        desk.answer(id=present.id, name=title, promoted_from=present.promoted_from, made="before")
        return
    if present and not naming.new_version:
        raise Conflict(
            f"a {WORDS[kind]} {shown(title)} is there already ({present.id}); use --new-version, "
            "or another --name"
        )
    promotion = Promotion(
        kind=kind,
        experiment=experiment.id,
        node=node.id,
        port=port,
        name=title,
        description=naming.description,
        family=present.family if present else "",
    )
    made = workspace.promote(promotion)
    desk.answer(id=made, name=title, promoted_from=source)


def the_output(node: GraphNode, kind: AssetKind) -> str:
    """The output that is meant where none is named. Raises Refused if there are several."""
    model = model_output(node)
    if kind == "trained_model" and model:
        return model
    names = ports(node.outputs)
    if len(names) == 1:
        return names[0]
    listed = ", ".join(map(repr, names)) or "none"
    raise Refused(f"{named(node)} has {len(names)} outputs ({listed}); name one")


def file_name(asset: Asset) -> str:
    """A name for the file of an asset: its own, with the ending of its kind."""
    endings = {"trained_model": ".ilearner", "transform": ".itransform"}
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", asset.name).strip(".-") or asset.family
    ending = endings.get(asset.kind, "")
    return plain if plain.lower().endswith(ending) else plain + ending


def _content(workspace: Workspace, found: Asset) -> BinaryIO:
    try:
        return workspace.download(found)
    except NotFound:
        origin = _ORIGIN.fullmatch(found.promoted_from)
        if origin is None:
            raise
    return workspace.output(origin["experiment"], origin["node"], origin["port"])
