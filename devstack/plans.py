"""How each part of the stack is started, and what the app is told through its environment."""

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devstack import azurite, htmx, npm
from devstack.api_keys import hashes_of
from devstack.declarations import FOLDER
from devstack.part import PartPlan
from devstack.ports import is_open

_ROOT = Path(__file__).resolve().parents[1]
_THREADS = "32"  # DESIGN: worker threads equal maxConcurrentSessions


@dataclass(frozen=True)
class StackOptions:
    """Which app, where its data goes, which ports (0: a free one), and what is added."""

    app: Path = Path()
    data: Path = Path(".local/up")
    servicebus_config: Path | None = None  # default: infra/servicebus.json of the app
    with_samples: bool = False
    admin: bool = False
    host: bool = True
    telemetry: bool = False
    verbose: bool = False
    propagation_seconds: float | None = None
    environment: dict[str, str] = field(default_factory=dict)
    declare: tuple[Path, ...] = ()  # folders whose declarations the app starts with
    ports: dict[str, int] = field(default_factory=dict)  # keys: devstack.ports.NAMES

    @property
    def config(self) -> Path:
        """The file that names the queues."""
        return (self.servicebus_config or self.app / "infra" / "servicebus.json").resolve()

    @property
    def declarations(self) -> Path:
        """The folder that the app reads its declarations from."""
        if self.declare or self.goes_on:
            return self.data.resolve() / FOLDER
        return self.app.resolve() / self.environment.get("ALM_MANAGED_MODELS", "managed_models")

    @property
    def goes_on(self) -> bool:
        """Whether the app goes on with what an earlier start declared, as nothing else is named."""
        named = self.declare or "ALM_MANAGED_MODELS" in self.environment
        return not named and (self.data.resolve() / FOLDER).is_dir()

    @property
    def beside(self) -> dict[str, str]:
        """Settings of the app besides the usual ones."""
        own = self.declare or self.goes_on
        folder = {"ALM_MANAGED_MODELS": str(self.declarations)} if own else {}
        return {**self.environment, **folder}


def storage_ports(ports: dict[str, int]) -> azurite.Ports:
    """Return Azurite's ports."""
    return azurite.Ports(ports["blob"], ports["queue"], ports["table"])


def azurite_plan(options: StackOptions, ports: dict[str, int]) -> PartPlan:
    """Azurite; ready when all three ports are open."""
    node = azurite.find_node()
    azurite.install(node)
    where = storage_ports(ports)
    folder = options.data.resolve() / "azurite"
    folder.mkdir(parents=True, exist_ok=True)
    command = azurite.command(node, where, folder)
    return PartPlan(
        name="azurite",
        command=tuple(command),
        environment=dict(os.environ),
        log=_log(options, "azurite"),
        directory=_ROOT,
        probe=lambda: all(is_open(port) for port in (where.blob, where.queue, where.table)),
    )


def servicebus_plan(options: StackOptions, ports: dict[str, int]) -> PartPlan:
    """The broker."""
    words = ["--port", str(ports["servicebus"]), "--config", str(options.config)]
    if options.admin:
        words += ["--admin-port", str(ports["servicebus-admin"])]
    return _python_plan("servicebus", options, words)


def studio_plan(options: StackOptions, ports: dict[str, int]) -> PartPlan:
    """Local Studio, with its workspace storage in Azurite."""
    storage = azurite.connection_string(storage_ports(ports))
    words = ["--port", str(ports["studio"]), "--storage", storage]
    if options.with_samples:
        words.append("--with-samples")
    if options.admin:
        words.append("--admin")
    if options.propagation_seconds is not None:
        words += ["--propagation-seconds", str(options.propagation_seconds)]
    return _python_plan("studio", options, words)


def collector_plan(options: StackOptions, ports: dict[str, int]) -> PartPlan:
    """The collector of what the app tells of itself."""
    return _python_plan("collector", options, ["--port", str(ports["collector"])])


def host_plan(options: StackOptions, ports: dict[str, int], addresses: dict[str, Any]) -> PartPlan:
    """The Functions host with the app's settings."""
    _put_htmx()
    words = ["--app", str(options.app.resolve()), "--port", str(ports["functions"])]
    if options.verbose:
        words.append("--verbose")
    settings = {**app_settings(addresses), **options.beside}
    return _python_plan("host", options, words, settings)


def _put_htmx() -> None:
    """Put htmx beside the page's stylesheet; the page works without it."""
    try:
        htmx.install(npm.find_node())
    except npm.NotInstallable as error:
        sys.stderr.write(f"{error}\nthe page goes without live updates\n")


def app_settings(addresses: dict[str, Any]) -> dict[str, str]:
    """Return the settings that the app reads from its environment."""
    storage = addresses["storage_connection_string"]
    return {
        "AzureWebJobsStorage": storage,
        "ALM_STORAGE": storage,
        "ALM_SERVICEBUS": addresses["connection_string"],
        "ALM_API_KEYS": json.dumps(hashes_of(addresses["api_keys"])),
        "ALM_STUDIO_URL": addresses["base_url"],
        "ALM_ARM_URL": addresses["base_url"],
        "ALM_REPLY_QUEUES": "alm-answers",
        "ALM_STUDIO_WORKSPACE_ID": addresses["workspace_id"],
        "ALM_STUDIO_WORKSPACE_TOKEN": addresses["workspace_token"],
        "ALM_STUDIO_SUBSCRIPTION_ID": addresses["subscription_id"],
        "ALM_STUDIO_RESOURCE_GROUP": addresses["resource_group"],
        "ALM_STUDIO_ARM_TOKEN": addresses["arm_token"],
        "ALM_LOCAL": "1",
        "PYTHON_THREADPOOL_THREAD_COUNT": _THREADS,
        **(_telemetry_settings(addresses["collector_url"]) if "collector_url" in addresses else {}),
    }


def _telemetry_settings(url: str) -> dict[str, str]:
    """Sent often: a worker that is ended at once, as ours is, loses what waits to be sent."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_BSP_SCHEDULE_DELAY": "500",
        "OTEL_BLRP_SCHEDULE_DELAY": "500",
        "OTEL_METRIC_EXPORT_INTERVAL": "2000",
    }


def _python_plan(
    name: str, options: StackOptions, words: list[str], settings: dict[str, str] | None = None
) -> PartPlan:
    folder = options.data.resolve() / name
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "devstack", name, "--json", "--data", str(folder), *words]
    return PartPlan(
        name=name,
        command=tuple(command),
        environment={**os.environ, **(settings or {})},
        log=_log(options, name),
        directory=_ROOT,
    )


def _log(options: StackOptions, name: str) -> Path:
    folder = options.data.resolve() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.log"
