"""Deploys new web services by hand: checked first, put once, waited for.

A repeat goes on: a service that is there with this very definition is waited for, not put again.
Another one of the same name is only replaced where that was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from alm.domain.definition_comparing import compare
from alm.domain.definition_fit import Storage, fit
from alm.domain.definitions import new_name, with_hosting
from alm.domain.errors import Conflict, Misconfigured, NotFound, Refused
from alm.domain.nearest import shown
from alm.domain.web_services import Document, Plan
from alm.entrypoints.cli.studio import waiting
from alm.entrypoints.cli.studio.desk import Desk

KEY = "env:ALM_STUDIO_STORAGE_KEY"
ANY_PLAN = (
    "/subscriptions/any/resourceGroups/any/providers/Microsoft.MachineLearning/commitmentPlans/any"
)
_SERVICES = "providers/Microsoft.MachineLearning/webServices"
NO_MODEL = "it has no trained model"
_OVER = ("succeeded", "failed")

PlanIn = Annotated[str, typer.Option("--plan", help="The resource id of the web service plan.")]
LocationIn = Annotated[str, typer.Option("--location", help="Its region; default: the plan's.")]
StorageIn = Annotated[str, typer.Option("--storage", help="The storage account: its name.")]
KeyIn = Annotated[str, typer.Option("--storage-key", help="The name of its key: env:… keyvault:…")]
GroupIn = Annotated[str, typer.Option("--group", help="Its resource group; default: the plan's.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a service of that name.")]
Minutes = Annotated[float, typer.Option(min=0.01, help="How long to wait at most.")]


@dataclass(frozen=True)
class Hosted:
    """Where a web service is to be. storage_key: the name of a secret."""

    plan: PlanIn = ""
    storage: StorageIn = ""
    storage_key: KeyIn = KEY
    location: LocationIn = ""
    group: GroupIn = ""
    overwrite: Overwrite = False
    minutes: Minutes = 60.0

    def check(self) -> None:
        """Raises Refused if it is not said where."""
        given = {"--plan": self.plan, "--storage": self.storage}
        lacks = [option for option, text in given.items() if not text]
        if lacks:
            raise Refused(
                f"a new web service needs {' and '.join(lacks)}: the resource id of a plan (alm "
                "plan list) and the name of a storage account of the plan's region"
            )

    def resource(self, name: str) -> str:
        """The resource id of a service: whole as given, else beside its plan."""
        if name.startswith("/"):
            return name
        parts = self.plan.split("/")
        if len(parts) != len(ANY_PLAN.split("/")):
            raise Refused(
                f"{shown(self.plan)} is not the resource id of a web service plan "
                "(/subscriptions/…/resourceGroups/…/…/commitmentPlans/…)"
            )
        scope = f"/subscriptions/{parts[2]}/resourceGroups/{self.group or parts[4]}"
        return f"{scope}/{_SERVICES}/{new_name(name)}"


def unfit(definition: Document, plan: Plan, storage: str, region: str) -> list[str]:
    """Why a definition cannot be deployed there."""
    return fit(definition, plan, Storage(name=storage), region)


def deploy(
    desk: Desk, name: str, definition: Document, hosted: Hosted, *, trains: bool = False
) -> dict[str, Any]:
    """Deploy a definition and wait; says where it is. Raises Refused if it does not fit there.

    trains: it is a training service's, which holds no trained model.
    """
    hosted.check()
    resource = hosted.resource(name)
    plan = desk.new.plan(hosted.plan)
    region = hosted.location or plan.region
    reasons = unfit(definition, plan, hosted.storage, region)
    reasons = [reason for reason in reasons if not (trains and reason.startswith(NO_MODEL))]
    if reasons:
        hint = "" if trains else "\nA model file is put in with --blob or --version"
        raise Refused(f"it cannot be deployed as {resource}:\n  " + "\n  ".join(reasons) + hint)
    document = with_hosting(
        definition,
        storage_account=hosted.storage,
        storage_key=desk.connection.secret(hosted.storage_key),
        plan=plan.id,
        location=region,
    )
    if _put(desk, resource, document, hosted.overwrite):
        desk.tell(f"{resource} accepted")
    ended = _settled(desk, resource, hosted.minutes)
    return {"id": resource, "region": region, "plan": plan.id, "state": _state(ended)}


def _put(desk: Desk, resource: str, document: Document, overwrite: bool) -> bool:
    """Put it, unless it is there already. Raises Conflict if something else is."""
    try:
        present = desk.new.get(resource)
    except NotFound:
        desk.new.put(resource, document)
        return True
    if (
        compare(_with_plan(present, document), document).is_empty
        and _state(present).lower() != "failed"
    ):
        desk.tell(f"{resource} is there with this definition")
        return False
    if not overwrite:
        raise Conflict(
            f"web service {resource} is there, and is another one; use --overwrite to replace it "
            "(alm definition compare tells what is different), or another name"
        )
    desk.new.put(resource, document)
    return True


def _with_plan(present: Document, document: Document) -> Document:
    """What is there, with the plan that is meant: Resource Manager may not tell a service's."""
    properties = {"commitmentPlan": document["properties"]["commitmentPlan"]}
    return {**present, "properties": {**properties, **present["properties"]}}


def _settled(desk: Desk, resource: str, minutes: float) -> Document:
    ended = waiting.until(
        desk,
        lambda: desk.new.get(resource),
        lambda seen: _state(seen).lower() in _OVER,
        doing=f"deploying {resource.rpartition('/')[2]}",
        minutes=minutes,
    )
    if _state(ended).lower() == "failed":
        raise Misconfigured(f"{resource} could not be deployed: {desk.new.why_failed(resource)}")
    return ended


def _state(definition: Document) -> str:
    properties = definition.get("properties")
    found = properties.get("provisioningState") if isinstance(properties, dict) else ""
    return str(found or "")
