"""Context: what the interfaces of Studio share, put together once by `Studio`."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from devstack.studio.accounts import Account, check_host
from devstack.studio.arm_checks import check_properties
from devstack.studio.definitions import package_of
from devstack.studio.faults import Faults
from devstack.studio.model_library import ModelLibrary
from devstack.studio.records import AssetSource, Identity
from devstack.studio.serving import Execution, reference_of
from devstack.studio.store import Store
from devstack.studio.transfer import BlobTransfer
from devstack.studio.workspace.assets import Assets
from devstack.studio.workspace.shared_access import SharedAccess
from devstack.studio.workspace.workspaces import Workspaces

# Entries of the log of calls that are kept for tests.
LOG_ENTRIES_MAX = 10_000


class Calls:
    """Counts calls by route and keeps a log of what was started and patched, for tests."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._log: list[dict[str, Any]] = []

    def count(self, route: str) -> None:
        """One more call of a route."""
        with self._lock:
            self._counts[route] += 1

    def note(self, event: str, what: str) -> None:
        """Something happened to something, now."""
        with self._lock:
            self._log.append({"time": self._clock(), "event": event, "what": what})
            del self._log[:-LOG_ENTRIES_MAX]

    def document(self) -> dict[str, Any]:
        """Counts and log."""
        with self._lock:
            return {"counts": dict(sorted(self._counts.items())), "log": list(self._log)}

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts.clear()
            self._log.clear()


@dataclass
class Context:
    """What more than one interface needs. `propagation_seconds` may change while it runs.

    propagation_of: the delay of single endpoints (or web services) by name, where it differs.
    """

    identity: Identity
    base_url: str
    account: Account
    allowed_hosts: frozenset[str]
    store: Store
    model_library: ModelLibrary
    transfer: BlobTransfer
    execution: Execution
    clock: Callable[[], float]
    propagation_seconds: float
    calls: Calls
    workspaces: Workspaces
    assets: Assets
    shared_access: SharedAccess
    faults: Faults = field(default_factory=Faults)
    propagation_of: dict[str, float] = field(default_factory=dict)

    def propagation(self, name: str) -> float:
        """How long a changed endpoint or web service keeps answering as before, in seconds."""
        return self.propagation_of.get(name, self.propagation_seconds)

    def checked_properties(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A definition's properties in canonical form; raises StudioError with all mistakes."""
        return check_properties(document, "2017-01-01")

    def sources(self, properties: Mapping[str, Any]) -> dict[str, AssetSource]:
        """Where the models of a definition are; raises BadArgument for a host not allowed."""
        found = {}
        kinds = package_of(properties).resource_kinds
        for asset_id, asset in (properties.get("assets") or {}).items():
            if asset["type"] == "Resource":
                location = asset["locationInfo"]
                check_host(location["uri"], self.allowed_hosts, asset_id)
                found[asset_id] = AssetSource(
                    uri=location["uri"],
                    credentials=location.get("credentials") or "",
                    kind=kinds[asset_id],
                )
        return found

    def split_location(self, source: AssetSource) -> tuple[str, str]:
        """An asset's location as base and `container/blob`; base is "" for our own account."""
        address = reference_of(source)
        own = urlsplit(self.account.base_location)
        prefix = own.path.lstrip("/")
        if address.base == f"{own.scheme}://{own.netloc}/" and address.relative.startswith(prefix):
            return "", address.relative[len(prefix) :]
        return address.base, address.relative
