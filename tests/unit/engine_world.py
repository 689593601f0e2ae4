"""One managed model's mailbox over the plain doubles: messages in order, a clock that is moved."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from alm import telemetry
from alm.adapters.commit_outbox import CommitOutbox
from alm.domain.ledger import Ledger
from alm.domain.managed_model import (
    Approval,
    ArmWebService,
    ClassicEndpoint,
    ExecutionUrl,
    Expectation,
    Gate,
    Hosting,
    ManagedModel,
    Metric,
    SmokeTest,
    Target,
    Training,
    TrainingOutputs,
)
from alm.domain.messages import AnyMessage, Decision, TriggerMessage, parse
from alm.domain.run import BlobRef, PipelineName, Reply, Trigger
from alm.domain.source_control import Repository
from alm.domain.web_services import Plan
from alm.engine import handle
from alm.engine.sending import STEPS_QUEUE
from alm.ports import Outgoing, Ports, Row, Submission, VersionControl
from tests.contract.git_worlds import connected
from tests.doubles.bus import MemoryBus, MemoryNotifier
from tests.doubles.deployer import DoubleDeployer
from tests.doubles.faulty import Faulty
from tests.doubles.lifecycle import DoubleLifecycle
from tests.doubles.new_services import DoubleNewTarget
from tests.doubles.source_control import MemoryRepository, MemorySourceControl
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

MODEL = "churn"
STUDIO = "https://studio.example/workspaces/w/webservices/s"
GROUP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning"
HOSTING = Hosting(plan=f"{GROUP}/commitmentPlans/eu", storage_key="env:KEY")
CANARY = "canary-0123456789abcdef"
SOURCES = {"retrain": "dataset", "publish": "model_file", "verify": "schedule"}
Decided = Literal["approve", "refuse", "cancel"]


@dataclass(frozen=True)
class Seen:
    """Operations and sends of the engine, counted."""

    ledgers: Counter[str]
    records: Counter[str]
    sends: int


class Crash(Exception):
    """The process dies."""


class EngineWorld:
    """Put triggers in, settle, look at the targets.

    The quality of a model (good, bad) and its name are its file's content: `good r1`.
    """

    crash_after = 0  # the process dies after so many effects more, once; 0: it lives
    haunt_after = 0  # it loses its lock there instead, and goes on while others work
    haunt_seconds = 0.0  # how long the others work before it goes on

    def __init__(
        self,
        *,
        waves: tuple[int, ...] = (1,),
        bad: tuple[str, ...] = (),
        same: bool = False,
        auc: str = "",
        propagation_seconds: float = 30,
        target: dict[str, Any] | None = None,
        version_control: bool | Repository = False,
        event_queues: tuple[str, ...] = (),
        **declared: Any,
    ) -> None:
        self.clock = FixedClock()
        self.blobs = MemoryBlobs(self.clock)
        self.records = MemoryRecords(self.clock)
        self.bus = MemoryBus(duplicate_detection=True)
        self.ledgers, self.notifier = MemoryLedgers(), MemoryNotifier()
        self.versions = MemoryVersions(self.blobs)
        self.bad, self.same, self.auc = set(bad), same, auc
        self.model = _declared(waves, propagation_seconds, auc, target or {}, declared)
        self.training = DoubleTraining(self.clock, job_seconds=4, on_finished=self._train)
        self.studio = DoubleLifecycle(self.clock)
        self.studio.new.put_plan(Plan(id=HOSTING.plan, name="eu", region="West Europe"))
        self.targets = {t.name: self._deploy(t) for t in self.model.targets}
        self.deployers = {t.name: self._beside(t) for t in self.model.targets}
        self.repository = MemoryRepository()
        self.source = MemorySourceControl(self.clock, self.repository)
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
            studio=self.studio,
            records=self.records,
            notifier=self.notifier,
            models=MemoryModels([self.model]),
            new_id=str,
            version_control=self._version_control(version_control),
            event_queues=event_queues,
        )
        self._taken: set[str] = set()
        self._handled: AnyMessage | None = None
        self._watch()

    def trigger(
        self, pipeline: PipelineName, name: str, version: str | None = None, **more: Any
    ) -> None:
        """A trigger arrives, and its sender wants answers."""
        trigger = Trigger(
            id=f"t:{MODEL}:{name}",
            pipeline=pipeline,
            source=SOURCES.get(pipeline, "order"),
            at=self.clock.now(),
            blob=self._blob(pipeline, name),
            version=version,
            reply=Reply(queue="answers", request=name),
            **more,
        )
        self.handle(TriggerMessage(model=MODEL, trigger=trigger))

    def decide(self, kind: Decided, run: str = "", digest: str = "") -> None:
        active = self.ledger.active
        held = active.hold.digest if active and active.hold else ""
        reply = Reply(queue="answers", request=f"{kind} {run}")
        self.handle(
            Decision(
                kind=kind, model=MODEL, run=run or f"{MODEL}.r1", digest=digest or held, reply=reply
            ),
            telemetry.current(),
        )

    def handle(self, message: AnyMessage, context: str = "") -> None:
        """Handle a message; if the process dies meanwhile, it comes again."""
        self._handled = message
        try:
            handle(self.ports, message, context=context)
        except Crash:
            handle(self.ports, message, repeated=True, context=context)
        finally:
            self._handled = None

    def settle(self, until: str = "", seconds: float = 24 * 3600) -> None:
        """Deliver what is due, moving the clock, until nothing is left (or `until` a stage is)."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while (message := self._next()) is not None:
            due = message.due or self.clock.now()
            if due > end or (until and message.subject.endswith(f"/{until}")):
                return
            self.clock.at = max(self.clock.at, due)
            self._taken.add(message.id)
            self.handle(parse(message.body), message.traceparent)

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

    def beside(self, target: str = "t1") -> dict[str, str]:
        """What is deployed beside a target, and the content of the model file each names."""
        deployed = self.deployers[target].deployed
        return {name: self._content(double.location) for name, double in deployed.items()}

    def commits(self) -> list[str]:
        """The first lines of the commits there are."""
        return [commit.message.partition("\n")[0] for commit, _ in self.repository.commits]

    def flush(self) -> None:
        """Commit what waits, as a sweep does."""
        control = self.ports.version_control
        assert control is not None
        control.outbox.flush(control.source, self.clock.now() + timedelta(seconds=45))

    def answers(self) -> list[tuple[str, str, str]]:
        """What was answered: request, event, result."""
        bodies = [json.loads(message.body) for message in self.bus.accepted("answers")]
        return [(body["request"], body["event"], body["result"]) for body in bodies]

    def events(self) -> list[str]:
        return [notice.event for notice in self.notifier.notices]

    def told(self, queue: str = "told") -> list[dict[str, Any]]:
        """The CloudEvents that a queue got, in the order they came."""
        return [json.loads(message.body) for message in self.bus.accepted(queue)]

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

    def _deploy(self, target: Target) -> DoubleTarget:
        path = f"models/{target.name}.ilearner"
        self.blobs.put(path, f"good by-hand-{target.name}".encode())
        if isinstance(target.service, ArmWebService) and target.deploy == "patch":
            self.studio.new.put(target.service.resource, definition(path))
            double: DoubleTarget = DoubleNewTarget(
                self.studio.new, target.service.resource, target.trained_model
            )
        else:
            double = DoubleTarget(self.clock, f"{BASE}{path}")
        double.propagation_seconds = target.propagation_seconds
        double.scored_by = self._score
        return double

    def _beside(self, target: Target) -> DoubleDeployer:
        deployer = DoubleDeployer(self.clock, target, self.targets[target.name])
        self.studio.put_deployer(target, deployer)
        return deployer

    def _version_control(self, wanted: bool | Repository) -> VersionControl | None:
        """In memory, or in a repository on the disk."""
        if not wanted:
            return None
        outbox = CommitOutbox(self.blobs, self.clock)
        if isinstance(wanted, Repository):
            return VersionControl(wanted, connected(wanted, self.clock, {}), outbox)
        return VersionControl(Repository(url="/repository"), self.source, outbox)

    def _watch(self) -> None:
        """Let the process die after an effect, where it is told to."""
        doubles: list[Faulty] = [self.bus, self.blobs, self.ledgers, self.versions, self.records]
        doubles += [self.training, self.studio.new, self.source, *self.targets.values()]
        for double in (*doubles, *self.deployers.values()):
            double.watch = self._after

    def _after(self, _operation: str) -> None:
        if self.crash_after and self._handled:
            self.crash_after -= 1
            if not self.crash_after:
                raise Crash
        if self.haunt_after and self._handled:
            self.haunt_after -= 1
            if not self.haunt_after:
                handle(self.ports, self._handled, repeated=True)
                self.settle(seconds=self.haunt_seconds)

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


