"""Versions of a trained model: conventional names and manifests."""

from __future__ import annotations

from datetime import datetime

from alm.domain.frozen import Frozen
from alm.domain.managed_model import Naming
from alm.domain.run import BlobRef, Evidence, Served

CONTAINER = "alm-versions"


class Manifest(Frozen):
    """What is known of one version, written once: where its file is and where it came from.

    version: `v3`, or `{target}-v0` for what a target served before we first touched it.
    lineage: the datasets (with ETags) or the dropped file that it was made from.
    """

    model: str
    version: str
    file: str
    digest: str
    size: int
    created: datetime
    run: str
    job: str = ""
    lineage: tuple[BlobRef, ...] = ()
    parameters: dict[str, str] = {}
    metrics: dict[str, float] = {}
    evidence: Evidence = Evidence()
    found_at: str = ""
    by: str = ""

    def served(self) -> Served:
        return Served(
            version=self.version, digest=self.digest, blob=self.file, found_at=self.found_at
        )


def file_name(model: str, version: int, began: datetime, naming: Naming) -> str:
    """The conventional path of a version's file; its time is the run's begin: a repeat agrees."""
    stamp = began.strftime("%Y%m%dt%H%M%SZ")
    return f"{CONTAINER}/{model}/{naming.prefix}{model}-v{version}-{stamp}{naming.suffix}.ilearner"


def adopted_name(model: str, target: str, digest: str) -> str:
    """The path of what a target served before we first touched it."""
    return f"{CONTAINER}/{model}/{target}-v0-{digest.removeprefix('sha256:')[:16]}.ilearner"
