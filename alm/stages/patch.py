"""Patch: put the wanted model into the targets of a wave, and read each of them back.

What a target is to be given back is on record first. Repeating a patch is harmless: the definition
ends up the same. Undoing it is `roll_back`'s work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from alm.domain.ledger import Ledger
from alm.domain.managed_model import Target
from alm.domain.outcomes import Displaced, Done, Outcome, Wait
from alm.domain.run import Served
from alm.domain.transitions import record_intent
from alm.stages import adopt, documents, probe
from alm.stages.context import Context, Declaration
from alm.stages.serving import (
    SETTLE_LOOKS_MAX,
    is_long,
    leave_to_read,
    named,
    serves,
    settle_seconds,
)


def declare(context: Context) -> Declaration:
    """Adopt what is touched for the first time, and record what each target is to be given back."""
    targets = wave(context)
    ledger, touched = context.ledger, {intent.target for intent in context.active.intent}
    found = {
        target.name: adopt.adopt(context, target)
        for target in targets
        if target.name not in ledger.serves
    }
    baselines = {
        target.name: probe.baseline(context, target)
        for target in targets
        if target.name not in touched
    }
    makes = {
        target.name: _made(context, target) for target in targets if target.name not in touched
    }
    names = [target.name for target in targets]

    def change(document: Ledger) -> Ledger:
        return record_intent(document, found, names, baselines, makes)

    operation = f"patch:{_content(context.state.want)}:{context.step.wave}"
    seconds = max((target.propagation_seconds for target in targets), default=0)
    return Declaration(operation, change, seconds)


def visit(context: Context) -> Outcome:
    """Patch every target of the wave, then read back; slow services take several visits."""
    return put_all(context, put, settle)


def put_all(
    context: Context,
    put_one: Callable[[Context, Target, Served], None],
    settle_all: Callable[[Context], Outcome],
) -> Outcome:
    """Put the wanted model into each target of the wave, then read back."""
    patched = list(context.state.patched)
    for target in wave(context):
        if target.name in patched:
            continue
        if is_long(context):
            state = context.state.model_copy(update={"patched": tuple(patched)})
            return Wait(0, f"{named(patched)} patched so far", state)
        served = context.state.want[target.name]
        put_one(context, target, served)
        patched.append(target.name)
    outcome = settle_all(context)
    return Done(to="settle", why=outcome.why) if isinstance(outcome, Wait) else outcome


def settle(context: Context) -> Outcome:
    """Read the wave back; a deployment under way is waited for, a bounded number of looks."""
    targets = wave(context)
    want = context.state.want
    readings = {target.name: context.target(target, want[target.name]).read() for target in targets}
    unsettled = [name for name, reading in readings.items() if not reading.settled]
    if unsettled and context.step.waits < SETTLE_LOOKS_MAX:
        return Wait(settle_seconds(context.step.waits), f"{named(unsettled)} being deployed")
    blobs = context.ports.blobs
    wrong = [name for name, reading in readings.items() if not serves(reading, want[name], blobs)]
    state = context.state.model_copy(update={"patched": ()})
    if wrong or unsettled:
        why = f"{named(wrong or unsettled)} not changed by an accepted patch"
        return Displaced(why, to="patch", state=state)
    kept = [documents.of_target(context, target, want[target.name]) for target in targets]
    for found in kept:
        state = documents.noted(state, found)
    stamps = {name: reading.stamp for name, reading in readings.items()}
    changes = {"since": {**state.since, **stamps}, "changed_at": context.ports.clock.now()}
    return Done(state.model_copy(update=changes), why=f"{named(readings)} patched")


def put(context: Context, target: Target, served: Served) -> None:
    """Put a model into a target, or beside it under the name of its version."""
    leave = leave_to_read(context.ports.blobs, context.ports.clock, served.blob)
    if target.deploy == "patch":
        context.target(target).patch(leave)
    elif served.service:  # else it is what the template holds, which is never changed
        context.deployer(target).create(served.service, leave)


def _made(context: Context, target: Target) -> str:
    """The deployment that a target will get in this run; "" if it is there, or none is made.

    Raises Misconfigured if something else has its name: then nothing is touched.
    """
    name = context.state.want[target.name].service
    if target.deploy == "patch" or not name:
        return ""
    return "" if context.deployer(target).exists(name) else name


def wave(context: Context) -> tuple[Target, ...]:
    """The targets to patch now; one that an order does not speak of is left alone."""
    declared = context.model.waves[context.step.wave]
    return tuple(target for target in declared if target.name in context.state.want)


def _content(want: dict[str, Served]) -> str:
    text = "\n".join(f"{name}={served.digest}" for name, served in sorted(want.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
