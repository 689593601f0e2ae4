"""Transfer: fetch and put blobs over HTTP with a grant, from loopback and configured hosts only.

Redirects are refused. What the store answers becomes a `TransferFailure` whose message names the
blob without its grant.
"""

from __future__ import annotations

from collections.abc import Collection

import urllib3

from devstack.studio.accounts import Account, BlobReference, check_host
from devstack.studio.errors import StudioError

BLOB_BYTES_MAX = 1024 * 1024 * 1024
_VERSION = "2021-08-06"


class TransferFailure(Exception):
    """A blob could not be fetched or written. `status` is 0 when nobody answered."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class BlobTransfer:
    """Fetches and puts blobs; safe to use from many threads."""

    def __init__(self, allowed_hosts: Collection[str] = (), *, seconds_max: float = 60) -> None:
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        timeout = urllib3.Timeout(connect=5, read=seconds_max)
        self._pool = urllib3.PoolManager(maxsize=16, timeout=timeout, retries=False)

    def check(self, reference: BlobReference, target: str = "") -> None:
        """Refuse a blob on a host that is neither loopback nor configured; raises BadArgument."""
        check_host(reference.base, self._allowed, target)

    def fetch(self, reference: BlobReference) -> bytes:
        """The content of a blob; raises TransferFailure."""
        response = self._call("GET", reference, reference.grant)
        try:
            content = response.read(BLOB_BYTES_MAX + 1)
        except urllib3.exceptions.HTTPError as error:
            raise TransferFailure(f"blob {reference.url} broke off: {error}", 0) from error
        finally:
            response.release_conn()
        if len(content) > BLOB_BYTES_MAX:
            raise TransferFailure(
                f"blob {reference.url} is larger than {BLOB_BYTES_MAX} bytes", 413
            )
        return content

    def put(self, reference: BlobReference, content: bytes, content_type: str) -> None:
        """Write a blob; raises TransferFailure."""
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": content_type}
        self._call("PUT", reference, reference.grant, body=content, headers=headers).drain_conn()

    def create_container(self, account: Account, container: str, grant: str) -> None:
        """Make sure that a container exists; raises TransferFailure."""
        reference = BlobReference(account.base_location, container)
        try:
            self._call("PUT", reference, grant + "&restype=container").drain_conn()
        except TransferFailure as error:
            if error.status != 409:
                raise

    def _call(
        self,
        method: str,
        reference: BlobReference,
        query: str,
        *,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        try:
            self.check(reference)
            response = self._pool.request(
                method,
                reference.url + query,
                body=body if method == "PUT" else None,
                headers={"x-ms-version": _VERSION, **(headers or {})},
                redirect=False,
                preload_content=False,
            )
        except StudioError as error:
            raise TransferFailure(error.message, 0) from error
        except urllib3.exceptions.HTTPError as error:
            message = f"blob {reference.url}: {type(error).__name__}, nobody answered"
            raise TransferFailure(message, 0) from error
        if response.status >= 300:
            response.drain_conn()
            reason = response.headers.get("x-ms-error-code") or response.reason or ""
            message = f"blob {reference.url} answered {response.status} {reason}".rstrip()
            raise TransferFailure(message, response.status)
        return response
