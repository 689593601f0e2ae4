"""Inspection: what a dataset's content is, found out in the background.

A new dataset is Pending. It becomes Complete with a report, NotSupported when its data type is no
table, or Failed when its file cannot be read as what it is said to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from devstack.studio.context import Context
from devstack.studio.workspace.background import Background
from devstack.studio.workspace.dataset_files import is_table
from devstack.studio.workspace.records import Asset, SchemaStatus, TableReport
from devstack.studio.workspace.table_reports import (
    report_on,
    schema_document,
    visualization_document,
)

SCHEMA, VISUALIZATION = "schema", "visualization"


class Inspection:
    """Makes reports and answers the schema and visualization endpoints."""

    def __init__(self, context: Context, background: Background) -> None:
        self._store = context.store
        self._assets = context.assets
        self._background = background
        context.shared_access.open_with(SCHEMA, self._schema)
        context.shared_access.open_with(VISUALIZATION, self._visualization)

    def resume(self) -> None:
        """Begin again with what an earlier Studio left pending."""
        for asset in self._store.list(Asset):
            if asset.schema_status == "Pending":
                self.begin(asset)

    def begin(self, asset: Asset) -> None:
        """Have a pending dataset inspected."""
        self._background.submit(partial(self._inspect, asset.digest, asset.data_type))

    def _inspect(self, digest: str, data_type: str) -> None:
        pending = self._pending(digest, data_type)
        if not pending:
            return
        report = self._report(f"{digest}/{data_type}")
        if report is None and is_table(data_type):
            try:
                report = report_on(self._assets.path(pending[0]), data_type)
            except FileNotFoundError:
                return  # it was deleted meanwhile
        if self._background.is_stopping:
            return
        with self._store.transaction():
            if report is not None:
                self._store.put(f"{digest}/{data_type}", report)
            for asset in self._pending(digest, data_type):
                asset.schema_status = _status(report)
                self._assets.change(asset)

    def _pending(self, digest: str, data_type: str) -> list[Asset]:
        return [
            asset
            for asset in self._assets.sharing(digest)
            if asset.data_type == data_type and asset.schema_status == "Pending"
        ]

    def _report(self, key: str) -> TableReport | None:
        return self._store.get(TableReport, key)

    def _schema(self, key: str) -> Mapping[str, Any] | None:
        report = self._report(key)
        return schema_document(report) if report else None

    def _visualization(self, key: str) -> Mapping[str, Any] | None:
        report = self._report(key)
        return visualization_document(report) if report else None


def _status(report: TableReport | None) -> SchemaStatus:
    if report is None:
        return "NotSupported"
    return "Failed" if report.failure else "Complete"
