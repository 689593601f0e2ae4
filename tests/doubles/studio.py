"""Studio in memory: a training service, scoring targets, and the services that find them.

Deterministic and without threads: time is the clock given, ids are counted. The name of a model
file stands for the model: a target answers with a function of the location that answers now.
Faults are put on operations by name (`job`, `start_job`, `patch`, `score`, …), before or after the
effect; an error after the effect is a lost answer.

    target = DoubleTarget(clock, "https://a.blob/models/v1.ilearner", propagation_seconds=30)
    target.fail("patch", Unknown("lost"), after=True)
    training = DoubleTraining(clock, job_seconds=60, fault_of=lambda submission: "bad rows")
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from alm.domain.errors import Conflict, Misconfigured, NotFound, Refused
from alm.domain.managed_model import Service, Target
from alm.ports import (
    Cell,
    Clock,
    Grant,
    JobState,
    JobStatus,
    Reading,
    Row,
    Scores,
    Submission,
)
from tests.doubles.faulty import Faulty

Scored = Mapping[str, Cell]

BASE = "https://double.blob.core.windows.net/"


@dataclass
class DoubleJob:
    """A job as the double keeps it; `started` None: not yet."""

    id: str
    submission: Submission
    outputs: dict[str, Grant]
    started: datetime | None = None
    ended: JobState | None = None
    details: str = ""


class DoubleTraining(Faulty):
    """A batch execution service. See `ports.TrainingService`.

    job_seconds: how long a job runs. fault_of: what a job fails with, "" if it finishes.
    on_finished: called once with each finished job, to write its output files. outputs: names of
    the outputs that a submission need not name. starts: how often each job really started.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        job_seconds: float = 0,
        fault_of: Callable[[Submission], str] = lambda _submission: "",
        on_finished: Callable[[DoubleJob], None] = lambda _job: None,
        outputs: Sequence[str] = ("output1", "output2"),
        inputs: Sequence[str] = ("input1",),
        prefix: str = "job",
    ) -> None:
        super().__init__()
        self.clock = clock
        self.job_seconds = job_seconds
        self.fault_of = fault_of
        self.on_finished = on_finished
        self.outputs = tuple(outputs)
        self.inputs = tuple(inputs)
        self.prefix = prefix
        self.jobs: dict[str, DoubleJob] = {}
        self.starts: Counter[str] = Counter()

    def create_job(self, submission: Submission) -> str:
        return self._do("create_job", lambda: self._create(submission))

    def start_job(self, job_id: str) -> None:
        self._do("start_job", lambda: self._start(job_id))

    def job(self, job_id: str) -> JobStatus:
        return self._do("job", lambda: self._status(job_id))

    def cancel_job(self, job_id: str) -> None:
        self._do("cancel_job", lambda: self._cancel(job_id))

    def delete(self, job_id: str) -> None:
        """Let the service forget a job."""
        del self.jobs[job_id]

    def _create(self, submission: Submission) -> str:
        unknown = [name for name in submission.inputs if name not in self.inputs]
        unknown += [name for name in submission.outputs if name not in self.outputs]
        if unknown:
            raise Misconfigured(f"the service has no input or output named {unknown}")
        job_id = f"{self.prefix}-{len(self.jobs) + 1}"
        named = {
            name: Grant(BASE, f"experimentoutput/{job_id}/{name}", "?sig=double")
            for name in self.outputs
        }
        self.jobs[job_id] = DoubleJob(job_id, submission, {**named, **submission.outputs})
        return job_id

    def _start(self, job_id: str) -> None:
        job = self._settled(job_id)
        if job.ended in ("Failed", "Cancelled"):
            raise Conflict(f"job {job_id} cannot be started, it is {job.ended} ({job.details})")
        if job.started is None:
            job.started = self.clock.now()
            self.starts[job_id] += 1
            self._settled(job_id)

    def _status(self, job_id: str) -> JobStatus:
        job = self._settled(job_id)
        state = job.ended or ("Running" if job.started else "NotStarted")
        return JobStatus(
            job_id, state, job.details, dict(job.outputs) if state == "Finished" else {}
        )

    def _cancel(self, job_id: str) -> None:
        if job_id in self.jobs and self._settled(job_id).ended is None:
            self.jobs[job_id].ended = "Cancelled"

    def _settled(self, job_id: str) -> DoubleJob:
        """The job as it is by now."""
        if job_id not in self.jobs:
            raise NotFound(f"read job {job_id}: there is none of that id; it was deleted")
        job = self.jobs[job_id]
        if job.ended or job.started is None:
            return job
        if self.clock.now() >= job.started + timedelta(seconds=self.job_seconds):
            job.details = self.fault_of(job.submission)
            job.ended = "Failed" if job.details else "Finished"
            if job.ended == "Finished":
                self.on_finished(job)
        return job


def named_by_file(location: str, _row: Row) -> Scored:
    """How a double scores unless told otherwise: the label is the file that answered."""
    return {"Scored Labels": location.rpartition("/")[2]}


