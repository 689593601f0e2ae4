"""Assets as the workspace API shows them. Fields and their forms are those of captured records."""

from __future__ import annotations

from typing import Any

from devstack.studio.workspace.inspection import SCHEMA, VISUALIZATION
from devstack.studio.workspace.records import Asset
from devstack.studio.workspace.shared_access import SharedAccess

ASSET = "asset"

# .NET counts time in ticks of 100 nanoseconds since the year 1.
_TICKS_AT_1970 = 621_355_968_000_000_000


def date(seconds: float) -> str:
    """A time as `/Date(milliseconds)/`."""
    return f"/Date({round(seconds * 1000)})/"


def asset_document(asset: Asset) -> dict[str, Any]:
    """What all kinds of assets show."""
    milliseconds = round(asset.created * 1000)
    return {
        "Id": asset.id,
        "DataTypeId": asset.data_type,
        "Name": asset.name,
        "Description": asset.description,
        "FamilyId": asset.family,
        "ResourceUploadId": asset.upload_id,
        "SourceOrigin": asset.origin,
        "Size": asset.size,
        "CreatedDate": date(asset.created),
        "Owner": asset.owner,
        "ExperimentId": asset.experiment,
        "ClientVersion": "",
        "PromotedFrom": asset.promoted_from,
        "UploadedFromFilename": asset.uploaded_filename,
        "ServiceVersion": asset.number,
        "IsLatest": asset.is_latest,
        "Category": "",
        "DownloadLocation": None,
        "IsDeprecated": asset.is_deprecated,
        "Culture": "en-US",
        "Batch": 0,
        "CreatedDateTicks": _TICKS_AT_1970 + milliseconds * 10_000,
    }


def model_document(asset: Asset) -> dict[str, Any]:
    """A trained model or a transform."""
    return {"Language": {"Language": "DotNet", "Version": "4.5.0"}, **asset_document(asset)}


def dataset_document(
    asset: Asset, access: SharedAccess, workspace_id: str, *, has_ended: bool = False
) -> dict[str, Any]:
    """A dataset, with the addresses of its content and, once it was inspected, of its schema."""
    report = f"{asset.digest}/{asset.data_type}"
    is_complete = asset.schema_status == "Complete"

    def endpoint(kind: str, key: str, size: int = 0) -> dict[str, Any]:
        return access.endpoint(
            workspace_id, kind, key, name=asset.name, size=size, has_ended=has_ended
        )

    return {
        **asset_document(asset),
        "VisualizeEndPoint": endpoint(VISUALIZATION, report) if is_complete else None,
        "SchemaEndPoint": endpoint(SCHEMA, report) if is_complete else None,
        "SchemaStatus": asset.schema_status,
        "DownloadLocation": endpoint(ASSET, asset.key, asset.size),
    }
