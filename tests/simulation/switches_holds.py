"""Switches: holds, retries, poison and answers (the second table)."""

from __future__ import annotations

from tests.simulation.switch import (
    BEGIN,
    DECISIONS,
    PIPELINES,
    RESTART,
    STEPS,
    UPKEEP,
    WRITING,
    Switch,
)
from tests.simulation.variants import Edit

HOLDS = (
    Switch(
        "an approval is bound to its digest",
        "0",
        "the approval of another digest lets the candidate through",
        ("hold, another digest approved",),
        (
            Edit(DECISIONS, "    if active.hold.digest != decision.digest:\n", "    if False:\n"),
            Edit(DECISIONS, 'f"approved:{decision.digest}"', 'f"approved:{active.hold.digest}"'),
        ),
        note="the token of another digest is not the base of what was held: both are taken",
    ),
    Switch(
        "what was held goes on from `approved`; a sweep leaves a hold alone",
        "1",
        "one sweep of a held run deploys without approval",
        ("hold, another digest approved",),
        (
            Edit(
                STEPS,
                'Token(n=step.n, operation=f"approved:{digest}")',
                'Token(n=step.n, operation=f"hold:{digest}")',
            ),
            Edit(UPKEEP, "    if active.held and not active.cancel:\n", "    if False:\n"),
        ),
        note="either suffices: both are taken",
    ),
    Switch(
        "a run expires only while it is held",
        "1",
        "the approval is acknowledged, then the run ends expired",
        ("hold, approved just before the deadline",),
        (
            Edit(
                DECISIONS,
                "    if not active.held or active.hold is None or",
                "    if active.hold is None or",
            ),
        ),
    ),
    Switch(
        "a sweep sends expire when it is due",
        "1",
        "the message is lost: held for ever",
        ("hold, expired",),
        (Edit(UPKEEP, "        if now >= active.hold.deadline:\n", "        if False:\n"),),
    ),
    Switch(
        "an expiry per hold",
        "-",
        "a run held for the second time: its expiry is dropped as a duplicate of the first",
        ("same, both waves",),
        (
            Edit(
                STEPS, 'own = active.hold.deadline, f":{step.n}"', 'own = active.hold.deadline, ""'
            ),
        ),
    ),
    Switch(
        "a new job is on record before its start",
        "1",
        "a sweep while the chain lives: two jobs are running",
        ("job fails once",),
        (
            Edit(PIPELINES, '"BES submit job", declare=restart.declare', '"BES submit job"'),
            Edit(
                RESTART,
                "    assert context.model.training is not None\n    deadline",
                "    assert context.model.training is not None\n"
                "    service = context.ports.services.training(context.model.training.service)\n"
                "    job = service.create_job(begin.submission(\n"
                "        context.ports, context.model, context.step.run, context.state))\n"
                "    deadline",
            ),
            Edit(RESTART, '"job": context.active.job,', '"job": job,'),
            Edit(
                RESTART, '"starts": context.active.starts,', '"starts": context.state.starts + 1,'
            ),
        ),
    ),
    Switch(
        "a repeated restart takes the job on record",
        "2",
        "crash after the write: a third job starts beside the second",
        ("job fails once",),
        (
            Edit(RESTART, "def declare(", "CREATED: dict[str, str] = {}\n\n\ndef declare("),
            Edit(
                RESTART,
                ".create_job(submission)\n",
                ".create_job(submission)\n    CREATED[context.step.id] = job\n",
            ),
            Edit(RESTART, '"job": context.active.job,', '"job": CREATED[context.step.id],'),
        ),
        likes=("crash", "sweep", "lock lost", "zombie", "duplicate"),
    ),
    Switch(
        "fail ends the run itself for a dead roll_back",
        "0",
        "roll_back, dead letter, roll_back, without end",
        ("poison in roll_back at 0",),
        (
            Edit(
                DECISIONS,
                "return fail.forced or fail.stage in NEVER_AGAIN or finishing",
                "return fail.forced",
            ),
        ),
    ),
    Switch(
        "the dead message decides, not the ledger's token",
        "2",
        "a repeated fail sees its sibling's roll_back, ends the run while that one still patches",
        ("poison in smoke at 0", "poison in patch at 6"),
        (
            Edit(
                DECISIONS,
                "    if not _undoing(fail):\n",
                '    if not active.token.operation.startswith("roll_back"):\n',
            ),
        ),
    ),
    Switch(
        "sweeps are counted in the ledger, and capped",
        "0",
        "without the dead-letter function poison is swept for ever",
        ("poison, no dead-letter function",),
        (
            Edit(UPKEEP, "    if count > 3 * SWEEPS:\n", "    if False:\n"),
            Edit(UPKEEP, "    if count > SWEEPS:\n", "    if False:\n"),
        ),
    ),
    Switch(
        "superseding is asked again by a trigger that waits already",
        "none",
        "crash after the write: the run is told to stop by nobody but the sweep",
        ("hold, superseded",),
        (Edit(BEGIN, '        if active.cancel == "superseded":\n', "        if False:\n"),),
    ),
    Switch(
        "an earlier try that wrote is recognised",
        "-",
        "crash after patching, then the service is away: the retry is taken for a stranger's",
        ("bad",),
        (
            Edit(
                WRITING,
                "    return step.n - step.tries <= token.n <= step.n\n",
                "    return token.n == step.n\n",
            ),
        ),
    ),
    Switch(
        "a step without ledger fetches it before it ends the run",
        "-",
        "whoever asked for the run is never told how it ended",
        ("hold, refused",),
        (
            Edit(
                STEPS,
                "    if step.ledger is None:\n        found = _look(",
                "    if False:\n        found = _look(",
            ),
        ),
    ),
    Switch(
        "a skipped trigger is answered before it is remembered",
        "-",
        "crash between the two: whoever asked is never told",
        ("skip",),
        (
            Edit(
                BEGIN,
                "        ports.bus.send(answers)",
                '        look.put(ledger.model_copy(update={"seen": seen}))\n'
                "        ports.bus.send(answers)\n        return",
            ),
        ),
    ),
)
"""Safeguards of decisions, of jobs, and of messages that always die."""
