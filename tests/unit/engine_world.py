"""One managed model's mailbox over the plain doubles: messages in order, a clock that is moved."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from alm.domain.ledger import Ledger
from alm.domain.managed_model import (
    Approval,
    ClassicEndpoint,
    ExecutionUrl,
    Expectation,
    Gate,
    ManagedModel,
    Metric,
    SmokeTest,
    Target,
    Training,
    TrainingOutputs,
)
from alm.domain.messages import AnyMessage, Decision, TriggerMessage, parse
from alm.domain.run import BlobRef, PipelineName, Reply, Trigger
from alm.engine import handle
from alm.engine.sending import STEPS_QUEUE
from alm.ports import Outgoing, Ports, Row, Submission
from tests.doubles.bus import MemoryBus, MemoryNotifier
from tests.doubles.storage import (
    BASE,
    FixedClock,
    MemoryBlobs,
    MemoryLedgers,
    MemoryModels,
    MemoryRecords,
    MemoryVersions,
)
from tests.doubles.studio import DoubleJob, DoubleServices, DoubleTarget, DoubleTraining, Scored
from tests.doubles.workspace import DoubleStudio

MODEL = "churn"
STUDIO = "https://studio.example/workspaces/w/webservices/s"
SOURCES = {
    "retrain": "dataset",
    "publish": "model_file",
    "roll_back": "order",
    "verify": "schedule",
}
Decided = Literal["approve", "refuse", "cancel"]


@dataclass(frozen=True)
class Seen:
    """Operations and sends of the engine, counted."""

    ledgers: Counter[str]
    records: Counter[str]
    sends: int


class EngineWorld:
    """Put triggers in, settle, look at the targets.

    The quality of a model (good, bad) and its name are its file's content: `good r1`.
    """

    def __init__(
        self,
        *,
        waves: tuple[int, ...] = (1,),
        bad: tuple[str, ...] = (),
        same: bool = False,
        auc: str = "",
        propagation_seconds: float = 30,
        **declared: Any,
    ) -> None:
        self.clock = FixedClock()
        self.blobs = MemoryBlobs(self.clock)
        self.records = MemoryRecords(self.clock)
        self.bus = MemoryBus(duplicate_detection=True)
        self.ledgers, self.notifier = MemoryLedgers(), MemoryNotifier()
        self.versions = MemoryVersions(self.blobs)
        self.bad, self.same, self.auc = set(bad), same, auc
        self.model = _declared(waves, propagation_seconds, auc, declared)
        self.training = DoubleTraining(self.clock, job_seconds=4, on_finished=self._train)
        self.targets = {
            t.name: self._deploy(t.name, propagation_seconds) for t in self.model.targets
        }
        services = DoubleServices(self.clock)
        assert self.model.training is not None
        services.put_training(self.model.training.service, self.training)
        for target in self.model.targets:
            services.put_target(target, self.targets[target.name])
        self.ports = Ports(
            clock=self.clock,
            ledgers=self.ledgers,
            bus=self.bus,
            blobs=self.blobs,
            versions=self.versions,
            services=services,
            studio=DoubleStudio(self.clock),
            records=self.records,
            notifier=self.notifier,
            models=MemoryModels([self.model]),
            new_id=str,
        )
        self._taken: set[str] = set()

    def trigger(self, pipeline: PipelineName, name: str, version: str | None = None) -> None:
        """A trigger arrives, and its sender wants answers."""
        trigger = Trigger(
            id=f"t:{MODEL}:{name}",
            pipeline=pipeline,
            source=SOURCES[pipeline],
            at=self.clock.now(),
            blob=self._blob(pipeline, name),
            version=version,
            reply=Reply(queue="answers", request=name),
        )
        self.handle(TriggerMessage(model=MODEL, trigger=trigger))

    def decide(self, kind: Decided, run: str = "", digest: str = "") -> None:
        active = self.ledger.active
        held = active.hold.digest if active and active.hold else ""
        reply = Reply(queue="answers", request=f"{kind} {run}")
        self.handle(
            Decision(
                kind=kind, model=MODEL, run=run or f"{MODEL}.r1", digest=digest or held, reply=reply
            )
        )

    def handle(self, message: AnyMessage) -> None:
        handle(self.ports, message)

    def settle(self, until: str = "", seconds: float = 24 * 3600) -> None:
        """Deliver what is due, moving the clock, until nothing is left (or `until` a stage is)."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while (message := self._next()) is not None:
            due = message.due or self.clock.now()
            if due > end or (until and message.subject.endswith(f"/{until}")):
                return
            self.clock.at = max(self.clock.at, due)
            self._taken.add(message.id)
            self.handle(parse(message.body))

    def pending(self) -> list[Outgoing]:
        waiting = [m for m in self.bus.accepted(STEPS_QUEUE) if m.id not in self._taken]
        return sorted(waiting, key=lambda m: m.due or self.clock.now())

    def _next(self) -> Outgoing | None:
        return next(iter(self.pending()), None)

    @property
    def ledger(self) -> Ledger:
        text = self.ledgers.texts.get(MODEL)
        return Ledger.model_validate_json(text[0]) if text else Ledger(model=MODEL)

    def result(self, run: int = 1) -> object:
        return self.records.run(f"{MODEL}.r{run}")["result"]

    def why(self, run: int = 1) -> str:
        return str(self.records.run(f"{MODEL}.r{run}")["why"])

    def serves(self, target: str = "t1") -> str:
        """The content of the model file that a target names."""
        return self._content(self.targets[target].location)

    def answers(self) -> list[tuple[str, str, str]]:
        """What was answered: request, event, result."""
        bodies = [json.loads(message.body) for message in self.bus.accepted("answers")]
        return [(body["request"], body["event"], body["result"]) for body in bodies]

    def events(self) -> list[str]:
        return [notice.event for notice in self.notifier.notices]

    def counted(self) -> Seen:
        sends = len(self.bus.accepted(STEPS_QUEUE))
        return Seen(self.ledgers.calls.copy(), self.records.calls.copy(), sends)

    def _blob(self, pipeline: PipelineName, name: str) -> BlobRef | None:
        if pipeline == "retrain":
            path = f"datasets/{MODEL}/{name}.csv"
            etag = self.blobs.put(path, b"tenure,churn\n1,0\n")
        elif pipeline == "publish":
            path = f"trained-models/{MODEL}/{name}.ilearner"
            etag = self.blobs.put(path, f"{self._quality(name)} {name}".encode())
        else:
            return None
        container, rest = path.split("/", 1)
        return BlobRef(container=container, name=rest, etag=etag, size=1)

    def _quality(self, name: str) -> str:
        return "bad" if name in self.bad else "same" if self.same else "good"

    def _train(self, job: DoubleJob) -> None:
        for output, grant in job.submission.outputs.items():
            run = grant.relative.split("/")[2].rpartition(".")[2]
            model = f"{self._quality(run)} {run}".encode()
            self.blobs.put(grant.relative, model if output == "output1" else self._table(run))

    def _table(self, run: str) -> bytes:
        return f"AUC,rows\n{self.auc if run == 'r1' else '0.9'},100\n".encode()

    def _deploy(self, name: str, propagation_seconds: float) -> DoubleTarget:
        self.blobs.put(f"models/{name}.ilearner", f"good by-hand-{name}".encode())
        return DoubleTarget(
            self.clock,
            f"{BASE}models/{name}.ilearner",
            propagation_seconds=propagation_seconds,
            scored_by=self._score,
        )

    def _score(self, location: str, _row: Row) -> Scored:
        quality, _, name = self._content(location).partition(" ")
        label = "as before" if quality == "same" or name.startswith("by-hand") else name
        return {"Scored Labels": label, "Scored Quality": "bad" if quality == "bad" else "good"}

    def _content(self, location: str) -> str:
        return self.blobs.stored[location.removeprefix(BASE)].content.decode()


