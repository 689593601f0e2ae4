"""A Studio workspace through its API. See `studio_ports.Workspace`.

Nothing is repeated here, and nothing waited for. A change whose answer was lost is Unknown, one
that Studio accepted without telling the new id as well: whoever asked looks first.
"""

from __future__ import annotations

from alm.adapters.studio.assets import AssetCalls
from alm.adapters.studio.experiments import ExperimentCalls
from alm.adapters.studio.packages import PackageCalls
from alm.adapters.studio.workspace_calls import Record
from alm.domain.experiment import WorkspaceFacts, WorkspaceUser


class ApiWorkspace(AssetCalls, ExperimentCalls, PackageCalls):
    """One workspace; any number of threads may use it."""

    def facts(self) -> WorkspaceFacts:
        record = self.record("", doing=f"read workspace {self.workspace}")
        told = {key: "" if value is None else str(value) for key, value in record.items()}
        return WorkspaceFacts(
            id=told.get("WorkspaceId") or self.workspace,
            name=told.get("FriendlyName", ""),
            region=told.get("Region", ""),
            kind=told.get("Type", ""),
            owner=told.get("OwnerEmail", ""),
            subscription=told.get("SubscriptionId", ""),
        )

    def users(self) -> list[WorkspaceUser]:
        listed = self.records("/users", doing=f"list the users of workspace {self.workspace}")
        return [_user(record) for record in listed]


def _user(record: Record) -> WorkspaceUser:
    person = record.get("User")
    told = person if isinstance(person, dict) else {}
    return WorkspaceUser(
        email=str(told.get("Email") or ""),
        name=str(told.get("Name") or ""),
        role=str(told.get("Role") or ""),
        state=str(record.get("Status") or ""),
    )
