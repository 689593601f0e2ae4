"""Versions of a trained model: conventional names and manifests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from alm.domain.frozen import Frozen
from alm.domain.managed_model import Naming
from alm.domain.run import BlobRef, Evidence, Served

CONTAINER = "alm-versions"


class Manifest(Frozen):
    """What is known of one version, written once: where its file is and where it came from.

    version: `v3`, or `{target}-v0` for what a target served before we first touched it.
    lineage: the datasets (with ETags) or the dropped file that it was made from. asset, service,
    resource: as in `Served`. experiment: the snapshot of the training run that made it.
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
    asset: str = ""
    experiment: str = ""
    service: str = ""
    resource: str = ""
    by: str = ""

    def served(self) -> Served:
        return Served(
            version=self.version,
            digest=self.digest,
            blob=self.file,
            found_at=self.found_at,
            asset=self.asset,
            service=self.service,
            resource=self.resource,
        )


class InService(Frozen):
    """From `at` on these versions were in service, until the next record of the managed model."""

    model: str
    run: str
    at: datetime
    champion: str
    targets: dict[str, str] = {}


def is_model_file(path: str) -> bool:
    """Whether a blob of ours is a model file: what a service may name, and have us read for it.

    Nothing else is read with our own identity because a service names it: what it gets us to copy,
    it is given leave to read afterwards.
    """
    return path.lower().endswith(".ilearner")


def at_time(records: Iterable[InService], moment: datetime) -> InService | None:
    """What was in service at a moment; None: nothing that we put there."""
    before = [record for record in records if record.at <= moment]
    return max(before, key=lambda record: record.at, default=None)


def spare_files(
    manifests: Iterable[Manifest], used: Iterable[str], keep: int
) -> tuple[Manifest, ...]:
    """Versions whose file may go: not in use, no v0, and not among the newest `keep` others.

    used: the files in use.
    """
    in_use = set(used)
    others = sorted(
        (m for m in manifests if m.file not in in_use and not m.version.endswith("-v0")),
        key=lambda manifest: manifest.created,
        reverse=True,
    )
    return tuple(others[keep:])


def file_name(model: str, version: int, began: datetime, naming: Naming) -> str:
    """The conventional path of a version's file; its time is the run's begin: a repeat agrees."""
    stamp = began.strftime("%Y%m%dt%H%M%SZ")
    return f"{CONTAINER}/{model}/{naming.prefix}{model}-v{version}-{stamp}{naming.suffix}.ilearner"


def adopted_name(model: str, target: str, digest: str) -> str:
    """The path of what a target served before we first touched it."""
    return f"{CONTAINER}/{model}/{target}-v0-{digest.removeprefix('sha256:')[:16]}.ilearner"
