"""Await: ask how the training job is doing until it has ended or its deadline is over.

A service that cannot say is asked again: only the job's own failure is a failure.
"""

from __future__ import annotations

from alm.domain.errors import TRANSIENT, AlmError
from alm.domain.managed_model import Training
from alm.domain.outcomes import Done, Failed, Outcome, Wait
from alm.ports import JobStatus
from alm.stages.context import Context


def visit(context: Context) -> Outcome:
    """Look at the job once. Past its deadline it is cancelled and the run fails."""
    training, state = context.model.training, context.state
    assert training is not None
    service = context.ports.services.training(training.service)
    try:
        job = service.job(state.job)
    except TRANSIENT as error:
        why = f"the training service does not answer: {error}"
        job = JobStatus(id=state.job, state="Running", details=why)
    if job.state in ("NotStarted", "Running") and _is_over(context):
        try:
            service.cancel_job(state.job)
        except AlmError as error:
            return Failed(f"job {job.id} is over its deadline and cannot be cancelled: {error}")
        return Failed(f"job {job.id} was {job.state} at its deadline and was cancelled")
    return decide(job, training, starts=state.starts, waits=context.step.waits)


def decide(job: JobStatus, training: Training, *, starts: int, waits: int) -> Outcome:
    """Say what a job's state means for the run."""
    match job.state:
        case "Finished":
            return Done(why=f"job {job.id} finished")
        case "Failed" if starts < training.attempts:
            return Done(to="restart", why=f"job {job.id} failed: {job.details}")
        case "Failed":
            return Failed(
                f"training job {job.id} failed: {job.details or 'Studio gave no details'}"
            )
        case "Cancelled":
            return Failed(f"training job {job.id} was cancelled in Studio")
        case "NotStarted" | "Running":
            seconds = training.poll_seconds_min * 1.5**waits if waits < 40 else 3600.0
            why = job.details or f"job {job.id} is {job.state}"
            return Wait(min(seconds, training.poll_seconds_max), why)


def _is_over(context: Context) -> bool:
    deadline = context.state.job_deadline
    return deadline is not None and context.now >= deadline
