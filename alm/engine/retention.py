"""Retention: what is no longer needed goes; what is in service, or was before, never does.

Part of the reconcile: it runs when every target serves what it should.
"""

from __future__ import annotations

from contextlib import suppress

from alm import log
from alm.domain import deployments, versions
from alm.domain.errors import AlmError
from alm.domain.ledger import Ledger
from alm.domain.managed_model import ManagedModel
from alm.ports import Ports


def tidy(ports: Ports, model: ManagedModel, ledger: Ledger) -> None:
    """Delete deployments and version files beyond what is declared to be kept.

    What cannot be deleted now is left to the next time.
    """
    with suppress(AlmError):
        _deployments(ports, model, ledger)
    with suppress(AlmError):
        _files(ports, model, ledger)


def _deployments(ports: Ports, model: ManagedModel, ledger: Ledger) -> None:
    for target in model.targets:
        if target.deploy == "patch":
            continue
        deployer = ports.studio.deployer(target)
        places = (ledger.serves.get(target.name), ledger.before.get(target.name))
        used = [served.service for served in places if served is not None]
        for name in deployments.spare(deployer.names(), target, model.model, used):
            deployer.delete(name)
            log.info("deployment_retired", model=model.model, target=target.name, name=name)


def _files(ports: Ports, model: ManagedModel, ledger: Ledger) -> None:
    if model.keep_versions is None:
        return
    used = [served.blob for served in (*ledger.serves.values(), *ledger.before.values())]
    manifests = ports.versions.manifests(model.model)
    there = {blob.path for blob in ports.blobs.list(versions.CONTAINER, f"{model.model}/")}
    for manifest in versions.spare_files(manifests, used, model.keep_versions):
        if manifest.file not in there:
            continue
        ports.versions.retire_file(manifest)
        log.info("version_retired", model=model.model, version=manifest.version)
