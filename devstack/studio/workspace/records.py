"""What is kept of workspaces and their assets. Keys of the store stand beside each document.

Times are seconds since 1970. The content of an asset is a file, known by its digest.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

# Assets are looked up by kind; the words are those of the store, not of the wire.
AssetKind = Literal["dataset", "trained_model", "transform", "module"]

SchemaStatus = Literal["NotStarted", "Pending", "Complete", "NotSupported", "Failed"]

WorkspaceType = Literal["Production", "Free", "Anonymous", "PaidStandard", "PaidPremium"]


class WorkspaceRecord(BaseModel):
    """Key: id. A workspace. `resource` is group/name in Resource Manager, as it was given."""

    id: str
    name: str
    description: str = ""
    owner_email: str
    region: str
    type: WorkspaceType = "PaidStandard"
    state: str = "Enabled"
    tokens: tuple[str, str]
    created: float
    resource: str
    storage_account_id: str = ""
    key_vault_id: str | None = None
    sku: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)


class Asset(BaseModel):
    """Key: workspace/id. One version of something that experiments use.

    `number` is the last part of the id and the ServiceVersion. `copied_from` is the id of the
    asset in another workspace that this one is a copy of.
    """

    kind: AssetKind
    id: str
    workspace: str
    family: str
    number: int
    name: str
    data_type: str
    description: str = ""
    owner: str = ""
    origin: str = "FromResourceUpload"
    created: float
    size: int
    digest: str
    experiment: str | None = None
    promoted_from: str | None = None
    upload_id: str | None = None
    uploaded_filename: str = ""
    copied_from: str | None = None
    is_latest: bool = True
    is_deprecated: bool = False
    schema_status: SchemaStatus = "NotStarted"

    @property
    def key(self) -> str:
        """Its key in the store."""
        return f"{self.workspace}/{self.id}"


class AssetCount(BaseModel):
    """Key: workspace. The last number that an asset of the workspace was given."""

    last: int


class ColumnReport(BaseModel):
    """What the whole column says: its .NET type, and figures where they make sense."""

    name: str
    type: str
    count: int
    missing: int
    unique: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None


class TableReport(BaseModel):
    """Key: digest/data type. What a dataset's content turned out to be; `failure` says why not."""

    rows: int = 0
    columns: list[ColumnReport] = Field(default_factory=list)
    failure: str | None = None


class Upload(BaseModel):
    """Key: workspace/id. A file that is being sent, in one piece (`blocks` is 1) or in several.

    `asset` is what it was registered as; a file is registered once.
    """

    id: str
    workspace: str
    data_type: str
    created: float
    blocks: int = 0
    asset: str | None = None


class Activity(BaseModel):
    """Key: workspace/id. The making of a custom module, which ends with a `result`."""

    id: str
    upload: str
    state: Literal["Pending", "Finished", "Failed"] = "Pending"
    result: str = ""


class Member(BaseModel):
    """Key: workspace/email in lower case. Somebody who was invited into a workspace."""

    email: str
    role: Literal["User", "Owner"]
    created: float


class AssetName(BaseModel):
    """Key: workspace/kind/name in one case. The latest version of the asset that has a name."""

    asset: str


class ContentUse(BaseModel):
    """Key: digest/workspace/asset id. An asset has this content; without any the file goes."""

    asset: str
