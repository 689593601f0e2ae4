"""Upkeep: reconcile targets with the ledger, and sweep up what was lost on the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from alm.domain.errors import AlmError, Conflict, Misconfigured, NotFound, Unknown
from alm.domain.events import RunStuck, TargetDrifted, TargetUnknown
from alm.domain.ledger import Active, Ledger, Step
from alm.domain.managed_model import ManagedModel, Target
from alm.domain.messages import Fail, Reconcile
from alm.domain.run import Served
from alm.engine import announcing, retention, sending
from alm.engine.limits import RECONCILES_MAX, SWEEPS
from alm.ports import Notice, Ports, Reading, ScoringTarget
from alm.stages import redeploy
from alm.stages.context import service_of
from alm.stages.serving import holds, leave_to_read

STUCK_MINUTES = 60  # between two notices of a run that does not end


def on_reconcile(ports: Ports, message: Reconcile) -> None:
    """Compare what each target serves with what the ledger says; put right what differs."""
    ledger, etag = ports.ledgers.get(message.model)
    if ledger.active is not None:
        return
    model = ports.models.resolve(message.model)
    wrong = [
        name
        for name, served in ledger.serves.items()
        if model.target(name, served) is not None and not _is_right(ports, model, ledger, name)
    ]
    wrong += _unseen(model, ledger)
    if wrong and message.attempt < RECONCILES_MAX:
        again = message.attempt + 1
        due = sending.reconcile(message.model, message.run, ports.clock.now(), again)
        ports.bus.send([due])
    elif tuple(sorted(wrong)) != ledger.unknown:
        _write_unknown(ports, model, ledger, etag, tuple(sorted(wrong)))
    if not wrong:
        retention.tidy(ports, model, ledger)


def _unseen(model: ManagedModel, ledger: Ledger) -> list[str]:
    """What is unknown and cannot be looked at: it was not there, and could not be taken away."""
    gone = [name for name in ledger.unknown if name not in ledger.serves]
    return [name for name in gone if name in model.served_names]


def _is_right(ports: Ports, model: ManagedModel, ledger: Ledger, name: str) -> bool:
    """True if the target is as it should be, now or after one patch."""
    served = ledger.serves[name]
    target = model.target(name, served)
    assert target is not None
    try:
        stray = redeploy.strayed(ports, ledger, target)
        if stray is None:
            return _put_right(ports, model, target, served)
        _drifted(ports, model, f"{name} held another graph than the redeploy left there")
        redeploy.mend(ports, target, stray, served)
        return False  # until the next look has seen that it came
    except AlmError:
        return False


def _put_right(ports: Ports, model: ManagedModel, target: Target, served: Served) -> bool:
    """True if the target serves the model that it should, now or after one patch."""
    service = service_of(ports, target, served)
    held = _held(service)
    if held and holds(held, served, ports.blobs):
        retention.renew_leave(ports, service, held, served.blob)
        return True
    found = held.location if held else "nothing that answers"
    _drifted(ports, model, f"{target.name} held {found}, not {served.version}")
    leave = leave_to_read(ports.blobs, ports.clock, served.blob)
    if target.deploy == "patch":
        service.patch(leave)
    elif served.service:
        ports.studio.deployer(target).create(served.service, leave)
    return holds(service.read(), served, ports.blobs)


def _held(service: ScoringTarget) -> Reading | None:
    """What a target says it holds; None after a failed deployment, which a patch can mend."""
    try:
        return service.read()
    except (Misconfigured, NotFound):
        return None


def _write_unknown(
    ports: Ports, model: ManagedModel, ledger: Ledger, etag: str, wrong: tuple[str, ...]
) -> None:
    seen = TargetUnknown(model=model.model, targets=wrong)
    announcing.announce(ports, [(seen, f"{etag}:{','.join(wrong)}")])
    if wrong:
        _notice(ports, model, "unknown", f"not known to serve the champion: {', '.join(wrong)}")
    try:
        ports.ledgers.put(ledger.model_copy(update={"unknown": wrong}), etag)
    except (Conflict, Unknown):
        return  # somebody began a run: its own reconcile will look


def _drifted(ports: Ports, model: ManagedModel, why: str) -> None:
    at = ports.clock.now().isoformat(timespec="minutes")
    announcing.announce(ports, [(TargetDrifted(model=model.model, why=why), f"{at}:{why}")])
    _notice(ports, model, "drift", why)


def _notice(
    ports: Ports, model: ManagedModel, event: Literal["drift", "unknown", "stuck"], why: str
) -> None:
    ports.notifier.notify(
        Notice(
            event=event,
            model=model.model,
            run="",
            why=why,
            at=ports.clock.now(),
            webhook=model.notify.webhook or "",
        )
    )


def sweep(ports: Ports, model: str, tick: str) -> bool:
    """Look after one managed model: a late run, triggers that nobody works on, a recent end.

    tick: names this sweep, so that what it sends is not taken for the lost original. Returns
    whether its run is stuck: no sweep can end it.
    """
    ledger, etag = ports.ledgers.get(model)
    if ledger.active is not None:
        return _sweep_active(ports, ledger, etag, ledger.active)
    if ledger.waiting:
        ports.bus.send([sending.kick(model, ledger.last_run, suffix=f":{tick}")])
    elif ledger.last_run:
        now = ports.clock.now()
        ports.bus.send([sending.reconcile(model, ledger.last_run, now, suffix=f":{tick}")])
    return False


def _sweep_active(ports: Ports, ledger: Ledger, etag: str, active: Active) -> bool:
    now = ports.clock.now()
    if active.held and not active.cancel:
        assert active.hold is not None
        if now >= active.hold.deadline:
            tick = f":{int(now.timestamp())}"
            digest = active.hold.digest
            ports.bus.send([sending.expire(ledger.model, active.run, digest, None, tick)])
        return False
    count = active.attempts + 1
    if count > 3 * SWEEPS:
        _tell_stuck(ports, ledger, active, now)
        return True
    later = now + timedelta(minutes=min(2.0**count, 60))
    try:
        ports.ledgers.put(ledger.with_active(attempts=count, due=later), etag)
    except (Conflict, Unknown):
        return False  # it lives, or the next sweep sees
    _send_again(ports, active, count)
    return False


def _tell_stuck(ports: Ports, ledger: Ledger, active: Active, now: datetime) -> None:
    """Once an hour: its ledger stays as it is, and each minute's sweep sees it again."""
    minutes = int((now - active.due).total_seconds() // 60)
    if minutes % STUCK_MINUTES:
        return
    model = ports.models.at(ledger.model, active.configuration)
    why = f"run {active.run} does not end; look at its inbox items"
    stuck = RunStuck(model=ledger.model, run=active.run, why=why)
    announcing.announce(ports, [(stuck, str(minutes))])
    _notice(ports, model, "stuck", why)


def _send_again(ports: Ports, active: Active, count: int) -> None:
    if count > SWEEPS:
        fail = Fail(
            model=active.step.model,
            run=active.run,
            why=f"the run did not end after {count} sweeps",
            suffix=f"f{count}",
            forced=count > 2 * SWEEPS,
        )
        name = f"f:{active.run}:{count}"
        ports.bus.send([sending.outgoing(fail, name)])
    elif active.cancel:
        sending.stop(ports, active, f"s{count}")
    else:
        again: Step = active.step.bare().model_copy(update={"suffix": f"s{count}"})
        ports.bus.send([sending.step(again)])
