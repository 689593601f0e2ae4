"""Build the app: the only file that names adapters. Nothing happens before `build` is called.

Adapters are imported by what builds them, so that a worker which only indexes the app is quick.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from alm.domain.source_control import CHANGE_BYTES_MAX
from alm.engine.announcing import EVENTS_QUEUE
from alm.engine.sending import STEPS_QUEUE
from alm.ports import Clock, EventWebhook, Ports, VersionControl
from alm.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from alm.adapters.blob import AzureBlobs
    from alm.adapters.declarations import Declarations
    from alm.adapters.http import Http
    from alm.adapters.identity import Identity
    from alm.adapters.service_bus import ServiceBusBus
    from alm.adapters.studio.lifecycle import StudioLifecycle
    from alm.adapters.studio.services import StudioServices

REQUESTS_QUEUE = "alm-requests"  # redriven items go there
TELEMETRY = ("OTEL_EXPORTER_OTLP_ENDPOINT", "APPLICATIONINSIGHTS_CONNECTION_STRING")
LOCAL_HOSTS = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class App:
    """The app, built: what the entry points are given."""

    settings: Settings
    ports: Ports
    declarations: Declarations


def build(settings: Settings, environment: Mapping[str, str]) -> App:
    """Connect nothing yet, but name everything: clients open on first use.

    Raises Misconfigured if the declarations are wrong, telling every mistake.
    """
    _telemetry(environment)
    from alm.adapters.clock import SystemClock
    from alm.adapters.declarations import Declarations
    from alm.adapters.http import Http
    from alm.adapters.identity import Identity
    from alm.adapters.ledgers import BlobLedgers
    from alm.adapters.notify import WebhookNotifier
    from alm.adapters.records import BlobRecords
    from alm.adapters.studio.services import StudioServices
    from alm.adapters.versions import BlobVersions

    clock = SystemClock()
    identity = Identity(environment, clock)
    http = Http(allowed_hosts(settings))
    blobs = _blobs(settings, clock)
    declarations = Declarations.read(settings.managed_models, blobs)
    records = BlobRecords(blobs, clock)
    services = StudioServices(http, identity, settings.arm_url)
    ports = Ports(
        clock=clock,
        ledgers=BlobLedgers(blobs),
        bus=_bus(settings),
        blobs=blobs,
        versions=BlobVersions(blobs),
        services=services,
        studio=_studio(settings, http, identity, services),
        records=records,
        notifier=WebhookNotifier(http, identity, records),
        models=declarations,
        new_id=lambda: uuid.uuid4().hex,
        version_control=_version_control(settings, identity, blobs, clock),
        event_queues=_event_queues(settings),
        event_webhook=_event_webhook(settings, http, identity),
    )
    return App(settings, ports, declarations)


def _studio(
    settings: Settings, http: Http, identity: Identity, services: StudioServices
) -> StudioLifecycle:
    from alm.adapters.http import Http
    from alm.adapters.studio.lifecycle import StudioLifecycle

    downloads = Http((*allowed_hosts(settings), *settings.storage_hosts))
    return StudioLifecycle(http, identity, services, downloads=downloads)


def _telemetry(environment: Mapping[str, str]) -> None:
    """On where one of its settings says where to; else nothing of it is even imported."""
    if any(environment.get(name) for name in TELEMETRY):
        from alm.adapters import telemetry_export

        telemetry_export.set_up(environment)


def _blobs(settings: Settings, clock: Clock) -> AzureBlobs:
    from alm.adapters.blob import AzureBlobs

    hosts = settings.storage_hosts
    text = settings.storage.get_secret_value()
    if text:
        blobs = AzureBlobs.from_connection_string(text, clock, storage_hosts=hosts)
        blobs.ensure_containers()  # in Azure the deployment creates them
        return blobs
    credential = _credential(settings)
    return AzureBlobs.from_identity(settings.storage_uri, credential, clock, storage_hosts=hosts)


def _bus(settings: Settings) -> ServiceBusBus:
    from alm.adapters.service_bus import ServiceBusBus

    queues = (STEPS_QUEUE, REQUESTS_QUEUE, *settings.reply_queues, *_event_queues(settings))
    text = settings.service_bus.get_secret_value()
    if text:
        return ServiceBusBus.from_connection_string(text, queues)
    credential = _credential(settings)
    return ServiceBusBus.from_identity(settings.service_bus_namespace, credential, queues)


def _event_queues(settings: Settings) -> tuple[str, ...]:
    """Who is told of every change: a queue of somebody else, and ours on the way to the webhook."""
    own = (EVENTS_QUEUE,) if settings.events_webhook else ()
    return (*own, *((settings.events_queue,) if settings.events_queue else ()))


def _event_webhook(settings: Settings, http: Http, identity: Identity) -> EventWebhook | None:
    from alm.adapters.notify import EventPoster

    webhook = settings.events_webhook
    return EventPoster(http, identity, webhook) if webhook else None


def _version_control(
    settings: Settings, identity: Identity, blobs: AzureBlobs, clock: Clock
) -> VersionControl | None:
    """The Git repository of the settings, which calls its own host only; None without one."""
    repository = settings.git
    if repository is None:
        return None
    from alm.adapters.commit_outbox import CommitOutbox
    from alm.adapters.git import GitSourceControl
    from alm.adapters.http import DEADLINE_SECONDS, MODEL_DEADLINE_SECONDS, Http

    moves_files = repository.models == "file"
    http = Http(
        (urlsplit(repository.url).netloc, *(LOCAL_HOSTS if settings.local else ())),
        deadline_seconds=MODEL_DEADLINE_SECONDS if moves_files else DEADLINE_SECONDS,
        answer_bytes_max=2 * CHANGE_BYTES_MAX,  # a server may send whole contents where it must
    )
    source = GitSourceControl.connect(repository, http, identity, clock)
    return VersionControl(repository, source, CommitOutbox(blobs, clock))


def _credential(settings: Settings) -> TokenCredential:
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(managed_identity_client_id=settings.client_id or None)


def allowed_hosts(settings: Settings) -> tuple[str, ...]:
    """Where outbound calls may go: Resource Manager, Studio, what is configured."""
    arm = urlsplit(settings.arm_url).netloc
    here = LOCAL_HOSTS if settings.local else ()
    return (arm, "*.azureml.net", *settings.allowed_hosts, *here)
