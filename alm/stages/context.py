"""What a stage is given, and what it may declare before it acts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from alm.domain.ledger import Active, Ledger, Step
from alm.domain.managed_model import ManagedModel, Target
from alm.domain.run import RunState
from alm.ports import Ports, ScoringTarget


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


@dataclass(frozen=True)
class Context:
    """One visit of a stage, with the ledger as the chain last saw it."""

    ports: Ports
    model: ManagedModel
    step: Step
    now: datetime

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

    def target(self, target: Target) -> ScoringTarget:
        return self.ports.services.target(target)

    def job_file(self, name: str) -> str:
        """The path of one of this run's own files."""
        return f"alm-jobs/{self.step.model}/{self.step.run}/{name}"