class DoubleTarget(Faulty):
    """A web service that scores with the file its definition names. See `ports.ScoringTarget`.

    propagation_seconds: how long the old model goes on answering. settle_seconds: how long a
    deployment takes (a new web service's; 0 for an endpoint). changes_nothing: patches are
    answered and forgotten. refuses: why every patch is refused. patches: what was put in, in order.
    reads_file: it reads the model file itself, for as long as it has leave to.
    """

    def __init__(
        self,
        clock: Clock,
        location: str = BASE + "models/v0.ilearner",
        *,
        propagation_seconds: float = 0,
        settle_seconds: float = 0,
        scored_by: Callable[[str, Row], Scored] = named_by_file,
        batch: DoubleTraining | None = None,
        input: str = "input1",
        output: str = "output1",
    ) -> None:
        super().__init__()
        self.clock = clock
        self.location = location
        self.sas = "?sig=double"
        self.leave_ends: datetime | None = None
        self.propagation_seconds = propagation_seconds
        self.settle_seconds = settle_seconds
        self.scored_by = scored_by
        self.changes_nothing = False
        self.refuses = ""
        self.resource_missing = False
        self.reads_file = False
        self.patches: list[str] = []
        self._input, self._output = input, output
        self._batch = batch or DoubleTraining(clock, prefix="scoring-job")
        self._version = 0
        self._settled_at = clock.now()
        self._answers: list[tuple[datetime, str]] = [(clock.now(), location)]

    @property
    def answering(self) -> str:
        """The location of the model that answers now."""
        now = self.clock.now()
        return next(location for since, location in reversed(self._answers) if since <= now)

    def read(self) -> Reading:
        return self._do("read", self._read)

    def patch(self, model: Grant) -> None:
        self._do("patch", lambda: self._patch(model))

    def score(self, rows: Sequence[Row], *, input: str, output: str) -> Scores:
        return self._do("score", lambda: self._score(rows, input, output))

    def batch(self) -> DoubleTraining:
        return self._batch

    def change_by_hand(self, location: str) -> None:
        """Somebody else changes the definition behind our back."""
        now = self.clock.now()
        since = now + timedelta(seconds=self.propagation_seconds)
        pending = [(at, old) for at, old in self._answers if now < at < since]
        self._answers = [(now, self.answering), *pending, (since, location)]
        self._settled_at = now + timedelta(seconds=self.settle_seconds)
        self._version += 1
        self.location = location

    def _read(self) -> Reading:
        if self.resource_missing:
            raise Misconfigured("the endpoint has no resource of that name (it has none)")
        settled = self.clock.now() >= self._settled_at
        return Reading(
            self.location,
            f"{self._version}",
            settled=settled,
            sas=self.sas,
            leave_ends=self.leave_ends,
        )

    def _patch(self, model: Grant) -> None:
        if self.refuses:
            raise Misconfigured(f"put {model.relative}: {self.refuses}")
        self.patches.append(model.location)
        if self.reads_file:
            self.sas, self.leave_ends = model.sas, leave_end(model.sas)
        if not self.changes_nothing:
            self.change_by_hand(model.location)

    def _score(self, rows: Sequence[Row], input: str, output: str) -> Scores:
        if (input, output) != (self._input, self._output):
            raise Misconfigured(f"the service has no input {input!r} with output {output!r}")
        if not rows:
            return Scores((), ())
        scored = [self.scored_by(self.answering, row) for row in rows]
        columns = tuple(scored[0])
        return Scores(columns, tuple(tuple(_text(one[name]) for name in columns) for one in scored))


def leave_end(sas: str) -> datetime | None:
    """When leave ends, as a grant of `MemoryBlobs` says."""
    ends = parse_qs(sas.lstrip("?")).get("se", [""])[0]
    return datetime.fromisoformat(ends) if ends else None


def unscorable(location: str, _row: Row) -> Scored:
    """Scores nothing: a model that does not fit the rows."""
    raise Refused(f"score: {location.rpartition('/')[2]} cannot score these rows")


def _text(cell: Cell) -> str | None:
    return cell if cell is None or isinstance(cell, str) else str(cell)


@dataclass
class DoubleServices:
    """Finds doubles by declaration; one that was not put in is made on first use.

    See `ports.Services`.
    """

    clock: Clock
    make_training: Callable[[Service], DoubleTraining] | None = None
    make_target: Callable[[Target], DoubleTarget] | None = None
    trainings: dict[Service, DoubleTraining] = field(default_factory=dict)
    targets: dict[tuple[Service, str], DoubleTarget] = field(default_factory=dict)

    def put_training(self, service: Service, double: DoubleTraining) -> None:
        self.trainings[service] = double

    def put_target(self, target: Target, double: DoubleTarget) -> None:
        self.targets[target.service, target.trained_model] = double

    def training(self, service: Service) -> DoubleTraining:
        if service not in self.trainings:
            make = self.make_training or (lambda _service: DoubleTraining(self.clock))
            self.trainings[service] = make(service)
        return self.trainings[service]

    def target(self, target: Target) -> DoubleTarget:
        key = (target.service, target.trained_model)
        if key not in self.targets:
            make = self.make_target or (lambda _target: DoubleTarget(self.clock))
            self.targets[key] = make(target)
        return self.targets[key]
