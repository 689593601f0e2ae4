"""Sample datasets: the tables of the samples, in the global workspace that all others can read."""

from __future__ import annotations

from devstack.studio.context import Context
from devstack.studio.learning.tables import write_table
from devstack.studio.modules import GLOBAL_WORKSPACE
from devstack.studio.samples import SAMPLES
from devstack.studio.workspace.inspection import Inspection

OWNER = "Local Studio"


def add_sample_datasets(context: Context, inspection: Inspection) -> None:
    """Add those that are not there."""
    assets = context.assets
    for sample in SAMPLES:
        name = f"{sample.name}.csv"
        if assets.named(GLOBAL_WORKSPACE, "dataset", name) is not None:
            continue
        content = assets.temporary()
        content.write_bytes(write_table(sample.table))
        added = assets.add(
            GLOBAL_WORKSPACE,
            "dataset",
            name=name,
            data_type="GenericCSV",
            content=content,
            description=f"{sample.title}: {sample.task}, label column {sample.label}",
            owner=OWNER,
            uploaded_filename=name,
            schema_status="Pending",
        )
        inspection.begin(added)
