"""The shipped engine with the real adapters of Studio and storage, over TCP; only bus, ledgers and
records are doubles, so that a test may deliver, repeat and break each message as it likes.
"""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from alm.adapters.blob import AzureBlobs
from alm.adapters.clock import SystemClock
from alm.adapters.commit_outbox import CommitOutbox
from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.adapters.studio.lifecycle import StudioLifecycle
from alm.adapters.studio.services import StudioServices
from alm.adapters.versions import BlobVersions
from alm.domain.experiment import Experiment, Promotion, StudioWorkspace, Upload
from alm.domain.ledger import Ledger
from alm.domain.managed_model import DEPLOYED, ManagedModel
from alm.domain.messages import Reconcile, TriggerMessage, parse
from alm.domain.run import BlobRef, PipelineName, Trigger
from alm.domain.source_control import Repository
from alm.engine import handle
from alm.engine.limits import RECONCILES_MAX
from alm.engine.sending import STEPS_QUEUE
from alm.ports import Outgoing, Ports, VersionControl
from alm.studio_ports import Workspace
from devstack.demo import tables
from devstack.studio.studio import Studio
from tests.contract.git_worlds import connected
from tests.doubles.bus import MemoryBus, MemoryNotifier
from tests.doubles.storage import MemoryLedgers, MemoryModels, MemoryRecords
from tests.lifecycle import drafts

SLEEP_SECONDS = 0.02  # between two messages that wait for Studio
MESSAGES_MAX = 3000


class Crash(Exception):
    """The process dies."""


