"""Time in the contract suites: a clock moved by hand, and waiting for what a service does."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from alm.domain.experiment import ENDED, Activity, Asset, Experiment
from alm.ports import JobStatus, ScoringTarget, TrainingService
from alm.studio_ports import Workspace

PROPAGATION_SECONDS = 30.0


class HandClock:
    """The time of day, moved by hand; it also goes on by itself, as a service's must."""

    def __init__(self, time_of_day: Callable[[], float] = time.time) -> None:
        self._time_of_day = time_of_day
        self._moved = 0.0

    def forward(self, seconds: float) -> None:
        self._moved += seconds

    def seconds(self) -> float:
        return self._time_of_day() + self._moved

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), UTC)


def ended(training: TrainingService, job_id: str, *, seconds: float = 30) -> JobStatus:
    """The job once it has ended. A training service works in its own time, so this polls."""
    deadline = time.monotonic() + seconds
    while (job := training.job(job_id)).state in ("NotStarted", "Running"):
        assert time.monotonic() < deadline, f"job {job_id} is still {job.state}"
        time.sleep(0.02)
    return job


def settled(target: ScoringTarget, *, seconds: float = 30) -> None:
    """Wait until no deployment of a target is under way: it goes on in the service's own time."""
    deadline = time.monotonic() + seconds
    while not target.read().settled:
        assert time.monotonic() < deadline, "the deployment has not settled"
        time.sleep(0.02)


def run_ended(workspace: Workspace, experiment: str, *, seconds: float = 40) -> Experiment:
    """The experiment once its run has ended."""
    deadline = time.monotonic() + seconds
    while (seen := workspace.experiment(experiment)).state not in ENDED:
        assert time.monotonic() < deadline, f"experiment {experiment} is still {seen.state}"
        time.sleep(0.02)
    return seen


def followed(look: Callable[[], Activity], *, seconds: float = 40) -> Activity:
    """An activity once it has ended, well or badly."""
    deadline = time.monotonic() + seconds
    while not ((seen := look()).done or seen.failed):
        assert time.monotonic() < deadline, f"activity {seen.id} has not ended"
        time.sleep(0.02)
    return seen


def schema_known(workspace: Workspace, dataset: str, *, seconds: float = 20) -> Asset:
    """A dataset once it was inspected."""
    deadline = time.monotonic() + seconds
    while (seen := workspace.asset("dataset", dataset)).schema_state in ("NotStarted", "Pending"):
        assert time.monotonic() < deadline, f"dataset {dataset} is still {seen.schema_state}"
        time.sleep(0.02)
    return seen
