"""Assets of a workspace as the API writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

from alm.adapters.studio.workspace_calls import Record, told_id
from alm.domain.errors import Misconfigured
from alm.domain.experiment import Asset, AssetKind, Promotion, Upload

OWNER = "azure-studio-alm"  # clients name themselves as the owner of what they upload
PATHS: Mapping[AssetKind, str] = {
    "dataset": "datasources",
    "trained_model": "trainedmodels",
    "transform": "transformmodules",
}

_Promoted = tuple[Literal["DataSource", "TrainedModel", "Transform"], str]
_PROMOTED: Mapping[AssetKind, _Promoted] = {
    "dataset": ("DataSource", "Dataset"),
    "trained_model": ("TrainedModel", "iLearnerDotNet"),
    "transform": ("Transform", "iTransformDotNet"),
}
_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCATION = "/%:?&=+,;@!$'()*~"  # what a location may hold besides letters and digits


def asset_of(kind: AssetKind, record: Record, *, doing: str) -> Asset:
    """An asset as it was read; family and number are also in its id, `workspace.family.v1-n`.

    Raises Misconfigured if it has no id.
    """
    asset_id = told_id(_text(record, "Id"), doing=doing)
    if not asset_id:
        raise Misconfigured(
            f"{doing}: Studio answered an asset without Id (it has "
            f"{', '.join(sorted(map(str, record))[:20]) or 'nothing'}); "
            "check that the URL is that of the Studio API"
        )
    parts = asset_id.split(".")
    number = record.get("ServiceVersion")
    return Asset(
        kind=kind,
        id=asset_id,
        family=_text(record, "FamilyId") or (parts[1] if len(parts) > 1 else ""),
        number=number if isinstance(number, int) else _number_in(asset_id),
        name=_text(record, "Name"),
        data_type=_text(record, "DataTypeId"),
        description=_text(record, "Description"),
        owner=_text(record, "Owner"),
        created=moment_of(record.get("CreatedDate")),
        size=_size(record),
        is_latest=record.get("IsLatest") is not False,
        experiment=_text(record, "ExperimentId"),
        promoted_from=_text(record, "PromotedFrom"),
        schema_state=_text(record, "SchemaStatus"),
        download=address_of(record.get("DownloadLocation")),
    )


def moment_of(text: object) -> datetime | None:
    """A time that Studio wrote as `/Date(milliseconds)/`; None if it did not."""
    match = _DATE.fullmatch(str(text))
    try:
        return _EPOCH + timedelta(milliseconds=int(match[1])) if match else None
    except OverflowError:
        return None


def address_of(endpoint: object) -> str:
    """The signed address of a download, "" if there is none: base, location and credential."""
    record = endpoint if isinstance(endpoint, dict) else {}
    base, location = _text(record, "BaseUri"), _text(record, "Location")
    if not base or not location:
        return ""
    place = f"{base.rstrip('/')}/{quote(location.lstrip('/'), safe=_LOCATION)}"
    credential = _text(record, "AccessCredential")
    return place + (f"?{credential.removeprefix('?')}" if credential else "")


def registration(upload: Upload, upload_id: str) -> dict[str, Any]:
    """The request that makes uploaded content a dataset, of a new family if none is named."""
    return {
        "DataSource": {
            "Name": upload.name,
            "DataTypeId": upload.data_type,
            "Description": upload.description,
            "FamilyId": upload.family or None,
            "Owner": OWNER,
            "SourceOrigin": "FromResourceUpload",
        },
        "UploadId": upload_id,
        "UploadedFromFileName": upload.name,
        "ClientPoll": True,
    }


def promoting(promotion: Promotion) -> dict[str, Any]:
    """The request that makes an output an asset, of a new family if none is named."""
    wrapper, data_type = _PROMOTED[promotion.kind]
    return {
        "ExperimentId": promotion.experiment,
        "ModuleNodeId": promotion.node,
        "OutputName": promotion.port,
        wrapper: {
            "Name": promotion.name,
            "DataTypeId": data_type,
            "Description": promotion.description,
            "SourceOrigin": "FromOutputPromotion",
            "FamilyId": promotion.family or None,
        },
    }


def came_from(asset: Asset, promotion: Promotion) -> bool:
    """Whether an asset is what this promotion made, or one of the same output under that name.

    `PromotedFrom` is `experiment.node.port`; it may name a snapshot of the experiment (inferred),
    so the experiment is compared by `ExperimentId` as well.
    """
    tail = f".{promotion.node}.{promotion.port}"
    if asset.name.strip() != promotion.name.strip() or not asset.promoted_from.endswith(tail):
        return False
    source = asset.promoted_from.removesuffix(tail)
    return promotion.experiment in (source, asset.experiment)


def _number_in(asset_id: str) -> int:
    digits = asset_id.rpartition("-")[2]
    return int(digits) if digits.isdecimal() and len(digits) < 10 else 0


def _size(record: Record) -> int:
    size = record.get("Size", record.get("size"))
    return size if isinstance(size, int) and size > 0 else 0


def _text(record: Record, key: str) -> str:
    value = record.get(key)
    return "" if value is None else str(value)
