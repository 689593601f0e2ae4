"""What a stage is given, and what it may declare before it acts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from alm.domain.ledger import Active, Ledger, Step
from alm.domain.managed_model import ManagedModel, Target
from alm.domain.run import RunState, Served
from alm.ports import Ports, ScoringTarget
from alm.studio_ports import Deployer


@dataclass(frozen=True)
class Declaration:
    """A change of the ledger that must be on record before the stage acts.

    operation: names the change and its content; the same visit declares the same operation again.
    seconds: how long the run may be silent after this, on top of the usual margin.
    """

    operation: str
    change: Callable[[Ledger], Ledger]
    seconds: float = 0


def unchanged(ledger: Ledger) -> Ledger:
    return ledger


def service_of(ports: Ports, target: Target, served: Served | None) -> ScoringTarget:
    """The service where a target serves a model: a version may have one of its own."""
    if target.deploy == "patch" or served is None or not served.service:
        return ports.services.target(target)
    return ports.studio.deployer(target).target(served.service)


@dataclass(frozen=True)
class Context:
    """One visit of a stage, with the ledger as the chain last saw it.

    repeated: this very step was delivered before: what it does may have been done already.
    """

    ports: Ports
    model: ManagedModel
    step: Step
    now: datetime
    repeated: bool = False

    @property
    def state(self) -> RunState:
        return self.step.state

    @property
    def active(self) -> Active:
        """The run as the ledger has it; for a stage that declared, after that was written."""
        active = self.ledger.active
        assert active is not None
        assert active.run == self.step.run
        return active

    @property
    def ledger(self) -> Ledger:
        assert self.step.ledger is not None
        return self.step.ledger

    def target(self, target: Target, served: Served | None = None) -> ScoringTarget:
        """The service where a target serves that model; without one, the service it names."""
        return service_of(self.ports, target, served)

    def deployer(self, target: Target) -> Deployer:
        """What makes endpoints or services beside the one that a target names."""
        return self.ports.studio.deployer(target)

    def job_file(self, name: str) -> str:
        """The path of one of this run's own files."""
        return f"alm-jobs/{self.step.model}/{self.step.run}/{name}"
