"""`alm init`: writes a declaration from web services and experiments that exist.

It reads them and scores one row of a service's own example, never changes them, and writes a file
that is valid as it stands and is to be read through by people.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from alm.adapters.declarations import Declarations
from alm.adapters.studio.declaring import declaration
from alm.adapters.studio.declaring_families import Templates, family
from alm.domain.errors import Misconfigured, Refused
from alm.domain.names import MODEL_PATTERN
from alm.domain.nearest import shown
from alm.entrypoints.cli.arguments import client
from alm.entrypoints.cli.expanding import add
from alm.entrypoints.cli.init_experiments import Experiments, written_from
from alm.entrypoints.cli.init_members import Members, membership, templated
from alm.entrypoints.cli.init_services import Services, Where

SCHEMA = Path(__file__).resolve().parents[3] / "docs/schemas/managed-model.json"
NAME = re.compile(MODEL_PATTERN)  # it names a file, too


@dataclass(frozen=True)
class Source(Experiments):
    """What a managed model is made from, and the sections that a person gives."""

    target: Annotated[
        list[str] | None,
        typer.Option(
            help="SERVICE/ENDPOINT by their names, an endpoint's URL or a resource id; may repeat."
        ),
    ] = None
    training: Annotated[str, typer.Option(help="The training service, named likewise.")] = ""
    dataset: Annotated[str, typer.Option(help="The pattern of its datasets.")] = ""
    retrain: Annotated[str, typer.Option(help="When it is retrained: a cron line, UTC.")] = ""
    verify: Annotated[str, typer.Option(help="When its targets are verified: likewise.")] = ""

    @property
    def given(self) -> dict[str, Any]:
        listed = {"retrain": self.retrain, "verify": self.verify}
        schedules = {name: line for name, line in listed.items() if line}
        found: dict[str, Any] = {"dataset": self.dataset} if self.dataset else {}
        return found | ({"schedules": schedules} if schedules else {})


@dataclass(frozen=True)
class Written:
    """Where the declaration goes."""

    folder: Annotated[Path, typer.Option(help="Where the file goes.")] = Path("managed_models")
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it, write nothing.")] = False
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False


def add_to(cli: typer.Typer) -> None:
    """Add the command to the command line."""
    add(cli, {init: "init churn --target churn/production --training churn-training"})


def init(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="The name of the managed model, or of the family.")],
    source: Source,
    members: Members,
    where: Where,
    written: Written,
) -> None:
    """Write a managed model or a family from existing web services or experiments."""
    if not NAME.fullmatch(model):
        raise Refused(f"{shown(model)} cannot be a name: small letters, digits, . _ -, at most 90")
    path = written.folder / f"{model}.yaml"
    if path.exists() and not written.dry_run:
        raise Refused(f"{path} exists; choose another name, or remove it first")
    services = Services(dict(os.environ), where, client(context))
    if source.experiment:
        if members.family:
            raise typer.BadParameter("goes with services only", param_hint="--family")
        text = written_from(services, model, source, source.given)
    else:
        text = _from_services(services, model, _asked(source, members), members)
    beside = members.members_file if members.family else None
    if written.dry_run:
        check(path.name, text, beside)
        _show(text, written, {"text": text})
        return
    write(path, text, beside)
    told = f"wrote {path}; read it through: thresholds and smoke tests are yours"
    _show(told + "\n", written, {"file": str(path)})


def _asked(source: Source, members: Members) -> Source:
    """Ask for what is missing, where there is somebody to ask."""
    if source.target:
        return source
    if not sys.stdin.isatty():
        raise typer.BadParameter("name at least one, or --experiment", param_hint="--target")
    example = "sales/{shop}" if members.family else "churn/production"
    target = typer.prompt(f"Target (SERVICE/ENDPOINT, such as {example})", err=True)
    training = source.training or typer.prompt(
        "Training service (Enter: none)", default="", show_default=False, err=True
    )
    return replace(source, target=[target], training=training)


def _from_services(services: Services, model: str, source: Source, members: Members) -> str:
    named = list(source.target or ())
    if not members.family:
        found = [services.target(name) for name in named]
        training = services.training(source.training) if source.training else None
        both = [*named, *filter(None, [source.training])]
        return declaration(model, services.known(found, training), both, source.given)
    who = membership(services, named, source.training, members)
    targets = [templated(services, name, who.sample, is_target=True) for name in named]
    trains = templated(services, source.training, who.sample) if source.training else None
    known = services.known([one.service for one in targets], trains.service if trains else None)
    templates = Templates(tuple(one.template for one in targets), trains.template if trains else "")
    return family(model, who, known, templates, source.given)


def _show(text: str, written: Written, document: Mapping[str, str]) -> None:
    typer.echo(json.dumps(document) if written.as_json else text, nl=written.as_json)


def check(name: str, text: str, beside: Path | None = None) -> None:
    """See that a declaration would be accepted by itself. Raises Misconfigured, Refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "managed_models" / name
        path.parent.mkdir()
        _put_beside(path.parent, beside)
        path.write_text(_for_editors(path.parent) + text, encoding="utf-8")
        Declarations.read(path.parent, None).check_members()


def write(path: Path, text: str, beside: Path | None = None) -> None:
    """Write the file and check it; one that would not be accepted is not left behind.

    beside: a file of members that belongs next to it. The first line tells editors where the
    schema is, where there is one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    copied = _put_beside(path.parent, beside)
    path.write_text(_for_editors(path.parent) + text, encoding="utf-8")
    try:
        Declarations.read(path.parent, None)
    except Misconfigured as error:
        if f"{path.name}:" not in str(error) and not (copied and f"{copied.name}:" in str(error)):
            return  # others in the folder are wrong; `alm validate` tells
        path.unlink()
        if copied is not None:
            copied.unlink()
        raise


def _for_editors(folder: Path) -> str:
    if not SCHEMA.is_file():
        return ""
    named = Path(os.path.relpath(SCHEMA, folder.resolve())).as_posix()
    return f"# yaml-language-server: $schema={named}\n"


def _put_beside(folder: Path, file: Path | None) -> Path | None:
    """Copy a file of members next to its declaration; None if it is there already."""
    if file is None:
        return None
    place = folder / file.name
    if place.exists() and place.read_bytes() == file.read_bytes():
        return None
    if place.exists():
        raise Refused(f"{place} exists and is another file; rename {file}, or remove that one")
    shutil.copyfile(file, place)
    return place
