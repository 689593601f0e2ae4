"""Begin: what the first step of a run is, and the job it will start.

Creating a job is harmless (it costs nothing until started), so it is done before the run is on
record: its id is in the ledger before anything could start it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from alm.domain import patterns, tables
from alm.domain.errors import Misconfigured
from alm.domain.ledger import Ledger
from alm.domain.managed_model import ManagedModel, Training
from alm.domain.run import BlobRef, RunState, Served, Trigger
from alm.ports import Ports, Submission

LEAVE_MARGIN = timedelta(hours=1)  # a job started at its deadline still reads its input
LEAVE_MAX = timedelta(days=6)


@dataclass(frozen=True)
class FirstStep:
    """Where a run begins, and with what."""

    stage: str
    state: RunState


def plan(
    ports: Ports, model: ManagedModel, ledger: Ledger, triggers: Sequence[Trigger], run: str
) -> FirstStep:
    """Prepare the first step of a run over these triggers (all of one kind).

    Raises Misconfigured (the run cannot be made), Unavailable or Unknown (not now).
    """
    now = ports.clock.now()
    match triggers[0].pipeline:
        case "retrain":
            return _retrain(ports, model, ledger, triggers, run)
        case "publish":
            dropped = _newest(triggers)
            assert dropped is not None
            state = _numbered(ledger, now).model_copy(update={"inputs": (dropped,)})
            return FirstStep("harvest", state)
        case "roll_back":
            want = wanted(ports, model, ledger, triggers[0].version or "previous")
            return FirstStep("patch", RunState(began=now, want=want))
        case "verify":
            names = {target.name for target in model.targets}
            want = {name: served for name, served in ledger.serves.items() if name in names}
            since = ledger.finished_at  # the last change may still be propagating
            return FirstStep("verify", RunState(began=now, want=want, changed_at=since))


def submission(ports: Ports, model: ManagedModel, run: str, state: RunState) -> Submission:
    """What the training job is asked to do: read the input, write into the run's own folder."""
    training = _training(model)
    until = ports.clock.now() + min(
        timedelta(minutes=training.deadline_minutes) + LEAVE_MARGIN, LEAVE_MAX
    )
    files = {
        training.outputs.model: "model.ilearner",
        training.outputs.evaluation: "evaluation.csv",
        training.outputs.scored: "scored.csv",
    }
    folder = f"alm-jobs/{model.model}/{run}"
    inputs = {}
    if training.input:
        path = _input_path(ports, training, folder, state.inputs)
        inputs[training.input] = ports.blobs.grant(path, "read", until)
    outputs = {
        name: ports.blobs.grant(f"{folder}/{file}", "write", until)
        for name, file in files.items()
        if name
    }
    return Submission(inputs=inputs, outputs=outputs, parameters=training.parameters)


def wanted(ports: Ports, model: ManagedModel, ledger: Ledger, version: str) -> dict[str, Served]:
    """What each target shall serve when an order names `version`.

    `previous`: what was served before the last promotion. `v0`: what each target served before we
    first touched it. Else a version's own name. Raises Misconfigured naming what there is.
    """
    names = [target.name for target in model.targets]
    if version == "previous":
        if not ledger.before:
            raise Misconfigured(
                f"{model.model!r} has no previous version: nothing was promoted yet; "
                "name a version to roll back to"
            )
        return {name: ledger.before[name] for name in names if name in ledger.before}
    if version == "v0":
        adopted = {name: f"{name}-v0" for name in names if name in ledger.serves}
        if not adopted:
            raise Misconfigured(f"no target of {model.model!r} was ever touched: v0 is there now")
        return {n: ports.versions.manifest(model.model, v).served() for n, v in adopted.items()}
    served = ports.versions.manifest(model.model, version).served()
    return dict.fromkeys(names, served)


def _retrain(
    ports: Ports, model: ManagedModel, ledger: Ledger, triggers: Sequence[Trigger], run: str
) -> FirstStep:
    training = _training(model)
    now = ports.clock.now()
    state = _numbered(ledger, now)
    state = state.model_copy(
        update={
            "inputs": _inputs(ports, model, ledger, triggers) if training.input else (),
            "starts": 1,
            "job_deadline": now + timedelta(minutes=training.deadline_minutes),
        }
    )
    service = ports.services.training(training.service)
    job = service.create_job(submission(ports, model, run, state))
    return FirstStep("start", state.model_copy(update={"job": job}))


def _numbered(ledger: Ledger, now: datetime) -> RunState:
    served = ledger.serves.values()
    champion = next((item for item in served if item.version == ledger.champion), None)
    return RunState(version=ledger.versions + 1, began=now, champion=champion)


def _inputs(
    ports: Ports, model: ManagedModel, ledger: Ledger, triggers: Sequence[Trigger]
) -> tuple[BlobRef, ...]:
    """The datasets that the triggers name, oldest first; else the last one that is known."""
    named = [t for t in sorted(triggers, key=lambda t: t.at) if t.blob is not None]
    if named:
        return tuple(trigger.blob for trigger in named if trigger.blob is not None)
    training = _training(model)
    if training.trained_on:
        container, name = training.trained_on.split("/", 1)
        return (BlobRef(container=container, name=name),)
    if ledger.dataset is not None:
        return (ledger.dataset,)
    return (_newest_dataset(ports, model),)


def _newest_dataset(ports: Ports, model: ManagedModel) -> BlobRef:
    pattern = patterns.compile(model.dataset)
    blobs = [
        blob
        for blob in ports.blobs.list("datasets", pattern.prefix)
        if pattern.match(blob.path.split("/", 1)[1]) is not None
    ]
    if not blobs:
        raise Misconfigured(
            f"no dataset matches {model.dataset!r} of managed model {model.model!r}; "
            "upload one, or declare `training.trained_on`"
        )
    newest = max(blobs, key=lambda blob: blob.modified)
    container, name = newest.path.split("/", 1)
    return BlobRef(container=container, name=name, etag=newest.etag, size=newest.size)


def _input_path(ports: Ports, training: Training, folder: str, inputs: Sequence[BlobRef]) -> str:
    """The blob that the job reads: the newest dataset, or all of them put together."""
    if training.datasets == "newest" or len(inputs) == 1:
        return inputs[-1].path
    path = f"{folder}/{training.input}{PurePosixPath(inputs[-1].name).suffix or '.csv'}"
    together = tables.append(
        [tables.read(ports.blobs.get(blob.path), name=blob.name) for blob in inputs],
        names=[blob.name for blob in inputs],
    )
    ports.blobs.put(path, tables.write(together, name=path))
    return path


def _newest(triggers: Sequence[Trigger]) -> BlobRef | None:
    return max(triggers, key=lambda trigger: trigger.at).blob


def _training(model: ManagedModel) -> Training:
    if model.training is None:
        raise Misconfigured(
            f"managed model {model.model!r} has no `training`; declare it or stop retraining"
        )
    return model.training
