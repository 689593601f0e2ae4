"""`alm dataset`: datasets of a workspace, uploaded and downloaded piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from alm.domain.errors import Refused
from alm.domain.experiment import Upload
from alm.domain.nearest import shown
from alm.entrypoints.cli.studio import assets, files, waiting
from alm.entrypoints.cli.studio.desk import Desk, command
from alm.entrypoints.studio import finding
from alm.studio_ports import Workspace

app = typer.Typer(name="dataset", help="Datasets of a workspace.", no_args_is_help=True)

TYPES = {
    ".csv": "GenericCSV",
    ".tsv": "GenericTSV",
    ".arff": "ARFF",
    ".zip": "Zip",
    ".rdata": "RData",
    ".txt": "PlainText",
}
"""Formats of Studio, by the ending of a file's name."""

Dataset = Annotated[str, typer.Argument(help="A dataset: its name, or the id of a version.")]


@dataclass(frozen=True)
class Naming:
    """What an uploaded dataset is called, and how its file is written."""

    name: Annotated[str, typer.Option(help="Its name; default: the file's.")] = ""
    kind: Annotated[
        str,
        typer.Option("--type", help="Its format, such as GenericCSVNoHeader; default: by name."),
    ] = ""
    description: Annotated[str, typer.Option(help="What people read about it.")] = ""
    new_version: Annotated[
        bool, typer.Option("--new-version", help="Make a new version of the dataset of that name.")
    ] = False


@command(app, "list", example="--of churn")
def list_datasets(desk: Desk) -> None:
    """List datasets, the newest version of each."""
    assets.show_all(desk, "dataset")


@command(app, "upload", example="day1.csv --name churn --new-version")
def upload(
    desk: Desk,
    file: Annotated[Path, typer.Argument(help="The file.")],
    naming: Naming,
    minutes: Annotated[float, typer.Option(min=0.0, help="How long to wait for its schema.")] = 60,
) -> None:
    """Upload a file as a dataset and wait until Studio has found its schema.

    The file is read twice: should it change meanwhile, nothing is registered.
    """
    workspace, title = desk.workspace, naming.name or file.name
    family = _family(workspace, title, naming.new_version)
    digest, size = files.digest_of(desk, file)
    declared = Upload(
        name=title,
        data_type=naming.kind or _type_of(file),
        description=naming.description,
        family=family,
    )
    with files.reading(desk, file, f"uploading {file.name}") as content:
        try:
            dataset = workspace.upload(declared, content, size=size, digest=digest)
        except KeyboardInterrupt:
            desk.tell(f"nothing was registered as {title!r}: repeat the command")
            raise
    desk.tell(f"uploaded {file} as {dataset}")
    found = waiting.schema_found(desk, workspace, dataset, minutes)
    state = found.schema_state
    desk.answer(id=dataset, name=title, type=declared.data_type, size=size, schema=state)


@command(app, "download", example="churn --to churn.csv")
def download(desk: Desk, dataset: Dataset, out: assets.Destination) -> None:
    """Download a dataset into a file."""
    assets.download(desk, "dataset", dataset, out)


@command(app, "promote", example='"churn training" split "Results dataset1" --name holdout')
def promote(desk: Desk, origin: assets.Origin, naming: assets.Naming) -> None:
    """Make what a node put out a dataset of the workspace."""
    assets.promote(desk, "dataset", origin, naming)


@command(app, "delete", example="churn --yes")
def delete(desk: Desk, dataset: Dataset, yes: assets.Yes = False) -> None:
    """Delete a dataset with all of its versions."""
    workspace = desk.workspace
    found = finding.asset(workspace, "dataset", dataset)
    desk.confirm(
        f"Dataset {found.name!r} is deleted with all of its versions; experiments that use one can "
        "no longer run.",
        yes,
    )
    workspace.delete_datasets(found.family)
    desk.answer(deleted=found.name, family=found.family)


def _family(workspace: Workspace, name: str, new_version: bool) -> str:
    """The family that a new version belongs to; "" for a new dataset."""
    present = finding.asset_or_none(workspace, "dataset", name)
    if present is not None and not new_version:
        raise Refused(
            f"a dataset {shown(name)} is there already ({present.id}); use --new-version to make a "
            "new version of it, or another --name"
        )
    if present is None and new_version:
        raise Refused(
            f"there is no dataset {shown(name)} to make a new version of; leave --new-version out"
        )
    return present.family if present else ""


def _type_of(file: Path) -> str:
    kind = TYPES.get(file.suffix.lower())
    if kind is None:
        raise Refused(
            f"the name of {file} does not tell its format; give it with --type "
            f"({', '.join(TYPES.values())}, GenericCSVNoHeader, GenericTSVNoHeader)"
        )
    return kind
