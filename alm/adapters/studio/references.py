"""Blob references as Studio writes them: BaseLocation, RelativeLocation, SasBlobToken."""

from __future__ import annotations

import re

from alm.adapters.redaction import without_query
from alm.domain.errors import Misconfigured
from alm.ports import Grant

LOCATION_LENGTH_MAX = 2000  # it travels in messages; the name of a blob has at most 1024 characters
_BASE = re.compile(r"https?://[A-Za-z0-9.:-]+(/[!-~]*)?")


def reference_to(grant: Grant) -> dict[str, str]:
    """A grant as the service wants it."""
    return {
        "BaseLocation": grant.base,
        "RelativeLocation": grant.relative,
        "SasBlobToken": grant.sas,
    }


def grant_of(reference: object, thing: str) -> Grant:
    """A reference of the service as a grant: base with a slash at its end, relative without one.

    Raises Misconfigured if it names no blob.
    """
    record = reference if isinstance(reference, dict) else {}
    base = str(record.get("BaseLocation") or "")
    relative = str(record.get("RelativeLocation") or "").lstrip("/")
    too_long = len(base) + len(relative) > LOCATION_LENGTH_MAX
    if not _BASE.fullmatch(base) or not relative or too_long:
        raise Misconfigured(
            f"{thing}: the service names no blob (BaseLocation {without_query(base)[:200]!r}, "
            f"RelativeLocation {without_query(relative)[:200]!r}); check the service's storage "
            "account"
        )
    return Grant(base.rstrip("/") + "/", relative, _query(str(record.get("SasBlobToken") or "")))


def _query(sas: str) -> str:
    return sas if not sas or sas.startswith("?") else "?" + sas
