"""Trained models and transforms: list, get, promote; and what all kinds of assets share.

Deleting a family of them is inferred from datasets, where the address is known.
"""

from __future__ import annotations

from devstack.studio.context import Context
from devstack.studio.errors import StudioError, not_found
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.names import new_id
from devstack.studio.web import Request, Response, Route
from devstack.studio.workspace.asset_documents import model_document
from devstack.studio.workspace.asset_requests import read_asset, read_output
from devstack.studio.workspace.assets import Assets, word
from devstack.studio.workspace.promotion import Promotion
from devstack.studio.workspace.records import Asset, AssetKind


class ModelAssets:
    """Serves `/workspaces/{ws}/trainedmodels` or `/transformmodules`."""

    def __init__(
        self, context: Context, promotion: Promotion, kind: AssetKind, path: str, wrapper: str
    ) -> None:
        self._assets = context.assets
        self._promotion = promotion
        self._kind: AssetKind = kind
        self._base = "/workspaces/{ws}/" + path
        self._wrapper = wrapper

    def routes(self) -> list[Route]:
        """The routes, without prefix and token check."""
        return [
            Route("GET", self._base, self.list_assets),
            Route("POST", self._base, self.post),
            Route("GET", self._base + "/{id}", self.get),
            Route("DELETE", self._base + "/family/{family}", self.delete),
        ]

    def list_assets(self, request: Request) -> Response:
        """The latest version of each."""
        found = self._assets.latest_of_all(request.parts["ws"], self._kind)
        return Response(200, [model_document(asset) for asset in found])

    def get(self, request: Request) -> Response:
        """One, of any version."""
        return Response(200, model_document(find_asset(self._assets, request, self._kind)))

    def post(self, request: Request) -> Response:
        """Promote an output; answers the new id as a JSON string."""
        document = request.json_object()
        asked, output = read_asset(document, self._wrapper), read_output(document)
        if CHANGE_NOTHING in request.effects:
            return Response(200, made_up_id(request))
        asset = self._promotion.promote(request.parts["ws"], self._kind, asked, output)
        return Response(200, asset.id)

    def delete(self, request: Request) -> Response:
        """Delete all versions of one; 404 when there is none."""
        return delete_family(self._assets, request, self._kind)


def find_asset(assets: Assets, request: Request, kind: AssetKind) -> Asset:
    """The asset that the address names; raises 404."""
    name = request.parts["id"]
    asset = assets.get(request.parts["ws"], name)
    if asset is None or asset.kind != kind:
        raise _missing(f"There is no {word(kind)} {name[:120]!r} in this workspace.")
    return asset


def delete_family(assets: Assets, request: Request, kind: AssetKind) -> Response:
    """Delete the family that the address names; raises 404."""
    workspace_id, family = request.parts["ws"], request.parts["family"].lower()
    newest = assets.latest(workspace_id, family)
    if newest is None or newest.kind != kind:
        raise _missing(f"There is no {word(kind)} of family {family[:64]!r} in this workspace.")
    if CHANGE_NOTHING not in request.effects:
        assets.delete_family(workspace_id, family)
    return Response(200)


def made_up_id(request: Request) -> str:
    """The id of an asset that is not there, for the fault that changes nothing."""
    return f"{request.parts['ws']}.{new_id()}.v1-default-1"


def _missing(message: str) -> StudioError:
    return not_found("ResourceNotFound", message)
