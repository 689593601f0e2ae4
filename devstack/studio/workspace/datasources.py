"""Datasets: list, get, register an upload, promote an output, delete a family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devstack.studio.context import Context
from devstack.studio.errors import bad_argument
from devstack.studio.faults import CHANGE_NOTHING, EXPIRE_SAS
from devstack.studio.web import Request, Response, Route
from devstack.studio.workspace.asset_documents import ASSET, dataset_document
from devstack.studio.workspace.asset_requests import read_asset, read_output, text_of
from devstack.studio.workspace.inspection import Inspection
from devstack.studio.workspace.model_assets import delete_family, find_asset, made_up_id
from devstack.studio.workspace.promotion import Promotion
from devstack.studio.workspace.records import Asset
from devstack.studio.workspace.uploads import Uploads, data_type_of

WRAPPER = "DataSource"


class Datasources:
    """Serves `/workspaces/{ws}/datasources`."""

    def __init__(
        self, context: Context, uploads: Uploads, promotion: Promotion, inspection: Inspection
    ) -> None:
        self._context = context
        self._assets = context.assets
        self._uploads = uploads
        self._promotion = promotion
        self._inspection = inspection
        context.shared_access.open_with(ASSET, self._content)

    def routes(self) -> list[Route]:
        """The routes, without prefix and token check."""
        base = "/workspaces/{ws}/datasources"
        return [
            Route("GET", base, self.list_datasets),
            Route("POST", base, self.post),
            Route("GET", base + "/{id}", self.get),
            Route("DELETE", base + "/family/{family}", self.delete),
        ]

    def list_datasets(self, request: Request) -> Response:
        """The latest version of every dataset, the samples' included."""
        found = self._assets.latest_of_all(request.parts["ws"], "dataset")
        return Response(200, self._shown(request, found))

    def get(self, request: Request) -> Response:
        """One dataset, of any version."""
        asset = find_asset(self._assets, request, "dataset")
        return Response(200, self._shown(request, [asset])[0])

    def post(self, request: Request) -> Response:
        """Make a dataset of an upload or of an output; answers its id as a JSON string."""
        document = request.json_object()
        if CHANGE_NOTHING in request.effects:
            return Response(200, made_up_id(request))
        if document.get("UploadId") is not None:
            asset = self._register(request.parts["ws"], document)
        elif document.get("ExperimentId") is not None:
            asked, output = read_asset(document, WRAPPER), read_output(document)
            asset = self._promotion.promote(request.parts["ws"], "dataset", asked, output)
        else:
            message = "Give UploadId, or ExperimentId with ModuleNodeId and OutputName."
            raise bad_argument("MissingRequestInput", message, "UploadId")
        self._inspection.begin(asset)
        return Response(200, asset.id)

    def delete(self, request: Request) -> Response:
        """Delete all versions of a dataset; 404 when there is none."""
        return delete_family(self._assets, request, "dataset")

    def _register(self, workspace_id: str, document: Mapping[str, Any]) -> Asset:
        asked = read_asset(document, WRAPPER)
        upload = self._uploads.find(workspace_id, text_of(document, "UploadId"))
        with self._uploads.whole(upload) as content:
            asset = self._assets.add(
                workspace_id,
                "dataset",
                name=asked.name,
                data_type=data_type_of(asked.data_type or upload.data_type),
                content=content,
                family=asked.family,
                description=asked.description,
                owner=asked.owner,
                upload_id=upload.id,
                uploaded_filename=text_of(document, "UploadedFromFileName"),
                schema_status="Pending",
            )
            self._uploads.registered(upload, asset.id)
        return asset

    def _shown(self, request: Request, found: Sequence[Asset]) -> list[dict[str, Any]]:
        access, has_ended = self._context.shared_access, EXPIRE_SAS in request.effects
        return [
            dataset_document(asset, access, request.parts["ws"], has_ended=has_ended)
            for asset in found
        ]

    def _content(self, key: str) -> Path | None:
        asset = self._context.store.get(Asset, key)
        return self._assets.path(asset) if asset else None
