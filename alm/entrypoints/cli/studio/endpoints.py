"""`alm endpoint`: endpoints of a classic web service, each with a version of its own.

An endpoint serves what the service served when it was created, until it is patched or refreshed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from alm.domain.errors import Refused, Unknown
from alm.domain.managed_model import ClassicEndpoint, Target
from alm.domain.web_services import Endpoint, EndpointSettings
from alm.entrypoints.cli.studio import assets, model_files, waiting
from alm.entrypoints.cli.studio.desk import Desk, columns, command
from alm.entrypoints.cli.studio.web_services import ENDPOINTS, endpoint_row
from alm.entrypoints.studio import finding

app = typer.Typer(name="endpoint", help="Endpoints of a classic service.", no_args_is_help=True)

LOW_CALLS = 4  # what throttle Low allows at a time
COUNT_MAX = 1000  # a service takes 10,000; a typo shall not make them all
MINUTES_MAX = 5.0  # to settle after a patch; seconds are usual

Service = Annotated[str, typer.Argument(help="A classic web service: name or id.")]
Name = Annotated[str, typer.Argument(help="The name of the endpoint.")]


@dataclass(frozen=True)
class Many:
    """Several endpoints, numbered."""

    count: Annotated[int, typer.Option(min=1, max=COUNT_MAX, help="How many.")] = 1
    name_template: Annotated[str, typer.Option(help="Their names; {n} is a number.")] = "ep{n}"
    first: Annotated[int, typer.Option(min=0, help="The first number.")] = 1


@dataclass(frozen=True)
class Settings:
    """How endpoints are made."""

    description: assets.Text = ""
    calls: Annotated[
        int, typer.Option(min=0, max=200, help="Calls at a time; more than 4: throttle High.")
    ] = 0

    @property
    def declared(self) -> EndpointSettings:
        is_high = self.calls > LOW_CALLS
        return EndpointSettings(
            description=self.description,
            throttle="High" if is_high else "Low",
            concurrent_calls=self.calls if is_high else None,
        )


@command(app, "list", example="churn")
def list_endpoints(desk: Desk, service: Service) -> None:
    """List the endpoints of a web service with the models in them."""
    found = finding.service(desk.classic, service)
    rows = [endpoint_row(one) for one in desk.classic.endpoints(found.id)]
    desk.show(rows, (*ENDPOINTS, *columns("description")))


@command(app, "show", example="churn ep2 --keys")
def show(
    desk: Desk,
    service: Service,
    name: Name,
    keys: Annotated[bool, typer.Option("--keys", help="Print the keys, too.")] = False,
) -> None:
    """Show one endpoint: where it is called, what it serves."""
    found = finding.service(desk.classic, service)
    row = endpoint_row(desk.classic.endpoint(found.id, name), keys)
    desk.answer(**{field: value for field, value in row.items() if field not in ("model", "file")})


@command(app, "create", example="churn --count 20 --name-template ep{n} --first 2")
def create(
    desk: Desk,
    service: Service,
    name: Annotated[str, typer.Argument(help="Its name; or use --count.")] = "",
    *,
    many: Many,
    settings: Settings,
) -> None:
    """Create an endpoint, or many identical ones; each serves what the service serves now.

    Those that are there are left as they are: repeat it after a failure.
    """
    found = finding.service(desk.classic, service)
    names = _names(name, many)
    there = {one.name for one in desk.classic.endpoints(found.id)}
    rows = []
    for one in names:
        made = one not in there
        if made:
            endpoint = desk.classic.put_endpoint(found.id, one, settings.declared)
            desk.tell(f"endpoint {one} made")
        else:
            endpoint = desk.classic.endpoint(found.id, one)
            desk.tell(f"endpoint {one} was there")
        rows.append({**endpoint_row(endpoint), "made": "yes" if made else "was there"})
    desk.show(rows, columns("name", "made", "model", "file", "throttle", "calls"))


@command(app, "patch", example="churn ep2 --version churn:v3")
def patch(
    desk: Desk,
    service: Service,
    name: Name,
    file: model_files.ModelFile,
) -> None:
    """Put a trained model into an endpoint; it must lie in blob storage, not on this disk."""
    grant = model_files.grant(desk, file)
    found = finding.service(desk.classic, service)
    endpoint = desk.classic.endpoint(found.id, name)
    target = desk.connection.services.target(_target(desk, endpoint, file.resource))
    target.patch(grant)
    reading = waiting.until(
        desk, target.read, lambda seen: seen.settled, doing=f"patching {name}", minutes=MINUTES_MAX
    )
    if reading.location != grant.location:
        raise Unknown(
            f"endpoint {name!r} accepted {grant.location} and names {reading.location}; look again "
            "with alm endpoint show"
        )
    desk.answer(endpoint=name, service=found.id, model=reading.location)


@command(app, "refresh", example="churn ep2 --overwrite")
def refresh(
    desk: Desk,
    service: Service,
    name: Name,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace its own trained models, too.")
    ] = False,
) -> None:
    """Make an endpoint follow its service once: it serves what the service serves now."""
    found = finding.service(desk.classic, service)
    changed = desk.classic.refresh_endpoint(found.id, name, overwrite=overwrite)
    desk.answer(endpoint=name, service=found.id, refreshed="yes" if changed else "was current")


@command(app, "delete", example="churn ep2 --yes")
def delete(desk: Desk, service: Service, name: Name, yes: assets.Yes = False) -> None:
    """Delete an endpoint with its keys."""
    found = finding.service(desk.classic, service)
    desk.classic.endpoint(found.id, name)
    desk.confirm(
        f"Endpoint {name!r} of web service {found.name!r} is deleted with its keys; whoever calls "
        "it gets no answer.",
        yes,
    )
    desk.classic.delete_endpoint(found.id, name)
    desk.answer(deleted=name, service=found.id)


def _names(name: str, many: Many) -> list[str]:
    if name and many.count == 1:
        return [name]
    if name:
        raise Refused("a name and --count: name one endpoint, or give --count and --name-template")
    if many.count > 1 and "{n}" not in many.name_template:
        raise Refused(f"--name-template {many.name_template!r} has no {{n}}; all would be one name")
    return [many.name_template.replace("{n}", str(many.first + at)) for at in range(many.count)]


def _target(desk: Desk, endpoint: Endpoint, resource: str) -> Target:
    names = [one.name for one in endpoint.resources]
    if not resource and len(names) != 1:
        raise Refused(
            f"endpoint {endpoint.name!r} has {len(names)} trained models "
            f"({', '.join(names) or 'none'}); name one with --resource"
        )
    service = ClassicEndpoint(kind="classic", endpoint=endpoint.address, token=desk.declared.token)
    return Target(name="endpoint", service=service, trained_model=resource or names[0])
