"""Local Studio over TCP, in the state that the contract suites begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import requests
from azure.storage.blob import BlobSasPermissions, BlobServiceClient, generate_blob_sas

from alm.adapters.connections import Connections, Transport
from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.adapters.studio.definitions import ApiVersion
from alm.adapters.studio.lifecycle import StudioLifecycle
from alm.adapters.studio.new_services import ArmWebServices
from alm.adapters.studio.services import StudioServices
from alm.domain.experiment import StudioWorkspace
from alm.domain.managed_model import ClassicEndpoint, Target
from alm.ports import Grant, Row, ScoringTarget
from devstack.studio.studio import Studio, StudioOptions
from tests.contract.studio.arm_spec import Checked
from tests.contract.studio.waiting import PROPAGATION_SECONDS, HandClock

_CALLS = {
    "create_job": ("POST", "/jobs$"),
    "start_job": ("POST", "/start$"),
    "job": ("GET", "/jobs/[^/]+$"),
    "cancel_job": ("DELETE", "/jobs/[^/]+$"),
    "score": ("POST", "/execute$"),
    "patch": ("PATCH", "/(endpoints|webServices)/[^/]+$"),
    "read": ("GET", "/(endpoints|webServices)/[^/]+$"),
    "services": ("GET", "/webservices$"),
    "service": ("GET", "/webservices/[^/]+$"),
    "delete_service": ("DELETE", "/webservices/[^/]+$"),
    "endpoints": ("GET", "/endpoints$"),
    "endpoint": ("GET", "/endpoints/[^/]+$"),
    "put_endpoint": ("PUT", "/endpoints/[^/]+$"),
    "refresh_endpoint": ("POST", "/refresh$"),
    "delete_endpoint": ("DELETE", "/endpoints/[^/]+$"),
    "get": ("GET", "/webServices/[^/]+$"),
    "put": ("PUT", "/webServices/[^/]+$"),
    "delete": ("DELETE", "/webServices/[^/]+$"),
    "list": ("GET", "/webServices$"),
    "plan": ("GET", "/commitmentPlans/[^/]+$"),
    "plans": ("GET", "/commitmentPlans$"),
    "keys": ("GET", "/listKeys$"),
}


@dataclass
class LocalStudio:
    """Local Studio over TCP, with its own blob storage and two models that answer differently."""

    studio: Studio
    clock: HandClock
    description: dict[str, Any]
    endpoints: int = 0
    models: list[Grant] = field(default_factory=list)
    expected: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    clients: list[Http] = field(default_factory=list)
    checked: list[Checked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return str(self.description["base_url"])

    def services(self) -> StudioServices:
        """Fresh clients, as a new process has them."""
        return StudioServices(self._http(), self._identity(), self.url)

    def lifecycle(
        self, *, transport: Transport | None = None, **environment: str
    ) -> StudioLifecycle:
        """As `services`; with another transport and other secrets, where they are given."""
        http, identity = self._http(transport), self._identity(**environment)
        return StudioLifecycle(http, identity, StudioServices(http, identity, self.url))

    def managers(self, api_version: str) -> ArmWebServices:
        """The client that manages new web services in an api-version."""
        services = self.services()
        identity = self._identity()
        return ArmWebServices(
            services.resource_manager, cast(ApiVersion, api_version), secret=identity.secret
        )

    def target(self, service: ClassicEndpoint) -> ScoringTarget:
        """The client of an endpoint that scores the samples' rows."""
        resource = str(self.sample("scoring", "classic")["resource_name"])
        return self.services().target(Target(name="t", service=service, trained_model=resource))

    def workspace(self) -> StudioWorkspace:
        """The workspace, as a declaration names it."""
        identity = str(self.description["workspace_id"])
        return StudioWorkspace(workspace=identity, studio=self.url, management=self.url)

    def _http(self, inner: Transport | None = None) -> Http:
        """What is said to Resource Manager, and what it answers, is held against its spec."""
        transport = Checked(inner or Connections())
        http = Http(["127.0.0.1"], transport=transport, deadline_seconds=30)
        self.clients.append(http)
        self.checked.append(transport)
        return http

    def _identity(self, **environment: str) -> Identity:
        own = {
            "ALM_STUDIO_WORKSPACE_TOKEN": str(self.description["workspace_token"]),
            "ALM_STUDIO_ARM_TOKEN": str(self.description["arm_token"]),
            "ALM_LOCAL": "1",
            "STORAGE_KEY": str(self.blobs().credential.account_key),
        }
        return Identity({**own, **environment}, self.clock)

    def sample(self, role: str, kind: str, **match: str) -> dict[str, Any]:
        wanted = {"name": "cancer", "role": role, "kind": kind, **match}
        return next(
            sample for sample in self.description["samples"] if wanted.items() <= sample.items()
        )

    def classic(self, service_id: str, endpoint: str) -> ClassicEndpoint:
        workspace = self.description["workspace_id"]
        path = f"/workspaces/{workspace}/webservices/{service_id}/endpoints/{endpoint}"
        return ClassicEndpoint(kind="classic", endpoint=self.url + path)

    def new_endpoint(self) -> ClassicEndpoint:
        """An endpoint of its own for each test, as an operator would add it."""
        self.endpoints += 1
        sample = self.sample("scoring", "classic", endpoint="ep2")
        service = self.classic(sample["web_service_id"], f"t{self.endpoints}")
        token = {"Authorization": f"Bearer {self.description['workspace_token']}"}
        requests.put(service.endpoint, json={}, headers=token, timeout=10).raise_for_status()
        return service

    def fault(self, effect: str, operation: str, *, times: int | None, details: str = "") -> None:
        method, path = _CALLS[operation]
        document: dict[str, Any] = {
            "effect": effect, "match": {"method": method, "path": path}, "times": times
        }  # fmt: skip
        if details:
            document["details"] = details
        url = f"{self.url}/admin/faults"
        requests.post(url, json=document, timeout=10).raise_for_status()

    def slow(self, path: str, *, seconds: float = 20) -> None:
        """Let reads below a path wait, until `heal`: what needs them stays under way."""
        match = {"method": "GET", "path": path}
        document = {"effect": "slow", "match": match, "seconds": seconds, "times": None}
        requests.post(f"{self.url}/admin/faults", json=document, timeout=10).raise_for_status()

    def heal(self) -> None:
        requests.delete(f"{self.url}/admin/faults", timeout=10).raise_for_status()

    def close_clients(self) -> None:
        while self.clients:
            self.clients.pop().close()

    def grant(self, path: str, permission: str, *, days: float = 1) -> Grant:
        blobs = self.blobs()
        container, _, name = path.partition("/")
        sas = generate_blob_sas(
            str(blobs.account_name),
            container,
            name,
            account_key=blobs.credential.account_key,
            permission=BlobSasPermissions(**dict.fromkeys(permission.split(), True)),
            start=self.clock.now() - timedelta(minutes=5),
            expiry=self.clock.now() + timedelta(days=days),
        )
        return Grant(f"{blobs.url.rstrip('/')}/", path, "?" + sas)

    def upload(self, path: str, content: bytes) -> None:
        container, _, name = path.partition("/")
        with self.blobs() as blobs:
            blobs.get_blob_client(container, name).upload_blob(content, overwrite=True)

    def download(self, path: str) -> bytes:
        container, _, name = path.partition("/")
        with self.blobs() as blobs:
            return bytes(blobs.get_blob_client(container, name).download_blob().readall())

    def blobs(self) -> BlobServiceClient:
        return BlobServiceClient.from_connection_string(
            str(self.description["storage_connection_string"]), api_version="2021-08-06"
        )


@contextmanager
def local_studio(folder: Path) -> Iterator[LocalStudio]:
    """Start local Studio with its samples, and stop it."""
    clock = HandClock()
    options = StudioOptions(
        data=folder,
        with_samples=True,
        admin=True,
        propagation_seconds=PROPAGATION_SECONDS,
        clock=clock.seconds,
    )
    with Studio(options) as studio:
        local = LocalStudio(studio, clock, studio.description())
        with local.blobs() as blobs:
            blobs.create_container("contract")
        yield local
        local.close_clients()
