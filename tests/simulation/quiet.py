"""When nothing is to do: time passes, zombies die, and the timer of the sweep runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation import arrivals, invariants
from tests.simulation.doubles import seconds_of
from tests.simulation.invariants import Violation
from tests.simulation.processes import Process
from tests.simulation.scenario import MODEL

if TYPE_CHECKING:
    from tests.simulation.world import World

SWEEPS_MAX = 60  # more than any run may need, with all that it leaves to repair
SWEEP_SECONDS = 60.0


def idle(world: World) -> bool:
    """Let time pass to whatever comes next; False if nothing does."""
    state = world.state
    if state.scheduled:
        state.now = max(state.now, state.scheduled[0][0])
        return True
    if arrivals.ended(world):
        return True
    if world.zombies:
        state.now = max(zombie.deadline for zombie in world.zombies) + 1
        return True
    return _upkeep(world)


def sweep(world: World, *, due: bool = False) -> None:
    """Fire the sweep: a process beside the mailbox, which holds no lock.

    due: it is the timer's own time, and nothing interferes.
    """
    world.state.sweeps += 1
    world.state.books.strays["sweep"] = world.state.sweeps
    tick, look_after = str(world.state.sweeps), world.engine.sweep
    world.say("sweep" if due else "sweep, at a bad time")
    deadline = world.state.now + world.rules.zombie_seconds
    process = Process(f"sweep {tick}", lambda: look_after(world.ports, MODEL, tick), deadline)
    process.zombie = True
    process.start()
    while due and process.operation is not None:
        world.do(process, "")
    if process.bug is not None:
        raise Violation(f"the sweep raised {process.bug!r}") from process.bug
    if process.operation is not None:
        world.zombies.append(process)
        world.awake = process


def _upkeep(world: World) -> bool:
    """The timer looks after a late run, what waits, and what is wrong."""
    state, ledger = world.state, world.state.ledger
    late = bool(ledger.active or ledger.waiting) or invariants.unrepaired(world)
    if not world.rules.sweeps or not late or state.timely_sweeps >= SWEEPS_MAX:
        return False
    invariants.before_sweep(world)
    state.timely_sweeps += 1
    due = seconds_of(ledger.active.due) if ledger.active else 0.0
    state.now = max(state.now + SWEEP_SECONDS, due)
    sweep(world, due=True)
    return True
