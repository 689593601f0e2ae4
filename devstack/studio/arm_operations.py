"""Asynchronous operations of Resource Manager: begun by one call, asked about by others.

The status has both `status`, which clients poll, and `provisioningState`, which the specification
has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devstack.studio.arm_paths import PROVIDER, region_key
from devstack.studio.context import Context
from devstack.studio.errors import StudioError
from devstack.studio.names import iso, new_id
from devstack.studio.records import Operation
from devstack.studio.web import Request, Response


class Operations:
    """Keeps operations; serves `.../locations/{region}/operationsStatus/{id}`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def begin(self, region: str) -> Operation:
        """A new operation that is under way."""
        operation = Operation(
            id=new_id(), region=region, state="Provisioning", started=self._context.clock()
        )
        self._context.store.put(operation.id, operation)
        return operation

    def succeed(self, operation: Operation) -> None:
        """The operation is done."""
        operation.state, operation.ended = "Succeeded", self._context.clock()
        self._context.store.put(operation.id, operation)

    def succeed_id(self, operation_id: str) -> None:
        """The operation with this id is done."""
        operation = self._context.store.get(Operation, operation_id)
        if operation is not None:
            self.succeed(operation)

    def fail_id(self, operation_id: str, error: StudioError) -> None:
        """The operation with this id has failed."""
        operation = self._context.store.get(Operation, operation_id)
        if operation is not None:
            operation.state, operation.ended = "Failed", self._context.clock()
            operation.error = dict(error.document()["error"])
            self._context.store.put(operation.id, operation)

    def headers(self, operation: Operation, request: Request) -> Mapping[str, str]:
        """The headers that name an operation to the caller.

        No `Location`: clients would take it for that of the result and read the operation there.
        """
        url = (
            f"{self._context.base_url}/subscriptions/{self._context.identity.subscription_id}"
            f"/providers/{PROVIDER}/locations/{region_key(operation.region)}"
            f"/operationsStatus/{operation.id}?api-version={request.query['api-version']}"
        )
        return {"Azure-AsyncOperation": url, "Retry-After": "0"}

    def get(self, request: Request) -> Response:
        """How an operation is doing."""
        operation = self._context.store.get(Operation, request.parts["operation"].lower())
        if operation is None:
            raise StudioError(404, "ResourceNotFound", "There is no such operation.")
        return Response(200, self._document(operation, request))

    def _document(self, operation: Operation, request: Request) -> dict[str, Any]:
        document: dict[str, Any] = {
            "id": request.path,
            "name": operation.id,
            "status": operation.state,
            "provisioningState": operation.state,
            "startTime": iso(operation.started),
            "percentComplete": 0 if operation.state == "Provisioning" else 100,
        }
        if operation.ended is not None:
            document["endTime"] = iso(operation.ended)
        if operation.error is not None:
            document |= {"errorInfo": operation.error, "error": operation.error}
        return document
