"""The end of a run: what is written, and what an ended run leaves to do."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from alm.domain import transitions
from alm.domain.ledger import Active, Ledger, Step
from alm.domain.managed_model import ManagedModel
from alm.domain.versions import InService
from alm.engine import announcing, recording, sending
from alm.engine.history import remembered
from alm.ports import Notice, Outgoing, Ports
from alm.stages.context import Context, Declaration

NOTICED: dict[str, Literal["failed", "rolled_back", "drift", "unwell"]] = {
    "failed": "failed",
    "rolled_back": "rolled_back",
    "drift": "drift",
    "unwell": "unwell",
}


def declare(context: Context) -> Declaration:
    """The write that ends the run. A failed verification may put its own repair in front."""
    step, now = context.step, context.now

    def change(ledger: Ledger) -> Ledger:
        closed = transitions.close(ledger, step.result, step.state, step.unknown, now)
        if step.result == "unwell" and context.model.on_unwell == "roll_back":
            repair = transitions.repair_trigger(ledger, step.run, now)
            if repair is not None:
                closed = closed.model_copy(update={"waiting": (repair, *closed.waiting)})
        return closed

    return Declaration(f"finish:{step.result}", change)


def closing_duties(ports: Ports, model: ManagedModel, ledger: Ledger, step: Step) -> None:
    """Kick what waits, schedule the reconcile, answer, record, notify. Repeating it is harmless."""
    now, result = ports.clock.now(), ledger.last_result
    messages: list[Outgoing] = []
    if ledger.waiting:
        messages.append(sending.kick(ledger.model, step.run))
    messages.append(sending.reconcile(ledger.model, step.run, now))
    active = _active(step)
    if active is not None:
        messages += sending.ended(active.triggers, step.run, result, step.why)
    announcing.announce(ports, announcing.ended(ledger, step))
    ports.bus.send(messages)
    finished = ledger.finished_at or now
    if result == "ok":
        ports.versions.put_in_service(_in_service(ledger, step.run, finished))
    ports.records.put_ended(step.run, finished.strftime("%Y-%m-%d"), ended_record(ledger, step))
    recording.record(ports, ledger, step)
    if result in NOTICED:
        _notify(ports, model, step, NOTICED[result], finished)
    if ledger.unknown:
        _notify(ports, model, step, "unknown", finished)


def began(step: Step) -> datetime | None:
    """When a run that is to end began, as far as its last step knows."""
    active = _active(step)
    return active.began if active else step.state.began


def _active(step: Step) -> Active | None:
    """The run's entry, where its last step brought it along."""
    active = step.ledger.active if step.ledger else None
    return active if active and active.run == step.run else None


def _in_service(ledger: Ledger, run: str, at: datetime) -> InService:
    targets = {name: served.version for name, served in ledger.serves.items()}
    return InService(model=ledger.model, run=run, at=at, champion=ledger.champion, targets=targets)


def _notify(
    ports: Ports,
    model: ManagedModel,
    step: Step,
    event: Literal["failed", "rolled_back", "drift", "unwell", "unknown"],
    at: datetime,
) -> None:
    webhook = model.notify.webhook or ""
    why = step.why
    ports.notifier.notify(
        Notice(event=event, model=step.model, run=step.run, why=why, at=at, webhook=webhook)
    )


def active_record(step: Step, due: datetime) -> dict[str, object]:
    """A run in flight, for people to look at."""
    return {**_record(step), "stage": step.stage, "due": due.isoformat()}


def ended_record(ledger: Ledger, step: Step) -> dict[str, object]:
    """An ended run: how it ended, why, and what happened on the way."""
    finished = ledger.finished_at
    last = remembered(step, ledger.last_result, step.why, finished or step.history[-1].at)
    return {
        **_record(step.model_copy(update={"history": last})),
        "result": ledger.last_result,
        "shown": step.shown,
        "finished": finished.isoformat() if finished else "",
        "unknown": list(ledger.unknown),
        "champion": ledger.champion,
    }


def _record(step: Step) -> dict[str, object]:
    document: dict[str, object] = {
        "schema": 1,
        "run": step.run,
        "model": step.model,
        "pipeline": step.pipeline,
        "configuration": step.configuration,
        "why": step.why,
        "trace": step.trace,
        "state": step.state.model_dump(mode="json"),
        "history": [entry.model_dump(mode="json") for entry in step.history],
    }
    active = _active(step)
    if active is not None:
        document["triggers"] = [trigger.model_dump(mode="json") for trigger in active.triggers]
        document["began"] = active.began.isoformat()
    return document
