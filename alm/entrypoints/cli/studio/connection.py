"""What commands about Studio are connected to. The only file here that names adapters.

The command line talks to Studio itself, as Studio's own PowerShell module does: datasets of
gigabytes do not go through the app. It has no more rights than the token or sign-in of whoever
calls it. Nothing is called before a command needs it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from alm.domain.errors import Misconfigured
from alm.domain.managed_model import ArmWebService, ClassicEndpoint, ManagedModel
from alm.domain.messages import describe
from alm.domain.source_control import Repository
from alm.ports import Blobs, Clock, Outbox, Services, SourceControl, Versions
from alm.studio_ports import Studio

if TYPE_CHECKING:
    from alm.adapters.blob import AzureBlobs
    from alm.adapters.http import Http
    from alm.adapters.identity import Identity
    from alm.adapters.studio.services import StudioServices

Environment = Mapping[str, str]

STUDIO_HOSTS = ("*.azureml.net", "*.azureml.de", "*.azureml-int.net")
DOWNLOAD_HOSTS = ("*.blob.core.windows.net", "*.blob.core.cloudapi.de")  # workspaces' storage
LOOPBACK = ("127.0.0.1", "localhost")
RESOURCE_MANAGER = "https://management.azure.com"
GIT = "ALM_GIT"


@dataclass(frozen=True)
class Description:
    """What a web service says of itself: names of its models, inputs, outputs.

    batch_outputs: those of batch jobs; files: the ones among them that are trained models.
    why_not: why no model can be put in; parameters: global ones.
    """

    resources: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    batch_outputs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    why_not: str = ""


@dataclass(frozen=True)
class Storage:
    """Our storage account: where batch jobs read and write, versions lie, and commits wait."""

    blobs: Blobs
    versions: Versions
    outbox: Outbox


@dataclass(frozen=True)
class Connection:
    """Ports, some opened late: a command that needs no storage asks for none.

    declared: a managed model by its name; folder: where declarations are. describe: asks a web
    service about itself. secret: looks one up by its name.
    """

    environment: Environment
    clock: Clock
    studio: Studio
    services: Services
    describe: Callable[[ClassicEndpoint | ArmWebService], Description]
    secret: Callable[[str], SecretStr]
    declared: Callable[[str], ManagedModel]
    storage: Callable[[], Storage]
    source_control: Callable[[], SourceControl]
    folder: Path
    check_declarations: Callable[[], None]
    pause: Callable[[float], None] = time.sleep


Connect = Callable[[Environment], Connection]


def connect(environment: Environment) -> Connection:
    """Name everything where the environment says that it is; nothing is called yet."""
    from alm.adapters.clock import SystemClock
    from alm.adapters.http import Http
    from alm.adapters.identity import Identity
    from alm.adapters.studio.lifecycle import StudioLifecycle
    from alm.adapters.studio.services import StudioServices

    clock = SystemClock()
    identity = Identity(environment, clock)
    http = Http(hosts(environment))
    services = StudioServices(http, identity, arm_url(environment))
    downloads = Http((*hosts(environment), *DOWNLOAD_HOSTS))
    return Connection(
        environment=environment,
        clock=clock,
        studio=StudioLifecycle(http, identity, services, downloads=downloads),
        services=services,
        describe=partial(described, services),
        secret=identity.secret,
        declared=partial(_declared, environment),
        storage=partial(_storage, environment, clock),
        source_control=partial(_source_control, environment, http, identity, clock),
        folder=_folder(environment),
        check_declarations=partial(_check_declarations, environment),
    )


def hosts(environment: Environment) -> tuple[str, ...]:
    """Where calls may go: Studio, Resource Manager, the repository, and what the caller names."""
    git = repository(environment).url if environment.get(GIT) else ""
    named = (arm_url(environment), environment.get("ALM_STUDIO_URL", ""), git)
    places = (urlsplit(url).netloc for url in named if "://" in url)
    listed = environment.get("ALM_ALLOWED_HOSTS", "").split(",")
    storage = environment.get("ALM_STORAGE_HOSTS", "").split(",")
    more = [host.strip() for host in (*listed, *storage) if host.strip()]
    more += LOOPBACK if environment.get("ALM_LOCAL") == "1" else ()
    return tuple(dict.fromkeys([*STUDIO_HOSTS, *filter(None, places), *more]))


def arm_url(environment: Environment) -> str:
    """Resource Manager: Azure's, or the local stack's, which is where its Studio is."""
    local = environment.get("ALM_STUDIO_URL", "") if environment.get("ALM_LOCAL") == "1" else ""
    return environment.get("ALM_ARM_URL") or local or RESOURCE_MANAGER


def repository(environment: Environment) -> Repository:
    """The Git repository that `--commit` writes to, as ALM_GIT declares it for the app as well.

    Raises Misconfigured if there is none.
    """
    text = environment.get(GIT, "").strip()
    if not text:
        raise Misconfigured(
            f'no Git repository is configured; set {GIT} to {{"url": "https://… or a path", '
            '"branch": "main", "token": "env:NAME"}'
        )
    try:
        return Repository.model_validate(json.loads(text))
    except ValidationError as error:
        raise Misconfigured(f"{GIT}: {describe(error)}") from error
    except ValueError as error:
        raise Misconfigured(f"{GIT} is not JSON; write an object with the repository's url") from (
            error
        )


def described(services: StudioServices, service: ClassicEndpoint | ArmWebService) -> Description:
    """What a service says of itself. Raises as the service answers."""
    from alm.adapters.studio import inspect

    found = inspect.describe(services, service)
    return Description(
        resources=tuple(resource.name for resource in found.resources),
        inputs=tuple(port.name for port in found.api.inputs),
        outputs=tuple(port.name for port in found.api.outputs),
        batch_outputs=tuple(port.name for port in found.api.batch_outputs),
        files=tuple(found.api.files),
        parameters=tuple(found.api.parameters),
        why_not=found.why_not,
    )


def _folder(environment: Environment) -> Path:
    return Path(environment.get("ALM_MANAGED_MODELS") or "managed_models")


def _declared(environment: Environment, model: str) -> ManagedModel:
    from alm.adapters.declarations import Declarations

    return Declarations.read(_folder(environment), None).resolve(model)


def _check_declarations(environment: Environment) -> None:
    from alm.adapters.declarations import Declarations

    Declarations.read(_folder(environment), None)


def _storage(environment: Environment, clock: Clock) -> Storage:
    from alm.adapters.commit_outbox import CommitOutbox
    from alm.adapters.versions import BlobVersions

    blobs = _blobs(environment, clock)
    return Storage(blobs, BlobVersions(blobs), CommitOutbox(blobs, clock))


def _blobs(environment: Environment, clock: Clock) -> AzureBlobs:
    from alm.adapters.blob import AzureBlobs

    text, uri = (environment.get(f"ALM_STORAGE{end}", "") for end in ("", "__blobServiceUri"))
    if text and environment.get("ALM_LOCAL") == "1":
        return AzureBlobs.from_connection_string(text, clock)
    if not uri:
        raise Misconfigured(
            "this needs the app's storage account: set ALM_STORAGE__blobServiceUri and sign in "
            "(`az login`); with the local stack, ALM_LOCAL=1 and ALM_STORAGE"
        )
    from azure.identity import DefaultAzureCredential

    return AzureBlobs.from_identity(uri, DefaultAzureCredential(), clock)


def _source_control(
    environment: Environment, http: Http, identity: Identity, clock: Clock
) -> SourceControl:
    from alm.adapters.git import GitSourceControl

    return GitSourceControl.connect(repository(environment), http, identity, clock)