def fails_first(times: int) -> Any:
    """A training job's faults: the first `times` jobs fail."""
    left = [times]

    def fault(_submission: Submission) -> str:
        left[0] -= 1
        return "Error 0035: the label column has no values" if left[0] >= 0 else ""

    return fault


def _declared(
    waves: tuple[int, ...], propagation_seconds: float, auc: str, declared: dict[str, Any]
) -> ManagedModel:
    hold_hours = declared.pop("hold_hours", 72)
    return ManagedModel(
        model=MODEL,
        dataset="churn/*.csv",
        training=Training(
            service=ExecutionUrl(kind="execution", url=f"{STUDIO}/train", key="env:KEY"),
            outputs=TrainingOutputs(model="output1", evaluation="output2" if auc else ""),
            datasets="append",
        ),
        gate=Gate(metrics=(Metric(name="auc", min=0.7),)) if auc else Gate(kind="smoke-only"),
        targets=tuple(
            Target(
                name=f"t{place}",
                service=ClassicEndpoint(kind="classic", endpoint=f"{STUDIO}/endpoints/t{place}"),
                trained_model="churn [trained model]",
                wave=wave,
                propagation_seconds=propagation_seconds,
            )
            for place, wave in enumerate(waves, start=1)
        ),
        smoke_tests=(
            SmokeTest(
                rows=({"tenure": 3},), expect=(Expectation(column="Scored Quality", equals="good"),)
            ),
        ),
        approval=Approval(required=declared.pop("approval", False), hold_hours=hold_hours),
        **declared,
    )
