"""The world of the scenarios: the whole local stack with the real app, and a team that uses it.

One stack serves all tests. Each test has managed models of its own, declared beside it with
`managed(...)`, so tests that are marked `together` run at the same time.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft7Validator

from alm.entrypoints.published.declaration_schema import declaration_schema
from devstack.demo import experiment, models
from devstack.demo.models import Demonstrated, Wishes
from devstack.demo.operator import Operator
from devstack.demo.studio import Studio
from devstack.stack import Stack, StackOptions
from tests.scenario.notices import Notices
from tests.scenario.scene import USUAL, WORN, Fault, Scene, dataset, stages
from tests.scenario.tollgate import Tollgate

__all__ = ["CANARY", "ROOT", "USUAL", "WORN", "Fault", "Scene", "World", "dataset", "stages"]

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary-3f9c1e7a"  # part of every secret that the world plants
PROPAGATION_SECONDS = 0.3  # of local Studio, unless a test sets another for a target
DECLARED_SECONDS = 0.6  # what the declarations say of it
BOARD_SECONDS = 0.2  # all tests together ask the app no more often than this


def managed(model: str, **wishes: Any) -> pytest.MarkDecorator:
    """Declare a managed model for a test. Keywords as `Wishes` has them."""
    return pytest.mark.managed(model, **{"propagation_seconds": DECLARED_SECONDS, **wishes})


def known_patient(**more: Any) -> dict[str, Any]:
    """A smoke test that is passed by what was deployed by hand too, but not after worn data."""
    return models.clear_cut(row=49, most=0.02, **more)


class Board:
    """What the app's list of models says; asked by one thread at a time, for all who look."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._rows: dict[str, dict[str, Any]] = {}
        self._asked = 0.0
        self._lock = threading.Lock()

    def row(self, model: str) -> dict[str, Any]:
        with self._lock:
            if time.monotonic() - self._asked > BOARD_SECONDS:
                rows = self._operator.get("models")
                self._rows = {str(row["model"]): row for row in rows}
                self._asked = time.monotonic()
            return self._rows[model]


EDITORS = Draft7Validator(declaration_schema())  # what they know of declarations


class World:
    """The stack, with storage behind a tollgate and a webhook that listens."""

    def __init__(
        self, data: Path, wishes: Mapping[str, Wishes], experiments: Sequence[str] = ()
    ) -> None:
        declared = data / "managed_models"
        self.notices, self.events = Notices(CANARY), Notices(CANARY)
        environment = {
            "ALM_MANAGED_MODELS": str(declared),
            "ALM_REPLY_QUEUES": "alm-answers",
            "ALM_TEST_WEBHOOK": self.notices.url,
            "ALM_EVENTS_WEBHOOK": "env:ALM_TEST_EVENTS",
            "ALM_TEST_EVENTS": self.events.url,
        }
        options = StackOptions(
            app=ROOT,
            data=data,
            with_samples=True,
            admin=True,
            host=False,
            telemetry=True,
            propagation_seconds=PROPAGATION_SECONDS,
            environment=environment,
        )
        self.stack = Stack(options)
        self.models: dict[str, Demonstrated] = {}
        self.closing = False
        self._scenes: dict[str, Scene] = {}
        try:
            self._start(declared, wishes, experiments)
        except BaseException:
            self.stack.down()
            raise

    def _start(
        self, declared: Path, wishes: Mapping[str, Wishes], experiments: Sequence[str]
    ) -> None:
        self.stack.up()
        addresses = self.stack.addresses
        storage = str(addresses["storage_connection_string"])
        port = int(re.findall(r"BlobEndpoint=http://127\.0\.0\.1:(\d+)", storage)[0])
        self.tollgate = Tollgate(port)
        behind = storage.replace(f"127.0.0.1:{port}/", f"127.0.0.1:{self.tollgate.port}/")
        environment = self.stack.options.environment
        environment |= {"ALM_STORAGE": behind, "ALM_STORAGE_HOSTS": f"127.0.0.1:{port}"}
        self.studio, self.operator = Studio(addresses), Operator(addresses)
        self.models |= models.prepare(self.studio, self.operator, declared)
        for name, wish in wishes.items():
            self.models[name] = models.small(self.studio, self.operator, name, wish)
            models.write(declared, _with_webhook(self.models[name].declaration))
        for name in experiments:
            experiment.prepare(self.studio, declared, name)
        for path in declared.glob("*.yaml"):
            EDITORS.validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        self.stack.start("host")
        self.board = Board(self.operator)

    def close(self) -> None:
        self.closing = True
        self.operator.close()
        self.stack.down()
        self.tollgate.close()
        self.notices.close()
        self.events.close()

    def scene(self, name: str) -> Scene:
        """The scene of a test, by the test's id."""
        if name not in self._scenes:
            self._scenes[name] = Scene(self)
        return self._scenes[name]

    def broker(self, method: str, path: str, document: object = None) -> Any:
        """The broker's admin port."""
        url = f"{self.stack.addresses['servicebus_admin_url']}/{path}"
        return _answered(requests.request(method, url, json=document, timeout=30))

    def host(self, method: str, path: str, document: object = None) -> Any:
        """The host's own paths."""
        addresses = self.stack.addresses
        headers = {"x-functions-key": str(addresses["host_master_key"])}
        url = f"{addresses['functions_url']}/{path}"
        return _answered(requests.request(method, url, json=document, headers=headers, timeout=60))

    def told_of(self, names: Sequence[str]) -> str:
        """What a failure shows: the ledger and the runs of the models, and the host's log."""
        pieces = []
        for name in names:
            try:
                pieces.append(self._told_of(name))
            except (RuntimeError, requests.RequestException) as error:
                pieces.append(f"{name}: the app cannot be asked: {error}")
        return "\n\n".join([*pieces, self.stack.log_tail("host")])

    def _told_of(self, name: str) -> str:
        ledger = self.operator.get(f"models/{name}")["ledger"]
        kept = {key: value for key, value in ledger.items() if key not in ("seen", "serves")}
        lines = [f"ledger of {name}: {json.dumps(kept, default=str)[:1500]}"]
        for run in self.operator.get("runs", model=name):
            lines.append(f"run {run['run']}: {run.get('result')}: {run.get('why')}")
            lines += [
                f"    {e['at'][11:23]} {e['stage']} {e['outcome']} {str(e.get('why'))[:200]}"
                for e in run["history"]
            ]
        return "\n".join(lines)


def _with_webhook(declaration: Mapping[str, Any]) -> dict[str, Any]:
    return {"notify": {"webhook": "env:ALM_TEST_WEBHOOK"}, **declaration}


def _answered(answer: requests.Response) -> Any:
    assert answer.ok, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None
