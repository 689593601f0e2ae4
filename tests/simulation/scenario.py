"""A scenario: what is declared, what arrives and when, and what goes wrong without any fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from alm.domain.experiment import StudioWorkspace
from alm.domain.experiment_steps import (
    DeployedService,
    ExperimentSource,
    ExperimentSteps,
    OutputAt,
    PredictiveExperiment,
    TrainingExperiment,
)
from alm.domain.managed_model import (
    Approval,
    ClassicEndpoint,
    ExecutionUrl,
    Expectation,
    Gate,
    ManagedModel,
    Metric,
    SmokeTest,
    Target,
    Training,
    TrainingOutputs,
)
from tests.simulation.bench import SCORING, TRAINING, WORKSPACE

MODEL = "churn"
PROPAGATION_SECONDS = 20.0
DEPLOYED_SECONDS = 2.0  # the same, of a service deployed from an experiment: fewer looks
HOLD_SECONDS = 60.0
FOREVER = 10**9

What = Literal[
    "data", "file", "serve", "verify", "cancel", "approve", "refuse", "rot", "hand", "run"
]  # fmt: skip


@dataclass(frozen=True)
class At:
    """So many seconds after the world began."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Before:
    """Just before a step of that stage of the `run`-th run is delivered for the first time."""

    run: int
    stage: str


@dataclass(frozen=True)
class Held:
    """So many seconds after the `run`-th run was put on hold."""

    run: int
    seconds: float


@dataclass(frozen=True)
class Ended:
    """When the `run`-th run has ended and its mailbox is empty."""

    run: int


When = At | Before | Held | Ended


@dataclass(frozen=True)
class Arrival:
    """Something that comes from outside. `about`: a version, a target, or a digest's file.

    run: somebody runs `about`, our copy of the training or the predictive experiment.

    run: the run that a decision names. Triggers are named by their place in the list.
    """

    when: When
    what: What
    about: str = ""
    run: int = 1


@dataclass(frozen=True)
class Scenario:
    """One managed model and what happens to it.

    waves: the wave of each target. bad, same, rejected: runs whose model fails its smoke test,
    answers like the one before, fails the gate. failures: jobs that fail, by run. dead: target ->
    first and last patch that change nothing. poison: (run, stage) or a kind of message -> the
    operation before which its handler always dies. looks: how often a job is still running.
    experiment: the ten Studio steps; runs are counted by their datasets there. in_place: people
    have deployed a service from the very experiment that is changed.
    """

    arrivals: tuple[Arrival, ...]
    waves: tuple[int, ...] = (1,)
    bad: tuple[int, ...] = ()
    same: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    failures: Mapping[int, int] = field(default_factory=dict)
    dead: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    poison: Mapping[tuple[int, str] | str, int] = field(default_factory=dict)
    approval: bool = False
    decide: Literal["approve", "refuse", ""] = "approve"
    concurrency: Literal["queue", "supersede", "skip"] = "queue"
    repair: bool = False
    looks: int = 1
    dead_letters: bool = True
    experiment: bool = False
    in_place: bool = False

    @property
    def model(self) -> ManagedModel:
        return taught(self) if self.experiment else declared(self)


SMOKE_TESTS = (
    SmokeTest(rows=({"tenure": 3},), expect=(Expectation(column="Scored Quality", equals="good"),)),
)


def run_name(run: int) -> str:
    return f"{MODEL}.r{run}"


def target_names(scenario: Scenario) -> list[str]:
    """The targets that are declared; what an experiment deploys has a name of its own."""
    waves = () if scenario.experiment else scenario.waves
    return [f"t{place + 1}" for place in range(len(waves))]


def declared(scenario: Scenario) -> ManagedModel:
    """The managed model as an operator would declare it."""
    studio = "https://studio.example/workspaces/w/webservices/s"
    judged = bool(scenario.rejected)
    metrics = Gate(metrics=(Metric(name="auc", min=0.7),), rows_min=1)
    return ManagedModel(
        model=MODEL,
        dataset="churn/*.csv",
        training=Training(
            service=ExecutionUrl(kind="execution", url=f"{studio}/train", key="env:KEY"),
            outputs=TrainingOutputs(model="output1", evaluation="output2" if judged else ""),
            poll_seconds_min=5,
        ),
        gate=metrics if judged else Gate(kind="smoke-only"),
        targets=tuple(
            Target(
                name=name,
                service=ClassicEndpoint(kind="classic", endpoint=f"{studio}/endpoints/{name}"),
                trained_model="churn [trained model]",
                wave=wave,
                propagation_seconds=PROPAGATION_SECONDS,
            )
            for name, wave in zip(target_names(scenario), scenario.waves, strict=True)
        ),
        smoke_tests=SMOKE_TESTS,
        approval=Approval(required=scenario.approval, hold_hours=HOLD_SECONDS / 3600),
        concurrency=scenario.concurrency,
        on_unwell="roll_back" if scenario.repair else "notify",
    )


def taught(scenario: Scenario) -> ManagedModel:
    """A managed model that is trained and deployed by the ten Studio steps."""
    judged = bool(scenario.rejected)
    metrics = Gate(metrics=(Metric(name="auc", min=0.7),), rows_min=1)
    scoring: dict[str, object] = {"experiment": SCORING, "in_place": scenario.in_place}
    return ManagedModel(
        model=MODEL,
        dataset="churn/*.csv",
        experiment=ExperimentSteps(
            workspace=StudioWorkspace(workspace=WORKSPACE),
            training=TrainingExperiment(
                source=ExperimentSource(experiment=TRAINING),
                evaluation=OutputAt() if judged else None,
            ),
            predictive=PredictiveExperiment(source=ExperimentSource.model_validate(scoring)),
            service=DeployedService(propagation_seconds=DEPLOYED_SECONDS),
        ),
        gate=metrics if judged else Gate(kind="smoke-only"),
        smoke_tests=SMOKE_TESTS,
        approval=Approval(required=scenario.approval, hold_hours=HOLD_SECONDS / 3600),
        concurrency=scenario.concurrency,
        on_unwell="roll_back" if scenario.repair else "notify",
    )
