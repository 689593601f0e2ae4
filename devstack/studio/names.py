"""Ids, keys and times in the forms that Studio uses."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

HEX_ID = re.compile(r"[0-9a-f]{32}")


def new_id() -> str:
    """A fresh id: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def new_key() -> str:
    """A fresh key: base64 of 64 random bytes, 88 characters that end with ==."""
    return base64.b64encode(secrets.token_bytes(64)).decode()


def digest_of(content: bytes) -> str:
    """The SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def digest_of_document(document: Any) -> str:
    """The SHA-256 of a JSON document, whatever the order of its keys."""
    return digest_of(json.dumps(document, sort_keys=True).encode())


def iso(seconds: float) -> str:
    """A time as ISO 8601 in UTC with seven decimals, as Studio writes it."""
    return f"{moment(seconds):%Y-%m-%dT%H:%M:%S.%f}0Z"


def moment(seconds: float) -> datetime:
    """A time as an aware datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
