"""Recording: what version control shall have of an ended run, put into the outbox of changes.

One change per run that promoted a version, changed what is served, or took a change back. It is
named by the run, so that a repeat of the closing duties asks for nothing new.
"""

from __future__ import annotations

from datetime import datetime

from alm import log, telemetry
from alm.domain.canonical import canonical_json
from alm.domain.errors import TRANSIENT, AlmError, NotFound
from alm.domain.ledger import Ledger, Step
from alm.domain.source_control import Change, Kept, Stored, kept, segment
from alm.domain.transitions import champion
from alm.domain.versions import Manifest
from alm.engine import announcing
from alm.engine.history import shortened
from alm.ports import InboxItem, Ports, VersionControl

CHANGES = ("ok", "rolled_back")
WHY_LENGTH_MAX = 2000  # of a message of at most 8000: the first line tells the most


def record(ports: Ports, ledger: Ledger, step: Step) -> None:
    """Put an ended run's change into the outbox; nothing where no repository is configured.

    Only the step that ended the run knows all of it; it is delivered again until this was done.
    What cannot be recorded at all is told in the inbox: the other duties of the run go on.
    """
    control = ports.version_control
    if control is None or step.stage != "finish":
        return
    try:
        manifest = _manifest(ports, ledger.model, step)
        if manifest is not None or ledger.last_result in CHANGES:
            control.outbox.put(*_change(ports, control, ledger, step, manifest))
    except TRANSIENT:
        raise
    except AlmError as error:
        log.warning("change_not_recorded", run=step.run, reason=str(error))
        telemetry.count("alm.inbox.kept", source="version control")
        announcing.keep(ports, _lost(step, str(error), ports.clock.now()))


def _change(
    ports: Ports,
    control: VersionControl,
    ledger: Ledger,
    step: Step,
    manifest: Manifest | None,
) -> tuple[Change, dict[str, Stored]]:
    folder, result = segment(ledger.model), ledger.last_result
    files: dict[str, bytes | None] = {
        f"{folder}/serves.json": canonical_json(_serves(ledger)),
        **{path: ports.blobs.get(blob) for path, blob in _documents(step, result).items()},
    }
    stored: dict[str, Stored] = {}
    if manifest is not None:
        content = canonical_json(manifest.model_dump(mode="json"))
        files[f"{folder}/versions/{manifest.version}.json"] = content
        model = _model_file(control, folder, manifest)
        files |= model.files
        stored |= model.stored
    why = f"\n\n{shortened(step.why, WHY_LENGTH_MAX)}" if step.why else ""
    words = _words(ledger, step, result)
    message = f"{ledger.model}: {words}\n\nRun {step.run}, {step.pipeline}.{why}"
    at = step.state.began or ledger.finished_at or ports.clock.now()
    return Change(id=step.run, message=message, at=at, files=files), stored


def _words(ledger: Ledger, step: Step, result: str) -> str:
    """The first line of the commit: what is in service now, or why the version is not."""
    serves = f"{ledger.champion or 'nothing of ours'} in service"
    wanted = champion(step.state.want.values()) or f"v{step.state.version}"
    match result:
        case "ok":
            return serves
        case "harvested":
            return f"v{step.state.version} harvested"
        case "rolled_back":
            return f"{wanted} rolled back, {serves}"
        case _:
            return f"{wanted} not put into service ({result}), {serves}"


def _documents(step: Step, result: str) -> dict[str, str]:
    """What the stages kept; where the run was taken back it tells of what is no longer there."""
    return step.state.documents if result == "ok" else {}


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


def _model_file(control: VersionControl, folder: str, manifest: Manifest) -> Kept:
    path = f"{folder}/models/{manifest.version}.ilearner"
    stored = Stored(blob=manifest.file, size=manifest.size, digest=manifest.digest)
    return kept(control.repository, path, stored)


def _lost(step: Step, reason: str, now: datetime) -> InboxItem:
    return InboxItem(
        id=f"recording-{step.run}",
        at=now,
        source="version control",
        reason=f"the repository has no commit of run {step.run}: {reason}",
        remedy="mend what the reason names; the next run commits what is served then",
        payload="",
    )
