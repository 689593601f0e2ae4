"""Redeploy: definitions from version control go back to their targets.

A new web service gets its whole definition, with our file of the version that it had then. A
classic endpoint, and a target that gives each version a place of its own, get that version. What
a target was is on record, and kept, before; what does not fit fails before anything is sent.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from alm.domain import definitions, deployments
from alm.domain.canonical import canonical_json
from alm.domain.definition_comparing import compare
from alm.domain.definition_fit import change_faults
from alm.domain.documents import read_object
from alm.domain.errors import Conflict, Misconfigured, NotFound
from alm.domain.ledger import Intent, Ledger
from alm.domain.managed_model import ArmWebService, Target
from alm.domain.nearest import shown
from alm.domain.outcomes import Displaced, Done, Failed, Outcome
from alm.domain.run import Served
from alm.domain.versions import Manifest
from alm.domain.web_services import Document
from alm.ports import Ports, SourceControl
from alm.stages import documents, patch
from alm.stages.context import Context, Declaration
from alm.stages.serving import STRAY_SECONDS, check_file, leave_to_read

COMMITS_MAX = 500  # as far back as an abbreviated commit id is looked for
STRAY = timedelta(seconds=2 * STRAY_SECONDS)  # the reconcile after the run looks within this
_WHOLE_ID = re.compile(r"[0-9a-f]{40}")
_VERSION = re.compile(r"v[1-9][0-9]{0,8}|[A-Za-z0-9][A-Za-z0-9._-]{0,63}-v0")
_PROVED = ("node", "edge", "parameter", "value of global parameter")


def read(context: Context) -> Outcome:
    """Bring what each target was at the commit into the run's own folder."""
    source, commit = commit_meant(context)
    want: dict[str, Served] = {}
    why = ""
    for target in context.model.targets:
        try:
            want[target.name] = _served(context, source, target, commit)
        except NotFound as error:
            why = str(error)
    if not want:
        return Failed(
            f"commit {commit} has nothing of {context.step.model!r} ({why}); the repository's log "
            "names the commits there are: order one of them"
        )
    state = context.state.model_copy(update={"want": want})
    told = ", ".join(f"{name}: {served.version}" for name, served in want.items())
    return Done(state, why=f"{told}, as of commit {commit}")


def commit_meant(context: Context) -> tuple[SourceControl, str]:
    """The repository and the commit that the order means. Raises Misconfigured: there is none."""
    control = context.ports.version_control
    if control is None:
        raise Misconfigured("no repository is configured (ALM_GIT); configure it, then order again")
    asked = next((t.commit for t in context.active.triggers if t.commit), "")
    return control.source, _whole_id(control.source, asked)


def _whole_id(source: SourceControl, asked: str) -> str:
    """The commit that is meant, so that all files are read from one and the same."""
    if _WHOLE_ID.fullmatch(asked):
        return asked
    found = [commit.id for commit in source.log(count=COMMITS_MAX if asked else 1)]
    meant = [commit for commit in found if commit.startswith(asked)]
    if len(meant) == 1:
        return meant[0]
    if not asked:
        raise Misconfigured("the repository has no commits yet; a run that ends ok makes one")
    seen = f"{len(meant)} of the last {COMMITS_MAX} commits begin with it"
    raise Misconfigured(f"commit {asked!r}: {seen}; order a whole commit id, of 40 digits")


def _served(context: Context, source: SourceControl, target: Target, commit: str) -> Served:
    """What a target was at a commit. Raises NotFound if the commit does not know it."""
    manifest = manifest_at(context, source, target.name, commit)
    served = deployments.placed(context.model, manifest.served())[target.name]
    check_file(context.ports.blobs, served)
    _bring(context, source, target, commit)
    return served


def manifest_at(context: Context, source: SourceControl, target: str, commit: str) -> Manifest:
    """The version that a target served at a commit. Raises NotFound: the commit knows of none."""
    path = documents.path_of(context, f"{target}.target.json")
    found = read_object(source.read(path, at=commit), path)
    version = str(found.get("version"))
    if not _VERSION.fullmatch(version):
        raise Misconfigured(f"{path} at {commit} names version {shown(version)}, which is none")
    try:
        return context.ports.versions.manifest(context.step.model, version)
    except NotFound as error:
        raise Misconfigured(f"{path} at {commit}: {error}; order another commit") from error


