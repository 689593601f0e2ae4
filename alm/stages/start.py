"""Start: set the submitted training job going.

The job's id is on record before this runs, so repeating it starts nothing twice.
"""

from __future__ import annotations

from alm.domain.errors import Misconfigured
from alm.domain.outcomes import Done, Outcome
from alm.stages.context import Context


def visit(context: Context) -> Outcome:
    """Start the job of this run; one that was started already is left alone."""
    training = context.model.training
    if training is None:
        raise Misconfigured(f"managed model {context.model.model!r} has no `training`; declare it")
    context.ports.services.training(training.service).start_job(context.state.job)
    return Done(why=f"job {context.state.job}")
