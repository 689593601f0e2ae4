"""Finds the workspace that a declaration names. See `studio_ports.Studio`."""

from __future__ import annotations

from functools import lru_cache

from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.adapters.studio.access import Caller, NamedAccess
from alm.adapters.studio.workspace import ApiWorkspace
from alm.adapters.studio.workspace_calls import TOKEN_HEADER
from alm.domain.experiment import StudioWorkspace
from alm.domain.regions import studio_address
from alm.studio_ports import Workspace

WORKSPACES_MAX = 200  # a client holds an URL; the largest teams have some dozens of workspaces


class StudioDirectory:
    """Clients per declared workspace; tokens are looked up when first needed, not when found.

    downloads: reads signed addresses of assets, on the hosts that it allows (the workspaces'
    storage accounts); without one, those of `http` are allowed.
    """

    def __init__(self, http: Http, identity: Identity, *, downloads: Http | None = None) -> None:
        self._http = http
        self._identity = identity
        self._downloads = downloads or http
        self._workspaces = lru_cache(maxsize=WORKSPACES_MAX)(self._make_workspace)

    def workspace(self, workspace: StudioWorkspace) -> Workspace:
        """Raises Misconfigured if its region is unknown."""
        return self._workspaces(workspace)

    def _make_workspace(self, workspace: StudioWorkspace) -> ApiWorkspace:
        access = self._named(studio_address(workspace), workspace.token)
        caller = Caller(self._http, access, token_header=TOKEN_HEADER)
        return ApiWorkspace(caller, workspace.workspace, self._downloads)

    def _named(self, url: str, secret: str) -> NamedAccess:
        identity = self._identity
        return NamedAccess(url, lambda: identity.secret(secret), lambda: identity.forget(secret))
