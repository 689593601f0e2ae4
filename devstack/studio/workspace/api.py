"""The workspace API: which routes there are below `/api`, and who may call them.

The parts give routes with patterns such as `/workspaces/{ws}/datasources`; here they get `/api` in
front and the check of the workspace token. A handler may rely on `request.parts["ws"]` being the id
of a workspace that exists, in lower case. Either header is taken: `Authorization: Bearer` or
`x-ms-metaanalytics-authorizationtoken`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from devstack.studio.errors import not_found, unauthorized
from devstack.studio.web import Handler, Request, Response, Route
from devstack.studio.workspace.workspaces import Workspaces, opens

PREFIX = "/api"
AUTHORIZATION_HEADER = "x-ms-metaanalytics-authorizationtoken"


def guarded(workspaces: Workspaces, routes: Iterable[Route]) -> list[Route]:
    """The routes below `/api`, each with the check of the workspace's token."""
    return [
        replace(
            route,
            pattern=PREFIX + route.pattern,
            handler=_with_workspace_token(workspaces, route.handler),
        )
        for route in routes
    ]


def _with_workspace_token(workspaces: Workspaces, handler: Handler) -> Handler:
    def checked(request: Request) -> Response:
        name = request.parts["ws"]
        workspace = workspaces.get(name)
        given = (request.header(AUTHORIZATION_HEADER).strip(), request.bearer())
        if workspace is None:
            if not any(opens(other, token) for token in given for other in workspaces.list()):
                raise unauthorized("ManagementRequestUnauthorized")
            raise not_found("WorkspaceNotFound", f"There is no workspace {name[:64]!r}.")
        if not any(opens(workspace, token) for token in given):
            raise unauthorized("ManagementRequestUnauthorized")
        request.parts = {**request.parts, "ws": workspace.id}
        return handler(request)

    return checked
