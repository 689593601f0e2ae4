"""Managed models: what an operator declares, as values (read by `adapters/declarations.py`).

Secrets are only ever named (`env:NAME`, `keyvault:vault/name`), never held.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from alm.domain.experiment import StudioWorkspace
from alm.domain.experiment_steps import ExperimentSteps
from alm.domain.frozen import Frozen
from alm.domain.hosting import Hosting as Hosting
from alm.domain.names import ArmId as ArmId
from alm.domain.names import BlobPath as BlobPath
from alm.domain.names import ModelId as ModelId
from alm.domain.names import Name as Name
from alm.domain.names import PlanId as PlanId
from alm.domain.names import SecretName as SecretName
from alm.domain.names import Url as Url
from alm.domain.regions import endpoint_of
from alm.domain.run import Served


class ClassicEndpoint(Frozen):
    """An endpoint of a classic web service, by its management URL.

    `…/workspaces/{ws}/webservices/{id}/endpoints/{name}`; key and execution URL are read from it.
    """

    kind: Literal["classic"]
    endpoint: Url
    token: SecretName = "env:ALM_STUDIO_WORKSPACE_TOKEN"  # noqa: S105 - the name of one


class ArmWebService(Frozen):
    """A Resource Manager web service, by its resource id; keys and URL are asked of it."""

    kind: Literal["new"]
    resource: ArmId
    api_version: Literal["2016-05-01-preview", "2017-01-01"] = "2017-01-01"


class ExecutionUrl(Frozen):
    """A service by its execution URL and key, for those who may not read its management record."""

    kind: Literal["execution"]
    url: Url
    key: SecretName


Service = Annotated[ClassicEndpoint | ArmWebService | ExecutionUrl, Field(discriminator="kind")]


class TrainingOutputs(Frozen):
    """Names of the training service's web-service outputs; an empty name means: there is none."""

    model: Name = "output1"
    evaluation: str = "output2"
    scored: str = ""


class Training(Frozen):
    """The training service and how it is called.

    datasets: `newest` trains on the newest dataset that the run covers, `append` on all of them,
    one after the other (same header). attempts: jobs started at most in one run. trained_on: the
    dataset of a run that no dataset started (a schedule, a request): the last one seen otherwise.
    """

    service: Service
    input: str = "input1"
    outputs: TrainingOutputs = TrainingOutputs()
    parameters: dict[str, str] = {}
    datasets: Literal["newest", "append"] = "newest"
    trained_on: BlobPath | None = None
    attempts: int = Field(default=2, ge=1, le=5)
    poll_seconds_min: float = Field(default=5, ge=0.05, le=3600)
    poll_seconds_max: float = Field(default=240, ge=0.05, le=3600)
    deadline_minutes: float = Field(default=240, gt=0, le=7 * 24 * 60)


class Metric(Frozen):
    """One number the gate looks at; thresholds are inclusive.

    max_regression: how much worse than the champion is still accepted; None: not compared.
    """

    name: Literal[
        "accuracy", "precision", "recall", "f_score", "auc", "log_loss",
        "mae", "rmse", "r2", "rae", "rse",
    ]  # fmt: skip
    min: float | None = None
    max: float | None = None
    max_regression: float | None = None


class Gate(Frozen):
    """When a candidate is good enough.

    rows_blob: rows scored through `staging` by candidate and champion. compare: `same-rows` needs
    them; `stored` compares numbers that come from different rows, and says so in every verdict;
    `none` only applies thresholds.
    """

    kind: Literal["metrics", "smoke-only"] = "metrics"
    task: Literal["two-class", "multi-class", "regression"] = "two-class"
    label: str = ""
    positive: str = "1"
    metrics: tuple[Metric, ...] = ()
    compare: Literal["none", "same-rows", "stored"] = "none"
    rows_blob: BlobPath | None = None
    rows_min: int = Field(default=30, ge=1)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    staging: str = ""


class Expectation(Frozen):
    """What one scored row must look like: `column` equals, is one of, or lies between."""

    column: str
    equals: str | None = None
    one_of: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None


class SmokeTest(Frozen):
    """Known rows, and what every one of their answers must be.

    targets: names of the targets it is run on; empty means all. batch: score them as a BES job too.
    """

    name: Name = "smoke"
    rows: tuple[dict[str, str | int | float | bool | None], ...] = Field(
        min_length=1, max_length=100
    )
    expect: tuple[Expectation, ...] = ()
    targets: tuple[str, ...] = ()
    input: str = "input1"
    output: str = "output1"
    batch: bool = False


