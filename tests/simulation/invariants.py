"""The invariants, checked at each operation and when all is quiet.

I1  every accepted trigger is covered by exactly one run
I2  one training job of a run works at a time, and at most `attempts` are ever started
I3  when all is quiet, every target serves what the ledger says, or the ledger says that it may not
I4  no two runs change targets believing that both are active
I5  when faults stop, every run ends
I6  after an acknowledged cancel no live handler deploys
I7  a champion passed its smoke test
I8  only the named run is cancelled
I9  no live handler deploys again after its roll-back was recorded
I10 nothing is touched without an intent on record; after a run that is not ok each target serves
    what it did before, or is said to be unknown
I11 an approval lets no other digest through; an approved run never ends as if it were not
I12 at most three times SWEEPS sweeps are spent on one run
I13 whoever asked for a run is told how it ended
I14 where no message was lost or died and every patch did what it said, no sweep is needed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alm.domain.ledger import Active, Ledger, Step
from alm.domain.managed_model import DEPLOYED
from alm.domain.messages import AnyMessage, Decision, Reconcile
from alm.engine.limits import SWEEPS
from alm.ports import Grant
from tests.simulation import lifecycle, lifecycle_invariants
from tests.simulation.doubles import BASE, digest_of, is_good
from tests.simulation.processes import Operation, Process
from tests.simulation.rules import Violation as Violation
from tests.simulation.rules import demand
from tests.simulation.scenario import FOREVER, MODEL

if TYPE_CHECKING:
    from tests.simulation.world import World

UNDECIDED = ("expired", "refused", "superseded")


def on_delivery(world: World, message: AnyMessage) -> None:
    """Remember who may deploy what: an approval counts from the moment it is looked at."""
    if isinstance(message, Decision) and message.kind == "approve":
        world.state.books.approvals.add((message.run, message.digest))


def before(world: World, process: Process, operation: Operation) -> None:
    """Check one operation before it is done."""
    if operation.port in lifecycle.PORTS:
        lifecycle_invariants.before(world, process, operation)
        return
    match operation.port, operation.name:
        case "ledgers", "put":
            ledger, etag = operation.arguments
            if etag == (str(world.state.etag) if world.state.etag else ""):
                _on_write(world, process, world.state.ledger, ledger)
        case "training", "start_job":
            _on_start(world, operation.arguments[0])
        case "bus", "send" if process.title.startswith("sweep"):
            _on_sweep(world)
        case port, "patch":
            _on_patch(world, process, port.removeprefix("target "), operation.arguments[0])


def at_end(world: World) -> None:
    """Check the world when nothing more happens."""
    state, books = world.state, world.state.books
    ledger = state.ledger
    demand(ledger.active is None, f"I5 {ledger.active and ledger.active.run} never ends")
    covered = {trigger for cover in books.covers.values() for trigger in cover}
    lost = books.accepted - covered - books.dead - _skipped(world)
    demand(not lost, f"I1 no run covers {sorted(lost)}")
    for name, endpoint in state.targets.items():
        right = endpoint.location == books.rightful[name] or _as_ledger(world, name)
        told = name in ledger.unknown
        hopeless = world.scenario.dead.get(name, (0, 0))[1] >= FOREVER
        demand(
            right or (told and hopeless),
            f"I3 {name} serves {_of(world, endpoint.location)}, "
            f"it should serve {_of(world, books.rightful[name])}; unknown: {ledger.unknown}",
        )
        demand(
            not (right and told), f"I3 {name} is right, the ledger says for ever that it is unknown"
        )
    lifecycle_invariants.at_end(world)
    _all_answered(world)


def unrepaired(world: World) -> bool:
    """Is a target not what it should be (or said not to be), and can that be helped?"""
    state = world.state
    for name, endpoint in state.targets.items():
        right = endpoint.location == state.books.rightful[name] or _as_ledger(world, name)
        told = name in state.ledger.unknown
        hopeless = world.scenario.dead.get(name, (0, 0))[1] >= FOREVER
        if right == told or (not right and not hopeless):
            return True
    return False


def before_sweep(world: World) -> None:
    """A legitimate sweep is about to run: was it needed?"""
    excuses = world.state.books.excuses - {"zombie"}
    demand(bool(excuses), f"I14 only a sweep can help {_what_is_stuck(world)}")


def _what_is_stuck(world: World) -> str:
    ledger = world.state.ledger
    if ledger.active:
        return f"{ledger.active.run} ({ledger.active.token.operation})"
    if ledger.waiting:
        return f"the waiting {[trigger.id for trigger in ledger.waiting]}"
    serves = {name: _of(world, it.location) for name, it in world.state.targets.items()}
    return f"the targets, which serve {serves}"


def _on_write(world: World, process: Process, old: Ledger, new: Ledger) -> None:
    was, now = old.active, new.active
    if now and (was is None or was.run != now.run):
        _on_begin(world, now)
    if was and (now is None or now.run != was.run):
        _on_end(world, was, new)
    if was and now and was.run == now.run:
        _on_change(world, process, was, now)


def _on_begin(world: World, active: Active) -> None:
    books = world.state.books
    demand(active.run not in books.covers, f"I4 {active.run} begins twice")
    ids = tuple(trigger.id for trigger in active.triggers)
    for run, cover in books.covers.items():
        twice = set(cover) & set(ids)
        demand(not twice, f"I1 {sorted(twice)} is covered by {run} and {active.run}")
    books.covers[active.run] = ids
    books.pipelines[active.run] = active.pipeline


def _on_end(world: World, ended: Active, new: Ledger) -> None:
    state, books = world.state, world.state.books
    result = new.last_result
    books.results[ended.run] = result
    if result in UNDECIDED and ended.hold:
        approved = (ended.run, ended.hold.digest) in books.acknowledged
        demand(not approved, f"I11 {ended.run} ends {result}, but its approval was acknowledged")
    if DEPLOYED in books.rightful:
        lifecycle_invariants.on_end(world, ended, new)
        return
    if result == "ok":
        for name, served in new.serves.items():
            content = state.blobs[served.blob]
            demand(
                is_good(content), f"I7 {name} is to serve {content!r}, which fails its smoke test"
            )
            books.rightful[name] = BASE + served.blob
        return
    if "zombie" not in books.excuses:
        for name in (intent.target for intent in ended.intent):
            right = state.targets[name].location == books.rightful[name]
            demand(
                right or _as(new, name, state.targets[name].location) or name in new.unknown,
                f"I10 {ended.run} ends {result}, {name} serves "
                f"{_of(world, state.targets[name].location)} and is not said to be unknown",
            )
    for trigger in new.waiting:
        books.accepted.add(trigger.id)  # a verification's own order


def _on_change(world: World, process: Process, was: Active, now: Active) -> None:
    books = world.state.books
    if now.cancel == "cancelled" and not was.cancel:
        demand(
            now.run in books.cancels,
            f"I8 {now.run} is cancelled, {sorted(books.cancels)} was asked",
        )
    if now.approved and not was.approved and not process.zombie:
        assert now.hold is not None
        books.acknowledged.add((now.run, now.hold.digest))
    if now.token.operation.startswith("roll_back:"):
        books.undone.add(now.run)


def _on_start(world: World, job_id: str) -> None:
    jobs, books = world.state.jobs, world.state.books
    job = jobs[job_id]
    if job.state != "NotStarted":
        return
    started = books.starts.get(job.run, ())
    busy = [other for other in started if jobs[other].state == "Running"]
    demand(not busy, f"I2 {job.run} starts {job_id} while {busy} is running")
    books.starts[job.run] = (*started, job_id)
    assert world.model.training is not None
    demand(
        len(started) < world.model.training.attempts,
        f"I2 {job.run} starts {job_id} after {started}",
    )


def _on_sweep(world: World) -> None:
    active, swept = world.state.ledger.active, world.state.books.swept
    if active is None or active.held:
        return
    swept[active.run] = swept.get(active.run, 0) + 1
    demand(swept[active.run] <= 3 * SWEEPS, f"I12 {active.run} was swept {swept[active.run]} times")


def _on_patch(world: World, process: Process, name: str, model: Grant) -> None:
    books, active = world.state.books, world.state.ledger.active
    if process.zombie:
        return
    if isinstance(world.message, Reconcile):
        demand(
            active is None, f"I4 reconcile patches {name} while {active and active.run} is active"
        )
        return
    run = world.message.run if isinstance(world.message, Step) else ""
    demand(
        active is not None and active.run == run,
        f"I4 {run} patches {name} while {active and active.run} is active",
    )
    assert active is not None
    demand(books.pipelines.get(run) != "verify", f"{run} only verifies, and patches {name}")
    intent = next((intent for intent in active.intent if intent.target == name), None)
    demand(intent is not None, f"I10 {run} patches {name} without an intent on record")
    assert intent is not None
    if model.location == BASE + intent.previous.blob:
        return
    content = _of(world, model.location)
    demand(run not in books.undone, f"I9 {run} deploys {content} again after its roll-back")
    demand(not active.cancel, f"I6 {run} deploys {content}, but it was {active.cancel}")
    if world.scenario.approval and books.pipelines.get(run) == "retrain":
        served = world.state.blobs[model.relative]
        demand(
            (run, digest_of(served)) in books.approvals,
            f"I11 {run} deploys {content}, which nobody approved",
        )


def _all_answered(world: World) -> None:
    """Requests of runs that ended are answered; a run that died may owe an answer."""
    books = world.state.books
    if "dead letter" in books.excuses:
        return
    for trigger in sorted(books.accepted - books.dead):
        request = trigger.rpartition(":")[2]
        if ":repair:" not in trigger:
            demand(
                f"a:{request}:ended:{MODEL}" in books.answered,
                f"I13 request {request} was never told how it ended",
            )


def _skipped(world: World) -> set[str]:
    """Triggers that a model with `concurrency: skip` let go; they are answered at once."""
    if world.scenario.concurrency != "skip":
        return set()
    return {seen.id for seen in world.state.ledger.seen}


def _as_ledger(world: World, name: str) -> bool:
    return _as(world.state.ledger, name, world.state.targets[name].location)


def _as(ledger: Ledger, name: str, location: str) -> bool:
    """A target that was never promoted holds its v0 by either name: ours, or where we found it."""
    served = ledger.serves.get(name)
    if served is None or not served.version.endswith("-v0"):
        return False
    return location in (BASE + served.blob, served.found_at)


def _of(world: World, location: str) -> str:
    return repr(world.state.blobs.get(location.removeprefix(BASE), b"nothing").decode())
