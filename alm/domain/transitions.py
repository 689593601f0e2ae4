"""The rules that change a ledger, as pure functions.

The engine makes every write of a ledger conditional; what each rule here protects is told in
`docs/decisions/0001-protocol.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import accumulate
from types import MappingProxyType

from alm.domain.ledger import Intent, Ledger, Seen
from alm.domain.run import RunState, Served, Trigger

SEEN_DAYS = 16  # longer than a message can live (14 days) plus the sweep horizon (2 days)
SEEN_MAX = 200  # more are kept only while the sweep could announce them again
CARRIED_BYTES_MAX = 60_000  # of names of datasets: they travel in each message of their run
HORIZON_DAYS = 3  # the sweep looks back 48 hours


def cover(waiting: Iterable[Trigger]) -> tuple[Trigger, ...]:
    """Choose what the next run covers: a roll-back first, else the oldest and its kind."""
    triggers = tuple(waiting)
    if not triggers:
        return ()
    first = next((t for t in triggers if t.pipeline == "roll_back"), triggers[0])
    return tuple(trigger for trigger in triggers if trigger.kind == first.kind)


def portion(covered: Iterable[Trigger]) -> tuple[Trigger, ...]:
    """As many triggers as a run can carry the datasets of; the others are for the next one."""
    triggers = tuple(covered)
    sizes = accumulate(len(t.blob.model_dump_json().encode()) if t.blob else 0 for t in triggers)
    return tuple(t for t, size in zip(triggers, sizes, strict=True) if size <= CARRIED_BYTES_MAX)


def remember(
    seen: tuple[Seen, ...], triggers: Iterable[Trigger], now: datetime
) -> tuple[Seen, ...]:
    """Add triggers to `seen`; forget only what is older than any possible repeat."""
    possible = now - timedelta(days=SEEN_DAYS)
    likely = now - timedelta(days=HORIZON_DAYS)
    kept = [entry for entry in seen if entry.at >= possible]
    excess = max(0, len(kept) - SEEN_MAX)
    kept = [entry for entry in kept[:excess] if entry.at >= likely] + kept[excess:]
    return (*kept, *(Seen(id=trigger.id, at=now) for trigger in triggers))


def record_intent(
    ledger: Ledger,
    found: Mapping[str, Served],
    targets: Iterable[str],
    baselines: Mapping[str, str],
    makes: Mapping[str, str] = MappingProxyType({}),
) -> Ledger:
    """Record what the targets of a wave are to be given back, and what is made beside them.

    `previous` is always what the ledger says a target serves; `found` counts once in a target's
    life, where the ledger has no entry, and then it stays.
    """
    assert ledger.active is not None
    serves = {**found, **ledger.serves}
    touched = {intent.target for intent in ledger.active.intent}
    added = tuple(
        Intent(
            target=name,
            previous=serves[name],
            baseline=baselines.get(name, ""),
            makes=makes.get(name, ""),
        )
        for name in targets
        if name not in touched
    )
    active = ledger.active.model_copy(update={"intent": (*ledger.active.intent, *added)})
    return ledger.model_copy(update={"serves": serves, "active": active})


def close(
    ledger: Ledger, result: str, state: RunState, unknown: Iterable[str], now: datetime
) -> Ledger:
    """End the active run. Only `ok` moves what is served; else `serves` stays as it was."""
    assert ledger.active is not None
    changes: dict[str, object] = {
        "active": None,
        "last_run": ledger.active.run,
        "last_result": result,
        "finished_at": now,
        "unknown": tuple(sorted({*ledger.unknown, *unknown})),
        "serves": {name: served for name, served in ledger.serves.items() if not served.is_nothing},
    }
    if result == "ok":
        intents = ledger.active.intent
        previous = {i.target: i.previous for i in intents if not i.previous.is_nothing}
        changes |= {
            "before": {**ledger.before, **previous},
            "serves": {**ledger.serves, **state.want},
            "unknown": (),
            "champion": champion(state.want.values()),
        }
    return ledger.model_copy(update=changes)


def champion(served: Iterable[Served]) -> str:
    """Name the version in service; targets on their own v0 are together called v0."""
    return " and ".join(sorted({_label(item.version) for item in served}))


def is_champion(ledger: Ledger, version: str) -> bool:
    """Whether a version is in service, or one of several that are."""
    return bool(version) and _label(version) in ledger.champion.split(" and ")


def _label(version: str) -> str:
    return "v0" if version.endswith("-v0") else version


def repair_trigger(ledger: Ledger, run: str, now: datetime) -> Trigger | None:
    """The order that a failed verification gives itself: serve what was served before."""
    if not ledger.before:
        return None
    return Trigger(
        id=f"t:{ledger.model}:repair:{run}",
        pipeline="roll_back",
        source="repair",
        at=now,
        version="previous",
        by=run,
    )
