"""The ten Studio steps as an operator declares them: which experiments, what deployed, how tested.

A managed model with `experiment` has no targets of its own: what it puts into service is the web
service that is deployed from its predictive experiment.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from alm.domain.experiment import StudioWorkspace
from alm.domain.frozen import Frozen
from alm.domain.hosting import Hosting
from alm.domain.names import ArmId, BlobPath, Url

ExperimentId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{32}\.[fs]-id\.[0-9a-f]{32}(\.[0-9t.-]{1,40})?$")
]
Title = Annotated[str, StringConstraints(pattern=r'^[^\x00-\x1f\x7f"\\]{1,200}$')]
"""A name people read; Studio's own clients break on quotes."""


class ExperimentSource(Frozen):
    """Where an experiment comes from: one of `experiment`, `package` and `file`.

    experiment: its id, in the workspace of the steps or in `workspace`, from which it is packed.
    package: the address of a package, with `gallery` the address of its page. file: an exported
    experiment in our storage account. in_place: no copy is made, the experiment itself is changed
    and run (`experiment` of the same workspace only).
    """

    experiment: ExperimentId | None = None
    workspace: StudioWorkspace | None = None
    package: Url | None = None
    gallery: Url | None = None
    file: BlobPath | None = None
    in_place: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> ExperimentSource:
        ways = [name for name in ("experiment", "package", "file") if getattr(self, name)]
        if len(ways) != 1:
            raise PydanticCustomError("source", "names {n} of experiment, package, file; name one",
                                      {"n": len(ways)})  # fmt: skip
        if self.in_place and (self.experiment is None or self.workspace is not None):
            raise PydanticCustomError("source", "in_place needs an experiment of this workspace")
        return self


class OutputAt(Frozen):
    """An output of a graph: a node (label, id or module family) and its port.

    Both may be left out where the graph has just one that fits.
    """

    node: str = ""
    port: str = ""


class TrainingExperiment(Frozen):
    """The experiment that trains. `name`: of our copy.

    replaces: the dataset (id or name) in whose place the uploaded one goes; needed only where the
    graph has several. evaluation, scored: evidence for the gate, where there is any.
    """

    source: ExperimentSource
    name: Title = "{model} training"
    replaces: str = ""
    model: OutputAt = OutputAt()
    evaluation: OutputAt | None = OutputAt()
    scored: OutputAt | None = None


class PredictiveExperiment(Frozen):
    """The experiment that scores. replaces: the trained model (id or name) that ours replaces."""

    source: ExperimentSource
    name: Title = "{model} predictive"
    replaces: str = ""


class DeployedService(Frozen):
    """The web service that is deployed from the predictive experiment.

    A classic one is made at the first run and updated later: its default endpoint follows. A new
    one is made from the exported definition, under `resource`.
    """

    kind: Literal["classic", "new"] = "classic"
    resource: ArmId | None = None
    hosting: Hosting | None = None
    propagation_seconds: float = Field(default=30, ge=0, le=3600)

    @model_validator(mode="after")
    def _complete(self) -> DeployedService:
        if (self.kind == "new") != (self.resource is not None and self.hosting is not None):
            raise PydanticCustomError(
                "service", "a new service needs `resource` and `hosting`, a classic one has neither"
            )
        return self


class ExperimentSteps(Frozen):
    """All ten steps. dataset, trained_model: names of the assets in the workspace."""

    workspace: StudioWorkspace
    dataset: Title = "{model}"
    data_type: Literal[
        "GenericCSV", "GenericCSVNoHeader", "GenericTSV", "GenericTSVNoHeader", "ARFF"
    ] = "GenericCSV"
    training: TrainingExperiment
    trained_model: Title = "{model}"
    predictive: PredictiveExperiment
    service: DeployedService = DeployedService()
    poll_seconds_min: float = Field(default=5, ge=0.05, le=3600)
    poll_seconds_max: float = Field(default=60, ge=0.05, le=3600)
    deadline_minutes: float = Field(default=240, gt=0, le=7 * 24 * 60)
