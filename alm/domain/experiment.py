"""Experiments of Studio as values: graph, web-service ports, statuses; and the workspace's assets.

Documents of Studio carry more than we read. A value read from one keeps every key it does not know,
so that writing it back (`document`) changes nothing but what was changed on purpose.
Source: Studio API, experiments and assets.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from alm.domain.frozen import Frozen
from alm.domain.names import SecretName

AssetKind = Literal["dataset", "trained_model", "transform"]
WorkspaceId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
ExperimentState = Literal["NotStarted", "Running", "Finished", "Failed", "Canceled", "InDraft"]
ENDED = ("Finished", "Failed", "Canceled")

T = TypeVar("T")


class _Null(str):
    """The empty text that stands for a null, and is written as one again."""

    __slots__ = ()


def _text(value: object, read: ValidatorFunctionWrapHandler) -> Any:
    return _Null() if value is None else read(value)


Text = Annotated[
    str,
    WrapValidator(_text),
    PlainSerializer(lambda text: None if isinstance(text, _Null) else text),
]
"""Studio writes null where a text is missing; it is read as "" and written as it was."""

Link = Annotated[Text, PlainSerializer(lambda value: value or None, when_used="json")]
"""A text that names something else: null is written where it names nothing, as Studio does."""

Several = Annotated[tuple[T, ...], BeforeValidator(lambda listed: () if listed is None else listed)]
"""Studio may write null where a list is empty; it is read as none, and written as an empty list."""


class Wire(BaseModel):
    """A part of a Studio document: immutable; keys that we do not know are kept."""

    model_config = ConfigDict(
        frozen=True, extra="allow", populate_by_name=True, protected_namespaces=()
    )

    @property
    def document(self) -> dict[str, Any]:
        """As Studio writes it: the keys that were there, and those that were set since."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def changed(self, **fields: object) -> Self:
        """A copy with some fields replaced."""
        return self.model_copy(update=fields)


class InputPort(Wire):
    """An input of a node. An asset is named here, not by an edge; at most one of the three is."""

    name: str = Field(alias="Name")
    node: str = Field(alias="NodeId")
    dataset: Link = Field(default="", alias="DataSourceId")
    trained_model: Link = Field(default="", alias="TrainedModelId")
    transform: Link = Field(default="", alias="TransformModuleId")


class OutputPort(Wire):
    name: str = Field(alias="Name")
    node: str = Field(alias="NodeId")
    output_type: Link = Field(default="", alias="OutputType")


class Parameter(Wire):
    """A parameter of a node; `kind` GraphParameterName: it is a parameter of the web service."""

    name: str = Field(alias="Name")
    value: Text = Field(default="", alias="Value")
    kind: Text = Field(default="Literal", alias="ValueType")
    linked: Link = Field(default="", alias="LinkedGlobalParameter")


class Node(Wire):
    """A module in a graph. `label` is its comment, by which people find it."""

    id: str = Field(alias="Id")
    module: str = Field(alias="ModuleId")
    label: Text = Field(default="", alias="Comment")
    parameters: Several[Parameter] = Field(default=(), alias="ModuleParameters")
    inputs: Several[InputPort] = Field(default=(), alias="InputPortsInternal")
    outputs: Several[OutputPort] = Field(default=(), alias="OutputPortsInternal")


class Edge(Wire):
    """`node:port` to `node:port`."""

    source: str = Field(alias="SourceOutputPortId")
    target: str = Field(alias="DestinationInputPortId")


class Graph(Wire):
    nodes: Several[Node] = Field(default=(), alias="ModuleNodes")
    edges: Several[Edge] = Field(default=(), alias="EdgesInternal")
    layout: Text = Field(default="", alias="SerializedClientData")


class ServicePort(Wire):
    """A web-service input or output: `port` is `node:port` of the module it stands at, or ""."""

    id: str = Field(alias="Id")
    port: Link = Field(default="", alias="PortId")
    name: str = Field(alias="Name")


class ServiceBlock(Wire):
    """What an experiment says about its web service."""

    is_service: bool | None = Field(default=None, alias="IsWebServiceExperiment")
    inputs: Several[ServicePort] = Field(default=(), alias="Inputs")
    outputs: Several[ServicePort] = Field(default=(), alias="Outputs")
    service: Link = Field(default="", alias="WebServiceGroupId")


