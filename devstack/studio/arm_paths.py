"""Names, ids, regions and pages of Resource Manager."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from devstack.studio.errors import StudioError
from devstack.studio.web import Request

PROVIDER = "Microsoft.MachineLearning"
API_VERSIONS = ("2017-01-01", "2016-05-01-preview")
PLAN_API_VERSIONS = ("2016-05-01-preview",)

# Where commitment plans, and with them new web services, can be.
REGIONS = {
    "southcentralus": "South Central US",
    "westeurope": "West Europe",
    "southeastasia": "Southeast Asia",
}

GROUP_NAME = re.compile(r"[A-Za-z0-9_()-](?:[A-Za-z0-9._()-]{0,88}[A-Za-z0-9_()-])?")
PAGE_ITEMS = 50


def region_key(name: str) -> str:
    """A region's name without spaces and in lower case: both spellings are used."""
    return name.replace(" ", "").lower()


def version_of(request: Request, allowed: Sequence[str]) -> str:
    """The api-version of a call; raises 400 when it is missing or not one of those spoken."""
    version = request.query.get("api-version", "")
    if not version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise StudioError(400, "MissingApiVersionParameter", message)
    if version not in allowed:
        message = f"The api-version {version!r} is not supported; supported: {', '.join(allowed)}."
        raise StudioError(400, "InvalidApiVersionParameter", message)
    return version


def check_name(name: str, pattern: re.Pattern[str], what: str) -> None:
    """Refuse a name that a resource cannot have."""
    if not pattern.fullmatch(name):
        message = f"{name[:128]!r} cannot be the name of a {what}."
        raise StudioError(400, "InvalidResourceName", message)


def resource_id(subscription: str, group: str, kind: str, name: str) -> str:
    """The id of a resource."""
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{PROVIDER}/{kind}/{name}"
    )


def plan_key(plan_id: str, subscription: str) -> str:
    """The key of the commitment plan with this resource id, "" when it is no such id."""
    pattern = resource_id(re.escape(subscription), "([^/]+)", "commitmentPlans", "([^/]+)")
    match = re.fullmatch(pattern, plan_id, re.IGNORECASE)
    return f"{match[1]}/{match[2]}".lower() if match else ""


def skip_token(request: Request) -> str:
    """After which item a page begins; the specifications write the name in both ways."""
    query = {name.lower(): value for name, value in request.query.items()}
    return query.get("$skiptoken", "")


def page(found: Sequence[tuple[str, Any]], base_url: str, request: Request) -> dict[str, Any]:
    """A page of a list, linked to the next; `found` may hold one item more than a page."""
    shown = found[:PAGE_ITEMS]
    document: dict[str, Any] = {"value": [item for _, item in shown]}
    if len(found) > PAGE_ITEMS:
        query = urlencode({"api-version": request.query["api-version"], "$skiptoken": shown[-1][0]})
        document["nextLink"] = f"{base_url}{quote(request.path)}?{query}"
    return document
