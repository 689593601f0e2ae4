"""Storage accounts and blob references: what a connection string and a reference name."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from devstack.studio import sas
from devstack.studio.errors import bad_argument

# The account that every storage emulator has; its key is published by Microsoft and is no secret.
EMULATOR_ACCOUNT = "devstoreaccount1"
EMULATOR_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
EMULATOR_ENDPOINT = f"http://127.0.0.1:10000/{EMULATOR_ACCOUNT}"

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

CONTAINER_NAME = re.compile(r"\$root|\$web|[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){2,62}")
BLOB_NAME_CHARACTERS_MAX = 1024

# How long a grant that we use ourselves, at once, is good for.
OWN_GRANT = timedelta(minutes=15)


@dataclass(frozen=True)
class Account:
    """A storage account that we hold the key of; `endpoint` has no slash at its end."""

    name: str
    key: str = field(repr=False)
    endpoint: str = ""

    @property
    def base_location(self) -> str:
        """The address that blob references begin with, with a slash at its end."""
        return self.endpoint + "/"

    @property
    def connection_string(self) -> str:
        """The connection string that names this account."""
        return (
            f"DefaultEndpointsProtocol={urlsplit(self.endpoint).scheme};AccountName={self.name};"
            f"AccountKey={self.key};BlobEndpoint={self.endpoint};"
        )

    def read_grant(self, relative: str, *, start: datetime, expiry: datetime) -> str:
        """A read-only signature for one blob, with its question mark."""
        return sas.blob_grant(
            self.name, self.key, relative, permissions="r", start=start, expiry=expiry
        )

    def own_grant(self, now: datetime) -> str:
        """A signature for what we do ourselves in this account, with its question mark."""
        return sas.account_grant(self.name, self.key, expiry=now + OWN_GRANT)


@dataclass(frozen=True)
class BlobReference:
    """A blob: address of the account, `container/blob`, and a grant (with its question mark)."""

    base: str
    relative: str
    grant: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The address without the grant."""
        return self.base + quote(self.relative, safe="/~!$&'()*+,;=:@")

    @property
    def extension(self) -> str:
        """The extension of the blob's name in lower case, with its dot."""
        name = self.relative.rsplit("/", 1)[-1]
        return "." + name.rsplit(".", 1)[-1].lower() if "." in name else ""


def parse_connection_string(text: str, own: Account | None = None) -> Account:
    """The account that a connection string names; raises BadArgument.

    Where it has no BlobEndpoint, the name and key of Studio's `own` account mean that account:
    clients exist that build such a string from the two and leave no room for an endpoint.
    """
    fields = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    if fields.get("UseDevelopmentStorage", "").lower() == "true":
        return Account(EMULATOR_ACCOUNT, EMULATOR_KEY, EMULATOR_ENDPOINT)
    name, key = fields.get("AccountName", ""), fields.get("AccountKey", "")
    protocol = fields.get("DefaultEndpointsProtocol", "https")
    suffix = fields.get("EndpointSuffix", "core.windows.net")
    endpoint = fields.get("BlobEndpoint", f"{protocol}://{name}.blob.{suffix}").rstrip("/")
    if not name or not _is_key(key) or urlsplit(endpoint).scheme not in ("http", "https"):
        raise bad_argument(
            "InvalidBlobConnectionString",
            "ConnectionString needs AccountName, AccountKey and, if given, an http BlobEndpoint.",
        )
    if own is not None and (name, key) == (own.name, own.key) and "BlobEndpoint" not in fields:
        return own
    return Account(name, key, endpoint)


def parse_reference(
    document: Any, target: str, *, own: Account | None = None, now: datetime | None = None
) -> BlobReference:
    """The blob that an AzureBlobDataReference names, in either form; raises BadArgument."""
    if not isinstance(document, Mapping):
        raise bad_argument("MissingInputBlobInformation", "A blob reference is missing.", target)
    fields = {name: _text(document.get(name), name, target) for name in _REFERENCE_FIELDS}
    relative = checked_relative(fields["RelativeLocation"], target)
    if fields["ConnectionString"]:
        account = parse_connection_string(fields["ConnectionString"], own)
        grant = account.own_grant(now or datetime.now(UTC))
        return BlobReference(account.base_location, relative, grant)
    base = fields["BaseLocation"]
    if urlsplit(base).scheme not in ("http", "https"):
        message = "Give ConnectionString, or BaseLocation (an http address) and SasBlobToken."
        raise bad_argument("MissingInputBlobInformation", message, target)
    grant = fields["SasBlobToken"]
    return BlobReference(base.rstrip("/") + "/", relative, "?" + grant.lstrip("?") if grant else "")


_REFERENCE_FIELDS = ("ConnectionString", "BaseLocation", "RelativeLocation", "SasBlobToken")


def checked_relative(location: str, target: str) -> str:
    """`container/blob` without a leading slash; raises BadArgument for a name that is not valid."""
    relative = location.lstrip("/")
    container, _, blob = relative.partition("/")
    if not CONTAINER_NAME.fullmatch(container) or len(container) > 63:
        message = f"RelativeLocation must be container/blob; {container!r} is no container name."
        raise bad_argument("ContainerSegmentInvalid", message, target)
    if not 0 < len(blob) <= BLOB_NAME_CHARACTERS_MAX:
        code = "BlobNameTooLong" if blob else "InputBlobRelativeLocationInvalid"
        message = (
            f"RelativeLocation must name a blob of 1 to {BLOB_NAME_CHARACTERS_MAX} characters."
        )
        raise bad_argument(code, message, target)
    segments = blob.split("/")
    if any(part in (".", "..") for part in segments) or not blob.isprintable() or "\\" in blob:
        message = f"RelativeLocation {relative!r} has a segment or character that is not allowed."
        raise bad_argument("InputBlobRelativeLocationInvalid", message, target)
    return relative


def check_host(url: str, allowed: Collection[str], target: str = "") -> None:
    """Refuse an address whose host is neither loopback nor configured; raises BadArgument."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.username is None and host in LOOPBACK_HOSTS | frozenset(allowed):
        return
    message = f"Local Studio does not fetch from {host!r}; allow it with --allow-blob-host."
    raise bad_argument("InvalidBlob", message, target)


def _text(value: Any, name: str, target: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise bad_argument("MissingInputBlobInformation", f"{name} must be text.", target)
    return value.strip()


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) > 0
    except binascii.Error:
        return False
