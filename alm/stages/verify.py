"""Verify: read every target back and compare it with what the ledger says. It never patches."""

from __future__ import annotations

from alm.domain.outcomes import Done, Finish, Outcome, Wait
from alm.stages.context import Context
from alm.stages.serving import SETTLE_LOOKS_MAX, serves, settle_seconds


def visit(context: Context) -> Outcome:
    """Drift if a target holds something else; smoke tests follow otherwise."""
    want, stamps = context.state.want, {}
    for target in context.model.targets:
        if target.name not in want:
            continue
        reading = context.target(target).read()
        if not reading.settled and context.step.waits < SETTLE_LOOKS_MAX:
            return Wait(settle_seconds(context.step.waits), f"{target.name} being deployed")
        if not serves(reading, want[target.name], context.ports.blobs):
            expected = want[target.name].version
            return Finish("drift", f"{target.name} holds {reading.location}, not {expected}")
        stamps[target.name] = reading.stamp
    state = context.state.model_copy(update={"since": stamps})
    return Done(state, why=f"{len(stamps)} targets serve what they should")
