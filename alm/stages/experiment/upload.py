"""Upload: the dataset of the run becomes a dataset of the workspace, or a new version of it.

Its description names the blob with its ETag, so that a repeat, and a later run over the same
content, finds it instead of uploading it again.
"""

from __future__ import annotations

from alm.domain.errors import Misconfigured
from alm.domain.experiment import Asset, Upload
from alm.domain.outcomes import Done, Failed, Outcome, Wait
from alm.domain.run import BlobRef
from alm.stages.context import Context
from alm.stages.experiment import workbench

BYTES_MAX = 10 << 30  # documented as the most that modules can take
SCHEMA_LOOKS_MAX = 120  # a schema takes seconds; big files a few minutes


def visit(context: Context) -> Outcome:
    """Upload the dataset unless it is there; go on once Studio knows its schema."""
    blob, name = _blob(context), workbench.title(context, workbench.steps(context).dataset)
    marker = f"{blob.path}@{blob.etag}"
    found = _known(context, name)
    same = next((asset for asset in found if asset.description == marker), None)
    if same is None:
        size = context.ports.blobs.properties(blob.path).size
        if size > BYTES_MAX:
            return Failed(
                f"{blob.path} has {size} bytes, and Studio's modules take datasets of at most "
                f"{BYTES_MAX}; upload fewer rows, or fewer columns"
            )
        _upload(
            context,
            blob,
            size,
            Upload(
                name=name,
                data_type=workbench.steps(context).data_type,
                description=marker,
                family=found[0].family if found else "",
            ),
        )
        return Wait(0, f"uploaded {marker} as {name!r}")
    if same.schema_state in ("NotStarted", "Pending") and context.step.waits < SCHEMA_LOOKS_MAX:
        return Wait(min(0.25 * 1.3**context.step.waits, 10), f"the schema of {name!r} is read")
    return _ready(context, same)


def _ready(context: Context, asset: Asset) -> Done | Failed:
    if asset.schema_state in ("Failed", "NotSupported"):
        return Failed(
            f"Studio cannot read dataset {asset.name!r} ({asset.id}): its schema is "
            f"{asset.schema_state}; correct the file or `experiment.data_type`"
        )
    return workbench.done(context, f"{asset.name!r} is {asset.id}", dataset=asset.id)


def _blob(context: Context) -> BlobRef:
    if not context.state.inputs:
        raise Misconfigured(f"run {context.step.run} has no dataset; upload one, then start again")
    blob = context.state.inputs[-1]
    if blob.etag:
        return blob
    etag = context.ports.blobs.properties(blob.path).etag
    return blob.model_copy(update={"etag": etag})


def _known(context: Context, name: str) -> list[Asset]:
    assets = workbench.workspace(context).assets("dataset")
    return sorted((a for a in assets if a.name == name), key=lambda asset: -asset.number)


def _upload(context: Context, blob: BlobRef, size: int, upload: Upload) -> None:
    with context.ports.blobs.open(blob.path, etag=blob.etag) as content:
        workbench.workspace(context).upload(upload, content, size=size)
