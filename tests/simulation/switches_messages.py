"""Switches: what keeps messages, triggers and the ledger in step (the first table)."""

from __future__ import annotations

from tests.simulation.rules import Rules
from tests.simulation.switch import (
    BEGIN,
    DECISIONS,
    FINISHING,
    NEXT_STEPS,
    PIPELINES,
    START,
    STEPS,
    UPKEEP,
    WRITING,
    Switch,
)
from tests.simulation.variants import Edit

MESSAGES = (
    Switch(
        "if-match",
        "0",
        "a write of the patch's intent overwrites a trigger that waits: lost",
        ("bad twice",),
        (
            Edit(
                WRITING,
                "return ports.ledgers.put(ledger, etag)",
                "return ports.ledgers.put(ledger, ports.ledgers.get(ledger.model)[1])",
            ),
        ),
    ),
    Switch(
        "intent before patch",
        "0",
        "targets change without a record of what they are to be given back",
        ("one", "cancel between waves"),
        (
            Edit(
                PIPELINES,
                '"PATCH endpoint or WSD", failed=UNDO, declare=patch.declare',
                '"PATCH endpoint or WSD", failed=UNDO',
            ),
        ),
    ),
    Switch(
        "seen",
        "0",
        "a trigger that is announced again after the finish starts a second run",
        ("repeated",),
        (
            Edit(
                BEGIN,
                "    if trigger and ledger.has_seen(trigger.id):\n        trigger = None\n",
                "",
            ),
        ),
    ),
    Switch(
        "n grows on waits",
        "0",
        "the next wait has the id of the last one and is dropped: the run hangs",
        ("one",),
        (
            Edit(
                NEXT_STEPS,
                '"n": step.n + 1, "history"',
                '"n": step.n + (outcome != "wait"), "history"',
            ),
        ),
    ),
    Switch(
        "job on record before its start",
        "1",
        "a sweep while the chain lives: two jobs are started",
        ("one",),
        (
            Edit(
                START,
                "    context.ports.services.training(training.service)"
                '.start_job(context.state.job)\n    return Done(why=f"job {context.state.job}")\n',
                "    from alm.stages import begin\n"
                "    service = context.ports.services.training(training.service)\n"
                "    job = service.create_job(begin.submission(\n"
                "        context.ports, context.model, context.step.run, context.state))\n"
                "    service.start_job(job)\n"
                '    return Done(context.state.model_copy(update={"job": job}))\n',
            ),
        ),
    ),
    Switch(
        "send before complete",
        "1",
        "a crash loses the message that was completed too early, and its trigger",
        ("one",),
        rules=Rules(settle_first=True),
        note="a promise of the host: it completes a message when its handler has returned",
    ),
    Switch(
        "a swept step carries no ledger",
        "1",
        "it writes with an old document, and patches after a cancel",
        ("bad", "cancel between waves"),
        (
            Edit(
                UPKEEP,
                "        again: Step = active.step.bare().model_copy(update={",
                "        document, etag = ports.ledgers.get(active.step.model)\n"
                "        again: Step = active.step.model_copy(update={\n"
                '            "ledger": document, "etag": etag,\n            ',
            ),
            Edit(
                WRITING,
                'if verdict == "mine" and step.ledger is not None:',
                "if False:",
            ),
        ),
        note="`mine` is believed only of a ledger just read, a second safeguard: both are taken",
    ),
    Switch(
        "mine is believed only of a ledger just read",
        "-",
        "a chain that a sweep started anew carries the token of the live one, and patches after it",
        ("file",),
        (Edit(WRITING, 'if verdict == "mine" and step.ledger is not None:', "if False:"),),
    ),
    Switch(
        "fresh ids for swept steps",
        "1",
        "what a sweep sends again is dropped as a duplicate of the lost original",
        ("file",),
        (
            Edit(
                UPKEEP,
                'active.step.bare().model_copy(update={"suffix": f"s{count}"})',
                "active.step.bare()",
            ),
            Edit(UPKEEP, "    if count > SWEEPS:\n", "    if False:\n"),
        ),
        note="a run that no sweep can revive is made to fail, a second safeguard: both are taken",
    ),
    Switch(
        "sweep",
        "1",
        "a message is lost, and the run never ends",
        ("one",),
        rules=Rules(sweeps=False),
        note="a timer of the platform",
    ),
    Switch(
        "cancel names its run",
        "1",
        "a late cancel stops the next run",
        ("cancel too late",),
        (
            Edit(
                DECISIONS,
                "        active = active_of(ledger, decision.run)\n"
                "        refusal = _why_not_stopped(",
                "        active = ledger.active\n        refusal = _why_not_stopped(",
            ),
        ),
    ),
    Switch(
        "a repeated trigger sends step 1 again",
        "1",
        "crash between begin's write and its send: the redelivery sees an active run and leaves",
        ("one",),
        (
            Edit(
                BEGIN,
                "    return trigger is None or active.covers(trigger.id)",
                "    return False and active.covers(trigger.id)",
            ),
        ),
    ),
    Switch(
        "the next begin empties `waiting`",
        "1",
        "crash after a finish that took the waiting triggers along: lost",
        ("bad twice",),
        (
            Edit(FINISHING, "NOTICED: dict[", "POPPED: list[object] = []\nNOTICED: dict["),
            Edit(
                FINISHING,
                "    step, now = context.step, context.now\n",
                "    step, now = context.step, context.now\n    POPPED.clear()\n",
            ),
            Edit(
                FINISHING,
                "        closed = transitions.close(",
                "        POPPED[:] = ledger.waiting\n"
                '        ledger = ledger.model_copy(update={"waiting": ()})\n'
                "        closed = transitions.close(",
            ),
            Edit(
                FINISHING,
                "    if ledger.waiting:\n"
                "        messages.append(sending.kick(ledger.model, step.run))\n",
                "    from alm.domain.messages import TriggerMessage\n"
                "    for popped in POPPED:\n"
                "        again = TriggerMessage(model=ledger.model, trigger=popped)\n"
                '        messages.append(sending.outgoing(again, f"{popped.id}:{step.run}"))\n',
            ),
            Edit(
                STEPS,
                "            finishing.closing_duties(ports, context.model, ledger, step)\n",
                "            finishing.POPPED.clear()\n"
                "            finishing.closing_duties(ports, context.model, ledger, step)\n",
            ),
        ),
    ),
    Switch(
        "a stale finish repeats its duties",
        "1",
        "crash after the write: what waits is stuck, nobody is answered, no reconcile",
        ("bad twice",),
        (
            Edit(
                STEPS,
                "        if ledger.last_run == step.run:",
                "        if False:",
            ),
        ),
    ),
    Switch(
        "finish sends the kick",
        "0",
        "the waiting trigger waits for the sweep",
        ("bad twice",),
        (
            Edit(
                FINISHING,
                "    if ledger.waiting:\n        messages.append(sending.kick(",
                "    if False:\n        messages.append(sending.kick(",
            ),
        ),
    ),
)
"""Safeguards of the mailbox and of the ledger."""