class Target(Frozen):
    """One scoring endpoint in one region.

    trained_model: the name of the resource that holds the model (`… [trained model]`).
    wave: targets are patched wave by wave, lowest first. propagation_seconds: how long the old
    model may go on answering after a patch.
    deploy: `patch` changes the model of `service`; the others leave it as it is and deploy each
    version beside it, on a new endpoint of the same classic service, or as a new Resource Manager
    web service made from it. name_template: how those are named (`{version}`, `{model}`). keep: how
    many of them stay besides those in use. hosting: for new services only. weight: its share of the
    scoring calls that ask for no version (`choose`).
    """

    name: Name
    service: Annotated[ClassicEndpoint | ArmWebService, Field(discriminator="kind")]
    trained_model: str
    wave: int = Field(default=1, ge=1, le=20)
    propagation_seconds: float = Field(default=30, ge=0, le=3600)
    weight: float = Field(default=1, ge=0, le=1e9)
    deploy: Literal["patch", "new-endpoint", "new-service"] = "patch"
    name_template: str = Field(default="ep{version}", max_length=128)
    keep: int = Field(default=3, ge=1, le=100)
    hosting: Hosting | None = None


class Schedules(Frozen):
    """Cron lines (five fields, UTC) that start a run."""

    retrain: str = ""
    verify: str = ""


class Approval(Frozen):
    """Whether a person decides before a change, and how long a held run waits for it."""

    required: bool = False
    hold_hours: float = Field(default=72, gt=0, le=24 * 30)


class Notifications(Frozen):
    """One webhook, named as a secret since its URL is one."""

    webhook: SecretName | None = None


class Naming(Frozen):
    """How version files are named: `{prefix}{model}-v{version}-{time}{suffix}.ilearner`."""

    prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,40}$")
    suffix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,40}$")


DEPLOYED = "service"  # the name, in ledgers, of the service deployed from an experiment


class ManagedModel(Frozen):
    """One managed model, complete: a family's member has its captures already filled in.

    workspace: where node outputs are harvested from. keep_versions: how many version files stay,
    besides those in use; all, if it is not declared.
    """

    model: ModelId
    family: str = ""
    dataset: str = ""
    on_dataset: Literal["retrain", "experiment"] | None = None
    model_pattern: str = ""
    training: Training | None = None
    experiment: ExperimentSteps | None = None
    workspace: StudioWorkspace | None = None
    gate: Gate = Gate()
    targets: tuple[Target, ...] = Field(default=(), max_length=50)
    staging: Target | None = None
    smoke_tests: tuple[SmokeTest, ...] = ()
    schedules: Schedules = Schedules()
    approval: Approval = Approval()
    concurrency: Literal["queue", "supersede", "skip"] = "queue"
    quiet_seconds: float = Field(default=0, ge=0, le=24 * 3600)
    accept_identical: bool = False
    on_unwell: Literal["notify", "roll_back"] = "notify"
    notify: Notifications = Notifications()
    naming: Naming = Naming()
    keep_versions: int | None = Field(default=None, ge=1, le=10_000)

    @property
    def on_data(self) -> Literal["retrain", "experiment"]:
        """The pipeline that new data starts."""
        return "experiment" if self.experiment is not None else "retrain"

    @property
    def studio(self) -> StudioWorkspace | None:
        """The workspace that node outputs are harvested from."""
        return self.experiment.workspace if self.experiment else self.workspace

    @property
    def served_names(self) -> tuple[str, ...]:
        """What this managed model puts a version into: its targets, or the service it deploys."""
        return (DEPLOYED,) if self.experiment else tuple(target.name for target in self.targets)

    @property
    def digest(self) -> str:
        """The configuration's name: a run uses the one it began with."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:24]

    @property
    def waves(self) -> tuple[tuple[Target, ...], ...]:
        numbers = sorted({target.wave for target in self.targets})
        return tuple(
            tuple(target for target in self.targets if target.wave == number) for number in numbers
        )

    def target(self, name: str, served: Served | None = None) -> Target | None:
        """The target of that name; for what is deployed from an experiment, as `served` has it."""
        if self.experiment is not None and name == DEPLOYED:
            return deployed(self, served)
        return next((target for target in self.targets if target.name == name), None)

    def tests_of(self, target: str) -> tuple[SmokeTest, ...]:
        return tuple(
            test for test in self.smoke_tests if not test.targets or target in test.targets
        )


def deployed(model: ManagedModel, served: Served | None) -> Target | None:
    """The service that is deployed from the experiment, as a target.

    None before it is there, and where `served` was deployed to another place than is declared now.
    """
    steps = model.experiment
    service = _deployed_service(steps, served) if steps else None
    if steps is None or service is None:
        return None
    named = steps.trained_model.replace("{model}", model.model) + " [trained model]"
    return Target(
        name=DEPLOYED,
        service=service,
        trained_model=(served.resource if served else "") or named,
        propagation_seconds=steps.service.propagation_seconds,
    )


def _deployed_service(
    steps: ExperimentSteps, served: Served | None
) -> ClassicEndpoint | ArmWebService | None:
    place = served.service if served else ""
    if steps.service.resource is not None:
        is_there = place in ("", steps.service.resource)
        return ArmWebService(kind="new", resource=steps.service.resource) if is_there else None
    endpoint = endpoint_of(steps.workspace, place)
    if not endpoint:
        return None
    return ClassicEndpoint(kind="classic", endpoint=endpoint, token=steps.workspace.token)
