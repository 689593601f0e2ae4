"""Retention: what is no longer needed goes; what is in service, or was before, never does.

Part of the reconcile: it runs when every target serves what it should. A version whose deployment
still stands keeps its file, and its deployment the leave to read it: it may be asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from alm import log
from alm.domain import deployments, versions
from alm.domain.errors import AlmError
from alm.domain.ledger import Ledger
from alm.domain.managed_model import ManagedModel, Target
from alm.domain.versions import Manifest
from alm.engine.limits import LEAVE_RENEWED
from alm.ports import Ports, Reading, ScoringTarget
from alm.stages.serving import leave_to_read


def tidy(ports: Ports, model: ManagedModel, ledger: Ledger) -> None:
    """Delete deployments and version files beyond what is declared to be kept.

    What cannot be deleted now is left to the next time.
    """
    with suppress(AlmError):
        standing = _deployments(ports, model, ledger)
        _files(ports, model, ledger, standing)


def renew_leave(ports: Ports, service: ScoringTarget, held: Reading, file: str) -> None:
    """Give a service that reads our file itself new leave in time; if not now, at the next look."""
    if held.leave_ends is None or held.leave_ends - ports.clock.now() >= LEAVE_RENEWED:
        return
    with suppress(AlmError):
        service.patch(leave_to_read(ports.blobs, ports.clock, file))


def _deployments(ports: Ports, model: ManagedModel, ledger: Ledger) -> set[str]:
    """Delete spare deployments; returns the versions that still have one."""
    standing: set[str] = set()
    for target in model.targets:
        if target.deploy == "patch":
            continue
        deployer = ports.studio.deployer(target)
        names = deployer.names()
        spare = deployments.spare(names, target, model.model, _in_use(ledger, target))
        for name in spare:
            if not _is_current(ports, ledger):
                break
            deployer.delete(name)
            log.info("deployment_retired", model=model.model, target=target.name, name=name)
        for name in set(names) - set(spare):
            number = deployments.version_in(name, target, model.model)
            if number:
                standing.add(f"v{number}")
                _keep_readable(ports, model.model, f"v{number}", target, name)
    return standing


def _in_use(ledger: Ledger, target: Target) -> list[str]:
    places = (ledger.serves.get(target.name), ledger.before.get(target.name))
    return [served.service for served in places if served is not None]


def _keep_readable(ports: Ports, model: str, version: str, target: Target, name: str) -> None:
    """A new web service reads our file; a classic endpoint has a copy."""
    if target.service.kind != "new":
        return
    with suppress(AlmError):
        file = ports.versions.manifest(model, version).file
        service = ports.studio.deployer(target).target(name)
        held = service.read()
        if held.location == ports.blobs.location(file):
            renew_leave(ports, service, held, file)


def _files(ports: Ports, model: ManagedModel, ledger: Ledger, standing: Iterable[str]) -> None:
    if model.keep_versions is None:
        return
    listed = ports.blobs.list(versions.CONTAINER, f"{model.model}/")
    there = {blob.path for blob in listed if not blob.path.endswith(".json")}
    if len(there) <= model.keep_versions:
        return  # no manifest need be read
    manifests = [m for m in ports.versions.manifests(model.model) if m.file in there]
    for manifest in versions.spare_files(
        manifests, _files_in_use(ledger, manifests, standing), model.keep_versions
    ):
        if not _is_current(ports, ledger):
            return
        ports.versions.retire_file(manifest)
        log.info("version_retired", model=model.model, version=manifest.version)


def _files_in_use(
    ledger: Ledger, manifests: Iterable[Manifest], standing: Iterable[str]
) -> set[str]:
    served = {served.blob for served in (*ledger.serves.values(), *ledger.before.values())}
    return served | {m.file for m in manifests if m.version in set(standing)}


def _is_current(ports: Ports, ledger: Ledger) -> bool:
    """Whether no run has begun meanwhile: what it is to serve must not be taken from under it."""
    now, _ = ports.ledgers.get(ledger.model)
    return now.active is None and now.last_run == ledger.last_run
