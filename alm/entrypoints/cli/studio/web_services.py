"""`alm web-service`: classic web services of a workspace, and those of Resource Manager.

A name or id means a classic one; a resource id (`/subscriptions/…`) means a new one. Keys are only
printed when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from pydantic import SecretStr

from alm.domain.definitions import resources
from alm.domain.errors import Refused
from alm.domain.experiment import Experiment
from alm.domain.run_history import label
from alm.domain.web_services import ClassicWebService, Endpoint, NewWebService
from alm.entrypoints.cli.studio import assets, waiting
from alm.entrypoints.cli.studio.desk import Desk, columns, command
from alm.entrypoints.studio import finding
from alm.studio_ports import Workspace

app = typer.Typer(name="web-service", help="Web services, classic and new.", no_args_is_help=True)

Service = Annotated[
    str, typer.Argument(help="A classic service (name or id), or the resource id of a new one.")
]
ENDPOINTS = columns("name", "model", "file", "throttle", "calls", "version", version="updated")

Minutes = Annotated[float, typer.Option(min=0.01, help="How long to wait at most.")]


@command(app, "list", example="--subscription 0000… --group scoring")
def list_services(
    desk: Desk,
    subscription: Annotated[str, typer.Option(help="New services, of this subscription.")] = "",
    group: Annotated[str, typer.Option(help="Only of this resource group.")] = "",
) -> None:
    """List the classic web services of a workspace, or the new ones of a subscription."""
    if subscription:
        new = [_new_row(one) for one in desk.new.list(subscription, group)]
        desk.show(new, columns("name", "region", "state", "created", "id"))
        return
    found = sorted(desk.classic.services(), key=lambda one: (one.name.casefold(), one.id))
    desk.show(
        [_row(one) for one in found], columns("name", "endpoints", "default", "created", "id")
    )


@command(app, "show", example="churn --keys")
def show(
    desk: Desk,
    service: Service,
    keys: Annotated[bool, typer.Option("--keys", help="Print the keys, too.")] = False,
) -> None:
    """Show a web service: where it is called, its endpoints, the models in it."""
    if is_resource(service):
        _show_new(desk, service, keys)
        return
    found = finding.service(desk.classic, service)
    endpoints = [endpoint_row(one, keys) for one in desk.classic.endpoints(found.id)]
    if desk.choice.as_json:
        desk.show({**_row(found), "description": found.description, "endpoints": endpoints})
        return
    desk.answer(**_row(found), description=found.description)
    desk.show(endpoints, (*ENDPOINTS, *columns("api", *_keys(keys))))


@command(app, "deploy", example='"churn predictive" --update')
def deploy(
    desk: Desk,
    experiment: assets.Experiment,
    update: Annotated[
        bool, typer.Option("--update", help="Redeploy: its default endpoint follows, others stay.")
    ] = False,
    minutes: Minutes = 30,
) -> None:
    """Deploy a classic web service from an experiment that ran to its end."""
    workspace = desk.workspace
    found = finding.editable(workspace, experiment, "deploy")
    service = deployed(desk, workspace, found, update=update, minutes=minutes)
    record = desk.classic.service(service)
    endpoint = desk.classic.endpoint(service, record.default_endpoint)
    desk.answer(
        id=service,
        name=record.name,
        endpoint=endpoint.name,
        address=endpoint.address,
        api=endpoint.api_location,
        run=found.run,
    )


@command(app, "delete", example="churn --yes")
def delete(desk: Desk, service: Service, yes: assets.Yes = False) -> None:
    """Delete a web service with its endpoints and keys."""
    if is_resource(service):
        desk.new.get(service)
        desk.confirm(f"Web service {service} is deleted with its keys.", yes)
        desk.new.delete(service)
        desk.answer(deleted=service)
        return
    found = finding.service(desk.classic, service)
    desk.confirm(
        f"Web service {found.name!r} ({found.id}) is deleted with its {found.endpoints} endpoints; "
        "whoever calls them gets no answer.",
        yes,
    )
    desk.classic.delete_service(found.id)
    desk.answer(deleted=found.id, name=found.name, endpoints=found.endpoints)


def deployed(
    desk: Desk, workspace: Workspace, found: Experiment, *, update: bool, minutes: float
) -> str:
    """Deploy an experiment whose run ended well, and wait; returns the id of the service."""
    if found.state != "Finished":
        raise Refused(
            f"experiment {found.name!r} is {label(found)}; only one that ran to its end can be "
            f"deployed: alm experiment run {found.id} --wait"
        )
    present = found.service.service if found.service else ""
    if present and not update:
        raise Refused(
            f"web service {present} was deployed from {found.name!r} already; use --update to "
            "redeploy it (its default endpoint follows, its other endpoints stay as they are)"
        )
    begun = workspace.deploy(found.id, update=bool(present))
    over = waiting.activity_over(
        desk, workspace.deploying, begun, doing=f"deploying {found.name!r}", minutes=minutes
    )
    return over.service or begun.service


def is_resource(text: str) -> bool:
    """Whether a text is meant to be the resource id of a new web service."""
    return text.lower().startswith("/subscriptions/")


def endpoint_row(endpoint: Endpoint, keys: bool = False) -> dict[str, object]:
    """An endpoint as a row; its keys only where they were asked for."""
    secrets = {
        "primary key": endpoint.key.get_secret_value(),
        "secondary key": endpoint.secondary_key.get_secret_value(),
    }
    return {
        "name": endpoint.name,
        "service": endpoint.service,
        "description": endpoint.description,
        "models": ", ".join(f"{one.name} ({one.location})" for one in endpoint.resources),
        "model": "\n".join(one.name for one in endpoint.resources),
        "file": "\n".join(one.location.rpartition("/")[2] for one in endpoint.resources),
        "throttle": endpoint.throttle,
        "calls": endpoint.concurrent_calls,
        "created": endpoint.created[:19],
        "version": endpoint.version,
        "api": endpoint.api_location,
        "address": endpoint.address,
        "help": endpoint.help,
        **(secrets if keys else {}),
    }


def _show_new(desk: Desk, resource: str, keys: bool) -> None:
    definition = desk.new.get(resource)
    properties = definition.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    plan = properties.get("commitmentPlan")
    desk.answer(
        id=resource,
        name=resource.rpartition("/")[2],
        region=definition.get("location"),
        state=properties.get("provisioningState"),
        title=properties.get("title"),
        swagger=properties.get("swaggerLocation"),
        plan=plan.get("id") if isinstance(plan, dict) else "",
        models=[f"{one.name} ({one.location})" for one in resources(definition)],
        **(dict(zip(_keys(True), _secrets(desk.new.keys(resource)), strict=True)) if keys else {}),
    )


def _secrets(keys: Iterable[SecretStr]) -> list[str]:
    return [key.get_secret_value() for key in keys]


def _keys(keys: bool) -> tuple[str, ...]:
    return ("primary key", "secondary key") if keys else ()


def _row(service: ClassicWebService) -> dict[str, object]:
    return {
        "id": service.id,
        "name": service.name,
        "endpoints": service.endpoints,
        "default": service.default_endpoint,
        "created": service.created[:19],
    }


def _new_row(service: NewWebService) -> dict[str, object]:
    row = service.model_dump()
    return {**row, "created": service.created[:19]}
