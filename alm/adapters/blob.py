"""Blob storage through azure-storage-blob. See `ports.Blobs`.

A path is `container/name`. Names are data: they are checked here and encoded by the SDK. ETags are
given in quotes and taken with or without. Every call ends within 60 s, one of a file within 180 s.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator
from copy import copy
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast
from urllib.parse import urlsplit

from azure.core import MatchConditions
from azure.storage.blob import (
    BlobClient,
    BlobSasPermissions,
    BlobServiceClient,
    UserDelegationKey,
    generate_blob_sas,
)

from alm.adapters.blob_files import reader, write
from alm.adapters.blob_listing import folders, listed, quoted
from alm.adapters.blob_paths import encoded, path_below, split
from alm.adapters.storage_errors import told
from alm.adapters.storage_transport import (
    PIECE_BYTES,
    StorageTransport,
    call_ends,
    client_options,
    file_ends,
)
from alm.domain.errors import Conflict, Misconfigured, NotFound, Refused
from alm.domain.versions import is_model_file
from alm.ports import BlobProperties, Clock, Grant

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

CLIENTS_MAX = 256  # one for each blob lately used; making one costs 0.06 ms
GRANT_DAYS_MAX = 6  # the signing key is good for 7 and renewed after 1
CLOCK_SKEW = timedelta(minutes=5)
LOOPBACK = ("127.0.0.1", "localhost")
CONTAINERS = (
    *("datasets", "trained-models", "alm-jobs", "alm-versions", "alm-ledger"),
    *("alm-runs", "alm-inbox", "alm-definitions"),
)


class AzureBlobs:
    """Blobs of one storage account; any number of threads may use it.

    storage_hosts: other accounts whose blobs may be read where a service names them. options: what
    clients of the SDK are made with, `service` too.
    """

    def __init__(
        self,
        service: BlobServiceClient,
        clock: Clock,
        *,
        account_key: str = "",
        storage_hosts: Iterable[str] = (),
        options: dict[str, Any] | None = None,
    ) -> None:
        self._service = service
        self._options = options or client_options(StorageTransport())
        self._clock = clock
        self._key = account_key
        self._hosts = frozenset(storage_hosts)
        self._delegation: tuple[UserDelegationKey, datetime] | None = None
        self._lock = threading.Lock()
        self._base = service.url.rstrip("/") + "/"
        self._kept_client = lru_cache(CLIENTS_MAX)(service.get_blob_client)

    @classmethod
    def from_connection_string(
        cls,
        text: str,
        clock: Clock,
        *,
        storage_hosts: Iterable[str] = (),
        options: dict[str, Any] | None = None,
    ) -> AzureBlobs:
        """For the local stack only: the string holds the account's shared key."""
        options = options or client_options(StorageTransport())
        service = BlobServiceClient.from_connection_string(text, **options)
        key = str(service.credential.account_key) if service.credential else ""
        return cls(service, clock, account_key=key, storage_hosts=storage_hosts, options=options)

    @classmethod
    def from_identity(
        cls,
        uri: str,
        credential: TokenCredential,
        clock: Clock,
        *,
        storage_hosts: Iterable[str] = (),
        options: dict[str, Any] | None = None,
    ) -> AzureBlobs:
        options = options or client_options(StorageTransport())
        service = BlobServiceClient(uri, credential=credential, **options)
        return cls(service, clock, storage_hosts=storage_hosts, options=options)

    def ensure_containers(self, names: Iterable[str] = CONTAINERS) -> None:
        """Create the app's containers where they are missing."""
        with told("list containers"):
            have = {container.name for container in self._service.list_containers(**call_ends())}
        for name in names:
            if name not in have:
                self._create_container(name)

    def _create_container(self, name: str) -> None:
        try:
            with told(f"create container {name}", writes=True):
                self._service.create_container(name, **call_ends())
        except Conflict:
            return  # another instance was quicker

    def get(self, path: str, *, etag: str = "", bytes_max: int = 64 << 20) -> bytes:
        return self.get_with_etag(path, etag=etag, bytes_max=bytes_max)[0]

    def get_with_etag(
        self, path: str, *, etag: str = "", bytes_max: int = 64 << 20
    ) -> tuple[bytes, str]:
        """The content and the ETag it had."""
        with told(f"read {path}"):
            download = self._client(path).download_blob(**_matching(etag), **call_ends())
            size = int(download.properties.size)
            if size > bytes_max:
                raise Refused(f"{path} has {size} bytes, at most {bytes_max} are read")
            return cast("bytes", download.readall()), quoted(download.properties.etag)

    def open(self, path: str, *, etag: str = "") -> BinaryIO:
        with told(f"read {path}"):
            ends = file_ends()
            download = self._client(path).download_blob(**_matching(etag), **ends)
        return reader(path, download.chunks())

    def put(
        self,
        path: str,
        content: bytes | BinaryIO,
        *,
        if_absent: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> str:
        conditions: dict[str, Any] = {"metadata": metadata, **(_missing() if if_absent else {})}
        return self._write(path, content, conditions)

    def put_if(self, path: str, content: bytes, etag: str, metadata: dict[str, str]) -> str:
        """Write a blob if it still has `etag` ("": if it is absent). Returns the new ETag."""
        condition = _matching(etag) if etag else _missing()
        return self._write(path, content, {"metadata": metadata, **condition})

    def _write(self, path: str, content: bytes | BinaryIO, conditions: dict[str, Any]) -> str:
        client = self._client(path)
        with told(f"write {path}", writes=True):
            if isinstance(content, bytes) and len(content) <= PIECE_BYTES:
                ends = call_ends()
                return str(
                    client.upload_blob(content, overwrite=True, **conditions, **ends)["etag"]
                )
            file = io.BytesIO(content) if isinstance(content, bytes) else content
            return write(client, file, conditions)

    def properties(self, path: str) -> BlobProperties:
        with told(f"look at {path}"):
            found = self._client(path).get_blob_properties(**call_ends())
        return _properties(path.split("/", 1)[0], found)

    def list(self, container: str, prefix: str = "") -> Iterator[BlobProperties]:
        return listed(self._service.get_container_client(container), container, prefix)

    def folders(self, container: str) -> tuple[str, ...]:
        """The first parts of the names in a container."""
        return folders(self._service.get_container_client(container), container)

    def delete(self, path: str) -> None:
        try:
            with told(f"delete {path}", writes=True):
                self._client(path).delete_blob(**call_ends())
        except NotFound:
            return

    def grant(self, path: str, access: Literal["read", "write"], until: datetime) -> Grant:
        container, name = split(path)
        now = self._clock.now()
        permission = BlobSasPermissions(read=True)
        if access == "write":
            permission = BlobSasPermissions(create=True, write=True)
        with told(f"grant {path}"):
            sas = generate_blob_sas(
                str(self._service.account_name),
                container,
                name,
                account_key=self._key or None,
                user_delegation_key=None if self._key else self._delegation_key(now),
                permission=permission,
                start=now - CLOCK_SKEW,
                expiry=min(until, now + timedelta(days=GRANT_DAYS_MAX)),
            )
        return Grant(self._base, encoded(path), "?" + sas)

    def location(self, path: str) -> str:
        return self._base + encoded(path)

    def fetch(self, url: str, sas: str = "") -> BinaryIO:
        plain, _, query = url.partition("?")
        try:
            place, path = urlsplit(plain), path_below(self._base, plain)
        except ValueError as error:
            raise Misconfigured(f"a service names a file at {plain!r}, which is no URL") from error
        leave = (sas or query).removeprefix("?")
        if path is not None and is_model_file(path):
            return self.open(path)
        if path is not None and not leave:
            raise Misconfigured(
                f"a service names {path!r} of our own account without leave to read it; only model "
                "files are read for a service: let it name one, with its own leave where it is not "
                "one of ours"
            )
        if path is None and place.netloc not in self._hosts:
            raise Misconfigured(
                f"a service names a file on {place.netloc!r}, which is none of the allowed storage "
                "hosts; add it to ALM_STORAGE_HOSTS if it is yours"
            )
        if place.scheme != "https" and place.hostname not in LOOPBACK:
            raise Misconfigured(f"{plain} is not read without TLS; the service must name https")
        return self._foreign(plain, leave)

    def _foreign(self, plain: str, sas: str) -> BinaryIO:
        remedy = "its leave has expired, or does not allow reading"
        with told(f"read {plain}", when_denied=remedy):
            # A policy belongs to one pipeline: shared, it would lead our own calls past our key.
            own = {**self._options, "retry_policy": copy(self._options["retry_policy"])}
            client = BlobClient.from_blob_url(f"{plain}?{sas}", **own)
            download = client.download_blob(**file_ends())
        return reader(plain, download.chunks())

    def _client(self, path: str) -> Any:
        return self._kept_client(*split(path))

    def _delegation_key(self, now: datetime) -> UserDelegationKey:
        """The key that stands for our identity in grants; good for a week, renewed after a day."""
        with self._lock:
            if self._delegation is None or now > self._delegation[1] + timedelta(days=1):
                until = now + timedelta(days=7) - CLOCK_SKEW  # a week is the most that is given
                key = self._service.get_user_delegation_key(now - CLOCK_SKEW, until, **call_ends())
                self._delegation = (key, now)
            return self._delegation[0]


def _matching(etag: str) -> dict[str, Any]:
    if not etag:
        return {}
    return {"etag": quoted(etag), "match_condition": MatchConditions.IfNotModified}


def _missing() -> dict[str, Any]:
    return {"match_condition": MatchConditions.IfMissing}


def _properties(container: str, found: Any) -> BlobProperties:
    metadata = found.metadata or {}
    return BlobProperties(
        path=f"{container}/{found.name}",
        etag=quoted(found.etag),
        size=int(found.size),
        modified=found.last_modified,
        metadata={name.lower(): value or "" for name, value in metadata.items()},
    )
