"""The whole stack as one object: Azurite, broker, local Studio, Functions host.

    with Stack(StackOptions(app=Path("."), data=Path(".local/up"))) as stack:
        stack.addresses["functions_url"]
        stack.kill("studio")
        stack.start("studio")  # same port, same data

What is below `data` survives; no process outlives this one, not even a kill -9 of it.
"""

import fcntl
import json
import os
import queue
import signal
import time
import urllib.request
from typing import IO, Any

from devstack import azurite, plans
from devstack.api_keys import keep_api_keys
from devstack.part import Part, PartFailed, PartPlan
from devstack.plans import StackOptions
from devstack.ports import choose, kept

__all__ = ["PARTS", "PartFailed", "Stack", "StackFailed", "StackOptions"]

PARTS = ("azurite", "servicebus", "studio", "collector", "host")
_START_SECONDS_MAX = 60.0
_END_SECONDS_MAX = 15.0  # more than the host takes: 5 s for messages, 5 s for the rest
_ENDING_ORDER = (("host",), ("studio", "servicebus", "collector"), ("azurite",))
_GLANCE_SECONDS = 0.02


class StackFailed(Exception):
    """The stack cannot start; says why and what to do."""


class Stack:
    """Starts on `up` (or `with`), ends on `down`. One thread uses it."""

    def __init__(self, options: StackOptions) -> None:
        self.options = options
        self.addresses: dict[str, Any] = {}
        self.deaths: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._data = options.data.resolve()
        self._parts: dict[str, Part] = {}
        self._ports: dict[str, int] = {}
        self._lock: IO[str] | None = None

    def __enter__(self) -> "Stack":
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def up(self) -> None:
        """Start everything and wait until it is ready. Raises StackFailed; then nothing runs."""
        try:
            self._prepare()
            self._spawn("azurite")
            self._spawn("servicebus")
            self._await("azurite")
            self.start("studio")  # creates its container as it starts
            self._await("servicebus")
            if self.options.telemetry:
                self.start("collector")
            if self.options.host:
                self.start("host")
        except (PartFailed, azurite.NotInstallable, OSError) as error:
            self.down()
            raise StackFailed(str(error)) from error
        except BaseException:
            self.down()
            raise

    def _prepare(self) -> None:
        for path, remedy in (
            (self.options.config, "name the file of the queues: --servicebus-config FILE"),
            (self.options.app / "host.json", "name the app's folder: --app DIR"),
        ):
            if not path.is_file() and (self.options.host or "--app" not in remedy):
                raise StackFailed(f"{path} does not exist; {remedy}")
        self._data.mkdir(parents=True, exist_ok=True)
        self._lock = (self._data / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StackFailed(
                f"another stack runs on {self._data}; end it, or choose another --data"
            ) from error
        ports = self._data / "ports.json"
        self._ports = choose(self.options.ports, kept(ports))
        ports.write_text(json.dumps(self._ports), encoding="utf-8")
        self.addresses = {
            "api_keys": keep_api_keys(self._data / "api-keys.json"),
            "storage_connection_string": azurite.connection_string(
                plans.storage_ports(self._ports)
            ),
            "servicebus_admin_url": None,
            "data": str(self._data),
        }

    def _plan(self, name: str) -> PartPlan:
        match name:
            case "azurite":
                return plans.azurite_plan(self.options, self._ports)
            case "servicebus":
                return plans.servicebus_plan(self.options, self._ports)
            case "studio":
                return plans.studio_plan(self.options, self._ports)
            case "collector":
                return plans.collector_plan(self.options, self._ports)
            case "host":
                return plans.host_plan(self.options, self._ports, self.addresses)
        raise ValueError(f"there is no part {name!r}; parts are {', '.join(PARTS)}")

    def _spawn(self, name: str) -> None:
        report = self.deaths.put
        self._parts[name] = Part(self._plan(name), lambda part, code: report((part, code)))

    def _await(self, name: str) -> None:
        facts = self._parts[name].wait_ready(time.monotonic() + _START_SECONDS_MAX)
        match name:
            case "servicebus":
                self.addresses["connection_string"] = facts["connection_string"]
                self.addresses["servicebus_admin_url"] = facts.get("admin_url")
            case "studio":
                self.addresses = facts | self.addresses  # our storage string has the queues too
            case "collector":
                self.addresses["collector_url"] = facts["collector_url"]
            case "host":
                self.addresses["functions_url"] = facts["functions_url"]
                self.addresses["host_master_key"] = facts["master_key"]

    def start(self, name: str) -> None:
        """Start one part that does not run and wait until it is ready. Raises PartFailed."""
        assert name not in self._parts or not self._parts[name].alive
        self._spawn(name)
        self._await(name)

    def stop(self, name: str) -> None:
        """End one part as an operator would (SIGTERM)."""
        self._parts[name].end()
        self._parts[name].join(_END_SECONDS_MAX)

    def kill(self, name: str) -> None:
        """Kill one part, or the worker, with -9. Azurite may lose its last five seconds."""
        if name == "worker":
            os.kill(self.worker_pid(), signal.SIGKILL)
        else:
            self._parts[name].kill()

    def restart_worker(self) -> int:
        """Kill the worker and wait for the next; return its process id. Raises StackFailed."""
        before = self.worker_pid()
        os.kill(before, signal.SIGKILL)
        deadline = time.monotonic() + _START_SECONDS_MAX
        while time.monotonic() < deadline:
            status = self.host_status()
            if status["worker_ready"] and status["worker_pid"] != before:
                return int(status["worker_pid"])
            time.sleep(_GLANCE_SECONDS)
        raise StackFailed(f"no new worker in {_START_SECONDS_MAX:.0f} s; {self.log_tail('host')}")

    def worker_pid(self) -> int:
        """Return the process id of the present worker."""
        return int(self.host_status()["worker_pid"])

    def host_status(self) -> dict[str, Any]:
        """Return what the host says of itself."""
        request = urllib.request.Request(  # noqa: S310 - our own host
            f"{self.addresses['functions_url']}/admin/host/status",
            headers={"x-functions-key": self.addresses["host_master_key"]},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own host
            status: dict[str, Any] = json.load(answer)
        return status

    def pids(self) -> dict[str, int]:
        """Return the process ids of all that runs."""
        found = {name: part.pid for name, part in self._parts.items() if part.alive}
        if "host" in found:
            found["worker"] = self.worker_pid()
        return found

    def log_tail(self, name: str) -> str:
        """Return the end of a part's log."""
        return self._parts[name].log_tail()

    def down(self) -> None:
        """End everything, the host first."""
        for names in _ENDING_ORDER:
            ending = [self._parts[name] for name in names if name in self._parts]
            for part in ending:
                part.end()
            for part in ending:
                part.join(_END_SECONDS_MAX)
        self._parts.clear()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
