"""host.json: the keys this host honours, checked all at once.

Unknown keys in the sections `serviceBus`, `blobs` and `http` are mistakes: in Azure a misspelt or
outdated key (`messageHandlerOptions`) is ignored without a word.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devstack.host.errors import ConfigError
from devstack.host.timespans import parse_seconds

_CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class ServiceBusOptions:
    """Section `extensions.serviceBus`, with the defaults of extension 5.x."""

    prefetch_count: int = 0
    auto_complete_messages: bool = True
    max_concurrent_calls: int = 16 * _CORES
    max_concurrent_sessions: int = 8
    max_concurrent_calls_per_session: int = 1
    max_auto_lock_renewal_seconds: float = 300.0
    session_idle_timeout_seconds: float = 60.0


@dataclass(frozen=True)
class BlobOptions:
    """Section `extensions.blobs`."""

    max_degree_of_parallelism: int = 8 * _CORES
    poison_blob_threshold: int = 5


@dataclass(frozen=True)
class HostOptions:
    """What host.json says; `function_timeout_seconds` None means no limit."""

    function_timeout_seconds: float | None = 1800.0
    route_prefix: str = "api"
    service_bus: ServiceBusOptions = field(default_factory=ServiceBusOptions)
    blobs: BlobOptions = field(default_factory=BlobOptions)


Reader = Callable[[Any], Any]


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{value!r} is not a whole number of 1 or more")
    return value


def _count_or_zero(value: Any) -> int:
    return 0 if value == 0 and not isinstance(value, bool) else _count(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not true or false")
    return value


def _seconds(value: Any) -> float:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a time span; write hh:mm:ss")
    return parse_seconds(value)


def _prefix(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    return value.strip("/")


def _anything(value: Any) -> Any:
    return value


_SERVICE_BUS: dict[str, tuple[str, Reader]] = {
    "prefetchCount": ("prefetch_count", _count_or_zero),
    "autoCompleteMessages": ("auto_complete_messages", _flag),
    "maxConcurrentCalls": ("max_concurrent_calls", _count),
    "maxConcurrentSessions": ("max_concurrent_sessions", _count),
    "maxConcurrentCallsPerSession": ("max_concurrent_calls_per_session", _count),
    "maxAutoLockRenewalDuration": ("max_auto_lock_renewal_seconds", _seconds),
    "sessionIdleTimeout": ("session_idle_timeout_seconds", _seconds),
    "clientRetryOptions": ("", _anything),
    "transportType": ("", _anything),
    "maxMessageBatchSize": ("", _anything),
    "minMessageBatchSize": ("", _anything),
    "maxBatchWaitTime": ("", _anything),
    "enableCrossEntityTransactions": ("", _anything),
}
_BLOBS: dict[str, tuple[str, Reader]] = {
    "maxDegreeOfParallelism": ("max_degree_of_parallelism", _count),
    "poisonBlobThreshold": ("poison_blob_threshold", _count),
}
_HTTP: dict[str, tuple[str, Reader]] = {
    "routePrefix": ("route_prefix", _prefix),
    "maxConcurrentRequests": ("", _anything),
    "maxOutstandingRequests": ("", _anything),
    "dynamicThrottlesEnabled": ("", _anything),
    "hsts": ("", _anything),
    "customHeaders": ("", _anything),
}
_REMEDIES = {
    "messageHandlerOptions": "the old form, which extension 5 ignores; write its keys flat",
    "sessionHandlerOptions": "the old form, which extension 5 ignores; write its keys flat",
    "maxAutoRenewDuration": "the old name; write maxAutoLockRenewalDuration",
    "autoComplete": "the old name; write autoCompleteMessages",
}


def read_host_json(path: Path) -> HostOptions:
    """Return the options. Raises ConfigError with every mistake."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            [f'{path} does not exist; write at least {{"version": "2.0"}}']
        ) from error
    except ValueError as error:
        raise ConfigError([f"{path} is not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise ConfigError([f"{path} is not a JSON object"])
    return _options(document, path)


def _options(document: dict[str, Any], path: Path) -> HostOptions:
    mistakes: list[str] = []
    if document.get("version") != "2.0":
        mistakes.append(f'version is {document.get("version")!r}; write "2.0"')
    extensions = document.get("extensions", {})
    if not isinstance(extensions, dict):
        mistakes.append("extensions is not an object")
        extensions = {}
    service_bus = _section(extensions, "serviceBus", _SERVICE_BUS, mistakes)
    blobs = _section(extensions, "blobs", _BLOBS, mistakes)
    http = _section(extensions, "http", _HTTP, mistakes)
    timeout = _timeout(document, mistakes)
    if mistakes:
        raise ConfigError([f"{path}: {mistake}" for mistake in mistakes])
    return HostOptions(
        function_timeout_seconds=timeout,
        service_bus=ServiceBusOptions(**service_bus),
        blobs=BlobOptions(**blobs),
        **http,
    )


def _timeout(document: dict[str, Any], mistakes: list[str]) -> float | None:
    text = document.get("functionTimeout", "00:30:00")
    if text == "-1":
        return None
    try:
        return _seconds(text)
    except ValueError as error:
        mistakes.append(f"functionTimeout: {error}")
        return None


def _section(
    extensions: dict[str, Any],
    name: str,
    keys: dict[str, tuple[str, Reader]],
    mistakes: list[str],
) -> dict[str, Any]:
    section = extensions.get(name, {})
    if not isinstance(section, dict):
        mistakes.append(f"extensions.{name} is not an object")
        return {}
    values: dict[str, Any] = {}
    for key, value in section.items():
        if key not in keys:
            remedy = _REMEDIES.get(key, f"known keys are {', '.join(keys)}")
            mistakes.append(f"extensions.{name}.{key} is not known: {remedy}")
            continue
        field_name, read = keys[key]
        try:
            values[field_name] = read(value)
        except ValueError as error:
            mistakes.append(f"extensions.{name}.{key}: {error}")
    values.pop("", None)
    return values
