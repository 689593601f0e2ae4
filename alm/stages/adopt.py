"""Adopt: keep what a target served before we first touched it, as its v0: the way back."""

from __future__ import annotations

import hashlib

from alm.domain import versions
from alm.domain.errors import Denied, Misconfigured, NotFound
from alm.domain.managed_model import Target
from alm.domain.run import Served
from alm.domain.versions import Manifest
from alm.stages.context import Context
from alm.stages.harvest import fingerprint

UNNAMED = Served(version="", digest="", blob="")


def adopt(context: Context, target: Target, known: Served = UNNAMED) -> Served:
    """Copy the model that a target serves into the version store.

    known: the asset, service and resource that it is, where that is known.
    Raises Misconfigured if it cannot be copied: then nothing may be patched.
    """
    reading, blobs = context.target(target).read(), context.ports.blobs
    model = context.model.model
    try:
        digest, size = fingerprint(blobs.fetch(reading.location, reading.sas))
        path = versions.adopted_name(model, target.name, digest)
        with blobs.fetch(reading.location, reading.sas) as content:
            context.ports.versions.put_file(path, content, digest)
    except (NotFound, Denied) as error:
        raise Misconfigured(
            f"what target {target.name!r} serves now ({reading.location}) cannot be copied, so "
            f"there would be no way back: {error}; give the app read access to it, or deploy the "
            "service again from a file that the app may read"
        ) from error
    found = Manifest(
        model=model,
        version=f"{target.name}-v0",
        file=path,
        digest=digest,
        size=size,
        created=context.now,
        run=context.step.run,
        found_at=reading.location,
        asset=known.asset,
        service=known.service,
        resource=known.resource,
    )
    kept = context.ports.versions.put_manifest(found)
    if kept.service != known.service:  # that v0 was another service's: this one gets its own
        mark = hashlib.sha256(known.service.encode()).hexdigest()[:8]
        changes = {"version": f"{target.name}-{mark}-v0"}
        kept = context.ports.versions.put_manifest(found.model_copy(update=changes))
    return kept.served()
