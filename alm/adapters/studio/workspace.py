"""A Studio workspace through its API. See `studio_ports.Workspace`.

Nothing is repeated here, and nothing waited for. A change whose answer was lost is Unknown, one
that Studio accepted without telling the new id as well: whoever asked looks first.
"""

from __future__ import annotations

from alm.adapters.studio.assets import AssetCalls
from alm.adapters.studio.experiments import ExperimentCalls
from alm.adapters.studio.packages import PackageCalls
from alm.domain.experiment import WorkspaceFacts


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