class Status(Wire):
    """`started`, `ended` and `created` as Studio writes them: `/Date(ms)/`."""

    state: str = Field(alias="StatusCode")
    detail: Text = Field(default="", alias="StatusDetail")
    created: Text = Field(default="", alias="CreationTime")
    started: Text = Field(default="", alias="StartTime")
    ended: Text = Field(default="", alias="EndTime")


class NodeStatus(Wire):
    node: str = Field(alias="NodeId")
    status: Status = Field(alias="Status")


class Experiment(Wire):
    """An experiment (`f-id`), or an immutable snapshot of one (`s-id`).

    name: Studio calls it Description. run: the snapshot of its last run; previous: the one before.
    graph and service are missing from the entries of a list.
    """

    id: str = Field(alias="ExperimentId")
    name: Text = Field(default="", alias="Description")
    summary: Text = Field(default="", alias="Summary")
    creator: Text = Field(default="", alias="Creator")
    category: Text = Field(default="", alias="Category")
    run: Text = Field(default="", alias="RunId")
    previous: Text = Field(default="", alias="ParentExperimentId")
    etag: Text = Field(default="", alias="Etag")
    is_partial: bool | None = Field(default=None, alias="IsPartialRun")
    status: Status = Field(alias="Status")
    graph: Graph | None = Field(default=None, alias="Graph")
    service: ServiceBlock | None = Field(default=None, alias="WebService")
    node_statuses: tuple[NodeStatus, ...] | None = Field(default=None, alias="NodeStatuses")

    @property
    def is_snapshot(self) -> bool:
        return ".s-id." in self.id

    @property
    def state(self) -> str:
        return self.status.state


class Draft(Frozen):
    """What is sent to create, save or run an experiment."""

    name: str
    graph: Graph
    service: ServiceBlock | None = None
    summary: str = ""
    previous: str = ""
    category: str = "user"


class Asset(Frozen):
    """A dataset, trained model or transform of a workspace: one version of a family.

    promoted_from: `experiment.node.port` for an output that was promoted. schema: for datasets
    NotStarted, Pending, Complete, NotSupported, Failed. download: a signed address, a secret.
    """

    kind: AssetKind
    id: str
    family: str
    number: int = 0
    name: str
    data_type: str = ""
    description: str = ""
    owner: str = ""
    created: datetime | None = None
    size: int = 0
    is_latest: bool = True
    experiment: str = ""
    promoted_from: str = ""
    schema_state: str = ""
    download: str = Field(default="", repr=False)


class Upload(Frozen):
    """A dataset to register: a new name, or a new version of `family`."""

    name: str
    data_type: str = "GenericCSV"
    description: str = ""
    family: str = ""


class Promotion(Frozen):
    """An output that becomes an asset of the workspace: a new name, or a version of `family`."""

    kind: AssetKind = "trained_model"
    experiment: str
    node: str
    port: str
    name: str
    description: str = ""
    family: str = ""


class Activity(Frozen):
    """Something Studio does for a while: packing, unpacking, deploying.

    done: it ended well. failed: why it ended badly, where the service says so; it is not done then.
    location: the package's address. experiment: the new experiment. service, endpoint: what is
    being deployed.
    """

    id: str
    done: bool
    failed: str = ""
    location: str = Field(default="", repr=False)
    experiment: str = ""
    service: str = ""
    endpoint: str = ""


class WorkspaceFacts(Frozen):
    """What Studio says about a workspace."""

    id: str
    name: str
    region: str = ""
    kind: str = ""
    owner: str = ""
    subscription: str = ""

    @property
    def is_free(self) -> bool:
        return self.kind.lower() == "free"


class WorkspaceUser(Frozen):
    """Somebody who may use a workspace. role: Owner or User; state: as Studio writes it."""

    email: str
    name: str = ""
    role: str = ""
    state: str = ""


class StudioWorkspace(Frozen):
    """A workspace as a declaration names it: its id, region and token.

    studio, management: base addresses, where they are not those of the region.
    """

    workspace: WorkspaceId
    region: str = "South Central US"
    token: SecretName = "env:ALM_STUDIO_WORKSPACE_TOKEN"  # noqa: S105 - the name of one
    studio: str = Field(default="", pattern=r"^(https?://[A-Za-z0-9.:-]+(/[\w/-]*)?)?$")
    management: str = Field(default="", pattern=r"^(https?://[A-Za-z0-9.:-]+(/[\w/-]*)?)?$")
