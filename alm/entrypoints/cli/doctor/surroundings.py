"""What the doctor looks at. The only file here that names adapters; each opens when it is asked.

Everything is opened as the app does it: the same settings, hosts and identity. Containers are not
created here, as the app itself does on the local stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from alm import bootstrap
from alm.domain.errors import AlmError
from alm.domain.managed_model import ArmWebService, ClassicEndpoint, Service
from alm.domain.source_control import Repository
from alm.entrypoints.cli.client import Client
from alm.entrypoints.cli.studio.connection import Description, described
from alm.ports import Clock, Ledgers, Outbox, SourceControl, TrainingService
from alm.settings import Settings
from alm.studio_ports import Studio

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from alm.adapters.blob import AzureBlobs
    from alm.adapters.declarations import Declarations
    from alm.adapters.http import Http
    from alm.adapters.identity import Identity
    from alm.adapters.queue_looks import QueueLooks
    from alm.adapters.storage_looks import StorageLooks
    from alm.adapters.studio.services import StudioServices
    from alm.adapters.token_looks import TokenLooks


@dataclass(frozen=True)
class Asked:
    """What a person asks the doctor: where the app is, and which managed models are meant."""

    environment: Mapping[str, str]
    folder: Path
    models: tuple[str, ...] = ()
    api: Client | None = None


class Surroundings:
    """The app's world, opened piece by piece. Each piece raises as its adapter does."""

    def __init__(self, asked: Asked, settings: Settings | None, clock: Clock | None = None) -> None:
        self.asked = asked
        self.given = settings
        self._clock = clock

    @property
    def environment(self) -> Mapping[str, str]:
        return self.asked.environment

    @cached_property
    def settings(self) -> Settings:
        assert self.given is not None, "checks that need settings are skipped without"
        return self.given

    @property
    def has_keys(self) -> bool:
        """Whether connection strings, which hold keys, stand for an identity (local stack)."""
        return bool(self.settings.storage.get_secret_value())

    @cached_property
    def clock(self) -> Clock:
        from alm.adapters.clock import SystemClock

        return self._clock or SystemClock()

    @cached_property
    def models_folder(self) -> Path:
        named = self.environment.get("ALM_MANAGED_MODELS") or "managed_models"
        return self.asked.folder / named

    @cached_property
    def declared(self) -> Declarations:
        from alm.adapters.declarations import Declarations

        return Declarations.read(self.models_folder, None)

    @cached_property
    def known(self) -> Declarations:
        """The declarations, with the members by captures that have a ledger, where we can look."""
        if self.given is not None:
            with suppress(AlmError):
                for model, _ in self.ledgers.list():
                    self.declared.remember(model)
        return self.declared

    @cached_property
    def identity(self) -> Identity:
        from alm.adapters.identity import Identity

        return Identity(self.environment, self.clock)

    def secret(self, name: str) -> SecretStr:
        return self.identity.secret(name)

    @cached_property
    def credential(self) -> TokenCredential:
        from azure.identity import DefaultAzureCredential

        return DefaultAzureCredential(
            managed_identity_client_id=self.settings.client_id or None, process_timeout=20
        )

    @cached_property
    def tokens(self) -> TokenLooks:
        from alm.adapters.token_looks import TokenLooks

        return TokenLooks(self.credential)

    @cached_property
    def storage(self) -> StorageLooks:
        from alm.adapters.storage_looks import StorageLooks

        text = self.settings.storage.get_secret_value()
        return StorageLooks.of(text, self.settings.storage_uri, None if text else self.credential)

    @cached_property
    def blobs(self) -> AzureBlobs:
        from alm.adapters.blob import AzureBlobs

        text = self.settings.storage.get_secret_value()
        if text:
            return AzureBlobs.from_connection_string(text, self.clock)
        return AzureBlobs.from_identity(self.settings.storage_uri, self.credential, self.clock)

    @cached_property
    def containers(self) -> tuple[str, ...]:
        from alm.adapters.blob import CONTAINERS

        return CONTAINERS

    @cached_property
    def ledgers(self) -> Ledgers:
        from alm.adapters.ledgers import BlobLedgers

        return BlobLedgers(self.blobs)

    @cached_property
    def outbox(self) -> Outbox:
        from alm.adapters.commit_outbox import CommitOutbox

        return CommitOutbox(self.blobs, self.clock)

    @cached_property
    def queues(self) -> QueueLooks:
        from alm.adapters.queue_looks import QueueLooks

        text = self.settings.service_bus.get_secret_value()
        namespace = self.settings.service_bus_namespace
        return QueueLooks.of(text, namespace, None if text else self.credential)

    @cached_property
    def http(self) -> Http:
        from alm.adapters.http import Http

        return Http(bootstrap.allowed_hosts(self.settings))

    @cached_property
    def services(self) -> StudioServices:
        from alm.adapters.studio.services import StudioServices

        return StudioServices(self.http, self.identity, self.settings.arm_url)

    def describe(self, service: ClassicEndpoint | ArmWebService) -> Description:
        return described(self.services, service)

    def batch(self, service: Service) -> TrainingService:
        return self.services.training(service)

    @cached_property
    def studio(self) -> Studio:
        from alm.adapters.studio.lifecycle import StudioLifecycle

        return StudioLifecycle(self.http, self.identity, self.services, downloads=self.http)

    def source_control(self, repository: Repository) -> SourceControl:
        from alm.adapters.git import GitSourceControl
        from alm.adapters.http import Http

        local = bootstrap.LOCAL_HOSTS if self.settings.local else ()
        http = Http((urlsplit(repository.url).netloc, *local))
        return GitSourceControl.connect(repository, http, self.identity, self.clock)

    def by_url(self, method: str, url: str, content: bytes | None = None) -> bytes:
        """Use a URL with a leave in it, as services do that get one.

        Raises Denied and others as the storage account answers.
        """
        from alm.adapters.http import Http, expect

        headers = {} if content is None else {"x-ms-blob-type": "BlockBlob"}
        caller = Http([urlsplit(url).netloc])
        try:
            answer = caller.send(method, url, headers=headers, body=content)
            return expect(answer, 200, 201, doing=f"{method} a blob by a grant").body
        finally:
            caller.close()

    def check_host(self, url: str) -> str:
        """See that the app may call the host of a URL; returns the host. Raises Misconfigured."""
        from alm.adapters.http import split

        site, _ = split(url)
        self.http.check(site)
        return str(site)
