"""`alm definition`: web service definitions (WSD) as files: changed, checked, deployed elsewhere.

A definition is kept without secrets. What was withheld, the leave to read the model file and the
key of the storage account, is given again when it is deployed, and is in no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from pydantic import SecretStr

from alm.domain.canonical import canonical_json
from alm.domain.definition_comparing import compare
from alm.domain.definitions import read_definition, resources, versioned, with_model
from alm.domain.errors import Refused
from alm.domain.secret_free import withheld
from alm.domain.source_control import segment
from alm.domain.web_services import Document, Plan
from alm.entrypoints.cli.studio import assets, differences, files, hosting, model_files, repository
from alm.entrypoints.cli.studio.desk import Desk, command
from alm.entrypoints.studio import finding

app = typer.Typer(
    name="definition", help="Web service definitions (WSD) as files.", no_args_is_help=True
)

File = Annotated[str, typer.Argument(help="A definition: a file, or repo:PATH@COMMIT.")]
OfExperiment = Annotated[str, typer.Option("--experiment", help="Of this experiment, which ran.")]
OfService = Annotated[str, typer.Option("--service", help="Of this deployed one: resource id.")]


@dataclass(frozen=True)
class Source:
    """Where a definition comes from: one of these."""

    experiment: OfExperiment = ""
    service: OfService = ""


@command(app, "export", example='--experiment "churn predictive" --to churn.wsd.json')
def export(
    desk: Desk,
    source: Source,
    out: assets.Destination,
    keeping: repository.Keeping,
) -> None:
    """Export a definition from an experiment or a deployed service: canonical, without secrets."""
    name, definition = _read(desk, "", source)
    document = versioned(definition)
    content = canonical_json(document)
    for place in withheld(document):
        desk.tell(f"withheld: {place}")
    path = f"definitions/{segment(name)}.json"
    answer = repository.put_out(desk, content, name, path, (out, keeping))
    if answer is not None:
        desk.answer(name=name, **answer)


@command(app, "patch", example="churn.wsd.json --blob https://…/v3.ilearner --to churn-v3.wsd.json")
def patch(
    desk: Desk,
    file: File,
    blob: Annotated[str, typer.Option(help="The URL of the model file.")],
    resource: model_files.Resource = "",
    *,
    out: assets.Destination,
) -> None:
    """Let a definition name another model file. Its signature is given when it is deployed."""
    definition = read_definition(repository.content_of(desk, file))
    grant = model_files.at_url(desk, blob)
    name = resource or the_model(definition)
    changed = with_model(definition, name, grant.location, SecretStr(grant.sas))
    files.write(canonical_json(versioned(changed)), out.to or files.STDOUT, force=out.force)
    if out.to and out.to != files.STDOUT:
        desk.answer(file=out.to, resource=name, model=grant.location)


@command(app, "check", example="churn.wsd.json --plan /subscriptions/…/commitmentPlans/eu")
def check(
    desk: Desk,
    file: File,
    plan: hosting.PlanIn = "",
    location: hosting.LocationIn = "",
    storage: hosting.StorageIn = "",
) -> None:
    """Say why a definition could not be deployed: as it is, or on a plan and storage account.

    The leave to read its model files, which no kept definition holds, is given when it is deployed.
    """
    definition = read_definition(repository.content_of(desk, file))
    for model in resources(definition):
        if model.location:
            definition = with_model(definition, model.name, model.location, "given when deployed")
    place = location or str(definition.get("location") or "")
    found = desk.new.plan(plan) if plan else Plan(id=hosting.ANY_PLAN, name="any", region=place)
    reasons = hosting.unfit(definition, found, storage or "anyaccount", location or found.region)
    if reasons:
        raise Refused(f"{file} cannot be deployed:\n  " + "\n  ".join(reasons))
    models = [f"{one.name} ({one.location})" for one in resources(definition)]
    desk.answer(file=file, fits="yes", models=models)


@command(
    app,
    "deploy",
    example="churn-eu --file churn.wsd.json --plan /subscriptions/…/commitmentPlans/eu "
    "--storage account --version churn:v3",
)
def deploy(
    desk: Desk,
    name: Annotated[str, typer.Argument(help="Its name, or its whole resource id.")],
    file: Annotated[str, typer.Option(help="A definition: a file, or repo:PATH@COMMIT.")] = "",
    *,
    source: Source,
    model: model_files.ModelFile,
    hosted: hosting.Hosted,
) -> None:
    """Deploy a definition as a new web service, in any plan and region; waits until it is there."""
    _, definition = _read(desk, file, source)
    if model.is_named:
        grant = model_files.grant(desk, model)
        replaced = model.resource or the_model(definition)
        definition = with_model(definition, replaced, grant.location, SecretStr(grant.sas))
    desk.answer(**hosting.deploy(desk, name, definition, hosted))


@command(app, "compare", example="churn.wsd.json /subscriptions/…/webServices/churn-eu")
def compare_with(
    desk: Desk,
    file: File,
    service: Annotated[str, typer.Argument(help="A deployed web service: its resource id.")],
    exit_code: differences.ExitCode = False,
) -> None:
    """Say what would become different if a file were deployed in place of a service."""
    definition = read_definition(repository.content_of(desk, file))
    differences.show(desk, compare(desk.new.get(service), definition), exit_code)


def _read(desk: Desk, file: str, source: Source) -> tuple[str, Document]:
    """The definition that is meant, with a name for it. Raises Refused unless one way is named."""
    ways = [way for way in (file, source.experiment, source.service) if way]
    if len(ways) != 1:
        raise Refused("name one of --experiment, --service (a resource id) and, to deploy, --file")
    if file:
        return file, read_definition(repository.content_of(desk, file))
    if source.service:
        return source.service.rpartition("/")[2], desk.new.get(source.service)
    workspace = desk.workspace
    found = finding.experiment(workspace, source.experiment)
    return found.name, workspace.definition(found.id)


def the_model(definition: Document) -> str:
    """The only trained model of a definition. Raises Refused if there are several."""
    names = [one.name for one in resources(definition)]
    if len(names) != 1:
        raise Refused(
            f"the definition has {len(names)} trained models ({', '.join(names) or 'none'}); name "
            "one with --resource"
        )
    return names[0]
