"""Switches: waves, roll-backs and smoke tests (the second table)."""

from __future__ import annotations

from tests.simulation.switch import (
    ADOPT,
    NEXT_STEPS,
    PATCH,
    ROLL_BACK,
    SMOKE,
    TRANSITIONS,
    ZOMBIES,
    Switch,
)
from tests.simulation.variants import Edit

WAVES = (
    Switch(
        "intent for every wave",
        "0",
        "the second wave is patched unrecorded; a roll-back misses it",
        ("three targets, bad", "three targets"),
        (
            Edit(
                PATCH,
                "    names = [target.name for target in targets]\n",
                "    names = [target.name for target in targets if context.step.wave == 0]\n",
            ),
        ),
    ),
    Switch(
        "roll_back touches every intent",
        "0",
        "the smoke test fails in the second wave, the first one keeps the bad model",
        ("rots in the second wave", "cancel late", "no patch changes anything"),
        (
            Edit(
                ROLL_BACK,
                "    for intent in reversed(context.active.intent):\n",
                "    for intent in context.active.intent[-1:]:\n",
            ),
            Edit(
                ROLL_BACK,
                "    for intent in context.active.intent:\n",
                "    for intent in context.active.intent[-1:]:\n",
            ),
        ),
        note="the read-back of every intent would notice: it is narrowed too",
    ),
    Switch(
        "`previous` is what the ledger says",
        "0",
        "run 1's roll-back was poison; run 2 takes the bad model for what was there",
        ("bad twice, the first roll_back is poison",),
        (
            Edit(PATCH, "        if target.name not in ledger.serves\n", ""),
            Edit(TRANSITIONS, "{**found, **ledger.serves}", "{**ledger.serves, **found}"),
            Edit(
                ADOPT, 'version=f"{target.name}-v0"', 'version=f"{target.name}-{context.step.run}"'
            ),
        ),
        note="a manifest is written once, so an adoption yields the first reading: taken too",
    ),
    Switch(
        "a first reading outlives a failed run",
        "0",
        "no entry after the run: the reconcile skips the target, which keeps the bad model",
        ("stuck for a while", "bad twice, the first roll_back is poison"),
        (
            Edit(
                TRANSITIONS,
                '    if result == "ok":\n',
                '    if result != "ok":\n'
                "        kept = ledger.serves.items()\n"
                '        changes["serves"] = {n: s for n, s in kept if "-v0" not in s.version}\n'
                '    if result == "ok":\n',
            ),
        ),
    ),
    Switch(
        "read back after a roll_back",
        "0",
        "a service that changes nothing: rolled back, bad model live, nobody told",
        ("stuck with a bad model",),
        (
            Edit(
                ROLL_BACK,
                "    unsettled = False\n",
                '    return Finish(context.step.result or "failed", context.step.why)\n'
                "    unsettled = False\n",
            ),
        ),
    ),
    Switch(
        "a roll_back is tried a bounded number of times",
        "0",
        "a service that changes nothing is patched for ever",
        ("stuck with a bad model",),
        (
            Edit(ROLL_BACK, "    if rounds < ROUNDS_MAX:\n", "    if True:\n"),
            Edit(NEXT_STEPS, "    if rounds <= most:\n", "    if True:\n"),
        ),
        note="stage and engine both count rounds: both are taken",
    ),
    Switch(
        "wait for the propagation before the smoke test",
        "1",
        "scoring still answers with the old model, it passes, the bad one becomes champion",
        ("bad",),
        (
            Edit(
                SMOKE,
                "    if state.changed_at is None:\n",
                "    if True:\n",
            ),
        ),
    ),
    Switch(
        "changed answers prove nothing soon after another change",
        "-",
        "the model before the last one answers: it differs from the last one, and passes",
        ("good, then bad",),
        (
            Edit(
                SMOKE,
                "    if remaining > 0 and not _changed_alone(context, target):\n",
                "    if False:\n",
            ),
        ),
    ),
    Switch(
        "read back after the smoke test",
        "5",
        "a zombie restores the old model between: it passes, the bad one becomes champion",
        ("cancel late, then bad",),
        (
            Edit(
                SMOKE,
                "    displaced = _displaced(context, target)  # answers",
                '    displaced = ""  # answers',
            ),
        ),
        likes=ZOMBIES,
    ),
)
"""Safeguards of what targets serve."""
