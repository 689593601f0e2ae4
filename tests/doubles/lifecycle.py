"""Studio in memory, complete: workspaces, their classic services, new services, deployers.

studio = DoubleLifecycle(clock)
studio.put_deployer(target, DoubleDeployer(clock, target, template))
"""

from __future__ import annotations

from alm.domain.experiment import StudioWorkspace
from alm.domain.managed_model import Target
from alm.domain.web_services import Document
from alm.ports import Clock
from tests.doubles.deployer import DoubleDeployer
from tests.doubles.new_services import DoubleNewServices
from tests.doubles.studio import BASE, DoubleTarget
from tests.doubles.web_services import DoubleClassicServices
from tests.doubles.workspace import DoubleStudio


class DoubleLifecycle(DoubleStudio):
    """See `studio_ports.Studio`. What a workspace deployed is among its classic services.

    The model of a deployed service is named after the run that it was deployed from.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.new = DoubleNewServices(clock)
        self.new.beside = self._beside
        self._classic: dict[str, DoubleClassicServices] = {}
        self._published: dict[str, int] = {}
        self._deployers: dict[Target, DoubleDeployer] = {}

    def put_deployer(self, target: Target, deployer: DoubleDeployer) -> None:
        self._deployers[target] = deployer

    def classic_services(self, workspace: StudioWorkspace) -> DoubleClassicServices:
        name = workspace.workspace
        services = self._classic.setdefault(name, DoubleClassicServices(self.clock))
        for service in self.workspace(workspace).services.values():
            if self._published.get(service.id) != len(service.deployments):
                self._published[service.id] = len(service.deployments)
                location = f"{BASE}experiments/{service.deployments[-1]}.ilearner"
                services.publish(service.name, location, service.id)
        return services

    def new_services(self) -> DoubleNewServices:
        return self.new

    def _beside(self, resource: str) -> Document | None:
        """The definition of a service that a deployer's double made."""
        for target, deployer in self._deployers.items():
            name = resource.rpartition("/")[2]
            if target.service.kind == "new" and name in deployer.deployed:
                made = deployer.deployed[name]
                place = {"uri": made.location, "credentials": made.sas}
                asset = {"name": target.trained_model, "type": "Resource", "locationInfo": place}
                properties = {"packageType": "Graph", "assets": {"model": asset}}
                return {"id": resource, "location": "West Europe", "properties": properties}
        return None

    def deployer(self, target: Target) -> DoubleDeployer:
        if target not in self._deployers:
            self._deployers[target] = DoubleDeployer(self.clock, target, DoubleTarget(self.clock))
        return self._deployers[target]
