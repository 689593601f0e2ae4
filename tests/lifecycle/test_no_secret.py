"""No secret is anywhere that the experiment pipeline writes to, after all kinds of ends."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from alm.adapters.commit_outbox import CommitOutbox
from alm.adapters.declarations import Declarations
from alm.bootstrap import App
from alm.domain.drafts import draft_from, graph_of
from alm.domain.managed_model import DEPLOYED
from alm.domain.run import NodeOutput
from alm.domain.source_control import Repository
from alm.entrypoints import access
from alm.entrypoints.api.calls import Call
from alm.entrypoints.api.responding import respond
from alm.ports import VersionControl
from alm.settings import Settings
from tests.contract.git_worlds import SECRET, TOKEN, HttpGitWorld
from tests.lifecycle.test_sources_and_services import new_service
from tests.lifecycle.test_ten_steps import expecting

PASSWORD = "canary correct horse battery"
ACCOUNT_KEY = "Y2Fu" * 21 + "YQ=="  # the form that keys of storage accounts have
SIGNED = "https://lake.example/rows.csv?sv=2024&sig=Y2FuYXJ5LWluLWEtcGF0aA"
SIGNATURE = re.compile(rb"sig(?:=|%3D)(?!REDACTED)[A-Za-z0-9%+/]{8}", re.IGNORECASE)
CONTAINERS = ("alm-jobs", "alm-definitions", "alm-runs", "alm-inbox", "alm-versions")

LOCAL = Settings.model_validate(
    {
        "ALM_LOCAL": True,
        "ALM_STORAGE": "UseDevelopmentStorage=true",
        "ALM_SERVICEBUS": "Endpoint=sb://127.0.0.1",
        "ALM_API_KEYS": {"reader": access.hashed("key-r")},
    }
)


class Whole(logging.Formatter):
    """A record with all that was given to it."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} {record.__dict__}"


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Every line that anything logs, the most talkative level."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Whole())
    handler.addFilter(lambda record: record.name.split(".")[0] in ("alm", "dulwich", "azure"))
    root, levels = logging.getLogger(), {}
    for name in ("", "alm"):
        logger = logging.getLogger(name)
        levels[logger] = logger.level
        logger.setLevel(logging.DEBUG)
    root.addHandler(handler)
    try:
        yield written
    finally:
        root.removeHandler(handler)
        for logger, level in levels.items():
            logger.setLevel(level)


def plant(world: Any) -> None:
    """Credentials in module parameters of both experiments, as an Import Data node has them."""
    here = world.workspace
    for experiment_id in (world.training, world.predictive):
        experiment = here.experiment(experiment_id)
        document = graph_of(experiment).document
        listed = document["ModuleNodes"][-1]["ModuleParameters"]
        for name, value in (
            ("Server user account password", PASSWORD),
            ("Account Key", ACCOUNT_KEY),
            ("Please specify URL", SIGNED),
        ):
            more = {"ValueType": "Literal", "LinkedGlobalParameter": None}
            listed.append({"Name": name, "Value": value, **more})
        graph = graph_of(experiment).model_validate(document)
        here.save(experiment_id, draft_from(experiment, graph=graph))


def secrets(world: Any) -> dict[str, bytes]:
    """Everything that must be nowhere, by its name."""
    named = {
        "workspace token": world.described["workspace_token"],
        "Resource Manager token": world.described["arm_token"],
        "storage key": world.ports.blobs._key,
        "Git token": TOKEN,
        "password": PASSWORD,
        "account key": ACCOUNT_KEY,
        "signature": SIGNED.partition("sig=")[2],
    }
    classic = world.ports.studio.classic_services(world.workspace_declared)
    for service in classic.services():
        for endpoint in classic.endpoints(service.id):
            named[f"key of {service.name}/{endpoint.name}"] = endpoint.key.get_secret_value()
    return {name: str(value).encode() for name, value in named.items()}


