"""Where the APIs of a workspace are: its region tells, unless the declaration does.

Execution hosts are not here: an endpoint's record names its own.
Source: the hosts that Microsoft's PowerShell module for Studio knows.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from alm.domain.errors import Misconfigured
from alm.domain.experiment import StudioWorkspace


class Region(NamedTuple):
    """A region by its name, with what its hosts are called after."""

    name: str
    prefix: str
    domain: str

    @property
    def studio(self) -> str:
        return f"https://{self.prefix}studioapi.{self.domain}/api"

    @property
    def management(self) -> str:
        return f"https://{self.prefix}management.{self.domain}"


REGIONS = (
    Region("South Central US", "", "azureml.net"),
    Region("West Europe", "europewest.", "azureml.net"),
    Region("Southeast Asia", "asiasoutheast.", "azureml.net"),
    Region("Japan East", "japaneast.", "azureml.net"),
    Region("Germany Central", "germanycentral.", "azureml.de"),
    Region("West Central US", "uswestcentral.", "azureml.net"),
    Region("Integration Test", "", "azureml-int.net"),
)

_ENDPOINT = re.compile(
    r"/workspaces/(?P<workspace>[0-9a-f]{32})/webservices/[A-Za-z0-9_-]{1,64}"
    r"/endpoints/[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
)


def studio_address(workspace: StudioWorkspace) -> str:
    """The base of the Studio API, without a slash at its end.

    A declared address that has no path, as Microsoft's Python client takes it, gets its `/api`.
    Raises Misconfigured if the region is unknown.
    """
    declared = workspace.studio.rstrip("/")
    if not declared:
        return region_of(workspace).studio
    return declared if "/" in declared.partition("://")[2] else f"{declared}/api"


def management_address(workspace: StudioWorkspace) -> str:
    """The base of the management API, without a slash at its end.

    Raises Misconfigured if the region is unknown.
    """
    return workspace.management.rstrip("/") or region_of(workspace).management


def endpoint_of(workspace: StudioWorkspace, address: str) -> str:
    """The management URL of an endpoint whose address we once read, "" if it is not one of this
    workspace. Where it is called is what the declaration says, whatever the address began with: a
    token goes nowhere else.
    """
    place = _ENDPOINT.search(address)
    if place is None or place["workspace"] != workspace.workspace:
        return ""
    try:
        return management_address(workspace) + place[0]
    except Misconfigured:
        return ""  # its region is unknown: nothing of it can be called


def region_of(workspace: StudioWorkspace) -> Region:
    """The region of a workspace, by its name in any case, with or without spaces.

    Raises Misconfigured, naming the regions there are.
    """
    region = region_named(workspace.region)
    if region is not None:
        return region
    names = ", ".join(region.name for region in REGIONS)
    raise Misconfigured(
        f"workspace {workspace.workspace} names region {workspace.region!r}, where Studio has no "
        f"hosts (it has: {names}); correct its `region`, or give `studio` and `management`"
    )


def region_named(name: str) -> Region | None:
    """The region of that name, in any case, with or without spaces; None: Studio has no hosts."""
    wanted = _squeezed(name)
    return next((region for region in REGIONS if _squeezed(region.name) == wanted), None)


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()
