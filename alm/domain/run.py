"""A run: why it started, what it carries from stage to stage, and what happened on the way."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from alm.domain.frozen import Frozen

PipelineName = Literal[
    "retrain", "publish", "roll_back", "verify", "experiment", "reinstate", "redeploy", "harvest"
]
Source = Literal["dataset", "model_file", "schedule", "request", "order", "repair"]

Result = Literal[
    "ok",
    "rejected",
    "failed",
    "rolled_back",
    "cancelled",
    "refused",
    "expired",
    "superseded",
    "harvested",
    "verified",
    "drift",
    "unwell",
]
"""How a run ended. `ok`: what was wanted is served and proved. `unwell`: verify saw a failure."""

HISTORY_ENTRIES_MAX = 40  # a step message stays a few KB; the run record keeps the same tail


class BlobRef(Frozen):
    """A blob as it was when an event named it: later content has another ETag."""

    container: str
    name: str
    etag: str = ""
    size: int = 0

    @property
    def path(self) -> str:
        return f"{self.container}/{self.name}"


class Reply(Frozen):
    """Where the sender of a request wants its answers: an allow-listed queue."""

    queue: str
    request: str
    correlation_id: str = ""


class NodeOutput(Frozen):
    """An output of an experiment that ran: the node's label, id or module, and its port."""

    experiment: str
    node: str
    port: str = ""


class Trigger(Frozen):
    """Why a run should start. `id` is the same for every announcement of the same fact.

    trace: the context of its announcement (W3C traceparent), which its run continues.
    """

    id: str
    pipeline: PipelineName
    source: Source
    at: datetime
    blob: BlobRef | None = None
    version: str | None = None
    output: NodeOutput | None = None
    commit: str = ""
    reply: Reply | None = None
    by: str = ""
    trace: str = ""

    @property
    def kind(self) -> tuple[str, str]:
        """One run covers triggers of one kind; a model file or a version is a kind of its own."""
        match self.pipeline:
            case "publish":
                return ("publish", self.blob.path + "@" + self.blob.etag if self.blob else "")
            case "roll_back":
                return ("roll_back", self.version or "")
            case "redeploy":
                return ("redeploy", self.commit)
            case "harvest":
                return ("harvest", self.output.model_dump_json() if self.output else "")
            case _:
                return (self.pipeline, "")


NOTHING = "nothing"  # the version of a target that does not exist


class Served(Frozen):
    """A model as a target serves it: its version, its digest and our copy of its file.

    `found_at` is where the target names it where that is not our copy: before we first touched it
    (a v0), or because Studio keeps a copy of its own (a service deployed from an experiment).
    asset: the trained model of the workspace that is this model. service, resource: the address of
    the endpoint and the name of its model, where no declaration names them.
    """

    version: str
    digest: str
    blob: str
    found_at: str = ""
    asset: str = ""
    service: str = ""
    resource: str = ""

    @property
    def is_nothing(self) -> bool:
        """The target was not there: giving that back means to delete it."""
        return self.version == NOTHING


class Evidence(Frozen):
    """Where the evidence of a verdict lies (blob paths), so that it can be judged again."""

    evaluation: str = ""
    scored: str = ""
    rows: str = ""
    rows_etag: str = ""
    candidate_scores: str = ""
    champion_scores: str = ""
    verdict: str = ""


class StudioState(Frozen):
    """What a run of the experiment pipeline has made in the workspace so far: ids, no secrets.

    dataset, asset: the uploaded dataset and the promoted model. training, predictive: the
    experiments. before: the last run of the experiment that is run next, as it was before. ran:
    the snapshot of its run that ended, "" while there is none. packing, unpacking, deploying: what
    Studio is busy with. graph: the blob with the predictive experiment as a commit has it.
    """

    dataset: str = ""
    training: str = ""
    predictive: str = ""
    asset: str = ""
    before: str = ""
    ran: str = ""
    packing: str = ""
    unpacking: str = ""
    deploying: str = ""
    graph: str = ""


class RunState(Frozen):
    """What a run carries from stage to stage.

    inputs: the datasets or the model file that it was started with. job: id of the batch execution
    job, `starts` how many jobs this run has started, `job_deadline` when waiting for it ends.
    model_file: blob path of the candidate, `model_bytes` its size. champion: what it is compared
    with. want: what each target shall serve. patched, restored: targets reached already, where that
    takes several visits. since: the stamp of each target when last read back. changed_at: time of
    the last patch. staged: which side (champion, candidate) the staging target holds;
    `staging_baseline`: what it answered before. documents: what version control shall have of the
    run: path in the repository -> blob.
    """

    version: int = 0
    began: datetime | None = None
    inputs: tuple[BlobRef, ...] = ()
    champion: Served | None = None
    job: str = ""
    starts: int = 0
    job_deadline: datetime | None = None
    model_file: str = ""
    digest: str = ""
    model_bytes: int = 0
    evidence: Evidence = Evidence()
    metrics: dict[str, float] = {}
    verdict: str = ""
    want: dict[str, Served] = {}
    patched: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    since: dict[str, str] = {}
    changed_at: datetime | None = None
    staged: Literal["", "champion", "candidate"] = ""
    staging_baseline: str = ""
    staging_since: str = ""
    smoke_jobs: dict[str, str] = {}
    studio: StudioState = StudioState()
    documents: dict[str, str] = {}


class Entry(Frozen):
    """One line of a run's history: what a stage's visit came to."""

    n: int
    stage: str
    outcome: str
    at: datetime
    why: str = ""
    tries: int = 0
