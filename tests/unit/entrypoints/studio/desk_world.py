"""The command line about Studio, over doubles: nothing here is slow, and everything can fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from alm.adapters.commit_outbox import CommitOutbox
from alm.adapters.declarations import Declarations
from alm.domain.errors import Misconfigured
from alm.domain.experiment import StudioWorkspace
from alm.domain.managed_model import ArmWebService, ClassicEndpoint
from alm.entrypoints.cli import studio as nouns
from alm.entrypoints.cli.client import Client
from alm.entrypoints.cli.exits import Commands
from alm.entrypoints.cli.studio.connection import Connection, Description, Storage
from tests.devstack.studio.experiment_client import line, training_graph
from tests.doubles.lifecycle import DoubleLifecycle
from tests.doubles.source_control import MemoryRepository, MemorySourceControl
from tests.doubles.storage import FixedClock, MemoryBlobs, MemoryVersions
from tests.doubles.studio import DoubleServices
from tests.doubles.workspace import DoubleWorkspace

HERE = "d" * 32
THERE = "e" * 32
PLAN = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning/commitmentPlans/eu"


class DeskWorld:
    """Doubles, and commands that are connected to them. when_waiting: done once, at a pause."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock()
        self.studio = DoubleLifecycle(self.clock)
        self.services = DoubleServices(self.clock)
        self.blobs = MemoryBlobs(self.clock)
        self.versions = MemoryVersions(self.blobs)
        self.outbox = CommitOutbox(self.blobs, self.clock)
        self.repository = MemoryRepository()
        self.secrets = {"env:ALM_STUDIO_STORAGE_KEY": "storage-key"}
        self.described = Description(("m [trained model]",), ("input1",), ("output1",))
        self.api = Client("http://127.0.0.1:1/api", "")
        self.environment = {"ALM_STUDIO_WORKSPACE": HERE, "COLUMNS": "250"}
        self.seconds_waited = 0.0
        self.when_waiting: Callable[[], None] = lambda: None

    def workspace(self, name: str = HERE) -> DoubleWorkspace:
        return self.studio.workspace(StudioWorkspace(workspace=name))

    def run(self, *words: str, answer: str = "", **environment: str) -> Result:
        root = typer.Typer(cls=Commands)
        nouns.add_to(root, self._connect)
        given = {**self.environment, **environment}
        return CliRunner().invoke(root, list(words), input=answer, env=given, obj=self.api)

    def ok(self, *words: str, **environment: str) -> str:
        result = self.run(*words, **environment)
        assert result.exit_code == 0, (words, result.stderr, result.exception)
        return result.stdout

    def json(self, *words: str, **environment: str) -> Any:
        return json.loads(self.ok(*words, "--json", **environment))

    def refused(self, *words: str, code: int = 1, **environment: str) -> str:
        result = self.run(*words, **environment)
        assert result.exit_code == code, (words, result.stdout, result.stderr, result.exception)
        return result.stderr

    def file(self, name: str, content: bytes | str | Mapping[str, Any]) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Mapping):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def experiment(self, name: str = "churn", dataset: str = "") -> str:
        """A training experiment, not run yet. Returns its id."""
        data = dataset or self.workspace().put_asset("dataset", f"{name} data", line(2))
        file = self.file(f"{name}.json", {"Description": name, "Graph": training_graph(data)})
        self.workspace().module_ids = module_ids()
        made: str = self.json("experiment", "import", file)["id"]
        return made

    def finished(self, name: str = "churn") -> str:
        """A training experiment that ran. Returns its id."""
        made = self.experiment(name)
        self.ok("experiment", "run", made, "--wait")
        return made

    def _connect(self, environment: Mapping[str, str]) -> Connection:
        folder = self.folder / "managed_models"
        return Connection(
            environment=environment,
            clock=self.clock,
            studio=self.studio,
            services=self.services,
            describe=self._describe,
            secret=self._secret,
            declared=lambda model: Declarations.read(folder, None).resolve(model),
            storage=lambda: Storage(self.blobs, self.versions, self.outbox),
            source_control=lambda: MemorySourceControl(self.clock, self.repository),
            folder=folder,
            check_declarations=lambda: _check(folder),
            pause=self._pause,
        )

    def _pause(self, seconds: float) -> None:
        self.seconds_waited += seconds
        self.clock.advance(seconds)
        waiting, self.when_waiting = self.when_waiting, lambda: None
        waiting()

    def _describe(self, _service: ClassicEndpoint | ArmWebService) -> Description:
        return self.described

    def _secret(self, name: str) -> SecretStr:
        if name not in self.secrets:
            raise Misconfigured(f"secret {name} is not set")
        return SecretStr(self.secrets[name])

    def describes(self, **changes: Any) -> None:
        self.described = replace(self.described, **changes)


def module_ids() -> list[str]:
    """The modules that the graphs of these tests use."""
    return [node["ModuleId"] for node in training_graph("x.y.z")["ModuleNodes"]]


def _check(folder: Path) -> None:
    Declarations.read(folder, None)
