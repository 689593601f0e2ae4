"""What the engine is given in a simulated world, and what can go wrong with each operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from alm.domain.errors import Unavailable, Unknown
from alm.domain.managed_model import DEPLOYED, ManagedModel, Service, Target
from alm.ports import Outgoing, Ports, ScoringTarget, TrainingService
from tests.simulation import doubles, lifecycle, studio
from tests.simulation.processes import Observed, Operation
from tests.simulation.scenario import FOREVER, Scenario, run_name

if TYPE_CHECKING:
    from tests.simulation.world import World

PURE_BLOBS = ("get", "open", "properties", "grant", "location", "fetch", "list")
"""Reads of what is written once: stopping there is the same as stopping before the next one."""

ALWAYS = ("", "crash", "lock lost")
AWAY, UNANSWERED, HALF = "service away", "answer lost", "half sent"
IGNORED, LATE, FAILS = "answered, nothing changed", "old model answers", "job fails"


class SimServices:
    """The services that declarations name, and the faults that operations can have."""

    def __init__(self, world: World, model: ManagedModel, scenario: Scenario) -> None:
        self._world, self._dead = world, scenario.dead
        self.studio = lifecycle.SimStudio(world, scenario)
        bad = frozenset(map(run_name, scenario.bad))
        same = frozenset(map(run_name, scenario.same))
        rejected = frozenset(map(run_name, scenario.rejected))
        trained = studio.SimTraining(world, scenario.looks, bad, same, rejected)
        self._training = Observed("training", trained)
        self.targets = {
            target.name: studio.SimTarget(world, target.name, target.propagation_seconds)
            for target in model.targets
        }
        self._observed = {
            name: Observed(f"target {name}", target) for name, target in self.targets.items()
        }

    def training(self, service: Service) -> TrainingService:
        return cast(TrainingService, self._training)

    def target(self, target: Target) -> ScoringTarget:
        if target.name == DEPLOYED:
            return cast(ScoringTarget, self.studio.target(target))
        return cast(ScoringTarget, self._observed[target.name])

    def faults(self, operation: Operation) -> tuple[str, ...]:
        """What can go wrong with an operation; the first one is: nothing."""
        if operation.port in lifecycle.PORTS:
            return self.studio.faults(operation)
        match operation.port, operation.name:
            case "ledgers", "put":
                return (*ALWAYS, UNANSWERED)
            case "bus", "send":
                return (*ALWAYS, HALF) if len(operation.arguments[0]) > 1 else ALWAYS
            case "training", "job":
                return (*ALWAYS, AWAY, FAILS)
            case "training", _:
                return (*ALWAYS, AWAY, UNANSWERED)
            case _, "patch":
                return (*ALWAYS, AWAY, UNANSWERED, IGNORED)
            case port, "score":
                older = self.targets[port.removeprefix("target ")].older()
                return (*ALWAYS, AWAY, *(f"{LATE} #{place}" for place in range(len(older))))
            case _, "read":
                return (*ALWAYS, AWAY)
            case _:
                return ALWAYS

    def do(self, operation: Operation, fault: str) -> Any:
        """Do an operation as the fault says. Raises what its caller would see."""
        if fault == AWAY:
            raise Unavailable(f"{operation.title}: the service is away")
        if operation.port in lifecycle.PORTS:
            return self.studio.do(operation, fault)
        if fault == FAILS:
            self._fail_job(operation.arguments[0])
        if operation.port == "bus":
            return self._send(operation, half=fault == HALF)
        if operation.name == "patch":
            result = None
            self._patch(operation, ignored=fault == IGNORED)
        elif fault.startswith(LATE):
            older = self.targets[operation.port.removeprefix("target ")].older()
            location = older[int(fault.split("#")[1])]
            result = operation.call(*operation.arguments, **operation.options, location=location)
        else:
            result = operation.do()
        if fault == UNANSWERED:
            raise Unknown(f"{operation.title}: the answer was lost")
        return result

    def _patch(self, operation: Operation, *, ignored: bool) -> None:
        name = operation.port.removeprefix("target ")
        nth = self._world.state.targets[name].patches + 1
        first, last = self._dead.get(name, (FOREVER, 0))
        ignored = ignored or first <= nth <= last
        if ignored:
            self._world.state.books.excuses.add(IGNORED)
        operation.call(*operation.arguments, ignored=ignored)

    def _send(self, operation: Operation, *, half: bool) -> None:
        messages: Sequence[Outgoing] = operation.arguments[0]
        if half:
            messages = messages[:1]
        ids = self._world.state.ids
        seen = [message.id for message in messages if message.id in ids]
        repeats = [one for one in seen if self._world.pick("", "duplicate gets through")]
        if repeats:  # the run has forked: one chain may use up the ids of the other
            self._world.state.books.stray("fork")
        operation.call(messages, repeats)
        if half:
            raise Unknown("bus.send: some messages were accepted")

    def _fail_job(self, job_id: str) -> None:
        state = self._world.state
        if state.jobs[job_id].state == "Running":
            state.jobs[job_id] = state.jobs[job_id]._replace(state="Failed")


LOOKS = ("manifest", "manifests", "in_service", "put_in_service")  # nothing decides from the last


def ports_of(world: World, services: SimServices) -> Ports:
    """Everything that the engine may touch, each operation a step of the scheduler."""
    observed: dict[str, Any] = {
        "ledgers": Observed("ledgers", doubles.SimLedgers(world)),
        "bus": Observed("bus", doubles.SimBus(world)),
        "blobs": Observed("blobs", doubles.SimBlobs(world), PURE_BLOBS),
        "versions": Observed("versions", doubles.SimVersions(world), LOOKS),
        "records": Observed("records", doubles.SimRecords()),
        "notifier": Observed("notifier", doubles.SimNotifier()),
        "models": Observed("models", doubles.SimModels(world.model), ("resolve", "at")),
    }
    return Ports(
        clock=doubles.SimClock(world),
        services=services,
        studio=cast("Any", services.studio),
        new_id=str,
        **observed,
    )
