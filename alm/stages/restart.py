"""Restart: give the run a new training job after an explicit failure of the last one.

The new job is on record before it starts; a repeat of this visit takes the job on record.
"""

from __future__ import annotations

from datetime import timedelta

from alm.domain.ledger import Ledger
from alm.domain.outcomes import Done, Outcome
from alm.stages import begin
from alm.stages.context import Context, Declaration


def declare(context: Context) -> Declaration:
    """Submit another job, which costs nothing until started, and put it on record."""
    training = context.model.training
    assert training is not None
    starts = context.state.starts + 1
    submission = begin.submission(context.ports, context.model, context.step.run, context.state)
    job = context.ports.services.training(training.service).create_job(submission)

    def change(ledger: Ledger) -> Ledger:
        return ledger.with_active(job=job, starts=starts)

    return Declaration(f"restart:{starts}", change, training.deadline_minutes * 60)


def visit(context: Context) -> Outcome:
    """Go on with the job that the ledger names."""
    assert context.model.training is not None
    deadline = context.now + timedelta(minutes=context.model.training.deadline_minutes)
    changes = {
        "job": context.active.job,
        "starts": context.active.starts,
        "job_deadline": deadline,
    }
    return Done(context.state.model_copy(update=changes), why=f"job {context.active.job}")
