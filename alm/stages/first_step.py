"""What the begins of all pipelines share: the first step, the version's number, the datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alm.domain import patterns
from alm.domain.errors import Misconfigured
from alm.domain.ledger import Ledger
from alm.domain.managed_model import ManagedModel
from alm.domain.run import BlobRef, PipelineName, RunState, Trigger
from alm.ports import Ports


@dataclass(frozen=True)
class FirstStep:
    """Where a run begins, and with what; `pipeline` where it is not the trigger's."""

    stage: str
    state: RunState
    pipeline: PipelineName | None = None


def numbered(ledger: Ledger, now: datetime) -> RunState:
    served = ledger.serves.values()
    champion = next((item for item in served if item.version == ledger.champion), None)
    return RunState(version=ledger.versions + 1, began=now, champion=champion)


def inputs(
    ports: Ports, model: ManagedModel, ledger: Ledger, triggers: Sequence[Trigger]
) -> tuple[BlobRef, ...]:
    """The datasets that are trained on, oldest first: all that the triggers name where they are
    appended, else the newest; the last one that is known where they name none.
    """
    named = [t.blob for t in sorted(triggers, key=lambda t: t.at) if t.blob is not None]
    if named:
        return tuple(named if appends(model) else named[-1:])
    if model.training is not None and model.training.trained_on:
        container, name = model.training.trained_on.split("/", 1)
        return (BlobRef(container=container, name=name),)
    if ledger.dataset is not None:
        return (ledger.dataset,)
    return (_newest_dataset(ports, model),)


def appends(model: ManagedModel) -> bool:
    """Whether a run trains on all the datasets that it covers, not on the newest alone."""
    return model.training is not None and model.training.datasets == "append"


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
