"""What Studio keeps on disk. Keys of the store stand beside each document.

Times are seconds since 1970. A model is known by the digest of its bytes; the bytes are files in
the model library. What an asset answers with is a short history, newest last, because a changed
model is served only after the propagation delay.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class Identity(BaseModel):
    """Key "studio". Who this Studio is: ids and tokens, made once."""

    workspace_id: str
    workspace_tokens: tuple[str, str]
    subscription_id: str
    resource_group: str
    arm_token: str


class Definition(BaseModel):
    """Key: digest. The properties of a web service definition: graph, assets, inputs, outputs."""

    digest: str
    properties: dict[str, Any]


class Serving(BaseModel):
    """A model that is served from a time on."""

    digest: str
    since: float


class AssetSource(BaseModel):
    """Where a new web service gets an asset from, and with which grant.

    `kind` is what its modules take there: Dataset, or else what the file itself says.
    """

    uri: str
    credentials: str = ""
    kind: str = ""


class Deployment(BaseModel):
    """Key: id. What can be called: one endpoint of a classic service, or one new service."""

    id: str
    kind: Literal["classic", "new"]
    title: str
    path: str
    primary_key: str
    secondary_key: str
    max_concurrent_calls: int
    definition: str
    models: dict[str, list[Serving]] = Field(default_factory=dict)
    sources: dict[str, AssetSource] = Field(default_factory=dict)


class WebService(BaseModel):
    """Key: id. A classic web service: the template of its endpoints.

    `workspace` is "" only in what an earlier Studio left, until this one starts. `snapshot` is the
    run of an experiment that it was deployed from.
    """

    id: str
    workspace: str = ""
    name: str
    description: str = ""
    created: float
    version: float
    definition: str
    resources: dict[str, Resource] = Field(default_factory=dict)
    snapshot: str = ""


class Resource(BaseModel):
    """A trained model in a classic service or endpoint: its bytes and where they came from.

    `kind`: a dataset or a transform stands in a service too; it is not shown and not patched.
    """

    kind: str = "TrainedModel"
    name: str
    digest: str
    base: str
    relative: str
    patched: bool = False


class Endpoint(BaseModel):
    """Key: service id/name. One endpoint of a classic web service.

    `snapshot` is the run of an experiment whose graph it serves.
    """

    name: str
    service_id: str
    deployment_id: str
    description: str = ""
    created: float
    version: float
    prevent_update: bool = False
    throttle_level: str = "Low"
    max_concurrent_calls: int = 4
    diagnostics: str = "None"
    resources: dict[str, Resource] = Field(default_factory=dict)
    snapshot: str = ""


JobState = Literal["NotStarted", "Running", "Failed", "Cancelled", "Finished"]


class Job(BaseModel):
    """Key: id. One batch execution. `order` says when it was started, among all; None before."""

    id: str
    deployment_id: str
    state: JobState = "NotStarted"
    order: int | None = None
    created: float
    started: float | None = None
    ended: float | None = None
    inputs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)
    fail_with: str | None = None
    details: str | None = None


class Update(BaseModel):
    """What a PUT or PATCH of a new web service asked for and that is being carried out."""

    operation: str
    document: dict[str, Any]


class NewService(BaseModel):
    """Key: group/name in lower case. A web service of Resource Manager.

    `document` is the definition in force, as canonical JSON without storage key and service keys.
    """

    name: str
    resource_group: str
    deployment_id: str
    created: float
    modified: float
    state: Literal["Provisioning", "Succeeded", "Failed"]
    document: dict[str, Any]
    pending: Update | None = None


class Plan(BaseModel):
    """Key: group/name in lower case. A commitment plan."""

    name: str
    resource_group: str
    location: str
    created: float
    tags: dict[str, str] = Field(default_factory=dict)
    sku: dict[str, Any] = Field(default_factory=dict)
    etag: str


class Operation(BaseModel):
    """Key: id. An asynchronous operation of Resource Manager."""

    id: str
    region: str
    state: Literal["Provisioning", "Succeeded", "Failed"]
    started: float
    ended: float | None = None
    error: dict[str, Any] | None = None


WebService.model_rebuild()
