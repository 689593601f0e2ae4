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
)
from alm.domain.managed_model import Target
from alm.domain.web_services import (
    ClassicWebService,
    Document,
    Endpoint,
    EndpointSettings,
    NewWebService,
    Plan,
)
from alm.ports import Grant, ScoringTarget


class Workspace(Protocol):
    """A Studio workspace: its datasets, trained models, transforms and experiments.

    Nothing here waits for what Studio does in the background: a run, a deployment, a packing is
    asked about again later.
    """

    def facts(self) -> WorkspaceFacts:
        """What the workspace is. Raises Denied if its token is refused."""
        ...

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


class ClassicServices(Protocol):
    """The classic web services of a workspace, with their endpoints."""

    def services(self) -> list[ClassicWebService]: ...

    def service(self, service: str) -> ClassicWebService:
        """Raises NotFound."""
        ...

    def delete_service(self, service: str) -> None:
        """Delete a service with its endpoints; harmless if it is not there."""
        ...

    def endpoints(self, service: str) -> list[Endpoint]: ...

    def endpoint(self, service: str, name: str) -> Endpoint:
        """Raises NotFound."""
        ...

    def put_endpoint(self, service: str, name: str, settings: EndpointSettings) -> Endpoint:
        """Create an endpoint that serves what the service serves now, or change its settings.

        Harmless to repeat. Raises Misconfigured for a bad name, or where a free workspace allows
        no more.
        """
        ...

    def refresh_endpoint(self, service: str, name: str, *, overwrite: bool) -> bool:
        """Make an endpoint follow the service once; False: it was current.

        overwrite: its own trained models are replaced as well.
        """
        ...

    def delete_endpoint(self, service: str, name: str) -> None:
        """Harmless if it is not there. Raises Misconfigured for the default among others."""
        ...


class NewServices(Protocol):
    """Resource Manager web services, by their resource ids; whole definitions."""

    def get(self, resource: str) -> Document:
        """The definition in force, as it is read: without keys. Raises NotFound."""
        ...

    def put(self, resource: str, definition: Document) -> None:
        """Create or replace a web service; returns when it was accepted, `get` tells the state.

        Harmless to repeat. Raises Misconfigured if the definition is refused, Unavailable while
        another deployment of it is under way.
        """
        ...

    def delete(self, resource: str) -> None:
        """Harmless if it is not there."""
        ...

    def list(self, subscription: str, group: str = "") -> list[NewWebService]: ...

    def plan(self, resource: str) -> Plan:
        """Raises NotFound."""
        ...

    def why_failed(self, resource: str) -> str:
        """What the service says about the last deployment of a web service asked for here."""
        ...


class Deployer(Protocol):
    """Deploys versions beside the service that a target names, which it never changes.

    A version gets an endpoint of its own on the same classic service, or a Resource Manager web
    service of its own, made from the target's. What was deployed here is marked as such: anything
    else of that name, made by people, is neither changed nor deleted nor listed.
    """

    def exists(self, name: str) -> bool:
        """Whether a deployment of that name is there; its model may still be missing.

        Raises Misconfigured if something else has the name, or nothing could have it.
        """
        ...

    def create(self, name: str, model: Grant) -> None:
        """Deploy a model file under a name; returns when the service has accepted.

        `target` tells when it has settled, and what it serves. Harmless to repeat: what an earlier
        attempt left undone is completed. Raises Misconfigured if something else has the name, if
        the service refuses, or if plan, region and storage do not belong together.
        """
        ...

    def target(self, name: str) -> ScoringTarget:
        """A deployment, to be read and scored with. Nothing is asked for yet."""
        ...

    def names(self) -> list[str]:
        """The deployments there are, oldest first."""
        ...

    def delete(self, name: str) -> None:
        """Delete a deployment with its keys; harmless if it is not there.

        Whether somebody still refers to it is the caller's to know. Raises Misconfigured for what
        was not deployed here, the target's own service above all.
        """
        ...


class Studio(Protocol):
    """Finds the workspace that a declaration names. Clients are kept; tokens looked up late."""

    def workspace(self, workspace: StudioWorkspace) -> Workspace: ...

    def classic_services(self, workspace: StudioWorkspace) -> ClassicServices: ...

    def new_services(self) -> NewServices: ...

    def deployer(self, target: Target) -> Deployer:
        """For targets with `deploy: new-endpoint` or `new-service`."""
        ...