def definition(path: str, threshold: str = "0.5") -> dict[str, Any]:
    """The definition of a new web service that scores with a model file."""
    place = {"uri": f"{BASE}{path}", "credentials": f"?sv=1&sig={CANARY}"}
    assets = {
        "model": {"name": "churn [trained model]", "type": "Resource", "locationInfo": place},
        "score": {"name": "Score Model", "type": "Module"},
    }
    nodes: dict[str, Any] = {
        "input": {"inputId": "input1"},
        "model": {"assetId": "model"},
        "score": {"assetId": "score", "parameters": {"Threshold": {"value": threshold}}},
        "output": {"outputId": "output1"},
    }
    ends = [("input", "score"), ("model", "score"), ("score", "output")]
    edges = [{"sourceNodeId": a, "targetNodeId": b} for a, b in ends]
    properties = {
        "packageType": "Graph",
        "storageAccount": {"name": "double", "key": "storage-key"},
        "commitmentPlan": {"id": HOSTING.plan},
        "assets": assets,
        "package": {"nodes": nodes, "edges": edges},
    }
    return {"location": "West Europe", "properties": properties}


def _service(place: int, target: dict[str, Any]) -> ClassicEndpoint | ArmWebService:
    if target.get("kind") == "new" or target.get("deploy") == "new-service":
        return ArmWebService(kind="new", resource=f"{GROUP}/webServices/t{place}")
    return ClassicEndpoint(kind="classic", endpoint=f"{STUDIO}/endpoints/t{place}")


def _declared(
    waves: tuple[int, ...],
    propagation_seconds: float,
    auc: str,
    target: dict[str, Any],
    declared: dict[str, Any],
) -> ManagedModel:
    hold_hours = declared.pop("hold_hours", 72)
    return ManagedModel(
        model=MODEL,
        dataset="churn/*.csv",
        training=Training(
            service=ExecutionUrl(kind="execution", url=f"{STUDIO}/train", key="env:KEY"),
            outputs=TrainingOutputs(model="output1", evaluation="output2" if auc else ""),
            datasets=declared.pop("datasets", "append"),
        ),
        gate=Gate(metrics=(Metric(name="auc", min=0.7),)) if auc else Gate(kind="smoke-only"),
        targets=tuple(
            Target(
                name=f"t{place}",
                service=_service(place, target),
                trained_model="churn [trained model]",
                wave=wave,
                propagation_seconds=propagation_seconds,
                **{name: value for name, value in target.items() if name != "kind"},
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