def _bring(context: Context, source: SourceControl, target: Target, commit: str) -> None:
    """Keep the definition of that commit beside the run, if it fits the service as it is."""
    service = _whole_service(target)
    if service is None:
        return
    path = documents.path_of(context, f"{target.name}.definition.json")
    try:
        content = source.read(path, at=commit)
    except NotFound:
        context.ports.blobs.delete(_wanted(context, target))  # of an earlier attempt
        return
    wanted = definitions.read_definition(content)
    there = context.ports.studio.new_services().get(service.resource)
    faults = change_faults(wanted, there, target.trained_model)
    if faults:
        raise Misconfigured(
            f"target {target.name!r} cannot become what it was at {commit}: {'; '.join(faults)}"
        )
    kept = canonical_json(definitions.versioned(wanted))
    context.ports.blobs.put(_wanted(context, target), kept)


def declare(context: Context) -> Declaration:
    """Keep the definitions that are there, then record what a patch records."""
    for target in patch.wave(context):
        service = _whole_service(target)
        if service is not None:
            there = context.ports.studio.new_services().get(service.resource)
            kept = canonical_json(definitions.versioned(there))
            with suppress(Conflict):
                context.ports.blobs.put(_before(context, target), kept, if_absent=True)
    declared = patch.declare(context)
    return replace(declared, operation=declared.operation.replace("patch:", "redeploy:", 1))


def visit(context: Context) -> Outcome:
    """Put every definition of the wave, then read back."""
    return patch.put_all(context, _put_one, settle)


def settle(context: Context) -> Outcome:
    """Read the wave back; besides the model, the graph must be the one that was sent."""
    outcome = patch.settle(context)
    if not isinstance(outcome, Done):
        return outcome
    for target in patch.wave(context):
        left = _left(context, target)
        if left:
            return Displaced(f"{target.name!r} still differs: {left}", to="patch")
    return outcome


def _left(context: Context, target: Target) -> str:
    """What of a definition the service has not taken over; "" if nothing."""
    service, wanted = _whole_service(target), _document(context.ports, _wanted(context, target))
    if service is None or wanted is None:
        return ""
    return _difference(context.ports, service, wanted)


def _difference(ports: Ports, service: ArmWebService, wanted: Document) -> str:
    there = ports.studio.new_services().get(service.resource)
    changes = [change for change in compare(there, wanted).changes if change.area in _PROVED]
    return ", ".join(f"{change.area} {change.name} {change.what}" for change in changes[:5])


def strayed(ports: Ports, ledger: Ledger, target: Target) -> Document | None:
    """The definition that a redeploy left a moment ago, if the service has another graph by now.

    A process that lost its lock may have written late. Later changes are those of people, and stay.
    """
    service, finished = _whole_service(target), ledger.finished_at
    if service is None or finished is None or ports.clock.now() - finished > STRAY:
        return None
    kind = "wanted" if ledger.last_result == "ok" else "before"
    path = f"alm-jobs/{ledger.model}/{ledger.last_run}/{target.name}.{kind}.json"
    document = _document(ports, path)
    return document if document is not None and _difference(ports, service, document) else None


def mend(ports: Ports, target: Target, document: Document, served: Served) -> None:
    """Put a definition back that a process changed late."""
    service = _whole_service(target)
    assert service is not None
    _put(ports, target, service, document, served)


def _put_one(context: Context, target: Target, served: Served) -> None:
    """Put a target's definition, or where it has none its version."""
    service, document = _whole_service(target), _document(context.ports, _wanted(context, target))
    if service is None or document is None:
        patch.put(context, target, served)
    else:
        _put(context.ports, target, service, document, served)


def give_back(context: Context, intent: Intent, target: Target) -> bool:
    """Put back the definition that was there before; False if none was kept."""
    service, document = _whole_service(target), _document(context.ports, _before(context, target))
    if service is None or document is None:
        return False
    _put(context.ports, target, service, document, intent.previous)
    return True


def _whole_service(target: Target) -> ArmWebService | None:
    """The service whose definition goes back as a whole; one that others stand beside stays."""
    service = target.service
    return service if isinstance(service, ArmWebService) and target.deploy == "patch" else None


def _put(
    ports: Ports, target: Target, service: ArmWebService, document: Document, served: Served
) -> None:
    leave = leave_to_read(ports.blobs, ports.clock, served.blob)
    ports.studio.new_services().change(
        service.resource, document, leave, trained_model=target.trained_model
    )


def _document(ports: Ports, path: str) -> Document | None:
    try:
        found: Document = json.loads(ports.blobs.get(path))
    except NotFound:
        return None
    return found


def _wanted(context: Context, target: Target) -> str:
    return context.job_file(f"{target.name}.wanted.json")


def _before(context: Context, target: Target) -> str:
    return context.job_file(f"{target.name}.before.json")
