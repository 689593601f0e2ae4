"""Redeploy: definitions from version control go back to their targets.

A new web service gets its whole definition, with our file of the version that it had then. A
classic endpoint gets that version. What a target was is on record, and kept, before.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

from alm.domain import definitions, deployments
from alm.domain.canonical import canonical_json
from alm.domain.documents import read_object
from alm.domain.errors import Conflict, Misconfigured, NotFound
from alm.domain.ledger import Intent
from alm.domain.managed_model import ArmWebService, Target
from alm.domain.outcomes import Done, Failed, Outcome
from alm.domain.run import Served
from alm.domain.web_services import Document
from alm.ports import SourceControl
from alm.stages import patch
from alm.stages.context import Context, Declaration
from alm.stages.serving import leave_to_read


def read(context: Context) -> Outcome:
    """Bring what each target was at the commit into the run's own folder."""
    control = context.ports.version_control
    if control is None:
        raise Misconfigured("no repository is configured (ALM_GIT); configure it, then order again")
    commit = next((t.commit for t in context.active.triggers if t.commit), "")
    want: dict[str, Served] = {}
    for target in context.model.targets:
        served = _served(context, control.source, target, commit)
        if served is not None:
            want[target.name] = served
    if not want:
        at = commit or "the newest commit"
        return Failed(
            f"{at} has nothing of {context.step.model!r}; see `alm repository log`, or run it once"
        )
    state = context.state.model_copy(update={"want": want})
    return Done(state, why=", ".join(f"{name}: {s.version}" for name, s in want.items()))


def _served(context: Context, source: SourceControl, target: Target, commit: str) -> Served | None:
    folder = f"{context.step.model}/{target.name}"
    try:
        found = read_object(source.read(f"{folder}.target.json", at=commit), "target document")
    except NotFound:
        return None
    manifest = context.ports.versions.manifest(context.step.model, str(found.get("version")))
    with suppress(NotFound):
        content = source.read(f"{folder}.definition.json", at=commit)
        context.ports.blobs.put(_wanted(context, target), content)
    return deployments.placed(context.model, manifest.served())[target.name]


def declare(context: Context) -> Declaration:
    """Keep the definitions that are there, then record what a patch records."""
    for target in patch.wave(context):
        if isinstance(target.service, ArmWebService):
            there = context.ports.studio.new_services().get(target.service.resource)
            with suppress(Conflict):
                context.ports.blobs.put(
                    _before(context, target),
                    canonical_json(definitions.versioned(there)),
                    if_absent=True,
                )
    declared = patch.declare(context)
    return replace(declared, operation=declared.operation.replace("patch:", "redeploy:", 1))


def visit(context: Context) -> Outcome:
    """Put every definition of the wave, then read back."""
    return patch.put_all(context, _put_one)


def _put_one(context: Context, target: Target, served: Served) -> None:
    """Put a target's definition, or where it has none its version."""
    document = _document(context, _wanted(context, target))
    if document is None or not isinstance(target.service, ArmWebService):
        patch.put(context, target, served)
        return
    _put(context, target, target.service, document, served)


def give_back(context: Context, intent: Intent, target: Target) -> bool:
    """Put back the definition that was there before; False if none was kept."""
    document = _document(context, _before(context, target))
    if document is None or not isinstance(target.service, ArmWebService):
        return False
    _put(context, target, target.service, document, intent.previous)
    return True


def _put(
    context: Context, target: Target, service: ArmWebService, document: Document, served: Served
) -> None:
    leave = leave_to_read(context.ports.blobs, context.ports.clock, served.blob)
    context.ports.studio.new_services().change(
        service.resource, document, leave, trained_model=target.trained_model
    )


def _document(context: Context, path: str) -> Document | None:
    try:
        found: Document = json.loads(context.ports.blobs.get(path))
    except NotFound:
        return None
    return found


def _wanted(context: Context, target: Target) -> str:
    return context.job_file(f"{target.name}.wanted.json")


def _before(context: Context, target: Target) -> str:
    return context.job_file(f"{target.name}.before.json")
