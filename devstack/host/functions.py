"""What the decorators declare, checked: one `Function` per function, or every mistake at once.

What Azure would accept and then get wrong is refused here: see `devstack.host.traps`.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from devstack.host import ncrontab, traps
from devstack.host.errors import ConfigError
from devstack.host.patterns import BlobPattern, parse_pattern
from devstack.host.routes import Route, parse_route
from devstack.host.settings import Settings

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY")
_RESERVED = "admin"  # the host refuses to load such a function, whatever its route prefix


@dataclass(frozen=True)
class BlobTrigger:
    """Blobs whose path matches; `deferred` when bound to a client, not to the content."""

    pattern: BlobPattern
    connection: str
    deferred: bool


@dataclass(frozen=True)
class ServiceBusTrigger:
    """Messages of one queue or dead-letter sub-queue."""

    queue: str
    connection: str
    sessions: bool
    auto_complete: bool | None


@dataclass(frozen=True)
class TimerTrigger:
    """Times that match a schedule."""

    schedule: ncrontab.Schedule
    use_monitor: bool
    run_on_startup: bool


@dataclass(frozen=True)
class HttpTrigger:
    """Requests to a route; no methods means any; level is anonymous, function or admin."""

    route: Route
    methods: tuple[str, ...]
    level: str


Trigger = BlobTrigger | ServiceBusTrigger | TimerTrigger | HttpTrigger


@dataclass(frozen=True)
class Function:
    """One function of the app; `bindings` as the worker indexed them."""

    name: str
    trigger: Trigger
    bindings: tuple[dict[str, Any], ...]


def read_functions(
    descriptions: list[dict[str, Any]], settings: Settings, route_prefix: str
) -> list[Function]:
    """Turn what the worker indexed into functions. Raises ConfigError with every mistake."""
    if not descriptions:
        raise ConfigError(
            ["no functions found: function_app.py declares none; Azure would start with nothing"]
        )
    functions: list[Function] = []
    mistakes: list[str] = []
    for description in descriptions:
        bindings = tuple(json.loads(text) for text in description["raw_bindings"])
        found = [
            f"function {description['name']!r}: {t}" for t in traps.find(description, bindings)
        ]
        if found:
            mistakes += found
            continue
        try:
            trigger = _trigger(description, bindings, settings, route_prefix)
            functions.append(Function(description["name"], trigger, bindings))
        except ValueError as error:
            mistakes.append(f"function {description['name']!r}: {error}")
    if mistakes:
        raise ConfigError(mistakes)
    return functions


def _trigger(
    description: dict[str, Any],
    bindings: tuple[dict[str, Any], ...],
    settings: Settings,
    route_prefix: str,
) -> Trigger:
    binding = next(b for b in bindings if b["type"].endswith("Trigger"))
    match binding["type"]:
        case "blobTrigger":
            deferred = binding["name"] in description["deferred"]
            return _blob(binding, settings, deferred=deferred)
        case "serviceBusTrigger":
            return _service_bus(binding, settings)
        case "timerTrigger":
            return _timer(binding, settings)
        case _:
            return _http(binding, settings, route_prefix)


def _blob(binding: dict[str, Any], settings: Settings, *, deferred: bool) -> BlobTrigger:
    settings.connection(binding["connection"])
    return BlobTrigger(
        pattern=parse_pattern(settings.expand(binding["path"])),
        connection=binding["connection"],
        deferred=deferred,
    )


def _service_bus(binding: dict[str, Any], settings: Settings) -> ServiceBusTrigger:
    settings.connection(binding["connection"])
    return ServiceBusTrigger(
        queue=settings.expand(binding["queueName"]),
        connection=binding["connection"],
        sessions=bool(binding.get("isSessionsEnabled", False)),
        auto_complete=binding.get("autoCompleteMessages"),
    )


def _timer(binding: dict[str, Any], settings: Settings) -> TimerTrigger:
    schedule = ncrontab.parse(settings.expand(binding["schedule"]))
    schedule.next_after(datetime.now(UTC))  # there must be a next time
    return TimerTrigger(
        schedule=schedule,
        use_monitor=bool(binding.get("useMonitor", True)),
        run_on_startup=bool(binding.get("runOnStartup", False)),
    )


def _http(binding: dict[str, Any], settings: Settings, route_prefix: str) -> HttpTrigger:
    methods = tuple(str(method).upper() for method in binding.get("methods", ()))
    unknown = [method for method in methods if method not in METHODS]
    if unknown:
        raise ValueError(f"methods {', '.join(unknown)} are not HTTP methods")
    route = settings.expand(binding["route"]).strip("/")
    if route.lower().startswith(_RESERVED):
        raise ValueError(f"route {route!r} begins with {_RESERVED!r}, which Azure keeps for itself")
    text = "/".join(part for part in (route_prefix, route) if part)
    level = str(binding.get("authLevel", "FUNCTION")).lower()
    return HttpTrigger(route=parse_route(text), methods=methods, level=level)
