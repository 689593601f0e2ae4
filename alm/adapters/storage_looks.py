"""Looks at a storage account for the doctor: its containers, its clock. Nothing is changed."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from azure.storage.blob import BlobServiceClient

from alm.adapters.storage_errors import told
from alm.adapters.storage_transport import StorageTransport, call_ends, client_options
from alm.domain.errors import Misconfigured

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


class StorageLooks:
    """One account, looked at by a connection string (local stack) or an identity."""

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service

    @classmethod
    def of(cls, text: str, uri: str, credential: TokenCredential | None) -> StorageLooks:
        options = client_options(StorageTransport())
        if text:
            return cls(BlobServiceClient.from_connection_string(text, **options))
        return cls(BlobServiceClient(uri, credential=credential, **options))

    @property
    def host(self) -> str:
        return self._service.url.partition("://")[2].partition("/")[0]

    def container(self, name: str) -> datetime:
        """See that a container is there; returns what time it is by the account's clock.

        Raises NotFound, Denied, Unavailable; Misconfigured if the account does not tell the time.
        """
        seen: list[str] = []

        def note(response: Any) -> None:
            seen.append(str(response.http_response.headers.get("date", "")))

        with told(f"look at container {name}"):
            container = self._service.get_container_client(name)
            container.get_container_properties(raw_response_hook=note, **call_ends())
        try:
            return parsedate_to_datetime(seen[-1])
        except (ValueError, IndexError) as error:
            raise Misconfigured(
                f"{self.host} tells no time in its answers; check what is between it and us"
            ) from error
