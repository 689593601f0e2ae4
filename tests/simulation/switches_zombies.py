"""Switches: what keeps zombies and sibling chains from harm (the first table)."""

from __future__ import annotations

from tests.simulation.rules import Rules
from tests.simulation.switch import (
    FINISHING,
    SENDING,
    SHIPPED_RULES,
    SMOKE,
    UPKEEP,
    WRITING,
    ZOMBIES,
    Switch,
)
from tests.simulation.variants import Edit

ZOMBIE_GUARDS = (
    Switch(
        "cancel is looked at before `mine`",
        "2",
        "a handler goes on and patches after an acknowledged cancel",
        ("cancel between waves", "cancel before patch", "one"),
        (
            Edit(
                WRITING,
                '    if active.cancel and not safe:\n        return "cancelled"\n',
                "    own = active.token.operation == token.operation\n"
                "    if own and by_tries_of(step, active.token):\n"
                '        return "mine"\n'
                '    if active.cancel and not safe:\n        return "cancelled"\n',
            ),
        ),
        likes=("crash", "lock lost", "sweep", "order", "duplicate", "answer lost"),
    ),
    Switch(
        "reconcile no earlier than T_max",
        "2",
        "it reads clean, then the zombie patches",
        ("bad",),
        (
            Edit(
                SENDING,
                "    due = now + timedelta(seconds=ZOMBIE_SECONDS_MAX)\n",
                "    due = now\n",
            ),
        ),
        likes=ZOMBIES,
    ),
    Switch(
        "zombies are bounded by T_max",
        "2",
        "the reconcile reads clean, then the zombie patches",
        ("bad",),
        rules=Rules(zombie_seconds=SHIPPED_RULES.zombie_seconds * 3),
        likes=ZOMBIES,
        note="a promise of the host: functionTimeout, and a total deadline of every call",
    ),
    Switch(
        "reconcile",
        "3",
        "a zombie's patch lands after the roll-back and stays",
        ("bad",),
        (
            Edit(
                UPKEEP,
                "    if ledger.active is not None:\n        return\n    model = ports",
                "    return\n    model = ports",
            ),
        ),
        likes=ZOMBIES,
    ),
    Switch(
        "every finish schedules a reconcile",
        "3",
        "the run is not ok, and a zombie's model stays",
        ("bad",),
        (
            Edit(
                FINISHING,
                "    messages.append(sending.reconcile(ledger.model, step.run, now))\n",
                '    if result == "ok":\n'
                "        messages.append(sending.reconcile(ledger.model, step.run, now))\n",
            ),
        ),
        likes=ZOMBIES,
    ),
    Switch(
        "smoke is bound to the model that answered",
        "4",
        "a zombie restores the old model, the old one passes, the bad one becomes champion",
        ("good, then bad", "bad twice", "bad"),
        (
            Edit(
                SMOKE,
                "    reading = context.target(target, want).read()\n",
                '    return ""\n',
            ),
        ),
        likes=ZOMBIES,
    ),
    Switch(
        "the token is compared with its content",
        "2-3",
        "a sibling chain deploys a model again after its roll-back",
        ("bad", "one"),
        (
            Edit(
                WRITING,
                "active.token.operation == token.operation and by_tries_of(step, active.token)",
                "by_tries_of(step, active.token)",
            ),
        ),
        likes=("sweep", "lock lost", "zombie", "crash", "order", "message lost", "duplicate"),
    ),
    Switch(
        "a sweep sends reconcile again",
        "4",
        "finish's message is lost after its write: nothing repairs a zombie's patch",
        ("bad",),
        (Edit(UPKEEP, "    elif ledger.last_run:\n", "    elif False:\n"),),
        likes=("lock lost", "zombie", "crash", "message lost"),
    ),
)
"""Safeguards against those who go on although they may not."""
