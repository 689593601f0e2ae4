"""The app over doubles, with a folder of declarations, for tests of what comes in."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from alm.adapters.declarations import Declarations
from alm.bootstrap import App
from alm.domain.ledger import Active, HoldRecord, Ledger, Step, Token
from alm.domain.messages import AnyMessage, parse
from alm.domain.run import BlobRef, RunState, Served, Trigger
from alm.domain.versions import Manifest
from alm.entrypoints import access
from alm.entrypoints.api import responding
from alm.entrypoints.api.calls import Answer, Call
from alm.ports import Outgoing, Ports
from alm.settings import Settings
from tests.doubles.bus import MemoryBus, MemoryNotifier, MemoryWebhook
from tests.doubles.lifecycle import DoubleLifecycle
from tests.doubles.storage import (
    EPOCH,
    FixedClock,
    MemoryBlobs,
    MemoryLedgers,
    MemoryRecords,
    MemoryVersions,
)
from tests.doubles.studio import DoubleServices

KEYS = {"reader": "key-r", "operator": "key-o", "approver": "key-a"}
DIGEST = "sha256:c0ffee"
SERVICE = "https://studio.example/workspaces/w/webservices/s/endpoints"


def target(name: str, service: str = "") -> dict[str, Any]:
    place = SERVICE.replace("webservices/s", f"webservices/{service or 's'}")
    declared = {"kind": "classic", "endpoint": f"{place}/{name}"}
    return {"name": name, "service": declared, "trained_model": "m"}


TRAINING = {"service": {"kind": "classic", "endpoint": f"{SERVICE}/training"}}
GATE = {"metrics": [{"name": "auc", "min": 0.7}]}
CHURN: dict[str, Any] = {
    "model": "churn",
    "dataset": "churn/*.csv",
    "workspace": {"workspace": "a" * 32},
    "training": TRAINING,
    "gate": GATE,
    "targets": [target("us"), target("eu")],
    "schedules": {"retrain": "0 2 * * *", "verify": "0 6 * * *"},
}
DROPPED: dict[str, Any] = {"model": "dropped", "gate": GATE, "targets": [target("one")]}
SHOPS: dict[str, Any] = {
    "family": "shops",
    "dataset": "sales/{shop}/*.csv",
    "training": TRAINING,
    "gate": GATE,
    "targets": [target("{shop}", "shops")],
    "schedules": {"verify": "0 6 * * *"},
}


class AppWorld:
    """An app over doubles: models churn and dropped, family shops (members by captures)."""

    def __init__(
        self,
        folder: Path,
        *,
        declared: Sequence[Mapping[str, Any]] = (CHURN, DROPPED, SHOPS),
        event_queues: tuple[str, ...] = (),
        **settings: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for place, each in enumerate(declared):
            (folder / f"{place}.yaml").write_text(yaml.safe_dump(dict(each)))
        self.clock = FixedClock()
        self.blobs = MemoryBlobs(self.clock)
        self.bus = MemoryBus(duplicate_detection=True)
        self.ledgers, self.records = MemoryLedgers(), MemoryRecords(self.clock)
        self.notifier = MemoryNotifier(self.records)
        self.versions = MemoryVersions(self.blobs)
        self.services = DoubleServices(self.clock)
        self.studio = DoubleLifecycle(self.clock)
        self.settings = _settings(settings)
        self.event_queues, self.webhook = event_queues, MemoryWebhook()
        self._folder, self._ids = folder, count(1)
        self.app = self.restarted()

    def restarted(self) -> App:
        """The app in a new process: what it only remembered is gone."""
        declarations = Declarations.read(self._folder, self.blobs)
        ports = Ports(
            clock=self.clock,
            ledgers=self.ledgers,
            bus=self.bus,
            blobs=self.blobs,
            versions=self.versions,
            services=self.services,
            studio=self.studio,
            records=self.records,
            notifier=self.notifier,
            models=declarations,
            new_id=lambda: f"id{next(self._ids)}",
            event_queues=self.event_queues,
            event_webhook=self.webhook,
        )
        self.app = App(self.settings, ports, declarations)
        return self.app

    # -- calls ---------------------------------------------------------------------------------

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        role: str = "",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the API; by default with the key of the role that the method mostly needs."""
        key = KEYS[role or ("reader" if method == "GET" else "operator")]
        given = {access.KEY_HEADER: key, **(headers or {})}
        content = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        return responding.respond(self.app, Call(method, path, given, query or {}, content))

    def messages(self, queue: str = "alm-steps") -> list[AnyMessage]:
        return [parse(message.body) for message in self.bus.accepted(queue)]

    def sent(self, queue: str = "alm-steps") -> list[Outgoing]:
        return self.bus.accepted(queue)

    def answers(self, queue: str = "answers") -> list[dict[str, Any]]:
        return [json.loads(message.body) for message in self.bus.accepted(queue)]

    # -- what there is -------------------------------------------------------------------------

    def upload(self, path: str, content: bytes = b"a,b\n1,2\n") -> BlobRef:
        etag = self.blobs.put(path, content)
        container, name = path.split("/", 1)
        return BlobRef(container=container, name=name, etag=etag, size=len(content))

    def put_ledger(self, ledger: Ledger) -> None:
        self.ledgers.put(ledger, self.ledgers.get(ledger.model)[1])

    def active(self, model: str = "churn", *, number: int = 7, **changes: Any) -> Ledger:
        """Let a run be active: at its token, held for `DIGEST` if `held` says so."""
        held, approved = changes.pop("held", False), changes.pop("approved", False)
        now, run = self.clock.now(), f"{model}.r{number}"
        operation = f"hold:{DIGEST}" if held else f"approved:{DIGEST}" if approved else "begin"
        token = Token(n=3, operation=operation)
        hold = HoldRecord(
            digest=DIGEST, why="approval is required", deadline=now + timedelta(days=3)
        )
        step = Step(
            model=model,
            run=run,
            n=4,
            pipeline="retrain",
            stage="patch",
            base=token,
            configuration=self.app.declarations.resolve(model).digest,
        )
        given: dict[str, Any] = {
            "run": run,
            "pipeline": "retrain",
            "token": token,
            "triggers": (),
            "configuration": step.configuration,
            "began": now,
            "due": now + timedelta(hours=1),
            "step": step,
            "hold": hold if held or approved else None,
        }
        ledger = Ledger(model=model, runs=number, active=Active(**{**given, **changes}))
        self.put_ledger(ledger)
        return ledger

    def ended(self, result: str = "ok", model: str = "churn", number: int = 7, **more: Any) -> None:
        """Let a run have ended, in the ledger and on record."""
        now, run = self.clock.now(), f"{model}.r{number}"
        state = RunState(digest=DIGEST).model_dump(mode="json")
        document = {"run": run, "model": model, "pipeline": "retrain", "result": result}
        document |= {"state": state, "finished": now.isoformat(), "why": "", "history": []}
        self.records.put_ended(run, now.strftime("%Y-%m-%d"), {**document, **more})
        ledger = Ledger(model=model, runs=number, last_run=run, last_result=result, finished_at=now)
        self.put_ledger(ledger)

    def version(self, version: str, model: str = "churn") -> Served:
        """Let a version be in the store."""
        path = f"alm-versions/{model}/{version}.ilearner"
        self.blobs.put(path, version.encode())
        manifest = Manifest(
            model=model,
            version=version,
            file=path,
            digest=f"sha256:{version}",
            size=2,
            created=self.clock.now(),
            run=f"{model}.r1",
            metrics={"auc": 0.81},
        )
        self.versions.put_manifest(manifest)
        return manifest.served()


def trigger(name: str = "t:churn:x", **fields: Any) -> Trigger:
    return Trigger(id=name, pipeline="retrain", source="dataset", at=EPOCH, **fields)


def covered(name: str, **fields: Any) -> list[dict[str, Any]]:
    """What a run's record says of the one trigger that it covers."""
    return [trigger(name, **fields).model_dump(mode="json")]


def principal(*claims: tuple[str, str]) -> str:
    """The header of the platform's authentication."""
    document = {"claims": [{"typ": kind, "val": value} for kind, value in claims]}
    return base64.b64encode(json.dumps(document).encode()).decode()


def _settings(changes: Mapping[str, Any]) -> Settings:
    given = {
        "ALM_LOCAL": True,
        "ALM_STORAGE": "UseDevelopmentStorage=true",
        "ALM_SERVICEBUS": "Endpoint=sb://127.0.0.1",
        "ALM_API_KEYS": {role: access.hashed(key) for role, key in KEYS.items()},
        "ALM_REPLY_QUEUES": "answers",
    }
    return Settings.model_validate({**given, **changes})
