"""Begin: a trigger starts a run, waits for the one that is active, or is known already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from alm import telemetry
from alm.domain.errors import TRANSIENT, AlmError, Unavailable
from alm.domain.ledger import Active, Ledger, Step, Token
from alm.domain.managed_model import ManagedModel
from alm.domain.messages import Kick
from alm.domain.run import RunState, Trigger
from alm.domain.transitions import cover, portion, remember
from alm.engine import announcing, measuring, sending
from alm.engine.history import shortened
from alm.engine.limits import KICK_SECONDS_MAX, RUN_MARGIN, WRITES_MAX
from alm.engine.writing import Unsettled, put
from alm.ports import Ports
from alm.stages import begin as first_steps
from alm.stages.begin import FirstStep
from alm.stages.first_step import appends

JUDGING = ("retrain", "publish", "experiment")  # what comes from data; orders are never skipped
BEGUN = Token(n=0, operation="begin")


@dataclass(frozen=True)
class Look:
    """A managed model as it was just read; every write is conditional on that."""

    ports: Ports
    model: ManagedModel
    ledger: Ledger
    etag: str

    @property
    def active(self) -> Active:
        assert self.ledger.active is not None
        return self.ledger.active

    def put(self, ledger: Ledger) -> str:
        return put(self.ports, ledger, self.etag)


def on_trigger(ports: Ports, model: str, trigger: Trigger | None, *, attempt: int = 0) -> None:
    """Let a trigger start a run or wait. A kick (no trigger) looks whether something waits.

    Raises UnknownModel if nobody declared the managed model.
    """
    declared = ports.models.resolve(model)
    for _ in range(WRITES_MAX):
        try:
            _settle(Look(ports, declared, *ports.ledgers.get(model)), trigger, attempt)
        except Unsettled:
            continue
        return
    raise Unavailable(f"the ledger of {model!r} could not be written {WRITES_MAX} times")


def _settle(look: Look, trigger: Trigger | None, attempt: int) -> None:
    """Make at most one write. Raises Unsettled if it must be decided anew."""
    ledger, active = look.ledger, look.ledger.active
    if active and active.token == BEGUN and _began_with(ledger, active, trigger):
        _send_first(look.ports, ledger, look.etag)  # crashed after begin's write, before its send
    if active and trigger and active.covers(trigger.id):
        return
    if trigger and ledger.has_seen(trigger.id):
        trigger = None
    if active:
        if trigger:
            _wait(look, trigger)
        return
    known = trigger is None or ledger.awaits(trigger.id)
    waiting = ledger.waiting if known or trigger is None else (*ledger.waiting, trigger)
    if not waiting:
        return
    quiet_until = _quiet_until(look.model, waiting)
    if quiet_until and quiet_until > look.ports.clock.now():
        _postpone(look, waiting, Kick(model=ledger.model), quiet_until)
    else:
        covered = _covered(look.model, waiting)
        with measuring.beginning(ledger.model, covered):
            _begin(look, waiting, covered, attempt)


def _covered(model: ManagedModel, waiting: tuple[Trigger, ...]) -> tuple[Trigger, ...]:
    """What the next run covers: as many datasets as it can carry, where it trains on them all."""
    covered = cover(waiting)
    return portion(covered) if appends(model) else covered


def _began_with(ledger: Ledger, active: Active, trigger: Trigger | None) -> bool:
    return trigger is None or active.covers(trigger.id) or ledger.awaits(trigger.id)


def _wait(look: Look, trigger: Trigger) -> None:
    """A run is active: the trigger waits, or (as declared) replaces a held run, or is skipped."""
    ports, ledger, active = look.ports, look.ledger, look.active
    telemetry.note(outcome="waits", run=active.run)
    if ledger.awaits(trigger.id):
        if active.cancel == "superseded":
            sending.stop(ports, active, "u")
    elif look.model.concurrency == "skip" and trigger.pipeline in JUDGING:
        seen = remember(ledger.seen, (trigger,), ports.clock.now())
        answers = sending.ended((trigger,), "", "skipped", f"run {active.run} was active")
        ports.bus.send(answers)  # before the write: once the trigger is seen nobody answers
        look.put(ledger.model_copy(update={"seen": seen}))
        telemetry.note(outcome="skipped")
    elif _supersedes(look.model, active, trigger):
        changed = ledger.with_waiting(trigger).with_active(cancel="superseded")
        look.put(changed)
        assert changed.active is not None
        announcing.announce(ports, announcing.superseded(changed.active, trigger))
        sending.stop(ports, changed.active, "u")
    else:
        look.put(ledger.with_waiting(trigger))


def _supersedes(model: ManagedModel, active: Active, trigger: Trigger) -> bool:
    wanted = model.concurrency == "supersede" and trigger.pipeline == active.pipeline
    return wanted and active.held and not active.cancel


def _quiet_until(model: ManagedModel, waiting: tuple[Trigger, ...]) -> datetime | None:
    """Uploads come in bursts: a run over datasets waits until none came for a while."""
    covered = cover(waiting)
    if any(trigger.source != "dataset" for trigger in covered):
        return None
    return max(trigger.at for trigger in covered) + timedelta(seconds=model.quiet_seconds)


def _postpone(look: Look, waiting: tuple[Trigger, ...], kick: Kick, due: datetime) -> None:
    """Keep the triggers in the ledger; a later kick begins with them."""
    telemetry.note(outcome="postponed")
    if waiting != look.ledger.waiting:
        look.put(look.ledger.model_copy(update={"waiting": waiting}))
    name = f"k:{kick.model}:{int(due.timestamp() * 1000)}"
    look.ports.bus.send([sending.outgoing(kick, name, due)])


def _begin(
    look: Look, waiting: tuple[Trigger, ...], covered: tuple[Trigger, ...], attempt: int
) -> None:
    """Prepare the first step (its job is created before the write), write, send.

    While a service is away the triggers wait; what can never work begins a run that fails.
    """
    ports, ledger = look.ports, look.ledger
    run = f"{ledger.model}.r{ledger.runs + 1}"
    failure = ""
    try:
        ports.models.keep(look.model)
        plan = first_steps.plan(ports, look.model, ledger, covered, run)
    except TRANSIENT:
        seconds = min(2.0 ** min(attempt, 10), KICK_SECONDS_MAX)
        due = ports.clock.now() + timedelta(seconds=seconds)
        _postpone(look, waiting, Kick(model=ledger.model, attempt=attempt + 1), due)
        return
    except AlmError as error:
        plan, failure = FirstStep("finish", RunState(began=ports.clock.now())), str(error)
    step = _first_step(look, covered, plan, failure)
    begun = begin(ledger, step, covered, ports.clock.now())
    rest = tuple(trigger for trigger in waiting if trigger not in covered)
    begun = begun.model_copy(update={"waiting": rest})
    etag = look.put(begun)
    measuring.begun(step, covered)
    _send_first(ports, begun, etag)


def _send_first(ports: Ports, ledger: Ledger, etag: str) -> None:
    announcing.announce(ports, announcing.began(ledger))
    sending.first(ports, ledger, etag)


def _first_step(look: Look, covered: tuple[Trigger, ...], plan: FirstStep, failure: str) -> Step:
    return Step(
        model=look.ledger.model,
        run=f"{look.ledger.model}.r{look.ledger.runs + 1}",
        n=1,
        pipeline=plan.pipeline or covered[0].pipeline,
        stage=plan.stage,
        base=BEGUN,
        configuration=look.model.digest,
        result="failed" if failure else "",
        why=shortened(failure),
        trace=telemetry.current(),
        state=plan.state,
    )


def begin(ledger: Ledger, step: Step, covered: tuple[Trigger, ...], now: datetime) -> Ledger:
    """The ledger of a run that has begun: its first step, its job and its version on record."""
    state = step.state
    active = Active(
        run=step.run,
        pipeline=step.pipeline,
        token=BEGUN,
        triggers=covered,
        configuration=step.configuration,
        began=now,
        due=(state.job_deadline or now) + RUN_MARGIN,
        job=state.job,
        starts=state.starts,
        step=step,
    )
    trained = step.pipeline in ("retrain", "experiment") and state.inputs
    return ledger.model_copy(
        update={
            "active": active,
            "seen": remember(ledger.seen, covered, now),
            "runs": ledger.runs + 1,
            "versions": max(ledger.versions, state.version),
            "dataset": state.inputs[-1] if trained else ledger.dataset,
        }
    )
