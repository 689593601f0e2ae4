"""Recording: what version control shall have of an ended run, put into the outbox of changes.

One change per run that promoted a version, changed what is served, or took a change back. It is
named by the run, so that a repeat of the closing duties asks for nothing new.
"""

from __future__ import annotations

from datetime import datetime

from alm.domain.canonical import canonical_json
from alm.domain.errors import NotFound
from alm.domain.ledger import Ledger, Step
from alm.domain.source_control import Change, Kept, Stored, kept
from alm.domain.versions import Manifest
from alm.ports import Ports, VersionControl

RECORDED = {
    "ok": "{served} in service",
    "harvested": "v{version} harvested",
    "rolled_back": "v{version} rolled back, {served} in service",
}


def record(ports: Ports, ledger: Ledger, step: Step, result: str, began: datetime) -> None:
    """Put the run's change into the outbox; nothing where no repository is configured."""
    control = ports.version_control
    if control is None or result not in RECORDED:
        return
    words = RECORDED[result].format(served=ledger.champion or "nothing", version=step.state.version)
    files: dict[str, bytes | None] = {
        f"{ledger.model}/serves.json": canonical_json(_serves(ledger)),
        **{path: ports.blobs.get(blob) for path, blob in _documents(step, result).items()},
    }
    stored: dict[str, Stored] = {}
    manifest = _manifest(ports, ledger.model, step)
    if manifest is not None:
        content = canonical_json(manifest.model_dump(mode="json"))
        files[f"{ledger.model}/versions/{manifest.version}.json"] = content
        model = _model_file(control, ledger.model, manifest)
        files |= model.files
        stored |= model.stored
    why = f"\n\n{step.why}" if step.why else ""
    message = f"{ledger.model}: {words}\n\nRun {step.run}, {step.pipeline}.{why}"
    change = Change(id=step.run, message=message[:4000], at=began, files=files)
    control.outbox.put(change, stored)


def _documents(step: Step, result: str) -> dict[str, str]:
    """What the stages kept; of a run that was taken back it describes what is no longer there."""
    return step.state.documents if result != "rolled_back" else {}


def _serves(ledger: Ledger) -> dict[str, object]:
    targets = {name: served.model_dump(mode="json") for name, served in ledger.serves.items()}
    return {"champion": ledger.champion, "targets": targets}


def _manifest(ports: Ports, model: str, step: Step) -> Manifest | None:
    """The manifest of the version that this run made; None if it made none."""
    if not step.state.version:
        return None
    try:
        return ports.versions.manifest(model, f"v{step.state.version}")
    except NotFound:
        return None


def _model_file(control: VersionControl, model: str, manifest: Manifest) -> Kept:
    path = f"{model}/models/{manifest.version}.ilearner"
    stored = Stored(blob=manifest.file, size=manifest.size, digest=manifest.digest)
    return kept(control.repository, path, stored)
