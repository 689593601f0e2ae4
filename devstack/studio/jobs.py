"""Jobs: batch execution, forty at once per deployment, the rest in the order they were started.

A job that Studio was running when it stopped is run again from the beginning at the next start;
its outputs have the same names and, for the same data, the same content. Work that needs a
processor is done by as many threads as there are cores; `Running` means that a job has one of the
forty places.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any

from devstack.studio.accounts import Account, BlobReference, parse_reference
from devstack.studio.context import Context
from devstack.studio.definitions import Package
from devstack.studio.errors import StudioError
from devstack.studio.graph import Node, Observer
from devstack.studio.learning.assets import write_asset
from devstack.studio.learning.failures import LearningFailure
from devstack.studio.learning.tables import Table, read_table, write_table
from devstack.studio.learning.training import TrainedModel
from devstack.studio.learning.transforms import Transform
from devstack.studio.modules import TRAINED_MODEL, TRANSFORM, Value
from devstack.studio.names import moment, new_id
from devstack.studio.records import Deployment, Job
from devstack.studio.transfer import TransferFailure

log = logging.getLogger(__name__)

# Studio processes this many jobs of one endpoint at once and queues the others.
RUNNING_MAX = 40

# Threads that fetch, compute and put; more than cores because fetching and putting wait.
WORKERS = 8

OUTPUT_CONTAINER = "experimentoutput"


class Stopped(Exception):
    """The job was cancelled, or Studio is stopping."""


class _Watch(Observer):
    """Ends a run between two modules when its job was cancelled."""

    def __init__(self, wanted: Callable[[], bool]) -> None:
        self._wanted = wanted

    def starting(self, node: Node) -> None:
        if not self._wanted():
            raise Stopped


class JobQueue:
    """Runs jobs; `start_workers` once, then `enqueue` in the order of their starts."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._execution = context.execution
        self._transfer = context.transfer
        self._clock = context.clock
        self._waiting: dict[str, deque[str]] = defaultdict(deque)
        self._running: dict[str, set[str]] = defaultdict(set)
        self._lock = threading.Lock()  # taken before the store's
        self._numbering = threading.Lock()  # taken after it: numbers are given in transactions
        self._ready: queue.Queue[str | None] = queue.Queue()
        self._cores = threading.Semaphore(os.cpu_count() or 1)
        self._stopping = False
        self._last_order = 0
        self._workers = [
            threading.Thread(target=self._work, name=f"studio-job-{number}", daemon=True)
            for number in range(WORKERS)
        ]

    def start_workers(self) -> None:
        """Begin to work, with the jobs that an earlier Studio left running or queued."""
        jobs = self._store.list(Job)
        self._last_order = max((job.order or 0 for job in jobs), default=0)
        left = [job for job in jobs if _is_queued(job) or job.state == "Running"]
        for job in sorted(left, key=lambda job: (job.state != "Running", job.order)):
            self.enqueue(job)
        for worker in self._workers:
            worker.start()

    def stop(self, *, seconds_max: float = 3) -> None:
        """Stop between two modules; what was running is run again at the next start."""
        self._stopping = True
        for _ in self._workers:
            self._ready.put(None)
        for worker in self._workers:
            if worker.is_alive():
                worker.join(seconds_max / WORKERS)

    def next_order(self) -> int:
        """A number greater than that of every job started before."""
        with self._numbering:
            self._last_order += 1
            return self._last_order

    def enqueue(self, job: Job) -> None:
        """Queue a job that was started."""
        with self._lock:
            self._waiting[job.deployment_id].append(job.id)
        self._admit(job.deployment_id)

    def _admit(self, deployment_id: str) -> None:
        """Give free places to the jobs that wait longest."""
        with self._lock:
            waiting, running = self._waiting[deployment_id], self._running[deployment_id]
            while waiting and len(running) < RUNNING_MAX:
                job_id = waiting.popleft()
                if self._mark_running(job_id):
                    running.add(job_id)
                    self._ready.put(job_id)

    def _mark_running(self, job_id: str) -> bool:
        with self._store.transaction():
            job = self._store.get(Job, job_id)
            if job is None or job.state not in ("NotStarted", "Running"):
                return False
            job.state, job.started = "Running", self._clock()
            self._store.put(job_id, job)
        return True

    def _work(self) -> None:
        while (job_id := self._ready.get()) is not None and not self._stopping:
            try:
                self._run(job_id)
            except Exception:
                log.exception("job_failed", extra={"job": job_id})

    def _run(self, job_id: str) -> None:
        job = self._store.get(Job, job_id)
        if job is None:
            return
        try:
            details = self._outcome(job)
        except Stopped:
            details = None
        if self._stopping:
            return
        self._end(job_id, details)
        with self._lock:
            self._running[job.deployment_id].discard(job_id)
        self._admit(job.deployment_id)

    def _outcome(self, job: Job) -> str | None:
        """Do the work; returns why it failed, None when it did not."""
        try:
            self._execute(job)
        except (LearningFailure, TransferFailure) as error:
            return str(error)
        except StudioError as error:
            return error.message
        except Stopped:
            raise
        except Exception:
            log.exception("job_failed", extra={"job": job.id})
            return "Local Studio could not run this job: internal error."
        return None

    def _end(self, job_id: str, details: str | None) -> None:
        with self._store.transaction():
            job = self._store.get(Job, job_id)
            if job is None or job.state != "Running":
                return
            job.state = "Failed" if details is not None else "Finished"
            job.details, job.ended = details, self._clock()
            self._store.put(job_id, job)

    def _execute(self, job: Job) -> None:
        if job.fail_with is not None:
            raise LearningFailure(job.fail_with)
        deployment = self._store.get(Deployment, job.deployment_id)
        if deployment is None:
            raise LearningFailure("The web service of this job was deleted.")
        tables = {name: self._read(name, place) for name, place in job.inputs.items()}
        with self._cores:
            self._check_wanted(job.id)
            watch = _Watch(lambda: self._is_wanted(job.id))
            outputs = self._execution.run(deployment, tables, job.parameters, watch)
            contents = {name: content_of(outputs[name], place) for name, place in self._places(job)}
        for name, place in self._places(job):
            self._check_wanted(job.id)
            self._transfer.put(place, contents[name], "application/octet-stream")

    def _read(self, name: str, document: Mapping[str, Any]) -> Table:
        own, now = self._context.account, moment(self._clock())
        reference = parse_reference(document, name, own=own, now=now)
        content = self._transfer.fetch(reference)
        try:
            return read_table(content, extension=reference.extension)
        except LearningFailure as error:
            raise LearningFailure(f"input {name!r}: {error}") from error

    def _places(self, job: Job) -> list[tuple[str, BlobReference]]:
        now = moment(self._clock())
        return [
            (name, output_reference(document, self._context.account, name, now))
            for name, document in job.outputs.items()
        ]

    def _is_wanted(self, job_id: str) -> bool:
        job = self._store.get(Job, job_id)
        return not self._stopping and job is not None and job.state == "Running"

    def _check_wanted(self, job_id: str) -> None:
        if not self._is_wanted(job_id):
            raise Stopped


def output_reference(
    document: Mapping[str, Any], account: Account, name: str, now: Any
) -> BlobReference:
    """Where an output goes: where the caller said, else into the workspace's own storage."""
    if "Own" in document:
        return BlobReference(account.base_location, document["Own"], account.own_grant(now))
    return parse_reference(document, name, own=account, now=now)


def default_output(package: Package, name: str) -> dict[str, Any]:
    """A place in the workspace's own storage for an output that the caller did not name."""
    extensions = {TRAINED_MODEL: "ilearner", TRANSFORM: "itransform"}
    extension = extensions.get(package.output_kinds[name], "csv")
    return {"Own": f"{OUTPUT_CONTAINER}/{new_id()}/{new_id()}.{extension}"}


def content_of(value: Value, place: BlobReference) -> bytes:
    """An output as the bytes of a file; the extension of the blob selects CSV or TSV."""
    if isinstance(value, TrainedModel | Transform):
        return write_asset(value)
    if not isinstance(value, Table):
        raise LearningFailure("An output of this web service is neither a dataset nor a model.")
    return write_table(value, extension=place.extension)


def _is_queued(job: Job) -> bool:
    return job.state == "NotStarted" and job.order is not None
