"""Verify: read every target back and compare it with what the ledger says. It never patches."""

from __future__ import annotations

from alm.domain.outcomes import Done, Finish, Outcome, Wait
from alm.stages.context import Context
from alm.stages.serving import SETTLE_LOOKS_MAX, holds, settle_seconds, wanted_targets


def visit(context: Context) -> Outcome:
    """Drift if a target holds something else; smoke tests follow otherwise."""
    want, stamps = context.state.want, {}
    for target in wanted_targets(context):
        reading = context.target(target, want[target.name]).read()
        if not reading.settled and context.step.waits < SETTLE_LOOKS_MAX:
            return Wait(settle_seconds(context.step.waits), f"{target.name} being deployed")
        if not holds(reading, want[target.name], context.ports.blobs):
            expected = want[target.name].version
            return Finish("drift", f"{target.name} holds {reading.location}, not {expected}")
        stamps[target.name] = reading.stamp
    state = context.state.model_copy(update={"since": stamps})
    return Done(state, why=f"{len(stamps)} targets serve what they should")
