"""What Studio does once, at its first start, and remembers: who it is, and its port."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path

from devstack.studio.names import new_id
from devstack.studio.records import Identity, WebService
from devstack.studio.store import Store

RESOURCE_GROUP = "Default-MachineLearning-SouthCentralUS"


def load_identity(store: Store) -> Identity:
    """The ids and tokens of this Studio, made at its first start."""
    with store.transaction():
        identity = store.get(Identity, "studio")
        if identity is None:
            identity = Identity(
                workspace_id=new_id(),
                workspace_tokens=(new_id(), new_id()),
                subscription_id=str(uuid.uuid4()),
                resource_group=RESOURCE_GROUP,
                arm_token=new_id() + new_id(),
            )
            store.put("studio", identity)
    return identity


def settle_services(store: Store, identity: Identity) -> None:
    """Give web services of an earlier Studio, which had one workspace, to that workspace."""
    with store.transaction():
        for service in store.list(WebService):
            if not service.workspace:
                service.workspace = identity.workspace_id
                store.put(service.id, service)


def remembered_port(data: Path, port: int) -> int:
    """The port asked for; for 0 the one of last time when it is free, so that addresses last."""
    file = data / "port"
    if port or not file.exists():
        return port
    text = file.read_text().strip()
    last = int(text) if text.isdecimal() else 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", last))
        except OSError:
            return 0
    return last
