"""Workspaces: who they are and which tokens open them. The first one is that of the identity."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any

from devstack.studio.accounts import EMULATOR_ACCOUNT
from devstack.studio.names import new_id
from devstack.studio.records import Identity
from devstack.studio.store import Store
from devstack.studio.workspace.records import WorkspaceRecord

FIRST_NAME, FIRST_REGION = "local-studio", "South Central US"
FIRST_OWNER = "owner@example.com"


class Workspaces:
    """Keeps workspaces; safe to use from many threads."""

    def __init__(self, store: Store, identity: Identity, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self.first_id = identity.workspace_id
        with store.transaction():
            if self.get(identity.workspace_id) is None:
                store.put(identity.workspace_id, self._first(identity))

    def get(self, workspace_id: str) -> WorkspaceRecord | None:
        """The workspace with this id, in any case of its letters; None when there is none."""
        return self._store.get(WorkspaceRecord, workspace_id.lower())

    def list(self) -> list[WorkspaceRecord]:
        """All workspaces, in the order of group and name."""
        return sorted(self._store.list(WorkspaceRecord), key=lambda found: found.resource.lower())

    def named(self, group: str, name: str) -> WorkspaceRecord | None:
        """The workspace that Resource Manager knows by this group and name."""
        wanted = f"{group}/{name}".lower()
        return next((found for found in self.list() if found.resource.lower() == wanted), None)

    def create(
        self, group: str, name: str, *, owner_email: str, region: str, **more: Any
    ) -> WorkspaceRecord:
        """Make a workspace with fresh id and tokens; `more` are other fields of the record."""
        workspace = self.made(group, name, owner_email=owner_email, region=region, **more)
        self._store.put(workspace.id, workspace)
        return workspace

    def made(self, group: str, name: str, **fields: Any) -> WorkspaceRecord:
        """A workspace as `create` makes it, that is not kept."""
        return WorkspaceRecord(
            id=new_id(),
            name=name,
            tokens=(new_id(), new_id()),
            created=self._clock(),
            resource=f"{group}/{name}",
            **fields,
        )

    def change(self, workspace_id: str, changes: Mapping[str, Any]) -> WorkspaceRecord:
        """Give a workspace other values; raises KeyError when there is none."""
        with self._store.transaction():
            workspace = self.get(workspace_id)
            if workspace is None:
                raise KeyError(workspace_id)
            changed = workspace.model_copy(update=dict(changes))
            self._store.put(workspace.id, changed)
        return changed

    def delete(self, workspace_id: str) -> bool:
        """Forget a workspace, not what is in it; whether there was one."""
        return self._store.delete(WorkspaceRecord, workspace_id.lower())

    def _first(self, identity: Identity) -> WorkspaceRecord:
        return WorkspaceRecord(
            id=identity.workspace_id,
            name=FIRST_NAME,
            owner_email=FIRST_OWNER,
            region=FIRST_REGION,
            tokens=identity.workspace_tokens,
            created=self._clock(),
            resource=f"{identity.resource_group}/{FIRST_NAME}",
            storage_account_id=(
                f"/subscriptions/{identity.subscription_id}/resourceGroups/"
                f"{identity.resource_group}/providers/Microsoft.Storage/storageAccounts/"
                f"{EMULATOR_ACCOUNT}"
            ),
        )


def opens(workspace: WorkspaceRecord, token: str) -> bool:
    """Whether a token is one of the workspace's two."""
    matches = [hmac.compare_digest(token.encode(), own.encode()) for own in workspace.tokens]
    return bool(token) and any(matches)
