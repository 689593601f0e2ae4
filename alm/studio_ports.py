"""Protocols of Studio's lifecycle: workspaces with their experiments and assets, web services, and
versions deployed beside them.

As in `ports.py`: each has a double and an adapter that pass one contract suite; calls block at most
their total deadline and raise only the errors drawn in `domain/errors.py`.
"""

from __future__ import annotations

from typing import BinaryIO, Protocol

from alm.domain.experiment import (
    Activity,
    Asset,
    AssetKind,
    Draft,
    Experiment,
    Promotion,
    StudioWorkspace,
    Upload,
    WorkspaceFacts,
    WorkspaceUser,
)
from alm.domain.managed_model import Target
from alm.domain.web_services import Document
from alm.service_ports import ClassicServices as ClassicServices
from alm.service_ports import Deployer as Deployer
from alm.service_ports import NewServices as NewServices


class Workspace(Protocol):
    """A Studio workspace: its datasets, trained models, transforms and experiments.

    Nothing here waits for what Studio does in the background: a run, a deployment, a packing is
    asked about again later.
    """

    def facts(self) -> WorkspaceFacts:
        """What the workspace is. Raises Denied if its token is refused."""
        ...

    def users(self) -> list[WorkspaceUser]: ...

    def assets(self, kind: AssetKind) -> list[Asset]:
        """The latest version of each asset of a kind, samples of Studio's own among them.

        (Microsoft's client takes it that older ones are not listed; `asset` reads them.)
        """
        ...

    def asset(self, kind: AssetKind, asset_id: str) -> Asset:
        """One of them. Raises NotFound."""
        ...

    def modules(self) -> list[str]:
        """The ids of the modules that graphs here may use."""
        ...

    def download(self, asset: Asset) -> BinaryIO:
        """Read the content of an asset piece by piece, at its signed address.

        Raises NotFound if it has none, Denied if the address has expired: read the asset again.
        """
        ...

    def upload(
        self, upload: Upload, content: BinaryIO, *, size: int | None = None, digest: str = ""
    ) -> str:
        """Upload a dataset piece by piece and register it; returns the id of the new version.

        size: how many bytes the content has, where it cannot seek. digest: their SHA-256 in hex,
        if it is known. Each piece has the deadline of a call. Its schema is found in the background
        (`Asset.schema_state`). Not harmless to repeat: look for it first. Raises Conflict if the
        name is taken and no family was given, or if the content is not what was announced, Refused
        if it is empty, Unavailable if the upload broke off: nothing was registered then.
        """
        ...

    def delete_datasets(self, family: str) -> None:
        """Delete all versions of a dataset. Harmless if there are none."""
        ...

    def promote(self, promotion: Promotion) -> str:
        """Make a node's output an asset of the workspace; returns its id, "" if it is not told.

        Not harmless to repeat: look for `Asset.promoted_from` first. Raises Conflict if the name
        is taken and no family was given.
        """
        ...

    def experiments(self) -> list[Experiment]:
        """The experiments of the workspace, without their graphs; no samples of Studio's own."""
        ...

    def experiment(self, experiment_id: str) -> Experiment:
        """An experiment or a snapshot, whole. Raises NotFound."""
        ...

    def create(self, draft: Draft) -> str:
        """Create an experiment; returns its id. Not harmless to repeat: look for its name first."""
        ...

    def save(self, experiment_id: str, draft: Draft) -> None:
        """Replace the graph of an experiment; harmless to repeat.

        Raises Misconfigured if Studio refuses the graph, Conflict if it is a locked snapshot.
        """
        ...

    def run(self, experiment_id: str, draft: Draft) -> None:
        """Save and run an experiment: it leaves a snapshot. Not harmless to repeat: look first.

        Raises as `save`.
        """
        ...

    def delete(self, experiment_id: str) -> None:
        """Delete an experiment with its snapshots, and the classic service deployed from it.

        Harmless if it is not there. Raises Conflict for a snapshot.
        """
        ...

    def output(self, experiment_id: str, node: str, port: str) -> BinaryIO:
        """Read what a node put out, piece by piece. Raises NotFound if it has not, or not yet."""
        ...

    def pack(self, experiment_id: str) -> Activity:
        """Begin to make a package of an experiment and its assets; `packing` follows it."""
        ...

    def packing(self, activity: str) -> Activity: ...

    def unpack(self, location: str, *, region: str = "", gallery: str = "") -> Activity:
        """Begin to make an experiment from a package; `unpacking` follows it.

        gallery: the address of its page in the Gallery, for a package from there.
        """
        ...

    def unpacking(self, activity: str) -> Activity: ...

    def deploy(self, experiment_id: str, *, update: bool) -> Activity:
        """Begin to deploy a classic web service; `deploying` follows it.

        update: the service deployed from it before keeps its id and keys, and its default endpoint
        serves what the experiment is now.
        """
        ...

    def deploying(self, activity: str) -> Activity: ...

    def definition(self, experiment_id: str) -> Document:
        """The definition (WSD) of a new web service, without storage account and plan."""
        ...


class Studio(Protocol):
    """Finds the workspace that a declaration names. Clients are kept; tokens looked up late."""

    def workspace(self, workspace: StudioWorkspace) -> Workspace: ...

    def classic_services(self, workspace: StudioWorkspace) -> ClassicServices: ...

    def new_services(self) -> NewServices: ...

    def deployer(self, target: Target) -> Deployer:
        """For targets with `deploy: new-endpoint` or `new-service`."""
        ...