class World:
    """One managed model of its own in a workspace that all tests share."""

    def __init__(self, studio: Studio, storage: str, **declared: Any) -> None:
        self.studio = studio
        self.environment = declared.pop("environment", {})
        self.repository = declared.pop("repository", None)
        self.described = studio.description()
        self.name = f"m{uuid4().hex[:8]}"
        self.clock = SystemClock()
        self.bus = MemoryBus(duplicate_detection=True)
        self.ledgers = MemoryLedgers()
        self.records = MemoryRecords(self.clock)
        self.notifier = MemoryNotifier(self.records)
        self.blobs = AzureBlobs.from_connection_string(
            storage, self.clock, storage_hosts=[studio.base_url.removeprefix("http://")]
        )
        self.blobs.ensure_containers()
        self.workspace_declared = StudioWorkspace(
            workspace=self.described["workspace_id"],
            studio=f"{studio.base_url}/api",
            management=studio.base_url,
        )
        self.ports = self._ports(storage)
        self.rows, self.known = tables.halves(tables.cancer())
        self.training = self.predictive = ""
        self.model = self._declared(declared)
        self.ports = self._ports(storage)
        self.taken: set[str] = set()
        self.deliveries: Counter[str] = Counter()

    @property
    def workspace(self) -> Workspace:
        return self.ports.studio.workspace(self.workspace_declared)

    @property
    def ledger(self) -> Ledger:
        return self.ledgers.get(self.name)[0]

    def run(self, number: int = 1) -> dict[str, Any]:
        """The record of an ended run."""
        return dict(self.records.run(f"{self.name}.r{number}"))

    def redeclare(self, **changes: Any) -> None:
        """The declaration is changed and deployed again."""
        self.model = self.model.model_copy(update=changes)
        models = MemoryModels([self.model])
        self.ports = replace(self.ports, models=models)

    def drop(self, name: str = "day1", content: bytes = b"") -> BlobRef:
        """A dataset lands."""
        path = f"datasets/{self.name}/{name}.csv"
        etag = self.blobs.put(path, content or self.rows.csv)
        container, rest = path.split("/", 1)
        return BlobRef(container=container, name=rest, etag=etag, size=1)

    def trigger(self, pipeline: PipelineName = "experiment", **more: Any) -> None:
        trigger = Trigger(
            id=f"t:{self.name}:{uuid4().hex}",
            pipeline=pipeline,
            source="dataset",
            at=self.clock.now(),
            **more,
        )
        self.send(TriggerMessage(model=self.name, trigger=trigger).model_dump_json(by_alias=True))

    def send(self, body: str) -> None:
        message = Outgoing(STEPS_QUEUE, uuid4().hex, body.encode(), self.name)
        self.bus._accept(message)

    def settle(self, deliver: Callable[[Outgoing], None] | None = None) -> None:
        """Deliver messages in order of their due time until none is left; reconciles apart."""
        deliver = deliver or self.deliver
        for _ in range(MESSAGES_MAX):
            waiting = [m for m in self.bus.accepted(STEPS_QUEUE) if m.id not in self.taken]
            if not waiting:
                return
            message = min(waiting, key=lambda m: (m.due is not None, m.due or 0))
            if message.subject == "reconcile" or b'"kind":"reconcile"' in message.body:
                self.taken.add(message.id)
                continue
            if message.due is not None:
                time.sleep(SLEEP_SECONDS)
            deliver(message)
        raise AssertionError(f"{self.name} does not come to an end: {self.ledger}")

    def reconcile(self) -> None:
        """The look after a run, as often as it asks for another one."""
        for attempt in range(RECONCILES_MAX + 1):
            handle(self.ports, Reconcile(model=self.name, run="r", attempt=attempt))

    def deliver(self, message: Outgoing) -> None:
        self.deliveries[message.id] += 1
        repeated = self.deliveries[message.id] > 1
        handle(self.ports, parse(message.body), repeated=repeated)
        self.taken.add(message.id)

    def dying(self) -> Callable[[Outgoing], None]:
        """Delivers; each message's process dies once, before the next message is sent."""
        killed: set[str] = set()

        def deliver(message: Outgoing) -> None:
            if message.id in killed:
                self.deliver(message)
                return
            killed.add(message.id)
            self.bus.fail("send", Crash())  # type: ignore[arg-type]
            try:
                self.deliver(message)
            except Crash:
                return
            raise AssertionError(f"{message.subject} sends nothing")

        return deliver

    def answers(self) -> list[str | None]:
        """What the deployed service answers to three known rows."""
        target = self.model.target(DEPLOYED, self.ledger.serves.get(DEPLOYED))
        assert target is not None
        rows = [self.known.features(at) for at in (0, 7, 21)]
        scores = self.ports.services.target(target).score(rows, input="input1", output="output1")
        place = scores.columns.index("Scored Probabilities")
        return [row[place] for row in scores.rows]

    def answers_become(self, wanted: list[str | None]) -> bool:
        """Whether the service answers so, once what was changed last has propagated."""
        for _ in range(100):
            if self.answers() == wanted:
                return True
            time.sleep(SLEEP_SECONDS)
        return False

    def finished(self, experiment_id: str) -> Experiment:
        """Run an experiment by hand and wait for its end."""
        here = self.workspace
        experiment = here.experiment(experiment_id)
        assert experiment.graph is not None
        from alm.domain.drafts import draft_from

        here.run(experiment_id, draft_from(experiment))
        for _ in range(500):
            found = here.experiment(experiment_id)
            if found.state in ("Finished", "Failed"):
                assert found.state == "Finished", found.status
                return found
            time.sleep(SLEEP_SECONDS)
        raise AssertionError(f"{experiment_id} does not end")

    def _declared(self, declared: dict[str, Any]) -> ManagedModel:
        """Experiments that a data scientist made by hand, and the declaration that uses them."""
        here = self.workspace
        few = self.rows.part(range(60)).csv
        dataset = here.upload(Upload(name=f"{self.name} by hand"), io.BytesIO(few))
        self.training = here.create(drafts.training(dataset, f"{self.name} draft"))
        trained = self.finished(self.training)
        model = here.promote(
            Promotion(
                experiment=trained.id, node="train", port="Trained model",
                name=f"{self.name} by hand",
            )
        )  # fmt: skip
        self.predictive = here.create(drafts.predictive(dataset, model, f"{self.name} scoring"))
        steps = {
            "workspace": self.workspace_declared.model_dump(),
            "training": {"source": {"experiment": self.training}},
            "predictive": {"source": {"experiment": self.predictive}},
            "service": {"propagation_seconds": 0.2},
            "poll_seconds_min": 0.05,
            "poll_seconds_max": 0.2,
            "deadline_minutes": 5,
        }
        rows = [self.known.features(at) for at in (0, 7, 21)]
        document = {
            "model": self.name,
            "dataset": f"{self.name}/*.csv",
            "experiment": {**steps, **declared.pop("experiment", {})},
            "gate": {"label": drafts.LABEL, "metrics": [{"name": "auc", "min": 0.8}]},
            "smoke_tests": [{"rows": rows, **declared.pop("smoke", {})}],
            **declared,
        }
        return ManagedModel.model_validate(document)

    def _ports(self, storage: str) -> Ports:
        environment = {
            "ALM_STUDIO_WORKSPACE_TOKEN": self.described["workspace_token"],
            "ALM_STUDIO_ARM_TOKEN": self.described["arm_token"],
            "STORAGE_KEY": storage.partition("AccountKey=")[2].partition(";")[0],
            "ALM_LOCAL": "1",
            **self.environment,
        }
        http = Http(["127.0.0.1"], deadline_seconds=30)
        identity = Identity(environment, self.clock)
        services = StudioServices(http, identity, self.studio.base_url)
        return Ports(
            clock=self.clock,
            ledgers=self.ledgers,
            bus=self.bus,
            blobs=self.blobs,
            versions=BlobVersions(self.blobs),
            services=services,
            studio=StudioLifecycle(http, identity, services),
            records=self.records,
            notifier=self.notifier,
            models=MemoryModels([self.model] if hasattr(self, "model") else []),
            new_id=lambda: uuid4().hex,
            version_control=self._version_control(),
        )

    def _version_control(self) -> VersionControl | None:
        if self.repository is None:
            return None
        declared = Repository(url=str(self.repository), models="file")
        source = connected(declared, self.clock, {})
        return VersionControl(declared, source, CommitOutbox(self.blobs, self.clock))

    def commit(self) -> str:
        """What a sweep does with the changes that wait; the newest commit."""
        control = self.ports.version_control
        assert control is not None
        control.outbox.flush(control.source, self.clock.now() + timedelta(seconds=30))
        return control.source.log(count=1)[0].id
