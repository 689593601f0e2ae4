"""The part of smoke that goes through batch execution, for tests that declare `batch: true`.

One small job per target and test; each is looked at by a later visit. Starting one anew after a
crash costs a little money and changes nothing.
"""

from __future__ import annotations

from datetime import timedelta

from alm.domain import smoke, tables
from alm.domain.managed_model import SmokeTest, Target
from alm.domain.outcomes import Done, Outcome, Unfit, Wait
from alm.ports import JobStatus, Submission, TrainingService
from alm.stages.context import Context

LOOK_SECONDS = 2.0
LOOKS_MAX = 300  # ten minutes: a handful of rows takes seconds


def visit(context: Context, targets: tuple[Target, ...]) -> Outcome:
    """Start what is not started, look at what is; done when every job answered right."""
    jobs = dict(context.state.smoke_jobs)
    waiting = False
    for target in targets:
        for test in context.model.tests_of(target.name):
            if not test.batch:
                continue
            key = f"{target.name}/{test.name}"
            service = context.target(target, context.state.want[target.name]).batch()
            if key not in jobs:
                jobs[key] = _start(context, service, target, test)
                waiting = True
                continue
            job = service.job(jobs[key])
            problems = _problems(context, job, target, test)
            if problems:
                return Unfit(f"{target.name}: batch {test.name}: {problems}")
            waiting = waiting or job.state != "Finished"
    state = context.state.model_copy(update={"smoke_jobs": jobs})
    if waiting and context.step.waits >= LOOKS_MAX:
        return Unfit("a smoke test's batch job does not end")
    if waiting:
        return Wait(LOOK_SECONDS, "smoke tests run as batch jobs", state)
    return Done(state.model_copy(update={"smoke_jobs": {}}), why="smoke tests passed")


def _path(context: Context, target: Target, test: SmokeTest, side: str) -> str:
    return context.job_file(f"smoke-{target.name}-{test.name}-{side}.csv")


def _start(context: Context, service: TrainingService, target: Target, test: SmokeTest) -> str:
    blobs, until = context.ports.blobs, context.now + timedelta(hours=1)
    rows_path = _path(context, target, test, "rows")
    answers_path = _path(context, target, test, "answers")
    blobs.put(rows_path, tables.write(tables.of_rows(test.rows)))
    job = service.create_job(
        Submission(
            inputs={test.input: blobs.grant(rows_path, "read", until)},
            outputs={test.output: blobs.grant(answers_path, "write", until)},
            parameters={},
        )
    )
    service.start_job(job)
    return job


def _problems(context: Context, job: JobStatus, target: Target, test: SmokeTest) -> str:
    if job.state in ("Failed", "Cancelled"):
        return f"job {job.id} is {job.state}: {job.details}"
    if job.state != "Finished":
        return ""
    answers = context.ports.blobs.get(_path(context, target, test, "answers"))
    return "; ".join(smoke.check(test, tables.read(answers)))
