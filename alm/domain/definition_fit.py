"""Whether a web service definition can be deployed somewhere else, before anything is asked to.

Source: webServices and commitmentPlans of Resource Manager. Inferred: that a service lives in the
region of its plan, and that its storage account must be there too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

from alm.domain.definition_shape import spelled
from alm.domain.definitions import (
    SUFFIX,
    assets_of,
    is_file,
    parameter_text,
    properties_of,
    versioned,
)
from alm.domain.frozen import Frozen
from alm.domain.nearest import shown
from alm.domain.secret_free import withheld
from alm.domain.secret_texts import WITHHELD
from alm.domain.web_services import Document, Plan

_PLAN = re.compile(
    r"/subscriptions/[\w-]+/resourceGroups/[\w.()-]+/providers/Microsoft\.MachineLearning"
    r"/commitmentPlans/[^/?#\s]+",
    re.IGNORECASE,
)
_STORAGE = re.compile(r"[a-z0-9]{3,24}")  # as Azure names storage accounts
REASONS_MAX = 20  # more than a person corrects at once


class Storage(Frozen):
    """The storage account of a deployment; region "" if it is not known."""

    name: str
    region: str = ""


def fit(definition: Document, plan: Plan, storage: Storage | None, region: str) -> list[str]:
    """Say why the definition cannot be deployed on that plan in that region; nothing if it can."""
    copy = spelled(definition)
    properties = properties_of(copy)
    there = chain(_plan(plan, region), _storage(storage, region))
    within = chain(_kind(properties), _models(copy), _package(properties), _left_out(properties))
    return list(islice(chain(there, within), REASONS_MAX))


def change_faults(wanted: Document, there: Document, trained_model: str) -> list[str]:
    """Say why a service cannot become a definition with a model file of ours, and be given back.

    Both are known as they are kept, without secrets: what was withheld cannot be sent again, and
    leave to read a file can only be taken over from the service as it is at that time.
    """
    new, old = versioned(wanted), versioned(there)
    reasons = [f"the definition: {reason}" for reason in _whole(new, old, trained_model)]
    reasons += [f"the way back, the service as it is: {r}" for r in _whole(old, new, trained_model)]
    places = str(old.get("location") or ""), str(new.get("location") or "")
    if not same_region(*places):
        moved = f"the service is in {places[0]}, the definition is for {places[1] or 'no region'}"
        reasons.insert(0, f"{moved}; a web service cannot be moved")
    return reasons[:REASONS_MAX]


def _whole(definition: Document, other: Document, trained_model: str) -> Iterator[str]:
    properties = properties_of(definition)
    yield from chain(_kind(properties), _package(properties), _left_out(properties))
    model = trained_model.removesuffix(SUFFIX)
    files = _files(definition)
    if not any(name == model for name, _, _ in files):
        names = ", ".join(shown(name) for name, _, _ in files) or "none"
        yield f"it has no trained model {shown(model)} (it has {names})"
    known = {place for _, place, _ in _files(other)}
    for name, place, is_secret in files:
        if name != model and is_secret and place not in known:
            yield f"leave to read the file of {shown(name)} ({place}) would have to be given again"


def _files(definition: Document) -> list[tuple[str, str, bool]]:
    """Name, address, and whether leave to read it was withheld, of each asset that is a file."""
    found = []
    for key, asset in assets_of(definition):
        place = asset.get("locationInfo")
        place = place if isinstance(place, Mapping) else {}
        name = str(asset.get("name") or key).removesuffix(SUFFIX)
        is_secret = WITHHELD in f"{place.get('credentials')}{place.get('uri')}"
        if is_file(asset):
            found.append((name, str(place.get("uri") or ""), is_secret))
    return found


def same_region(one: str, other: str) -> bool:
    """Whether two names mean one region: `South Central US`, `southcentralus`."""
    return _plain(one) == _plain(other)


def _plan(plan: Plan, region: str) -> Iterator[str]:
    if not _PLAN.fullmatch(plan.id):
        yield (
            f"{shown(plan.id)} is not the id of a web service plan, which look like "
            "/subscriptions/…/resourceGroups/…/providers/Microsoft.MachineLearning/"
            "commitmentPlans/…"
        )
    if not _plain(region):
        yield "no region is named; name the one of the plan"
    elif not same_region(plan.region, region):
        yield (
            f"plan {plan.name!r} is in {plan.region or 'an unknown region'} and the service would "
            f"be in {region}; take a plan in {region}, or deploy to {plan.region or 'its region'}"
        )


def _storage(storage: Storage | None, region: str) -> Iterator[str]:
    if storage is None or not storage.name:
        yield "no storage account is named; a web service needs one in its region"
        return
    if not _STORAGE.fullmatch(storage.name):
        yield (
            f"{shown(storage.name)} is not the name of a storage account: 3 to 24 lower-case "
            "letters and digits; give the name, not the address or the id"
        )
    if storage.region and not same_region(storage.region, region):
        yield (
            f"storage account {storage.name!r} is in {storage.region} and the service would be in "
            f"{region}; take one in {region}"
        )


def _kind(properties: Mapping[str, Any]) -> Iterator[str]:
    if properties.get("readOnly") is True:
        yield (
            "the definition says readOnly: the new service could never be changed, only deleted; "
            "set it to false"
        )
    package_type = properties.get("packageType")
    if str(package_type).lower() != "graph":
        yield f"packageType is {shown(str(package_type))}; only Graph can be deployed"
    if properties.get("payloadsInBlobStorage") is True:
        yield (
            "its package is kept in a blob of the old service (payloadsInBlobStorage); export "
            "the definition from the experiment instead"
        )


def _models(definition: Mapping[str, Any]) -> Iterator[str]:
    files = [(key, asset) for key, asset in assets_of(definition) if is_file(asset)]
    if not files:
        yield "it has no trained model (no asset of type Resource); export a predictive service"
    for key, asset in files:
        name = str(asset.get("name") or key)
        place = asset.get("locationInfo")
        place = place if isinstance(place, Mapping) else {}
        if not str(place.get("uri") or "").lower().startswith(("http://", "https://")):
            yield f"trained model {name!r} has no location; put a model file into it"
        elif WITHHELD in f"{place.get('credentials')}{place.get('uri')}":
            yield (
                f"the leave to read trained model {name!r} was withheld when the definition was "
                "kept; put the model file into it again"
            )


def _package(properties: Mapping[str, Any]) -> Iterator[str]:
    """Nodes and edges that lead nowhere."""
    package = properties.get("package")
    nodes = package.get("nodes") if isinstance(package, Mapping) else None
    if not isinstance(package, Mapping) or not isinstance(nodes, Mapping) or not nodes:
        yield "its package has no nodes; export the whole definition"
        return
    assets = properties.get("assets")
    known = assets if isinstance(assets, Mapping) else {}
    for id, node in nodes.items():
        asset = node.get("assetId") if isinstance(node, Mapping) else None
        if asset and str(asset) not in known:
            yield f"node {shown(str(id))} uses asset {shown(str(asset))}, which is not there"
    edges = package.get("edges")
    for edge in edges if isinstance(edges, list) else ():
        for key in ("sourceNodeId", "targetNodeId") if isinstance(edge, Mapping) else ():
            end = edge.get(key)
            if str(end) not in nodes:
                yield f"an edge names node {shown(str(end))}, which is not there"


def _left_out(properties: Mapping[str, Any]) -> Iterator[str]:
    """Credentials that were withheld; in either shape of parameters."""
    for name, value in _items(properties.get("parameters")):
        if WITHHELD in (parameter_text(value) or ""):
            yield f"the value of global parameter {name!r} was withheld; give it"
    package = properties.get("package")
    nodes = package.get("nodes") if isinstance(package, Mapping) else None
    for id, node in _items(nodes):
        for name, value in _items(node.get("parameters") if isinstance(node, Mapping) else None):
            if withheld(value):
                yield f"the value of {name!r} of node {id!r} was withheld; give it"


def _items(value: Any) -> list[tuple[str, Any]]:
    return [(str(key), item) for key, item in value.items()] if isinstance(value, Mapping) else []


def _plain(region: str) -> str:
    return "".join(region.lower().split())
