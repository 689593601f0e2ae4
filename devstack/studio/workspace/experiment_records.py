"""What is kept of experiments: the one that is edited, its snapshots, their runs, the cache.

A snapshot is written once, when a run is accepted. What changes while it runs is its `Run`. Graphs
and web-service blocks are kept as they came, whatever fields they have.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer

# Text outside Unicode's rules can stand in JSON; escaped it can also stand in the store.
JsonObject = Annotated[
    dict[str, Any],
    BeforeValidator(lambda value: json.loads(value) if isinstance(value, str) else value),
    PlainSerializer(json.dumps, return_type=str),
]

RunState = Literal["NotStarted", "Running", "Finished", "Failed"]
ENDED: frozenset[str] = frozenset({"Finished", "Failed"})


class Content(BaseModel):
    """What an experiment and its snapshots are made of."""

    description: str
    summary: str = ""
    category: str = "user"
    disable_node_update: bool = False
    graph: JsonObject
    web_service: JsonObject


class Experiment(BaseModel):
    """Key: workspace/id. The experiment that can be edited.

    `run` is the id of its newest snapshot, "" before the first; `parent` and `is_partial` are that
    snapshot's. `is_draft`: it was saved since then. `web_services` are the classic services that
    were deployed from it.
    """

    id: str
    workspace: str
    content: Content
    creator: str = "user"
    documentation: str | None = None
    created: float
    modified: float
    is_draft: bool = True
    run: str = ""
    parent: str = ""
    is_partial: bool = False
    web_services: list[str] = Field(default_factory=list)

    @property
    def key(self) -> str:
        """Its key in the store."""
        return f"{self.workspace}/{self.id}"


class Snapshot(BaseModel):
    """Key: id, so that those of an experiment stand newest first. Never changed once written.

    `parent` is the snapshot before, "" for the first. `seconds` is the time its id tells.
    """

    id: str
    experiment: str
    workspace: str
    parent: str
    content: Content
    creator: str = "user"
    documentation: str | None = None
    created: float
    seconds: int
    is_partial: bool = False


class OutputFile(BaseModel):
    """A file with what a port gave; the same content is one file.

    `metadata` is what is known of a dataset that CSV cannot say.
    """

    kind: str
    digest: str
    size: int
    extension: str
    metadata: dict[str, Any] = Field(default_factory=dict)


class NodeRun(BaseModel):
    """How one node of a run is doing, and what it gave."""

    state: RunState = "NotStarted"
    detail: str = "None"
    created: float
    started: float | None = None
    ended: float | None = None
    outputs: dict[str, OutputFile] = Field(default_factory=dict)
    log: OutputFile | None = None
    errors: OutputFile | None = None

    def files(self) -> list[OutputFile]:
        """Every file that the node wrote."""
        return [*self.outputs.values(), *(file for file in (self.log, self.errors) if file)]


class Run(BaseModel):
    """Key: id of the snapshot. The run of a snapshot; `nodes` are those that are part of it."""

    id: str
    state: RunState = "NotStarted"
    detail: str = "None"
    created: float
    started: float | None = None
    ended: float | None = None
    fail_with: str | None = None
    nodes: dict[str, NodeRun] = Field(default_factory=dict)


class CachedOutputs(BaseModel):
    """Key: digest of workspace, module, parameters and inputs. What a node gave for them."""

    key: str
    outputs: dict[str, OutputFile]


class Deploying(BaseModel):
    """Key: workspace/id. The deployment of a snapshot as a classic web service."""

    id: str
    workspace: str
    experiment: str
    snapshot: str
    service: str
    endpoint: str
    new_port_names: bool = False
    state: Literal["Pending", "Completed", "Failed"] = "Pending"
    message: str | None = None

    @property
    def key(self) -> str:
        """Its key in the store."""
        return f"{self.workspace}/{self.id}"


class Packing(BaseModel):
    """Key: workspace/id. An experiment being packed, or a package being unpacked.

    `location` is where the package is; `experiment` what is packed, or what was made.
    """

    id: str
    kind: Literal["pack", "unpack"]
    workspace: str
    experiment: str = ""
    location: str = ""
    clear_credentials: bool = True
    documentation: str | None = None
    done: int = 0
    pending: int = 1
    state: Literal["Running", "Complete", "Failed"] = "Running"
    message: str | None = None

    @property
    def key(self) -> str:
        """Its key in the store."""
        return f"{self.workspace}/{self.id}"
