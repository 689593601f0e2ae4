"""The command line on local Studio, with what it is given in files and in its environment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import Any

import typer
from typer.testing import CliRunner, Result

from alm.adapters.blob import AzureBlobs
from alm.adapters.clock import SystemClock
from alm.entrypoints.cli import studio as nouns
from alm.entrypoints.cli.client import Client as ApiClient
from alm.entrypoints.cli.exits import Commands
from alm.entrypoints.cli.studio.connection import Connection, connect
from devstack.studio.studio import Studio, StudioOptions
from tests.contract.studio.waiting import HandClock
from tests.devstack.studio.client import Client

Graph = dict[str, Any]


@dataclass
class CliWorld:
    """One Studio; a folder for files, made the present one while commands run."""

    studio: Studio
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, **environment: str) -> Result:
        """Run a command; it does not wait longer than Studio takes."""
        root = typer.Typer(cls=Commands)
        nouns.add_to(root, quick)
        given = {**self.environment, **environment}
        return CliRunner().invoke(
            root, list(words), env=given, obj=ApiClient("http://127.0.0.1:1", "")
        )

    def ok(self, *words: str, **environment: str) -> str:
        """The output of a command that succeeds."""
        result = self.run(*words, **environment)
        assert result.exit_code == 0, (words, result.stderr, result.exception)
        return result.stdout

    def json(self, *words: str, **environment: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.ok(*words, "--json", **environment))

    def refused(self, *words: str, **environment: str) -> str:
        """Why a command is refused."""
        result = self.run(*words, **environment)
        assert result.exit_code == 1, (words, result.stdout, result.stderr, result.exception)
        return result.stderr

    def file(self, name: str, content: bytes | str | Mapping[str, Any]) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Mapping):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def path(self, name: str) -> Path:
        return self.folder / name

    def experiment(self, name: str, graph: Graph, service: Graph | None = None) -> str:
        """Make an experiment the way people do: from a file. Returns its id."""
        document = {"Description": name, "Graph": graph, "WebService": service}
        file = self.file(f"{name}.json", document)
        made: str = self.json("experiment", "import", file)["id"]
        return made

    def dataset(self, name: str, content: bytes, *more: str) -> str:
        file = self.file(f"{name}.csv", content)
        made: str = self.json("dataset", "upload", file, "--name", name, *more)["id"]
        return made

    def other_workspace(self, name: str) -> tuple[str, dict[str, str]]:
        """A second workspace: its id, and the environment in which commands are about it."""
        context = self.studio.context
        made = context.workspaces.create(
            context.identity.resource_group,
            name,
            owner_email="other@example.com",
            region="West Europe",
        )
        environment = {
            "ALM_STUDIO_WORKSPACE": made.id,
            "ALM_STUDIO_WORKSPACE_TOKEN": made.tokens[0],
        }
        return made.id, environment

    def client(self) -> Client:
        """Calls that no command makes, such as those of Studio's page."""
        return Client(self.studio.description())

    def blobs(self) -> AzureBlobs:
        """The storage account of Studio, which is the app's as well."""
        return AzureBlobs.from_connection_string(self.environment["ALM_STORAGE"], SystemClock())

    def put_blob(self, path: str, content: bytes) -> str:
        """A blob; its URL with leave to read it."""
        blobs = self.blobs()
        blobs.put(path, content)
        return blobs.grant(path, "read", SystemClock().now() + timedelta(hours=1)).url

    def plan(self, region: str) -> str:
        """A web service plan in a region; its resource id."""
        identity, name = self.studio.context.identity, f"plan-{region.replace(' ', '').lower()}"
        self.studio.plans.create(identity.resource_group, name, region, {})
        scope = f"/subscriptions/{identity.subscription_id}"
        scope += f"/resourceGroups/{identity.resource_group}"
        return f"{scope}/providers/Microsoft.MachineLearning/commitmentPlans/{name}"


def quick(environment: Mapping[str, str]) -> Connection:
    """The real connection, on a clock that need not wait long: looks come quickly."""
    return replace(connect(environment), pause=lambda seconds: sleep(min(seconds, 0.05)))


@contextmanager
def cli_world(folder: Path) -> Iterator[CliWorld]:
    """Start local Studio and stop it."""
    options = StudioOptions(
        data=folder / "studio", admin=True, propagation_seconds=0, clock=HandClock().seconds
    )
    with Studio(options) as studio:
        described = studio.description()
        account = studio.context.account
        environment = {
            "ALM_LOCAL": "1",
            "ALM_STUDIO_URL": str(described["base_url"]),
            "ALM_STUDIO_WORKSPACE": str(described["workspace_id"]),
            "ALM_STUDIO_WORKSPACE_TOKEN": str(described["workspace_token"]),
            "ALM_STUDIO_ARM_TOKEN": str(described["arm_token"]),
            "ALM_STORAGE": str(described["storage_connection_string"]),
            "ALM_STUDIO_STORAGE_KEY": account.key,
            "ALM_MANAGED_MODELS": str(folder / "managed_models"),
            "COLUMNS": "250",
        }
        world = CliWorld(studio, folder, environment)
        world.blobs().ensure_containers()
        yield world
