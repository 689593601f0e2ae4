"""Hosting: a definition made ready for the place it is deployed to, with a model file of ours.

Region, plan and storage account are checked against each other before anything is sent, for a
service that is deployed to the wrong place cannot be moved.

Source: a price plan is chosen in the region of the service (documentation, deploying to several
regions); the storage account is fixed at creation. Where storage may be is not published: another
region needs its account declared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import SecretStr

from alm.adapters.studio import definitions
from alm.adapters.studio.arm import web_service_of
from alm.adapters.studio.definitions import changed, part, text_at
from alm.domain.definitions import SUFFIX
from alm.domain.errors import Misconfigured, NotFound
from alm.domain.hosting import Hosting
from alm.domain.secret_texts import WITHHELD
from alm.domain.web_services import Document, Plan
from alm.ports import Grant


def with_model(
    definition: Document, model: Grant, trained_model: str, whose: str
) -> dict[str, Any]:
    """The assets of a definition, one of them with another file. Raises Misconfigured: no such."""
    key = web_service_of(definition, whose).resource(trained_model).id
    assets = part(definition, "properties", "assets")
    place = {"uri": model.location, "credentials": model.sas}
    return {**assets, key: changed(assets[key], locationInfo=place)}


def left_behind(
    there: Document, assets: dict[str, Any], trained_model: str, whose: str
) -> dict[str, Any]:
    """Assets of that name which a PATCH that merges would leave as they are: with the new file.

    Another graph may number its assets otherwise; then the old one stays beside, and whoever reads
    the service back must not find the old file in it.
    """
    model = web_service_of({"properties": {"assets": assets}}, whose).resource(trained_model)
    names = (model.name, model.name.removesuffix(SUFFIX), model.name.removesuffix(SUFFIX) + SUFFIX)
    return {
        old.id: assets[model.id]
        for old in web_service_of(there, whose).resources
        if old.id not in assets and old.name in names
    }


def check_leave(assets: dict[str, Any], whose: str) -> None:
    """Raises Misconfigured if leave to read a file was withheld and is not known here either."""
    lacking = [
        text_at(asset, "name") or key
        for key, asset in assets.items()
        if isinstance(asset, dict) and WITHHELD in str(part(asset, "locationInfo"))
    ]
    if lacking:
        raise Misconfigured(
            f"{whose}: leave to read {', '.join(lacking)} was withheld when the definition was "
            "kept, and the service has none; put those files into the definition again"
        )


def with_leave(definition: Document, there: Document) -> dict[str, Any]:
    """A versioned definition holds no leave to read its files: those of the service are taken."""
    known = part(there, "properties", "assets").values()
    leave = {
        text_at(asset, "locationInfo", "uri"): text_at(asset, "locationInfo", "credentials")
        for asset in known
        if isinstance(asset, dict)
    }
    assets = {
        key: _with_leave(asset, leave) if isinstance(asset, dict) else asset
        for key, asset in part(definition, "properties", "assets").items()
    }
    properties = changed(part(definition, "properties"), assets=assets)
    return changed(definition, properties=properties)


def _with_leave(asset: dict[str, Any], leave: dict[str, str]) -> dict[str, Any]:
    place = part(asset, "locationInfo")
    found = leave.get(text_at(place, "uri"), "")
    if text_at(place, "credentials") not in ("", WITHHELD) or not found:
        return asset
    return changed(asset, locationInfo=changed(place, credentials=found))


def placed(
    definition: Document,
    hosting: Hosting,
    *,
    plan: Callable[[str], Plan],
    secret: Callable[[str], SecretStr],
    whose: str,
) -> dict[str, Any]:
    """A definition with region, plan and storage account. Raises Misconfigured: they do not fit."""
    region = hosting.region or text_at(definition, "location")
    name = _storage_account(definition, hosting, region, whose)
    _check_plan(hosting, region, plan, whose)
    key = secret(hosting.storage_key).get_secret_value()
    properties = changed(
        part(definition, "properties"),
        storageAccount={"name": name, "key": key},
        commitmentPlan={"id": hosting.plan},
        readOnly=None,
    )
    return changed(definition, location=region, properties=properties)


def check_stays(there: Document, wanted: Document, whose: str) -> None:
    """Raises Misconfigured if a service that is there would have to move."""
    for what, path in (
        ("region", ("location",)),
        ("storage account", ("properties", "storageAccount", "name")),
    ):
        now, then = text_at(there, *path), text_at(wanted, *path)
        if now and then and not definitions.same_region(now, then):
            raise Misconfigured(
                f"{whose}: its {what} is {now}, and {then} is declared; a web service cannot be "
                "moved: declare what it has, or another resource"
            )


def _check_plan(hosting: Hosting, region: str, plan_of: Callable[[str], Plan], whose: str) -> None:
    try:
        plan = plan_of(hosting.plan)
    except NotFound as error:
        raise Misconfigured(
            f"{whose}: plan {hosting.plan} does not exist; correct `hosting.plan`, or create the "
            "plan"
        ) from error
    if not definitions.same_region(plan.region, region):
        raise Misconfigured(
            f"{whose}: plan {plan.name!r} is in {plan.region}, the web service is to be in "
            f"{region}: both must be in one region; correct `hosting.plan` or `hosting.region`"
        )


def _storage_account(definition: Document, hosting: Hosting, region: str, whose: str) -> str:
    place = text_at(definition, "location")
    named = text_at(definition, "properties", "storageAccount", "name")
    if hosting.storage_account:
        return hosting.storage_account
    if named and not definitions.same_region(region, place):
        raise Misconfigured(
            f"{whose}: its definition is for {place} and the service is to be in {region}; add "
            "`hosting.storage_account`, the account that it is to use"
        )
    if not named:
        raise Misconfigured(
            f"{whose}: the definition names no storage account; add `hosting.storage_account`"
        )
    return named
