"""Studio: all parts put together, started and stopped. The only place that knows every part."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devstack.studio.accounts import (
    EMULATOR_ACCOUNT,
    EMULATOR_KEY,
    Account,
    parse_connection_string,
)
from devstack.studio.admin import Admin
from devstack.studio.arm import NewServices
from devstack.studio.arm_operations import Operations
from devstack.studio.arm_plans import Plans
from devstack.studio.bes import BatchExecution
from devstack.studio.blob_endpoint import BlobEndpoint
from devstack.studio.blob_store import BlobStore
from devstack.studio.classic import ClassicServices
from devstack.studio.context import Calls, Context
from devstack.studio.front import Front, Interfaces
from devstack.studio.jobs import OUTPUT_CONTAINER, JobQueue
from devstack.studio.model_library import ModelLibrary
from devstack.studio.names import moment
from devstack.studio.records import Identity
from devstack.studio.rrs import RequestResponse
from devstack.studio.serving import Execution
from devstack.studio.start import load_identity, remembered_port, settle_services
from devstack.studio.store import Store
from devstack.studio.transfer import BlobTransfer
from devstack.studio.web import Request, Response, WebServer
from devstack.studio.workspace.api import WorkspaceApi
from devstack.studio.workspace.arm_workspaces import ArmWorkspaces
from devstack.studio.workspace.assets import Assets
from devstack.studio.workspace.shared_access import SharedAccess
from devstack.studio.workspace.workspaces import Workspaces


@dataclass(frozen=True)
class StudioOptions:
    """How to run Studio. Port 0 is the port of last time if it is free, else a free one."""

    data: Path
    port: int = 0
    storage: str | None = None
    with_samples: bool = False
    admin: bool = False
    propagation_seconds: float = 2.0
    allowed_hosts: frozenset[str] = frozenset()
    clock: Callable[[], float] = field(default=time.time)


class Studio:
    """A running Studio. `start` returns when it answers; `stop` leaves everything on disk.

    with Studio(StudioOptions(data=folder)) as studio: requests.get(studio.base_url + ...)
    """

    def __init__(self, options: StudioOptions) -> None:
        self._options = options
        options.data.mkdir(parents=True, exist_ok=True)
        self._store = Store(options.data / "studio.db")
        identity = load_identity(self._store)
        settle_services(self._store, identity)
        port = remembered_port(options.data, options.port)
        self._server = WebServer(port, self._answer)
        self.base_url = f"http://127.0.0.1:{self._server.port}"
        self._blobs: BlobStore | None = None
        self._account = self._storage_account()
        self.context = self._build_context(identity)
        self.jobs = JobQueue(self.context)
        self.front = self._build_front()
        self.samples: list[dict[str, Any]] = []
        self.sample_experiments: list[dict[str, Any]] = []

    def start(self) -> Studio:
        """Begin to answer and to work on jobs; create the samples when they were asked for."""
        (self._options.data / "port").write_text(str(self._server.port))
        self._server.start()
        grant = self._account.own_grant(moment(self._options.clock()))
        self.context.transfer.create_container(self._account, OUTPUT_CONTAINER, grant)
        self.jobs.start_workers()
        self.workspace_api.start()
        if self._options.with_samples:
            from devstack.studio.samples import make_samples
            from devstack.studio.workspace.sample_datasets import add_sample_datasets
            from devstack.studio.workspace.sample_experiments import make_sample_experiments

            self.samples = make_samples(self.context, self.classic, self.new_services, self.plans)
            add_sample_datasets(self.context, self.workspace_api.inspection)
            self.sample_experiments = make_sample_experiments(
                self.context,
                self.workspace_api.experiments.history,
                self.workspace_api.inspection.begin,
            )
        self.new_services.resume()
        return self

    def stop(self) -> None:
        """End every connection and job; what was running is run again at the next start."""
        self.workspace_api.stop()
        self._server.stop()
        self.jobs.stop()
        self._store.close()
        if self._blobs is not None:
            self._blobs.close()

    def __enter__(self) -> Studio:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def description(self) -> dict[str, Any]:
        """All that a client needs, as `--json` prints it."""
        identity = self.context.identity
        described: dict[str, Any] = {
            "base_url": self.base_url,
            "workspace_id": identity.workspace_id,
            "workspace_token": identity.workspace_tokens[0],
            "subscription_id": identity.subscription_id,
            "resource_group": identity.resource_group,
            "arm_token": identity.arm_token,
            "storage_connection_string": self._account.connection_string,
        }
        if not self.samples:
            return described
        return {**described, "samples": self.samples, "experiments": self.sample_experiments}

    def _answer(self, request: Request) -> Response:
        return self.front.answer(request)

    def _storage_account(self) -> Account:
        if self._options.storage:
            return parse_connection_string(self._options.storage)
        folder = self._options.data / "blobs"
        self._blobs = BlobStore(folder, self._options.clock)
        return Account(EMULATOR_ACCOUNT, EMULATOR_KEY, f"{self.base_url}/{EMULATOR_ACCOUNT}")

    def _build_context(self, identity: Identity) -> Context:
        options = self._options
        library = ModelLibrary(options.data / "models")
        transfer = BlobTransfer(options.allowed_hosts)
        return Context(
            identity=identity,
            base_url=self.base_url,
            account=self._account,
            allowed_hosts=options.allowed_hosts,
            store=self._store,
            model_library=library,
            transfer=transfer,
            execution=Execution(self._store, library, transfer, options.clock),
            clock=options.clock,
            propagation_seconds=options.propagation_seconds,
            calls=Calls(options.clock),
            workspaces=Workspaces(self._store, identity, options.clock),
            assets=Assets(self._store, options.data / "assets", options.clock),
            shared_access=SharedAccess(self.base_url, identity.arm_token, options.clock),
        )

    def _build_front(self) -> Front:
        context = self.context
        operations = Operations(context)
        self.classic = ClassicServices(context)
        self.new_services = NewServices(context, operations)
        self.plans = Plans(context)
        self.workspace_api = WorkspaceApi(context, self.classic, self._options.data)
        blobs = None
        if self._blobs is not None:
            blobs = BlobEndpoint(self._blobs, self._account, context.clock)
        parts = Interfaces(
            classic=self.classic,
            new_services=self.new_services,
            plans=self.plans,
            operations=operations,
            batch=BatchExecution(context, self.jobs),
            scoring=RequestResponse(context.execution),
            workspace_api=self.workspace_api,
            workspaces=ArmWorkspaces(context, self.workspace_api.delete_workspace),
            blobs=blobs,
            admin=Admin(context) if self._options.admin else None,
        )
        return Front(context, parts)
