"""What a simulated Studio workspace holds: assets, experiments with their runs, web services.

Everything is told from plain values and the time: a run has ended once its time is over, a
deployment counts from its own time on.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

from alm.domain.experiment import AssetKind

WORKSPACE = "d" * 32


def experiment_id(number: int) -> str:
    return f"{WORKSPACE}.f-id.{number:032x}"


TRAINING, SCORING = experiment_id(1), experiment_id(2)
"""The two experiments that people made by hand."""


class StudioAsset(NamedTuple):
    """A dataset or a trained model. content: the blob that Studio keeps it in."""

    kind: AssetKind
    name: str
    family: str
    number: int
    description: str
    content: str
    created: float


class Run(NamedTuple):
    """A snapshot: what an experiment named when it was run, and when that ends."""

    experiment: str
    asset: str
    previous: str
    ends: float
    failed: bool


class Bench(NamedTuple):
    """An experiment. asset: the dataset or trained model that its graph names.

    is_draft: it was saved since its last run. service: what its block says.
    """

    name: str
    trains: bool
    asset: str
    run: str = ""
    is_draft: bool = True
    service: str = ""


class Deployment(NamedTuple):
    """A deployment: of an asset's content, to a service, from `due` on."""

    experiment: str
    service: str
    location: str
    due: float
    ignored: bool = False
    failed: str = ""


class WebService(NamedTuple):
    """A classic web service with its default endpoint; history: what it served until when."""

    name: str
    resource: str
    location: str
    changes: int = 1
    history: tuple[tuple[float, str], ...] = ()


@dataclass
class StudioState:
    """A workspace between two operations. deployed: how many deployments have come into force."""

    assets: dict[str, StudioAsset] = field(default_factory=dict)
    experiments: dict[str, Bench] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    deployed: set[str] = field(default_factory=set)
    services: dict[str, WebService] = field(default_factory=dict)

    def copy(self) -> StudioState:
        other = copy(self)
        for name, value in vars(self).items():
            setattr(other, name, value.copy())
        return other

    def key(self) -> tuple[object, ...]:
        return tuple(
            frozenset(value) if isinstance(value, set) else tuple(value.items())
            for value in vars(self).values()
        )

    def settle(self, now: float) -> None:
        """Let the deployments come into force whose time has come, in their order."""
        due = [
            (deployment.due, name)
            for name, deployment in self.deployments.items()
            if name not in self.deployed and deployment.due <= now
        ]
        for _, name in sorted(due):
            self.deployed.add(name)
            deployment = self.deployments[name]
            if not deployment.ignored and not deployment.failed:
                self._serve(deployment)

    def _serve(self, deployment: Deployment) -> None:
        experiment = self.experiments[deployment.experiment]
        content = deployment.location
        model = next(asset for asset in self.assets.values() if asset.content == content)
        old = self.services.get(deployment.service)
        resource = f"{model.name} [trained model]"
        made = WebService(experiment.name, resource, content)
        if old is not None:
            history = old.history
            if content != old.location:
                history = (*history, (deployment.due, old.location))[-4:]
            made = made._replace(changes=old.changes + 1, history=history)
        self.services[deployment.service] = made
        self.experiments[deployment.experiment] = experiment._replace(service=deployment.service)

    def service_of(self, experiment: str) -> str:
        """The service that an experiment's block names, if it is there."""
        named = self.experiments[experiment].service
        return named if named in self.services else ""

    def on_its_way(self, experiment: str) -> list[str]:
        """Services that are being deployed and are not there yet."""
        return [
            deployment.service
            for name, deployment in self.deployments.items()
            if name not in self.deployed
            and deployment.experiment == experiment
            and deployment.service not in self.services
            and not deployment.ignored
        ]