def answered(world: Any) -> Iterator[tuple[str, bytes]]:
    """What a reader is answered, errors among it."""
    app = App(LOCAL, world.ports, Declarations([], None))
    headers = {"x-alm-key": "key-r"}
    model = f"models/{world.name}"
    of_model = ("", "/versions", "/targets?read=true", "/served", "/choose")
    runs = [f"runs/{world.name}.r{number}" for number in range(1, world.ledger.runs + 1)]
    for path in (*(f"{model}{each}" for each in of_model), "runs", *runs):
        name, _, query = path.partition("?")
        asked = dict([query.split("=")]) if query else {}
        answer = respond(app, Call("GET", name, headers, asked))
        assert 200 == answer.status, (path, answer.text)
        yield f"GET {path}", answer.text.encode()
    rows = json.dumps({"rows": [world.known.features(0)]}).encode()
    scored = respond(app, Call("POST", f"score/{world.name}", headers, {}, rows))
    assert 200 == scored.status, scored.text
    yield "POST score", scored.text.encode()


def written(worlds: list[Any], storage: str, git: Path) -> Iterator[tuple[str, bytes]]:
    for world in worlds:
        for message in world.bus.sent:
            yield f"message {message.id}", message.body + str(message).encode()
        yield "ledger", world.ledger.model_dump_json().encode()
        for number in range(1, world.ledger.runs + 1):
            yield f"run {number}", json.dumps(world.run(number), default=str).encode()
        yield "notices", str(world.notifier.notices).encode()
    with BlobServiceClient.from_connection_string(storage) as service:
        for name in {c.name for c in service.list_containers()} & set(CONTAINERS):
            client = service.get_container_client(name)
            for blob in client.list_blobs(include=["metadata"]):
                content = client.download_blob(blob.name).readall()
                yield f"{name}/{blob.name}", content + str(blob.metadata).encode()
    for file in git.rglob("*"):
        if file.is_file():
            yield f"{file.relative_to(git)}", file.read_bytes()


def controlled(world: Any, git: HttpGitWorld) -> None:
    """Version control of the world, over HTTP with a token."""
    repository = Repository(url=git.server.url, token=SECRET)
    control = VersionControl(repository, git.source_control, CommitOutbox(world.blobs, world.clock))
    world.ports = replace(world.ports, version_control=control)


@pytest.fixture
def git(tmp_path: Path) -> Iterator[HttpGitWorld]:
    world = HttpGitWorld(tmp_path)
    yield world
    world.close()


def test_no_secret_is_written_anywhere(make, azurite, git):
    classic, new, failing = make(), make(), make()
    with logged() as log:
        for world in (classic, new, failing):
            plant(world)
            controlled(world, git)
        new_service(new)
        for world in (classic, new):
            world.trigger(blob=world.drop())
            world.settle()
            assert "ok" == world.run()["result"], world.run()["why"]
            expecting(world, -1)
            world.trigger(blob=world.drop("day2", world.rows.part(range(100, 400)).csv))
            world.settle()
            assert "rolled_back" == world.run(2)["result"], world.run(2)["why"]
            world.reconcile()
        failing.trigger(blob=failing.drop("day1", b"a,b\n1,2\n3,4\n5,6\n"))
        output = NodeOutput(experiment=classic.training, node="train", port="Trained model")
        classic.trigger("harvest", output=output)
        for world in (failing, classic):
            world.settle()
        control = classic.ports.version_control
        control.outbox.flush(control.source, classic.clock.now() + timedelta(seconds=30))
    assert {"ok", "rolled_back", "failed", "harvested"} == {
        world.run(number)["result"]
        for world in (classic, new, failing)
        for number in range(1, world.ledger.runs + 1)
    }
    served = new.ledger.serves[DEPLOYED]
    documents = [control.source.read(path) for path in control.source.list(f"{classic.name}/")]
    texts = [*written([classic, new, failing], azurite, git.path), ("log", log.getvalue().encode())]
    documents += [commit.model_dump_json().encode() for commit in control.source.log()]
    texts += [(f"commit {at}", content) for at, content in enumerate(documents)]
    texts += [each for world in (classic, new) for each in answered(world)]
    wanted = secrets(classic)

    found = [f"{n} in {place}" for place, text in texts for n, key in wanted.items() if key in text]
    found += [f"a signature in {place}" for place, text in texts if SIGNATURE.search(text)]

    assert [] == found
    assert b"<withheld>" in b"".join(documents), "the planted credentials were not seen at all"
    assert "http_call" in log.getvalue(), "the most talkative log was not seen at all"
    assert served.version == "v1"
