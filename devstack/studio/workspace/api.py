"""The workspace API: its parts put together, its routes below `/api`, and who may call them.

The parts give routes with patterns such as `/workspaces/{ws}/datasources`; here they get `/api` in
front and the check of the workspace token. A handler may rely on `request.parts["ws"]` being the id
of a workspace that exists, in lower case. Either header is taken: `Authorization: Bearer` or
`x-ms-metaanalytics-authorizationtoken`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from devstack.studio.classic import ClassicServices
from devstack.studio.context import Context
from devstack.studio.errors import not_found, unauthorized
from devstack.studio.web import Handler, Request, Response, Route
from devstack.studio.workspace.about import About
from devstack.studio.workspace.background import Background
from devstack.studio.workspace.custom_modules import CustomModules, Interface
from devstack.studio.workspace.datasources import Datasources
from devstack.studio.workspace.experiment_parts import ExperimentParts
from devstack.studio.workspace.inspection import Inspection
from devstack.studio.workspace.model_assets import ModelAssets
from devstack.studio.workspace.module_list import ModuleList
from devstack.studio.workspace.promotion import Promotion
from devstack.studio.workspace.records import Activity, Member, WorkspaceRecord
from devstack.studio.workspace.uploads import Uploads
from devstack.studio.workspace.workspaces import Workspaces, opens

PREFIX = "/api"
AUTHORIZATION_HEADER = "x-ms-metaanalytics-authorizationtoken"


class WorkspaceApi:
    """Everything below `/api`; `start` and `stop` it once each."""

    def __init__(self, context: Context, classic: ClassicServices, data: Path) -> None:
        self._context = context
        self._classic = classic
        self._background = Background()
        self._inspecting = Background()  # a large file takes minutes, which others do not wait for
        self._uploads = Uploads(context, data / "uploads")
        self.inspection = Inspection(context, self._inspecting)
        self.experiments = ExperimentParts(
            context, data / "outputs", classic, self._background, self.inspection.begin
        )
        self._custom = CustomModules(context, self._uploads, self._background)
        promotion = Promotion(context, self.experiments.open_output)
        datasources = Datasources(context, self._uploads, promotion, self.inspection)
        trained = ModelAssets(context, promotion, "trained_model", "trainedmodels", "TrainedModel")
        transforms = ModelAssets(context, promotion, "transform", "transformmodules", "Transform")
        modules = ModuleList(context, self._custom)
        about = About(context)
        self._parts = (about, datasources, trained, transforms, modules, self.experiments)

    def routes(self) -> list[Route]:
        """Every route below `/api`."""
        guarded = [route for part in self._parts for route in part.routes()]
        guarded += [
            Route("POST", "/resourceuploads/workspaces/{ws}", self._uploads.begin),
            Route("POST", "/blobuploads/workspaces/{ws}", self._uploads.block),
        ]
        download = self._context.shared_access.download
        return [
            *with_token_check(self._context.workspaces, guarded),
            Route("GET", PREFIX + "/sharedaccess", download),
        ]

    def start(self) -> None:
        """Begin to work in the background, with what an earlier Studio left."""
        self.inspection.resume()
        self._custom.resume()
        self._background.start()
        self._inspecting.start()
        self.experiments.start()

    def stop(self) -> None:
        """End what is done in the background; what is left is done at the next start."""
        self.experiments.stop()
        self._background.stop()
        self._inspecting.stop()

    def delete_workspace(self, workspace_id: str) -> None:
        """Delete a workspace with experiments, assets and classic web services."""
        store = self._context.store
        self._context.assets.delete_workspace(workspace_id)
        with store.transaction():
            self.experiments.delete_workspace(workspace_id)
            self._classic.delete_workspace(workspace_id)
            for kind in (Interface, Activity, Member):
                store.delete_all(kind, workspace_id + "/")
            self._context.workspaces.delete(workspace_id)
        self._uploads.delete_workspace(workspace_id)


def with_token_check(workspaces: Workspaces, routes: Iterable[Route]) -> list[Route]:
    """The routes below `/api`, each with the check of the workspace's token."""
    return [
        replace(
            route,
            pattern=PREFIX + route.pattern,
            handler=_with_token_check(workspaces, route.handler),
        )
        for route in routes
    ]


def workspace_of(workspaces: Workspaces, name: str, tokens: Iterable[str]) -> WorkspaceRecord:
    """The workspace that an address names, when one of the tokens opens it; raises 401, 404.

    Whoever has no token of any workspace does not learn which workspaces there are.
    """
    given, workspace = tuple(tokens), workspaces.get(name)
    if workspace is None:
        if any(opens(other, token) for token in given for other in workspaces.list()):
            raise not_found("WorkspaceNotFound", f"There is no workspace {name[:64]!r}.")
        raise unauthorized("ManagementRequestUnauthorized")
    if not any(opens(workspace, token) for token in given):
        raise unauthorized("ManagementRequestUnauthorized")
    return workspace


def _with_token_check(workspaces: Workspaces, handler: Handler) -> Handler:
    def checked(request: Request) -> Response:
        tokens = (request.header(AUTHORIZATION_HEADER).strip(), request.bearer())
        workspace = workspace_of(workspaces, request.parts["ws"], tokens)
        request.parts = {**request.parts, "ws": workspace.id}
        return handler(request)

    return checked
