"""Shared access signatures of blob storage: issue them, and check them as the service would.

Service signatures (`sr=b`, `sr=c`) and account signatures, versions from 2015-04-05 on. Layouts of
the text to sign: Azure Storage, "Create a service SAS" and "Create an account SAS".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

VERSION = "2021-08-06"

# Versions at which the text to sign gained fields.
_WITH_RESOURCE = "2018-11-09"
_WITH_SCOPE = "2020-12-06"


def blob_grant(
    account: str, key: str, resource: str, *, permissions: str, start: datetime, expiry: datetime
) -> str:
    """A signature for one blob (`container/blob`), as a query with its question mark."""
    fields = {
        "sv": VERSION,
        "sr": "b" if "/" in resource else "c",
        "st": _time_text(start),
        "se": _time_text(expiry),
        "sp": permissions,
    }
    fields["sig"] = _service_signature(account, key, resource, fields)
    return "?" + urlencode(fields)


def account_grant(account: str, key: str, *, expiry: datetime) -> str:
    """A signature for the whole account, for our own use; as a query with its question mark."""
    fields = {
        "sv": VERSION,
        "ss": "b",
        "srt": "sco",
        "se": _time_text(expiry),
        "sp": "rwdlac",
    }
    fields["sig"] = _account_signature(account, key, fields)
    return "?" + urlencode(fields)


def refusal(
    account: str, key: str, path: str, query: Mapping[str, str], wanted: str, now: datetime
) -> str | None:
    """Why a signature does not allow `wanted` (any one of these permissions) on a path now.

    `path` is `container` or `container/blob`. None when it does allow it.
    """
    if "ss" in query:
        signature = _account_signature(account, key, query)
    else:
        resource = path.split("/")[0] if query.get("sr") == "c" else path
        signature = _service_signature(account, key, resource, query)
    if not hmac.compare_digest(signature.encode(), query.get("sig", "").encode()):
        return "the signature does not match"
    start, expiry = _time(query.get("st", "")), _time(query.get("se", ""))
    if expiry is None or now >= expiry:
        return f"the grant expired at {query.get('se')}"
    if start is not None and now < start:
        return f"the grant begins at {query.get('st')}"
    if not set(wanted) & set(query.get("sp", "")):
        return f"the grant is for {query.get('sp', '')!r}, this needs one of {wanted!r}"
    return None


def _service_signature(account: str, key: str, resource: str, query: Mapping[str, str]) -> str:
    version = query.get("sv", "")
    names = ["si", "sip", "spr", "sv"]
    if version >= _WITH_RESOURCE:
        names += ["sr", "snapshot"]
    if version >= _WITH_SCOPE:
        names += ["ses"]
    names += ["rscc", "rscd", "rsce", "rscl", "rsct"]
    lines = [query.get(name, "") for name in ("sp", "st", "se")]
    lines += [f"/blob/{account}/{resource}"]
    return _sign(key, "\n".join(lines + [query.get(name, "") for name in names]))


def _account_signature(account: str, key: str, query: Mapping[str, str]) -> str:
    names = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"]
    if query.get("sv", "") >= _WITH_SCOPE:
        names += ["ses"]
    return _sign(key, "\n".join([account, *(query.get(name, "") for name in names), ""]))


def _sign(key: str, text: str) -> str:
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _time_text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
