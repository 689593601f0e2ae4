"""Begin: what the first step of a run is, and the job it will start.

Creating a job is harmless (it costs nothing until started), so it is done before the run is on
record: its id is in the ledger before anything could start it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from alm.domain import deployments, tables
from alm.domain.errors import Misconfigured
from alm.domain.ledger import Ledger
from alm.domain.managed_model import ManagedModel, Training
from alm.domain.run import BlobRef, PipelineName, RunState, Served, Trigger
from alm.ports import Ports, Submission
from alm.stages.experiment import begin as experiments
from alm.stages.first_step import FirstStep as FirstStep
from alm.stages.first_step import inputs, numbered
from alm.stages.serving import check_file

LEAVE_MARGIN = timedelta(hours=1)  # a job started at its deadline still reads its input
LEAVE_MAX = timedelta(days=6)


@dataclass(frozen=True)
class Beginning:
    """What a run begins from: the ledger, and triggers of one kind."""

    ports: Ports
    model: ManagedModel
    ledger: Ledger
    triggers: Sequence[Trigger]
    run: str
    now: datetime


def plan(
    ports: Ports, model: ManagedModel, ledger: Ledger, triggers: Sequence[Trigger], run: str
) -> FirstStep:
    """Prepare the first step of a run over these triggers (all of one kind).

    Raises Misconfigured (the run cannot be made), Unavailable or Unknown (not now).
    """
    beginning = Beginning(ports, model, ledger, triggers, run, ports.clock.now())
    return PLANS[triggers[0].pipeline](beginning)


def _publish(begin: Beginning) -> FirstStep:
    if begin.model.experiment is not None:
        raise Misconfigured(
            f"{begin.model.model!r} deploys from an experiment, and Studio takes no model file as "
            "a trained model; declare `targets` to publish model files"
        )
    dropped = max(begin.triggers, key=lambda trigger: trigger.at).blob
    assert dropped is not None
    state = numbered(begin.ledger, begin.now).model_copy(update={"inputs": (dropped,)})
    return FirstStep("harvest", state)


def _roll_back(begin: Beginning) -> FirstStep:
    version = begin.triggers[0].version or "previous"
    want = wanted(begin.ports, begin.model, begin.ledger, version)
    if begin.model.experiment is not None:
        return experiments.reinstate(begin.model, want, begin.now)
    for served in {served.blob: served for served in want.values()}.values():
        check_file(begin.ports.blobs, served)
    return FirstStep("patch", RunState(began=begin.now, want=want))


def _verify(begin: Beginning) -> FirstStep:
    names, serves = begin.model.served_names, begin.ledger.serves
    want = {name: served for name, served in serves.items() if name in names}
    since = begin.ledger.finished_at  # the last change may still be propagating
    return FirstStep("verify", RunState(began=begin.now, want=want, changed_at=since))


def _harvest(begin: Beginning) -> FirstStep:
    return FirstStep("take_node", numbered(begin.ledger, begin.now))


def _redeploy(begin: Beginning) -> FirstStep:
    if begin.model.experiment is not None:
        return FirstStep("read_experiment", RunState(began=begin.now), "reinstate")
    return FirstStep("read_definitions", RunState(began=begin.now))


def _reinstate(begin: Beginning) -> FirstStep:
    raise Misconfigured(f"{begin.model.model!r} is never asked to reinstate; order a roll-back")


def _experiment(begin: Beginning) -> FirstStep:
    return experiments.experiment(begin.ports, begin.model, begin.ledger, begin.triggers)


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
    names = model.served_names
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
    return deployments.placed(model, served)


def _retrain(begin: Beginning) -> FirstStep:
    ports, model, ledger, now = begin.ports, begin.model, begin.ledger, begin.now
    training = _training(model)
    state = numbered(ledger, now)
    state = state.model_copy(
        update={
            "inputs": inputs(ports, model, ledger, begin.triggers) if training.input else (),
            "starts": 1,
            "job_deadline": now + timedelta(minutes=training.deadline_minutes),
        }
    )
    service = ports.services.training(training.service)
    job = service.create_job(submission(ports, model, begin.run, state))
    return FirstStep("start", state.model_copy(update={"job": job}))


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


def _training(model: ManagedModel) -> Training:
    if model.training is None:
        raise Misconfigured(
            f"managed model {model.model!r} has no `training`; declare it or stop retraining"
        )
    return model.training


PLANS: Mapping[PipelineName, Callable[[Beginning], FirstStep]] = {
    "retrain": _retrain,
    "experiment": _experiment,
    "publish": _publish,
    "harvest": _harvest,
    "redeploy": _redeploy,
    "roll_back": _roll_back,
    "reinstate": _reinstate,
    "verify": _verify,
}
