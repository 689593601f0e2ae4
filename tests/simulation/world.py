"""The simulated world: one managed model's mailbox, its handlers, and everything they touch.

Each turn of the scheduler is one operation of one process, or one delivery. Every turn asks `Picks`
what goes wrong; choice 0 is always: nothing. Time only passes while nothing is to do (and `pace`
seconds per operation, if asked for); nothing sleeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache

from alm.domain.errors import AlmError
from alm.domain.ledger import Step
from alm.domain.messages import (
    AnyMessage,
    Decision,
    Fail,
    Kick,
    Reconcile,
    parse,
)
from alm.ports import Ports
from tests.simulation import arrivals, invariants, quiet
from tests.simulation.invariants import Violation
from tests.simulation.picks import Picks
from tests.simulation.processes import Operation, Process
from tests.simulation.rules import Rules
from tests.simulation.scenario import Before, Scenario, run_name
from tests.simulation.state import Mail, State
from tests.simulation.surroundings import AWAY, SimServices, ports_of
from tests.simulation.trace import describe, shown
from tests.simulation.variants import SHIPPED, Engine

SHIPPED_RULES = Rules()
DELIVERIES_MAX = 3  # fewer than the broker's five: dead letters come sooner
TURNS_MAX = 3000


@lru_cache(maxsize=100_000)
def parsed(body: bytes) -> AnyMessage:
    return parse(body)


class World:
    """Run one schedule of one scenario with one build of the engine."""

    def __init__(
        self,
        scenario: Scenario,
        picks: Picks,
        *,
        engine: Engine = SHIPPED,
        rules: Rules = SHIPPED_RULES,
        state: State | None = None,
        watch: Callable[[World], bool] | None = None,
        trace: list[str] | None = None,
    ) -> None:
        self.scenario, self.picks, self.engine, self.rules = scenario, picks, engine, rules
        self.model = scenario.model
        self.state = state or arrivals.beginning(scenario)
        self.services = SimServices(self, self.model, scenario)
        self.ports: Ports = ports_of(self, self.services)
        self.trace, self.watch = trace, watch
        self.live: Process | None = None
        self.message: AnyMessage | None = None
        self.zombies: list[Process] = []
        self.awake: Process | None = None
        self.stopped = False
        self.counts: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.befores: dict[tuple[str, str], list[int]] = {}
        for place, arrival in enumerate(scenario.arrivals):
            if isinstance(arrival.when, Before):
                key = (run_name(arrival.when.run), arrival.when.stage)
                self.befores.setdefault(key, []).append(place)
        self.poison = {
            key if isinstance(key, str) else (run_name(key[0]), key[1]): operation
            for key, operation in scenario.poison.items()
        }

    def run(self) -> None:
        """Go on until all is quiet. Raises Violation as soon as an invariant is broken."""
        try:
            while self._turn():
                self.state.turns += 1
                if self.state.turns > TURNS_MAX:
                    raise Violation(f"I5 no end after {TURNS_MAX} operations")
            if not self.stopped:
                invariants.at_end(self)
        finally:
            for process in (*self.zombies, *([self.live] if self.live else [])):
                process.kill()

    def _turn(self) -> bool:
        self._bury()
        self._post()
        if self.zombies and self._haunt():
            return True
        if self.live is not None:
            self._operate(self.live)
            return True
        if self.state.queue:
            return self._deliver()
        return quiet.idle(self)

    def pick(self, *options: str) -> str:
        """Ask what goes wrong; the first option is: nothing."""
        choice = self.picks.pick(self.state.picks, options)
        self.state.picks += 1
        if choice:
            self.faults[options[choice].split(" #")[0]] += 1
            self.say(f"      !! {self.state.picks - 1}: {options[choice]}")
        return options[choice]

    def say(self, line: str) -> None:
        if self.trace is not None:
            self.trace.append(f"[{self.state.now:7.1f}] {line}")

    def _bury(self) -> None:
        """A zombie dies at its deadline, wherever it is."""
        for zombie in [z for z in self.zombies if z.deadline <= self.state.now]:
            self._gone(zombie)

    def _gone(self, zombie: Process) -> None:
        zombie.kill()
        self.zombies.remove(zombie)
        if self.awake is zombie:
            self.awake = None

    def _post(self) -> None:
        state = self.state
        while state.scheduled and state.scheduled[0][0] <= state.now:
            state.queue.append(state.scheduled.pop(0)[1])

    def _haunt(self) -> bool:
        """Let a zombie do its next operation, if the schedule says so."""
        if self.awake is not None:
            if self.pick("", "zombie sleeps again"):
                self.awake = None
                return False
        else:
            names = [f"zombie wakes #{place}" for place in range(len(self.zombies))]
            choice = self.pick("", *names)
            if not choice:
                return False
            self.awake = self.zombies[names.index(choice)]
            self.say(f"   Z {self.awake.title}")
        zombie = self.awake
        self.do(zombie, "")
        if zombie.bug is not None:
            raise Violation(f"zombie {zombie.title} raised {zombie.bug!r}") from zombie.bug
        if zombie.operation is None:
            self._gone(zombie)
        return True

    def _deliver(self) -> bool:
        state = self.state
        mail = state.queue[0]
        message = parsed(mail.body)
        if arrivals.before(self, message):
            return True
        if self.watch is not None and not self.zombies and not self.watch(self):
            self.stopped = True
            return False
        fault = self.pick(*self._delivery_faults(message))
        if fault:
            self._disturb(fault, mail)
            return True
        self.say(f"deliver {mail.id} = {describe(message)}")
        if self.rules.settle_first:
            state.queue.pop(0)
        self._open(message, mail)
        return True

    def _delivery_faults(self, message: AnyMessage) -> tuple[str, ...]:
        options: tuple[str, ...] = ("", "sweep fires")
        ours = isinstance(message, Step | Kick | Reconcile | Fail)
        if ours or (isinstance(message, Decision) and message.kind == "expire"):
            options += ("message lost",)
        if self.state.ledger.active and not self.state.ledger.active.cancel:
            options += ("order to cancel",)
        return options + tuple(f"ghost #{place}" for place in range(len(self.state.sent)))

    def _disturb(self, fault: str, mail: Mail) -> None:
        state = self.state
        if fault == "sweep fires":
            quiet.sweep(self)
        elif fault == "message lost":
            state.queue.pop(0)
            state.books.excuses.add("dead letter" if mail.place in state.deliveries else fault)
        elif fault == "order to cancel":
            arrivals.cancel(self)
        else:
            old = state.sent[int(fault.split("#")[1])]
            state.place += 1
            state.queue.append(old._replace(place=state.place))
            state.books.stray("ghost")

    def _open(self, message: AnyMessage, mail: Mail) -> None:
        handle, repeated = self.engine.handle, self.state.deliveries.get(mail.place, 0) > 0
        self.message = message
        invariants.on_delivery(self, message)
        self.live = Process(
            mail.id,
            lambda: handle(self.ports, message, repeated=repeated),
            self.state.now + self.rules.zombie_seconds,
        )
        self.live.start()
        self._settle_if_done()

    def _settle_if_done(self) -> None:
        process = self.live
        if process is None or process.operation is not None:
            return
        if process.bug is not None:
            raise Violation(
                f"the handler of {process.title} raised {process.bug!r}"
            ) from process.bug
        if process.error is not None:
            self.say(f"      raised {process.error!r}")
            self._redeliver()
        elif not self.rules.settle_first:
            self.state.queue.pop(0)
        self.live = self.message = None

    def _redeliver(self) -> None:
        """The holder is gone: its message comes back first, or is dead after so many deliveries."""
        state = self.state
        self.live = self.message = None
        if self.rules.settle_first:
            return
        mail = state.queue[0]
        state.deliveries[mail.place] = state.deliveries.get(mail.place, 0) + 1
        if state.deliveries[mail.place] >= DELIVERIES_MAX:
            state.queue.pop(0)
            self.say(f"DEAD {mail.id}")
            state.books.excuses.add("dead letter")
            arrivals.dead_letter(self, mail, parsed(mail.body))

    def _operate(self, process: Process) -> None:
        """One operation of the process that holds the lock, and what goes wrong with it."""
        operation = process.operation
        assert operation is not None
        assert self.message is not None
        if self.poison and self._poisoned(self.message, process):
            self.say(f"      POISON before {operation.title}")
            self._crash(process)
            return
        fault = self.pick(*self.services.faults(operation))
        if fault == "lock lost":
            process.zombie = True
            self.zombies.append(process)
            self.state.books.stray("zombie")
            self._redeliver()
            return
        self.do(process, fault)
        if fault == "crash":
            self._crash(process)
        else:
            self._settle_if_done()

    def _poisoned(self, message: AnyMessage, process: Process) -> bool:
        key = (message.run, message.stage) if isinstance(message, Step) else message.kind
        return self.poison.get(key) == process.done

    def _crash(self, process: Process) -> None:
        process.kill()
        self._redeliver()

    def do(self, process: Process, fault: str) -> None:
        """Do the operation as the fault says, and let the process see what it would see."""
        operation = process.operation
        assert operation is not None
        if fault != AWAY:
            invariants.before(self, process, operation)
        try:
            result = self.services.do(operation, fault)
            self.state.now += self.rules.pace
        except AlmError as error:
            self._tell(process, operation, repr(error))
            if fault != "crash":
                process.fail(error)
            return
        self.counts[operation.title] += 1
        self._tell(process, operation, result)
        if operation.name == "notify" and operation.arguments[0].event == "held":
            arrivals.held(self, operation.arguments[0])
        if fault != "crash":
            process.go_on(result)

    def _tell(self, process: Process, operation: Operation, result: object) -> None:
        if self.trace is not None:
            mark = "   Z  " if process.zombie else "      "
            self.say(f"{mark}{operation.title} {shown(operation, result)}")
