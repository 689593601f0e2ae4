"""Studio's lifecycle in a simulated world: its ports, and what can go wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alm.domain.errors import Unknown
from alm.domain.experiment import StudioWorkspace
from alm.domain.managed_model import DEPLOYED, ClassicEndpoint, Target
from tests.simulation.processes import Observed, Operation
from tests.simulation.scenario import FOREVER, Scenario
from tests.simulation.workspace import SimClassicServices, SimDeployed, SimWorkspace

if TYPE_CHECKING:
    from tests.simulation.world import World

PORTS = ("workspace", "classic", "service")
ALWAYS = ("", "crash", "lock lost")
AWAY, UNANSWERED = "service away", "answer lost"
IGNORED, LATE, FAILS = "answered, nothing changed", "old model answers", "job fails: deployment"
CHANGES = ("upload", "promote", "create", "save", "run", "delete_service")


class SimStudio:
    """Finds the one workspace there is. A `studio_ports.Studio`."""

    def __init__(self, world: World, scenario: Scenario) -> None:
        self._world, self._scenario = world, scenario
        self._workspace = Observed("workspace", SimWorkspace(world, scenario))
        self._classic = Observed("classic", SimClassicServices(world))
        self._services: dict[str, Observed] = {}

    def workspace(self, workspace: StudioWorkspace) -> Observed:
        return self._workspace

    def classic_services(self, workspace: StudioWorkspace) -> Observed:
        return self._classic

    def target(self, target: Target) -> Observed:
        """The deployed service, by the address of its endpoint."""
        assert target.name == DEPLOYED
        assert isinstance(target.service, ClassicEndpoint)
        service = target.service.endpoint.split("/")[-3]
        if service not in self._services:
            self._services[service] = Observed("service", SimDeployed(self._world, service))
        return self._services[service]

    def faults(self, operation: Operation) -> tuple[str, ...]:
        """What can go wrong with an operation; the first one is: nothing."""
        if operation.name == "deploy":
            return (*ALWAYS, AWAY, UNANSWERED, IGNORED, FAILS)
        if operation.name in CHANGES:
            return (*ALWAYS, AWAY, UNANSWERED)
        if operation.name == "score":
            older = operation.call.__self__.older()  # type: ignore[attr-defined]
            return (*ALWAYS, AWAY, *(f"{LATE} #{place}" for place in range(len(older))))
        return (*ALWAYS, AWAY)

    def do(self, operation: Operation, fault: str) -> Any:
        """Do an operation as the fault says. Raises what its caller would see."""
        if operation.name == "deploy":
            result = self._deploy(operation, fault)
        elif fault.startswith(LATE):
            older = operation.call.__self__.older()  # type: ignore[attr-defined]
            location = older[int(fault.split("#")[1])]
            result = operation.call(*operation.arguments, **operation.options, location=location)
        else:
            result = operation.do()
        if fault == UNANSWERED:
            raise Unknown(f"{operation.title}: the answer was lost")
        return result

    def _deploy(self, operation: Operation, fault: str) -> Any:
        first, last = self._scenario.dead.get(DEPLOYED, (FOREVER, 0))
        nth = len(self._world.state.studio.deployments) + 1
        said = "failed" if fault == FAILS else ""
        if fault == IGNORED or first <= nth <= last:
            said = "ignored"
            self._world.state.books.excuses.add(IGNORED)
        return operation.call(*operation.arguments, **operation.options, fault=said)
