"""One Azurite, one broker, and the host with the sample app, shared by the tests of this folder."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from devstack import azurite, plans, ports
from devstack.host.broker import parse_address
from devstack.part import Part, PartPlan
from devstack.servicebus.client import Client

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SECONDS_MAX = 20.0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Cloud:
    """What the app needs around it, and one host at a time."""

    folder: Path
    settings: dict[str, str]
    admin_url: str
    plan_of_broker: PartPlan
    parts: list[Part]
    hosts: list[Part] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> Path:
        return Path(self.settings["SAMPLE_RECORD"])

    def start_host(self, app: Path = HERE / "sample_app") -> Part:
        command = [sys.executable, "-m", "devstack", "host", "--app", str(app), "--json"]
        command += ["--port", "0", "--data", str(self.folder / "host")]
        plan = PartPlan(
            name="host",
            command=tuple(command),
            environment={**os.environ, **self.settings},
            log=self.folder / "host.log",
            directory=ROOT,
        )
        host = Part(plan, lambda name, code: None)
        self.hosts.append(host)
        self.facts = host.wait_ready(time.monotonic() + SECONDS_MAX)
        return host

    def restart_broker(self) -> None:
        self.parts[-1].kill()
        self.parts.append(Part(self.plan_of_broker, lambda name, code: None))
        self.parts[-1].wait_ready(time.monotonic() + SECONDS_MAX)

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            self.facts["functions_url"] + path, data=body, method=method, headers=named
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def admin(self, method: str, path: str, body: Any = None) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        return self.request(method, path, content, x_functions_key=self.facts["master_key"])

    def status(self) -> dict[str, Any]:
        return self.admin("GET", "/admin/host/status").json()

    def upload(self, container: str, name: str, content: bytes, **metadata: str) -> None:
        with BlobServiceClient.from_connection_string(self.settings["ALM_STORAGE"]) as service:
            client = service.get_blob_client(container, name)
            client.upload_blob(content, overwrite=True, metadata=metadata)

    def send(self, queue: str, *bodies: Any, **properties: Any) -> None:
        asyncio.run(self._send(queue, bodies, properties))

    async def _send(self, queue: str, bodies: tuple[Any, ...], properties: dict[str, Any]) -> None:
        client = await Client.connect(*parse_address(self.settings["ALM_SERVICEBUS"]))
        sender = await client.sender(queue)
        application = properties.pop("application_properties", {})
        for body in bodies:
            await sender.send(
                json.dumps(body).encode(),
                properties=properties,
                application_properties=application,
            )
        await client.close()

    def records(self, function: str, **facts: Any) -> list[dict[str, Any]]:
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        found = [json.loads(line) for line in lines]
        return [
            record
            for record in found
            if record["function"] == function and facts.items() <= record.items()
        ]

    def await_records(self, count: int, function: str, **facts: Any) -> list[dict[str, Any]]:
        self.await_true(lambda: len(self.records(function, **facts)) >= count)
        return self.records(function, **facts)

    def await_true(self, condition: Callable[[], object]) -> None:
        """Other processes decide when; look every 10 ms, fail after 20 s."""
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"did not happen; {self.log()[-3000:]}")
            time.sleep(0.01)

    def log(self) -> str:
        return (self.folder / "host.log").read_text()

    def queue(self, name: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.admin_url}/queues") as answer:
            found = json.load(answer)
        return next(q for q in found["queues"] if q["name"] == name)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    options = plans.StackOptions(
        app=HERE, data=folder, servicebus_config=HERE / "servicebus.json", admin=True
    )
    numbers = ports.choose({})
    storage = azurite.connection_string(plans.storage_ports(numbers))
    broker = plans.servicebus_plan(options, numbers)
    parts = [
        Part(plan, lambda name, code: None)
        for plan in (plans.azurite_plan(options, numbers), broker)
    ]
    made: list[Cloud] = []
    try:
        facts: dict[str, Any] = {}
        for part in parts:
            facts |= part.wait_ready(time.monotonic() + SECONDS_MAX)
        settings = {
            "AzureWebJobsStorage": storage,
            "ALM_STORAGE": storage,
            "ALM_SERVICEBUS": facts["connection_string"],
            "SAMPLE_STEPS": "steps",
            "SAMPLE_RECORD": str(folder / "record"),
            "PYTHON_THREADPOOL_THREAD_COUNT": "8",
        }
        made.append(Cloud(folder, settings, facts["admin_url"], broker, parts))
        made[0].start_host()
        yield made[0]
    finally:
        ending = [*(host for c in made for host in c.hosts), *reversed(parts)]
        for part in ending:
            part.end()
        for part in ending:
            part.join(8.0)


@pytest.fixture
def sample(cloud: Cloud) -> Cloud:
    """The cloud with a host that runs, and an empty record."""
    if not cloud.hosts[-1].alive:
        cloud.start_host()
    cloud.record.unlink(missing_ok=True)
    return cloud
