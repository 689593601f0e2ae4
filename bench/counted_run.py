"""The budget run over doubles, every call of the engine counted. Nothing is timed here.

The code is the shipped one, from the event of an upload to the reconcile; only what it talks to is
in memory. A call of a port that goes to storage is one operation there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from alm.adapters.declarations import Declarations
from alm.bootstrap import App
from alm.domain import evaluation, patterns, tables
from alm.domain.declared import Single
from alm.domain.managed_model import (
    ClassicEndpoint,
    Expectation,
    Gate,
    ManagedModel,
    Metric,
    SmokeTest,
    Target,
    Training,
    TrainingOutputs,
)
from alm.entrypoints import intake
from alm.entrypoints.intake import Received
from alm.ports import Cell, Outgoing, Ports, Row
from alm.settings import Settings
from tests.doubles.bus import MemoryNotifier
from tests.doubles.storage import (
    FixedClock,
    MemoryBlobs,
    MemoryLedgers,
    MemoryRecords,
    MemoryVersions,
)
from tests.doubles.studio import DoubleJob, DoubleServices, DoubleTarget, DoubleTraining
from tests.doubles.workspace import DoubleStudio

MODEL = "churn"
LOCAL = ("grant", "location")  # calls of Blobs that ask nothing of storage
STUDIO = "https://studio.example/workspaces/w/webservices"
BY_HAND = "models/by-hand.ilearner"
MESSAGES_MAX = 200  # far more than two runs take: a run that does not end is a finding


@dataclass(frozen=True)
class Counts:
    """What budget runs did. sends: messages; waits: visits that had nothing to decide."""

    runs: int
    blob_operations: int
    artifact_operations: int
    sends: int
    stages: int
    waits: int


def declaration() -> ManagedModel:
    """One classic target, known rows, a gate on the scored holdout; no staging, no batch test."""
    return ManagedModel(
        model=MODEL,
        dataset=f"{MODEL}/*.csv",
        training=Training(
            service=_endpoint("training", "default"),
            outputs=TrainingOutputs(scored="output3"),
            poll_seconds_min=2,
        ),
        gate=Gate(label="churned", metrics=(Metric(name="auc", min=0.7),), rows_min=30),
        targets=(
            Target(
                name="eu",
                service=_endpoint("scoring", "live"),
                trained_model="Churn [trained model]",
                propagation_seconds=0,
            ),
        ),
        smoke_tests=(SmokeTest(rows=({"tenure": 3},), expect=(Expectation(column="tenure"),)),),
    )


def count(*, job_seconds: float = 0) -> Counts:
    """Let one run make the champion, then count the next one.

    job_seconds: how long the training job runs; the looks at it before its end are waits.
    """
    world = World(job_seconds)
    world.run_once()
    world.calls.clear()
    world.run_once()
    return world.counts()


class World:
    """One managed model, its mailbox, and everything it touches, in memory."""

    def __init__(self, job_seconds: float) -> None:
        self.calls: Counter[str] = Counter()
        self.clock = FixedClock()
        self.blobs = MemoryBlobs(self.clock)
        self.ledgers = MemoryLedgers()
        self._mailbox: list[Outgoing] = []
        self._uploads = 0
        self._training = DoubleTraining(
            self.clock,
            job_seconds=job_seconds,
            on_finished=self._trained,
            outputs=("output1", "output2", "output3"),
        )
        self.blobs.put(BY_HAND, b"deployed by hand")
        self._app = self._built()

    def run_once(self) -> None:
        """Upload a dataset and deliver messages until there are none."""
        self._uploads += 1
        name = f"{MODEL}/day{self._uploads}.csv"
        self.blobs.put(f"datasets/{name}", b"tenure,churned\n3,1\n")
        intake.on_blob(self._app, "datasets", name)
        for _ in range(MESSAGES_MAX):
            if not self._mailbox:
                break
            self._deliver()
        ledger = self.ledgers.get(MODEL)[0]
        assert ledger.last_result == "ok", ledger
        assert ledger.champion == f"v{self._uploads}", ledger

    def counts(self) -> Counts:
        """What was done since the counts were cleared."""
        run = self.ledgers.get(MODEL)[0].last_run
        *visits, end = cast("list[dict[str, Any]]", self._records.ended[run][1]["history"])
        stages = len({visit["stage"] for visit in visits})
        stored = sum(n for call, n in self.calls.items() if call.startswith(("ledgers", "records")))
        kept = sum(n for call, n in self.calls.items() if call.startswith(("versions", "blobs")))
        return Counts(
            runs=1,
            blob_operations=stored,
            artifact_operations=kept,
            sends=self.calls["bus.message"],
            stages=stages,
            waits=end["n"] - 1 - stages,  # every visit sends the next number
        )

    def send(self, messages: Sequence[Outgoing]) -> None:
        """The bus: everything goes to the mailbox, in the order it is due."""
        for message in messages:
            self.calls["bus.message"] += 1
            self._mailbox.append(message)
        self._mailbox.sort(key=lambda message: message.due or self.clock.now())

    def _deliver(self) -> None:
        message = self._mailbox.pop(0)
        if message.due is not None:
            self.clock.at = max(self.clock.at, message.due)
        session = message.session or ""
        intake.on_step(self._app, Received(message.body, message.id, message.queue, session))

    def _built(self) -> App:
        model = declaration()
        declared = Single(model, patterns.compile(model.dataset), patterns.compile(f"{MODEL}/*"))
        counted_blobs: Any = Counted("blobs", self.blobs, self.calls, unless=LOCAL)
        declarations = Declarations([declared], counted_blobs)
        self._records = MemoryRecords(self.clock)
        services = DoubleServices(
            self.clock,
            make_training=lambda _service: self._training,
            make_target=lambda _target: self._scoring(),
        )
        ports = Ports(
            clock=self.clock,
            ledgers=cast("Any", Counted("ledgers", self.ledgers, self.calls)),
            bus=self,
            blobs=counted_blobs,
            versions=cast("Any", Counted("versions", MemoryVersions(self.blobs), self.calls)),
            services=services,
            studio=DoubleStudio(self.clock),
            records=cast("Any", Counted("records", self._records, self.calls)),
            notifier=MemoryNotifier(),
            models=declarations,
            new_id=str,
        )
        return App(Settings.model_construct(), ports, declarations)

    def _scoring(self) -> DoubleTarget:
        location = self.blobs.location(BY_HAND)
        return DoubleTarget(self.clock, location, scored_by=self._scored)

    def _scored(self, location: str, row: Row) -> dict[str, Cell]:
        return {**row, "Scored Labels": location.rpartition("/")[2]}

    def _trained(self, job: DoubleJob) -> None:
        """Write what a training service puts out: the model, its table, its scored holdout."""
        scored = holdout()
        rules = self._app.declarations.resolve(MODEL).gate
        measured = evaluation.from_evidence({"scored": scored}, rules)
        assert measured is not None
        table = tables.Table(("AUC",), ((repr(measured.metrics["auc"]),),))
        contents = (f"model of {job.id}".encode(), tables.write(table), scored)
        for grant, content in zip(job.outputs.values(), contents, strict=True):
            self.blobs.put(grant.relative, content)


class Counted:
    """A port whose calls are counted."""

    def __init__(
        self, name: str, port: object, calls: Counter[str], *, unless: Sequence[str] = ()
    ) -> None:
        self._name, self._port, self._calls, self._unless = name, port, calls, unless

    def __getattr__(self, operation: str) -> Any:
        if operation not in self._unless:
            self._calls[f"{self._name}.{operation}"] += 1
        return getattr(self._port, operation)


def holdout() -> bytes:
    """Sixty labelled rows that a good model scored."""
    return tables.write(
        tables.Table(
            ("tenure", "churned", "Scored Labels", "Scored Probabilities"), tuple(_scored_rows())
        )
    )


def _scored_rows() -> Iterator[tuple[str, ...]]:
    for at in range(60):
        label, chance = at % 2, 0.9 if at % 2 else 0.1
        yield str(at), str(label), str(label), repr(chance)


def _endpoint(service: str, name: str) -> ClassicEndpoint:
    return ClassicEndpoint(kind="classic", endpoint=f"{STUDIO}/{service}/endpoints/{name}")
