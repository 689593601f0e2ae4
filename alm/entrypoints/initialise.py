"""`alm validate` checks declarations; `alm init` writes one from web services that exist.

It reads the services and scores one row of their own example, never changes them, and writes a
file that is valid as it stands and is to be read through by people.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from alm.adapters.clock import SystemClock
from alm.adapters.declarations import Declarations
from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.adapters.studio import inspect
from alm.adapters.studio.declaring import Known, answers_of, declaration
from alm.adapters.studio.inspect import Description
from alm.adapters.studio.services import StudioServices
from alm.bootstrap import allowed_hosts
from alm.domain.errors import AlmError, Misconfigured, Refused
from alm.domain.managed_model import Target
from alm.ports import Row
from alm.settings import Settings

SCHEMA = Path(__file__).resolve().parents[2] / "docs/schemas/managed-model.json"
NAMED = ("ALM_LOCAL", "ALM_ARM_URL", "ALM_STUDIO_URL", "ALM_ALLOWED_HOSTS")


def add_to(cli: typer.Typer) -> None:
    """Add the commands that work on files to the command line."""

    @cli.command(epilog="Example: alm validate managed_models")
    def validate(
        folder: Annotated[Path, typer.Argument(help="The folder of declarations.")] = Path(
            "managed_models"
        ),
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    ) -> None:
        """Check declarations of managed models; every mistake is told with file, line, remedy."""
        declared = Declarations.read(folder, None)
        declared.check_members()
        found = {"models": declared.models(), "families": list(declared.families())}
        told = f"{len(found['models'])} managed models, {len(found['families'])} families"
        typer.echo(json.dumps(found) if as_json else told)

    @cli.command(
        epilog="Example: alm init churn --target https://…/endpoints/ep2 --training https://…"
        "/endpoints/default"
    )
    def init(
        model: Annotated[str, typer.Argument(help="The name of the managed model.")],
        target: Annotated[
            list[str], typer.Option(help="Endpoint URL or resource id; may be repeated.")
        ],
        training: Annotated[str, typer.Option(help="The training service's, likewise.")] = "",
        folder: Annotated[Path, typer.Option(help="Where the file goes.")] = Path("managed_models"),
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    ) -> None:
        """Write a managed model from existing web services."""
        path = folder / f"{model}.yaml"
        if path.exists():
            raise Refused(f"{path} exists; choose another name, or remove it first")
        text = declaration(model, known_of(_services(os.environ), target, training))
        write(path, text)
        told = f"wrote {path}; read it through: thresholds and smoke tests are yours"
        typer.echo(json.dumps({"file": str(path)}) if as_json else told)


def write(path: Path, text: str) -> None:
    """Write the file and check it; one that would not be accepted is not left behind.

    Its first line tells editors where the schema is, where there is one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_for_editors(path.parent) + text, encoding="utf-8")
    try:
        Declarations.read(path.parent, None)
    except Misconfigured as error:
        if f"{path.name}:" not in str(error):
            return  # others in the folder are wrong; `alm validate` tells
        path.unlink()
        raise


def _for_editors(folder: Path) -> str:
    if not SCHEMA.is_file():
        return ""
    named = Path(os.path.relpath(SCHEMA, folder.resolve())).as_posix()
    return f"# yaml-language-server: $schema={named}\n"


def known_of(services: StudioServices, targets: list[str], training: str) -> Known:
    """What the services say of themselves. Raises Misconfigured if one cannot be a target."""
    found = [inspect.describe(services, inspect.declared(name)) for name in targets]
    for target in found:
        if not target.patchable:
            raise Misconfigured(f"{target.name} cannot be a target: {target.why_not}")
    trains = inspect.describe(services, inspect.declared(training)) if training else None
    if trains is not None and not trains.trains:
        raise Misconfigured(
            f"{trains.name} puts out no trained model; name the training service with --training"
        )
    answers = answers_of(found[0], lambda row: _scored(services, found[0], row))
    return Known(targets=tuple(found), training=trains, answers=answers)


def _scored(services: StudioServices, target: Description, row: Row) -> Mapping[str, str | None]:
    """What the service answers to one row; nothing if it cannot score it."""
    declared = Target(name="init", service=target.service, trained_model=target.resources[0].name)
    api = target.api
    try:
        scores = services.target(declared).score(
            [row], input=api.inputs[0].name, output=api.outputs[0].name
        )
    except AlmError as error:
        Console(stderr=True).print(
            f"the example row could not be scored: {error}", markup=False, soft_wrap=True
        )
        return {}
    return dict(zip(scores.columns, scores.rows[0], strict=True))


def _services(environment: Mapping[str, str]) -> StudioServices:
    """Clients of the services; of the app's settings only those are needed that say where."""
    given = {name: value for name in NAMED if (value := environment.get(name))}
    local = given.get("ALM_LOCAL") == "1"
    standing_in = given.get("ALM_STUDIO_URL", "") if local else ""
    settings = Settings.model_construct(
        local=local,
        arm_url=given.get("ALM_ARM_URL") or standing_in or "https://management.azure.com",
        allowed_hosts=tuple(filter(None, given.get("ALM_ALLOWED_HOSTS", "").split(","))),
    )
    identity = Identity(environment, SystemClock())
    return StudioServices(Http(allowed_hosts(settings)), identity, settings.arm_url)
